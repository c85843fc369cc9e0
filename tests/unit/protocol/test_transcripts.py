"""What the visitor said, item by item, however late it comes."""

from __future__ import annotations

from voice.protocol.transcripts import KEPT, LIMIT, Transcripts


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
