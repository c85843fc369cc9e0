"""Whose words they are: ``m_…`` are items of the conversation, ``s_…`` of the session that only transcribes."""

import pytest

from voice.protocol.events import (
    AnswerDelta,
    Fault,
    InputCommitted,
    SpeechStarted,
    SpeechStopped,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
    UpstreamEvent,
)
from voice.upstream.openai.correlation import EARLY, KEPT, Correlation


class Both:
    """Two sessions that hear one visitor; each call says what the core is told."""

    def __init__(self, *, push_to_talk: bool = False, second_writes: bool = True) -> None:
        self.correlation = Correlation(push_to_talk=push_to_talk, second_writes=second_writes)

    def main(self, *events: UpstreamEvent) -> list[UpstreamEvent]:
        told: list[UpstreamEvent] = []
        for event in events:
            if self.correlation.ends(event):
                self.correlation.end(committed=True)
            told += self.correlation.main(event)
        return told

    def second(self, *events: UpstreamEvent) -> list[UpstreamEvent]:
        return [told for event in events for told in self.correlation.second(event)]

    def push(self) -> None:
        """Push-to-talk: the visitor lets go."""
        self.correlation.end(committed=True)


def utterance(item_id: str) -> tuple[UpstreamEvent, ...]:
    return SpeechStarted(item_id), SpeechStopped(item_id), InputCommitted(item_id)


def test_words_have_the_id_of_the_utterance_that_is_open() -> None:
    both = Both()
    both.main(SpeechStarted("m_1"))
    assert both.second(TranscriptDelta("s_1", "when"), TranscriptDelta("s_1", " do")) == [
        TranscriptDelta("m_1", "when"),
        TranscriptDelta("m_1", " do"),
    ]


def test_words_that_were_faster_than_turn_detection_are_of_the_utterance_that_begins_next() -> None:
    both = Both()
    assert both.second(TranscriptDelta("s_1", "when")) == []
    assert both.main(SpeechStarted("m_1")) == [SpeechStarted("m_1"), TranscriptDelta("m_1", "when")]
    assert both.main(SpeechStarted("m_1")) == [SpeechStarted("m_1")], "said twice, not written twice"


def test_of_the_words_before_an_utterance_only_the_last_few_are_kept() -> None:
    both = Both()
    both.second(*(TranscriptDelta("s_1", str(n)) for n in range(100)))
    assert len(both.main(SpeechStarted("m_1"))) == 1 + EARLY


def test_words_after_the_commit_are_of_what_was_committed_also_when_the_next_has_begun() -> None:
    both = Both()
    both.main(*utterance("m_1"))
    assert both.second(TranscriptDelta("s_1", "please")) == [TranscriptDelta("m_1", "please")], "not confirmed yet"
    both.second(InputCommitted("s_1"))
    both.main(SpeechStarted("m_2"))
    assert both.second(TranscriptDelta("s_1", "!"), TranscriptDelta("s_2", "and")) == [
        TranscriptDelta("m_1", "!"),
        TranscriptDelta("m_2", "and"),
    ]


def test_the_final_text_is_of_the_utterance_that_was_committed_first() -> None:
    both = Both()
    both.main(*utterance("m_1"), *utterance("m_2"))
    both.second(InputCommitted("s_1"), InputCommitted("s_2"))
    assert both.second(TranscriptDone("s_2", "two"), TranscriptDone("s_1", "one")) == [
        TranscriptDone("m_2", "two"),
        TranscriptDone("m_1", "one"),
    ]


def test_a_service_that_does_not_confirm_its_commits_names_them_by_their_text() -> None:
    both = Both()
    both.main(*utterance("m_1"), SpeechStarted("m_2"))
    assert both.second(TranscriptDone("s_1", "one"), TranscriptDelta("s_2", "two")) == [
        TranscriptDone("m_1", "one", None),
        TranscriptDelta("m_2", "two"),
    ]


@pytest.mark.parametrize("ending", [SpeechStopped("m_1"), InputCommitted("m_1")])
def test_an_utterance_ends_once(ending: UpstreamEvent) -> None:
    correlation = Correlation(push_to_talk=False, second_writes=True)
    correlation.main(SpeechStarted("m_1"))
    assert correlation.ends(ending)
    correlation.end(committed=True)
    assert not correlation.ends(InputCommitted("m_1"))


def test_a_transcript_that_fails_and_a_commit_that_is_refused_leave_the_utterance_without_words() -> None:
    both = Both()
    both.main(*utterance("m_1"), *utterance("m_2"))
    assert both.second(Fault("input_audio_buffer_commit_empty", event_id="commit")) == [TranscriptFailed("m_1")]
    both.second(InputCommitted("s_1"))
    assert both.second(TranscriptFailed("s_1")) == [TranscriptFailed("m_2")]


def test_what_the_conversation_says_of_other_things_passes() -> None:
    answer = AnswerDelta("resp_1", "m_9", "At ten.")
    assert Both().main(answer, TranscriptDelta("m_0", "unheard of")) == [answer, TranscriptDelta("m_0", "unheard of")]


# -- from one to the other -----------------------------------------------------------------------------------


