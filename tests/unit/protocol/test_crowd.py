"""Who may hold how many sockets."""

from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.crowd import Crowd, CrowdPolicy


def test_ten_of_one_address_may_wait_and_the_eleventh_not() -> None:
    crowd = Crowd()
    assert [crowd.comes("a", CrowdPolicy()) for _ in range(11)] == [True] * 10 + [False]
    assert crowd.comes("b", CrowdPolicy())


def test_one_that_was_turned_away_counts_until_it_has_gone() -> None:
    """It may hold its socket open all the same."""
    crowd = Crowd()
    for _ in range(11):
        crowd.comes("a", CrowdPolicy())
    crowd.goes("a", waiting=True)
    assert not crowd.comes("a", CrowdPolicy())
    crowd.goes("a", waiting=True)
    crowd.goes("a", waiting=True)
    assert crowd.comes("a", CrowdPolicy())


def test_who_talks_waits_no_more_and_yet_holds_a_socket() -> None:
    crowd = Crowd()
    for _ in range(64):
        assert crowd.comes("a", CrowdPolicy())
        crowd.gets_in("a")
    assert not crowd.comes("a", CrowdPolicy())


def test_two_hundred_may_wait_whoever_they_are() -> None:
    crowd = Crowd()
    assert all(crowd.comes(str(n), CrowdPolicy()) for n in range(200))
    assert not crowd.comes("another", CrowdPolicy())


def test_those_without_an_address_share_none() -> None:
    """The peer of a Unix socket is a proxy, of everybody."""
    crowd = Crowd()
    assert all(crowd.comes("", CrowdPolicy(waiting=0)) for _ in range(500))


def test_no_limit_is_no_limit() -> None:
    crowd, unlimited = Crowd(), CrowdPolicy(per_address=0, waiting_per_address=0, waiting=0)
    assert all(crowd.comes("a", unlimited) for _ in range(500))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["comes", "gets in", "goes"])), max_size=60))
def test_nothing_is_remembered_of_who_has_gone(story: list[tuple[str, str]]) -> None:
    crowd, here = Crowd(), []  # type: tuple[Crowd, list[tuple[str, bool]]]
    for address, act in story:
        if act == "comes":
            crowd.comes(address, CrowdPolicy())
            here.append((address, True))
        elif here and act == "gets in" and here[0][1]:
            crowd.gets_in(here[0][0])
            here[0] = (here[0][0], False)
        elif here and act == "goes":
            who, waiting = here.pop(0)
            crowd.goes(who, waiting=waiting)
    for who, waiting in here:
        crowd.goes(who, waiting=waiting)
    assert vars(crowd) == vars(Crowd())
