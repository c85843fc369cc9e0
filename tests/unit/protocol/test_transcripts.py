"""What the visitor said, item by item, however late it comes."""

from __future__ import annotations

from voice.protocol.commands import QuestionCorrected
from voice.protocol.transcripts import KEPT, LIMIT, Asked, Transcripts


def test_deltas_are_appended_verbatim() -> None:
    transcripts = Transcripts()
    transcripts.append("item_1", "When")
    assert transcripts.append("item_1", " do you") == "When do you"
    assert transcripts.get("item_1") == "When do you"


def test_a_revision_replaces_the_whole() -> None:
    transcripts = Transcripts()
    transcripts.append("item_1", "Wendy")
    assert transcripts.replace("item_1", "When do") == "When do"


def test_utterances_do_not_mix() -> None:
    transcripts = Transcripts()
    transcripts.append("item_1", "one")
    transcripts.append("item_2", "two")
    transcripts.append("item_1", " more")
    assert [transcripts.get("item_1"), transcripts.get("item_2")] == ["one more", "two"]


def test_of_what_nobody_said_nothing_is_known() -> None:
    assert Transcripts().get("item_1") == ""


def test_the_newest_utterances_are_remembered() -> None:
    transcripts = Transcripts()
    for n in range(KEPT + 1):
        transcripts.append(f"item_{n}", "x")
    assert [transcripts.get("item_0"), transcripts.get("item_1")] == ["", "x"]


def test_an_utterance_is_bounded() -> None:
    transcripts = Transcripts()
    transcripts.append("item_1", "x" * LIMIT)
    assert len(transcripts.append("item_1", "y" * LIMIT)) == LIMIT


def test_of_the_newest_questions_it_is_known_how_they_were_recorded() -> None:
    asked = Asked()
    for number in range(1, KEPT + 2):
        asked.note(f"item_{number}", number, "")
    assert asked.corrected("item_1", "Too late.") == []
    assert asked.corrected("item_2", "Late.") == [QuestionCorrected(2, "Late.")]
    assert asked.corrected("item_x", "Nobody's.") == []