def test_while_the_conversation_writes_the_second_session_is_not_listened_to() -> None:
    both = Both(second_writes=False)
    assert both.second(TranscriptDelta("s_1", "when")) == []
    assert both.main(SpeechStarted("m_1")) == [SpeechStarted("m_1")]
    assert both.second(TranscriptDelta("s_1", " do")) == []
    both.main(SpeechStopped("m_1"))
    both.second(InputCommitted("s_1"))
    assert both.second(TranscriptDone("s_1", "when do")) == []
    assert both.main(TranscriptDone("m_1", "When do?")) == [TranscriptDone("m_1", "When do?")]


def test_the_second_session_takes_over_what_is_being_said() -> None:
    both = Both(second_writes=False)
    both.main(SpeechStarted("m_1"))
    both.correlation.take_over()
    assert both.second(TranscriptDelta("s_1", "when")) == [TranscriptDelta("m_1", "when")]
    assert both.main(TranscriptDelta("m_1", "when")) == [], "no word comes twice"


def test_a_text_of_the_conversations_own_is_the_final_one() -> None:
    both = Both()
    both.main(*utterance("m_1"))
    assert both.main(TranscriptDone("m_1", "When?")) == [TranscriptDone("m_1", "When?")]
    both.second(InputCommitted("s_1"))
    assert both.second(TranscriptDelta("s_1", "when"), TranscriptDone("s_1", "when")) == []


def test_when_the_second_session_is_lost_what_it_owes_has_failed() -> None:
    both = Both()
    both.main(*utterance("m_1"), *utterance("m_2"))
    both.second(InputCommitted("s_1"), TranscriptDone("s_1", "one"))
    both.main(SpeechStarted("m_3"))
    assert both.correlation.lose() == [TranscriptFailed("m_2")]
    assert both.correlation.lose() == []


@pytest.mark.parametrize("spoken", [True, False])
def test_when_it_is_lost_in_mid_utterance_no_word_comes_twice_and_the_final_text_comes(spoken: bool) -> None:
    both = Both()
    both.main(SpeechStarted("m_1"))
    if spoken:
        both.second(TranscriptDelta("s_1", "when"))
    both.correlation.lose()
    delta = TranscriptDelta("m_1", "when do")
    assert both.main(delta) == ([] if spoken else [delta])
    assert both.main(TranscriptDone("m_1", "when do you")) == [TranscriptDone("m_1", "when do you")]
    both.main(SpeechStopped("m_1"), SpeechStarted("m_2"))
    assert both.main(TranscriptDelta("m_2", "yes")) == [TranscriptDelta("m_2", "yes")]


def test_a_session_of_many_turns_takes_no_more_memory() -> None:
    both = Both()
    for n in range(100):
        both.main(*utterance(f"m_{n}"))
        both.second(InputCommitted(f"s_{n}"))
    kept = both.correlation
    assert max(len(kept._utterances), len(kept._items), len(kept._committing)) <= KEPT


# -- push-to-talk --------------------------------------------------------------------------------------------


def test_what_is_pushed_has_one_id_before_and_after_its_item_exists() -> None:
    both = Both(push_to_talk=True)
    [word] = both.second(TranscriptDelta("s_1", "when"))
    assert isinstance(word, TranscriptDelta)
    name = word.item_id
    both.push()
    assert both.main(InputCommitted("m_1", "ctx_1")) == [InputCommitted(name, "ctx_1")]
    both.second(InputCommitted("s_1"))
    assert both.second(TranscriptDone("s_1", "when?")) == [TranscriptDone(name, "when?")]
    [word] = both.second(TranscriptDelta("s_2", "and"))
    assert isinstance(word, TranscriptDelta)
    assert word.item_id != name


def test_what_is_forgotten_gives_its_id_to_nothing_else() -> None:
    both = Both(push_to_talk=True)
    [forgotten] = both.second(TranscriptDelta("s_1", "err"))
    both.correlation.clear()
    [word] = both.second(TranscriptDelta("s_1", "when"))
    assert word != forgotten
    both.push()
    assert both.main(InputCommitted("m_1")) == [InputCommitted(word.item_id)]  # type: ignore[union-attr]


def test_a_push_that_the_conversation_refuses_does_not_shift_the_ids_of_the_next() -> None:
    both = Both(push_to_talk=True)
    both.push()
    [word] = both.second(InputCommitted("s_1"), TranscriptDelta("s_2", "when"))
    both.push()
    refusal = Fault("input_audio_buffer_commit_empty", event_id="commit")
    assert both.main(refusal, InputCommitted("m_1")) == [refusal, InputCommitted(word.item_id)]  # type: ignore[union-attr]


def test_a_push_keeps_the_conversations_id_while_the_conversation_writes() -> None:
    both = Both(push_to_talk=True, second_writes=False)
    both.push()
    events: list[UpstreamEvent] = [
        TranscriptDelta("m_1", "when"),
        InputCommitted("m_1"),
        TranscriptDone("m_1", "when"),
    ]
    assert both.main(*events) == events


@pytest.mark.parametrize("spoken", [True, False])
def test_a_push_goes_on_when_the_second_session_is_lost(spoken: bool) -> None:
    both = Both(push_to_talk=True)
    names = {word.item_id for word in both.second(TranscriptDelta("s_1", "when")) if spoken}  # type: ignore[union-attr]
    if not spoken:
        both = Both(push_to_talk=True)
    both.correlation.lose()
    told = both.main(TranscriptDelta("m_1", "when"))
    both.push()
    told += both.main(InputCommitted("m_1"), TranscriptDone("m_1", "when do"))
    assert {event.item_id for event in told} == (names or {"m_1"})  # type: ignore[union-attr]
    assert len(told) == (2 if spoken else 3)
