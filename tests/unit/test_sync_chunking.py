"""Long texts in pieces: nothing is lost, nothing grows beyond its size, borders are between sentences."""

from itertools import count, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from voice.knowledge.sentences import sentences
from voice.knowledge.sync.chunking import LIMIT, OVERLAP, pieces

ANYTHING = st.one_of(st.text(), st.text(st.sampled_from("a .。\n\u2028"), max_size=3 * LIMIT))


def prose(shape: list[tuple[int, str]]) -> str:
    """Sentences of these numbers of words, each followed by this space. No word comes twice."""
    number = count()
    return "".join(f"{' '.join(f'w{next(number)}' for _ in range(words))}.{space}" for words, space in shape)


SHORT = st.tuples(st.integers(1, 90), st.sampled_from([" ", "\n", "\n\n"]))
LONG = st.tuples(st.integers(1, 400), st.sampled_from([" ", "\n"]))
PROSE = st.lists(SHORT, max_size=40).map(prose)
LONG_WINDED = st.lists(LONG, max_size=12).map(prose)


@given(st.one_of(ANYTHING, PROSE, LONG_WINDED))
@example("a" * (2 * LIMIT + 1))
@example("a " * LIMIT + "b")
def test_every_piece_is_a_slice_of_the_text_within_its_size(text: str) -> None:
    for piece in pieces(text):
        assert piece in text
        assert 0 < len(piece) <= LIMIT
        assert piece == piece.strip()


@given(LONG_WINDED)
def test_pieces_hold_all_words_of_the_text_in_their_order(text: str) -> None:
    found = [word for piece in pieces(text) for word in piece.split()]
    assert list(dict.fromkeys(found)) == text.split()


@given(st.integers(1, 5 * LIMIT))
def test_a_word_longer_than_a_piece_is_not_lost(length: int) -> None:
    word = "".join(chr(0x4E00 + n) for n in range(length))
    assert "".join(pieces(word)) == word


@given(PROSE)
def test_prose_is_cut_between_sentences(text: str) -> None:
    whole = set(sentences(text))
    assert all(whole.issuperset(sentences(piece)) for piece in pieces(text))


@given(PROSE)
def test_neighbours_share_no_more_than_the_overlap(text: str) -> None:
    found = pieces(text)
    for before, after in pairwise(found):
        shared = before[before.find(after.split()[0]) :] if after.split()[0] in before.split() else ""
        assert len(shared) <= OVERLAP
        assert after.startswith(shared)


@given(PROSE)
@example(prose([(60, " "), (25, " "), (115, " ")]))
def test_each_piece_says_something_new(text: str) -> None:
    """One that only repeats would be found twice and say nothing more."""
    found = pieces(text)
    for before, after in pairwise(found):
        assert after.split()[-1] not in before.split()


def test_what_is_said_on_a_border_is_in_both_pieces() -> None:
    text = prose([(12, " ")] * 60)
    found = pieces(text)
    assert len(found) > 4
    for before, after in pairwise(found):
        assert sentences(after)[0] in sentences(before)


def test_a_text_that_fits_is_one_piece_as_it_stands() -> None:
    text = "First.\n\nSecond, after a blank line."
    assert pieces(f"  {text}\n") == [text]


def test_a_text_without_words_has_no_piece() -> None:
    assert pieces(" \n ") == []
