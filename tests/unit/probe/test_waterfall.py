"""The picture is well-formed, says in words what it shows, and believes nothing that it is given."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.unit.probe.turns import turn
from voice.probe.figures import Measured
from voice.probe.waterfall import waterfall

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*turns: Measured) -> ET.Element:
    return ET.fromstring(waterfall(turns))  # noqa: S314 (we have just written it)


def bars(picture: ET.Element, kind: str) -> list[tuple[float, float]]:
    """Where the bars of this kind begin and end."""
    found = [rect.attrib for rect in picture.iter(f"{SVG}rect") if rect.get("class") == kind]
    return [(float(bar["x"]), float(bar["x"]) + float(bar["width"])) for bar in found]


def test_it_has_a_title_and_a_description_for_who_cannot_see_it() -> None:
    picture = drawn(turn("prefetch"), turn("sequential", added=447))
    labels = {part.get("id"): part.text for tag in ("title", "desc") for part in picture.iter(f"{SVG}{tag}")}
    assert picture.get("role") == "img"
    assert list(labels) == picture.get("aria-labelledby", "").split()
    assert "Prefetch: retrieval made the answer wait 0 ms; it sounded 558 ms" in labels["waterfall-desc"]
    assert "Sequential: retrieval made the answer wait 447 ms; it sounded 1005 ms" in labels["waterfall-desc"]


def test_both_turns_end_their_speech_at_the_same_place() -> None:
    longer = replace(turn("sequential", added=447), marks={m: ms + 900 for m, ms in turn("sequential").marks.items()})
    longer = replace(longer, marks={**longer.marks, "speech_started": 0})
    (first_began, first_ended), (second_began, second_ended) = bars(drawn(turn(), longer), "question")
    assert first_ended == pytest.approx(second_ended, abs=0.2)
    assert second_began < first_began


def test_a_wait_is_drawn_only_where_there_was_one() -> None:
    assert bars(drawn(turn("prefetch")), "wait") == []
    picture = drawn(turn("sequential", added=447))
    [(wait_began, wait_ended)] = bars(picture, "wait")
    [(answer_began, _)] = bars(picture, "upstream")
    [(_, speech_ended)] = bars(picture, "question")
    assert wait_began == pytest.approx(speech_ended, abs=0.2)
    assert wait_ended == pytest.approx(answer_began, abs=0.2)


def test_a_search_is_drawn_until_the_answer_sounds_at_most() -> None:
    measured = replace(turn(), searches=((1_500, 1_947), (3_900, 60_000), (50_000, 60_000)))
    picture = drawn(measured)
    assert len(bars(picture, "search")) == 2
    assert bars(picture, "search")[1][1] == pytest.approx(bars(picture, "upstream")[0][1], abs=0.2)


def test_everything_stays_inside_the_picture() -> None:
    picture = drawn(turn("prefetch"), turn("sequential", added=2_000, latency=9_000))
    for rect in picture.iter(f"{SVG}rect"):
        assert 0 <= float(rect.get("x", 0)) + float(rect.get("width", 0)) <= 960


@pytest.mark.parametrize(
    "question", ["</text><script>alert(1)</script>", 'a "b" & c', "bell\x07 and \ud800", "<<<", "x" * 500]
)
def test_a_question_is_text_and_nothing_else(question: str) -> None:
    picture = drawn(turn(question=question))
    assert {part.tag.removeprefix(SVG) for part in picture.iter()} == {
        "svg", "title", "desc", "style", "rect", "text", "line", "path",
    }  # fmt: skip


def test_it_brings_no_script_and_fetches_nothing() -> None:
    document = waterfall([turn()])
    assert "<script" not in document
    assert "href" not in document
    assert "url(" not in document


def test_a_turn_without_an_answer_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="without an answer"):
        waterfall([turn(latency=None)])
    with pytest.raises(ValueError, match="without an answer"):
        waterfall([])
