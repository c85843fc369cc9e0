"""The embedded engine as a realtime model: scripts of what it hears and is told, and what it must say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.local.scripts import HORAIRES, HOURS, ONE_SECOND, OPTIONS, PARKING, SOUND, Script, done, names
from voice.protocol.commands import (
    CancelResponse,
    ClearAudio,
    CommitAudio,
    CreateResponse,
    DeleteItem,
    InjectContext,
    SubmitText,
    Truncate,
)
from voice.protocol.events import (
    AnswerDelta,
    AudioDelta,
    Fault,
    InputCommitted,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    TranscriptDone,
    TranscriptPartial,
)
from voice.upstream.local.jobs import Drop, Synthesise, Transcribe
from voice.upstream.local.options import LocalOptions


def request(script: Script, n: int = 1) -> list[object]:
    return list(script.obey(CreateResponse(f"req_{n}")))


class TestASpokenTurn:
    def test_is_told_in_the_order_of_the_realtime_api(self) -> None:
        script = Script()
        script.speech(5)
        script.transcript("When do you")
        script.inject()
        script.silence(2)
        script.transcript("When do you open on Sundays?")
        script.silence(2)
        request(script)
        script.all_sounds()
        assert names(script.said) == [
            "SpeechStarted",
            "TranscriptPartial",
            "TranscriptPartial",
            "SpeechStopped",
            "TranscriptDone",
            "InputCommitted",
            "ResponseStarted",
            "AnswerDelta",
            "AudioDelta",
            "AnswerDelta",
            "AudioDelta",
            "AudioDone",
            "ResponseDone",
        ]

    def test_commits_behind_the_context_that_was_injected_meanwhile(self) -> None:
        script = Script()
        script.speech(5)
        script.inject(item_id="ctx_1_1")
        script.silence(2)
        script.transcript("When do you open?")
        assert InputCommitted("item_1", "ctx_1_1") in script.silence(2)

    def test_echoes_our_name_for_the_request(self) -> None:
        script = Script()
        script.spoken_turn()
        started = request(script)[0]
        assert isinstance(started, ResponseStarted)
        assert started.request_id == "req_1"
        script.all_sounds()
        assert [end.request_id for end in done(script.said)] == ["req_1"]

    def test_a_click_is_no_turn(self) -> None:
        script = Script()
        script.speech(1)
        script.silence(20)
        assert script.said == []
        assert script.jobs == {}

    def test_waits_for_its_words_when_the_recogniser_is_slow(self) -> None:
        script = Script()
        script.speech(4)
        assert "SpeechStopped" not in names(script.silence(20))
        assert names(script.transcript("When do you open?"))[-3:] == [
            "SpeechStopped",
            "TranscriptDone",
            "InputCommitted",
        ]

    def test_goes_on_if_the_visitor_does_while_its_words_are_awaited(self) -> None:
        script = Script()
        script.speech(4)
        script.silence(10)
        assert names(script.speech(2)) == ["Drop"]
        script.silence(2)
        script.transcript("When do you open, and where?")
        script.silence(2)
        assert names(script.said).count("InputCommitted") == 1
        assert TranscriptDone("item_1", "When do you open, and where?") in script.said

    def test_nothing_understood_is_answered_kindly(self) -> None:
        script = Script()
        script.spoken_turn("")
        assert TranscriptDone("item_1", "") in script.said
        request(script)
        script.all_sounds()
        assert "did not understand" in script.answer

    def test_a_failed_recognition_falls_back_on_the_last_partial(self) -> None:
        script = Script()
        script.speech(5)
        script.transcript("When do you open")
        script.silence(4)
        script.fail(script.waiting(Transcribe))
        assert TranscriptDone("item_1", "When do you open") in script.said

    def test_a_failed_recognition_without_partial_is_told_and_the_turn_goes_on(self) -> None:
        script = Script()
        script.speech(2)
        script.silence(4)
        script.fail(script.waiting(Transcribe))
        assert names(script.said)[-2:] == ["TranscriptFailed", "InputCommitted"]

    def test_a_failed_early_recognition_is_tried_again_at_the_end(self) -> None:
        script = Script()
        script.speech(2)
        script.silence(2)
        script.fail(script.waiting(Transcribe))
        script.silence(2)
        script.transcript("Hello")
        assert TranscriptDone("item_1", "Hello") in script.said

    def test_without_a_recogniser_nothing_is_heard(self) -> None:
        script = Script(hears=False)
        assert script.speech(10) == []
        assert script.ask("When do you open?", HOURS)


class TestPartialTranscripts:
    def test_begin_after_enough_speech_and_one_at_a_time(self) -> None:
        script = Script()
        assert "Transcribe" not in names(script.speech(3))
        assert names(script.speech(1)) == ["Transcribe"]
        assert script.speech(10) == []

    def test_leave_half_of_the_time_to_others_however_slow_they_are(self) -> None:
        script = Script()
        script.speech(4)
        script.speech(10)  # it takes 320 ms
        script.transcript("When do")
        assert script.speech(9) == []
        assert "Transcribe" in names(script.speech(2))

    def test_are_told_only_when_they_say_something_new(self) -> None:
        script = Script()
        for text in ("When do", "When do", ""):
            script.speech(9)
            script.transcript(text)
        assert [e.text for e in script.said if isinstance(e, TranscriptPartial)] == ["When do"]

    def test_make_way_for_the_final_one(self) -> None:
        script = Script()
        script.speech(4)
        outputs = script.silence(2)
        assert [type(output) for output in outputs] == [Drop, Transcribe]
        assert [job.final for job in script.jobs.values() if isinstance(job, Transcribe)] == [True]


class TestTheEarlyStart:
    def paused(self) -> Script:
        script = Script()
        script.speech(5)
        script.inject()
        script.silence(2)
        script.transcript("When do you open on Sundays?")
        return script

    def test_the_first_sentence_is_made_while_the_silence_lasts(self) -> None:
        script = self.paused()
        script.sound()
        script.silence(2)
        outputs = request(script)
        assert [type(output) for output in outputs[:3]] == [ResponseStarted, AnswerDelta, AudioDelta]

    def test_a_sentence_still_in_work_is_not_made_twice(self) -> None:
        script = self.paused()
        script.silence(2)
        assert names(request(script)) == ["ResponseStarted"]  # type: ignore[arg-type]
        assert names(script.sound())[:2] == ["AnswerDelta", "AudioDelta"]

    def test_is_dropped_when_speech_goes_on(self) -> None:
        script = self.paused()
        assert [type(output) for output in script.speech(2)] == [Drop]
        assert script.audio == b""

    def test_context_that_comes_later_begins_it(self) -> None:
        script = Script()
        script.speech(5)
        script.silence(2)
        assert "Synthesise" not in names(script.transcript("When do you open?"))
        assert names(script.inject()) == ["Synthesise"]

    def test_other_context_composes_it_anew(self) -> None:
        script = self.paused()
        assert [type(output) for output in script.obey(DeleteItem("ctx_1_1"))] == [Drop]
        assert names(script.inject(PARKING, item_id="ctx_1_2")) == ["Synthesise"]
        script.silence(2)
        request(script)
        script.all_sounds()
        assert script.answer.startswith("You can park")

    def test_other_context_with_the_same_answer_keeps_its_sound(self) -> None:
        script = self.paused()
        script.sound()
        assert script.inject(HOURS, PARKING, item_id="ctx_1_2") == []

    def test_small_talk_needs_no_context(self) -> None:
        script = Script()
        script.speech(5)
        script.silence(2)
        assert "Synthesise" in names(script.transcript("Hello!"))


class TestTheAnswer:
    def test_comes_sentence_by_sentence(self) -> None:
        script = Script()
        script.ask("Where can I park?", PARKING)
        assert len(script.jobs) == 1
        script.sound()
        assert script.answer == "You can park behind the house."
        script.sound()
        assert script.answer == "You can park behind the house. It is free for two hours."
        assert script.audio == 2 * ONE_SECOND
        assert done(script.said)[0].status == "completed"

    def test_that_cannot_be_spoken_is_written(self) -> None:
        script = Script(voices=())
        outputs = script.ask("Where can I park?", PARKING)
        assert script.jobs == {}
        assert names(outputs) == ["ResponseStarted", "AnswerDelta", "AnswerDelta", "ResponseDone"]

    def test_goes_on_written_where_one_sentence_cannot_be_said(self) -> None:
        script = Script()
        script.ask("Where can I park?", PARKING)
        script.fail(script.waiting(Synthesise))
        script.sound()
        assert script.answer.endswith("two hours.")
        assert script.audio == ONE_SECOND

    def test_a_second_request_is_refused_while_one_is_answered(self) -> None:
        script = Script()
        script.ask("Where can I park?", PARKING)
        refusal = script.obey(CreateResponse("req_2"))
        assert refusal == [Fault("conversation_already_has_active_response", event_id="req_2")]
        script.all_sounds()
        assert len(done(script.said)) == 1

    def test_knows_nothing_without_context_and_says_so(self) -> None:
        script = Script()
        script.ask("Where can I park?")
        script.all_sounds()
        assert "found nothing" in script.answer

    def test_is_in_the_language_of_a_typed_question(self) -> None:
        script = Script(language="en")
        script.ask("À quelle heure ouvrez-vous le dimanche ?", HORAIRES)
        assert [job.language for job in script.jobs.values() if isinstance(job, Synthesise)] == ["fr"]

    def test_greets_where_nothing_was_asked(self) -> None:
        script = Script(voices=())
        request(script)
        assert script.answer.startswith("Hello")


class TestCancelling:
    def answering(self) -> tuple[Script, str]:
        script = Script()
        script.ask("Where can I park?", PARKING)
        script.sound()
        started = next(output for output in script.said if isinstance(output, ResponseStarted))
        return script, started.response_id

    def test_ends_the_answer_and_drops_what_is_in_work(self) -> None:
        script, response_id = self.answering()
        outputs = script.obey(CancelResponse(response_id))
        assert [type(output) for output in outputs] == [Drop, ResponseDone]
        assert (done(outputs)[0].status, done(outputs)[0].reason) == ("cancelled", "client_cancelled")

    def test_of_a_finished_answer_is_a_harmless_fault(self) -> None:
        script, response_id = self.answering()
        script.all_sounds()
        assert script.obey(CancelResponse(response_id)) == [Fault("response_cancel_not_active")]

    def test_speech_in_an_answer_cancels_it(self) -> None:
        script, _ = self.answering()
        outputs = script.speech(2)
        assert names(outputs) == ["SpeechStarted", "Drop", "ResponseDone"]
        assert done(outputs)[0].reason == "turn_detected"

    def test_a_late_result_of_a_cancelled_answer_is_not_heard(self) -> None:
        script, response_id = self.answering()
        job_id = script.waiting(Synthesise)
        script.obey(CancelResponse(response_id))
        assert script.engine.job_done(job_id, ONE_SECOND, script.now) == []

    def test_the_next_question_is_answered(self) -> None:
        script, response_id = self.answering()
        script.obey(CancelResponse(response_id))
        script.ask("When do you open?", HOURS, n=2)
        script.all_sounds()
        assert done(script.said)[-1].status == "completed"


class TestMemory:
    def test_a_follow_up_is_answered_from_what_was_found_before(self) -> None:
        script = Script(voices=())
        script.ask("When do you open?", HOURS)
        script.said.clear()
        script.ask("And on Sundays?", PARKING, n=2)
        assert script.answer.startswith("On Sundays we close at noon.")

    def test_a_new_question_is_not(self) -> None:
        script = Script(voices=())
        script.ask("When do you open?", HOURS)
        script.said.clear()
        script.ask("Where can visitors leave their car?", PARKING, n=2)
        assert script.answer.startswith("You can park")

    def test_deleted_context_is_forgotten(self) -> None:
        script = Script(voices=())
        script.obey(SubmitText("usr_1", "When do you open?"))
        script.inject()
        script.obey(DeleteItem("ctx_1_1"))
        request(script)
        assert "found nothing" in script.answer

    def test_of_an_answer_that_was_cut_only_what_was_heard_remains(self) -> None:
        script = Script()
        script.ask("Where can I park?", PARKING)
        script.all_sounds()
        item_id = next(output.item_id for output in script.said if isinstance(output, AnswerDelta))
        assert script.obey(Truncate(item_id, 1_000)) == []
        script.said.clear()
        script.ask("Could you repeat that please?", n=2)
        script.all_sounds()
        assert script.answer == "You can park behind the house."

    def test_items_that_do_not_exist_are_faults(self) -> None:
        script = Script()
        assert script.obey(DeleteItem("nothing")) == [Fault("item_delete_invalid_item_id")]
        assert script.obey(Truncate("nothing", 10)) == [Fault("item_truncate_invalid_item_id")]


class TestPushToTalk:
    def test_has_partials_but_no_speech_events_and_ends_by_commit_alone(self) -> None:
        script = Script(push_to_talk=True)
        script.speech(5)
        script.transcript("When do")
        script.silence(30)
        script.transcript("When do you open?")
        assert names(script.said) == ["TranscriptPartial", "TranscriptPartial"]
        assert names(script.obey(CommitAudio())) == ["TranscriptDone", "InputCommitted"]

    def test_commits_when_the_words_are_known(self) -> None:
        script = Script(push_to_talk=True)
        script.speech(5)
        assert names(script.obey(CommitAudio())) == ["Drop", "Transcribe"]
        assert names(script.transcript("When do you open?"))[:2] == ["TranscriptDone", "InputCommitted"]

    def test_the_next_push_may_begin_before_the_words_of_the_last_one_are_known(self) -> None:
        script = Script(push_to_talk=True)
        script.speech(3)
        script.obey(CommitAudio())
        script.speech(3)
        script.transcript("First?")
        script.obey(CommitAudio())
        script.transcript("Second?")
        assert [e.text for e in script.said if isinstance(e, TranscriptDone)] == ["First?", "Second?"]

    def test_a_commit_while_the_early_transcript_is_in_work_waits_for_that(self) -> None:
        script = Script(push_to_talk=True)
        script.speech(3)
        script.silence(2)
        assert script.obey(CommitAudio()) == []
        assert "InputCommitted" in names(script.transcript("When?"))

    def test_silence_is_a_turn_without_words(self) -> None:
        script = Script(push_to_talk=True)
        script.silence(10)
        assert TranscriptDone("item_1", "") in script.obey(CommitAudio())

    def test_nothing_at_all_cannot_be_committed(self) -> None:
        script = Script(push_to_talk=True)
        assert script.obey(CommitAudio()) == [Fault("input_audio_buffer_commit_empty")]

    def test_what_is_cleared_is_forgotten(self) -> None:
        script = Script(push_to_talk=True)
        script.speech(6)
        script.obey(ClearAudio())
        assert script.jobs == {}
        assert script.obey(CommitAudio()) == [Fault("input_audio_buffer_commit_empty")]

    def test_speech_does_not_cancel_the_answer(self) -> None:
        script = Script(push_to_talk=True)
        script.ask("Where can I park?", PARKING)
        script.speech(6)
        assert done(script.said) == []


def test_the_sound_of_a_job_is_never_longer_than_the_limit() -> None:
    script = Script(LocalOptions(min_speech_ms=64, max_speech_ms=320, early_ms=64))
    script.speech(100)
    script.silence(2)
    assert max(len(job.sound) for job in script.jobs.values() if isinstance(job, Transcribe)) <= 10 * len(SOUND)


STEPS = st.one_of(
    st.tuples(st.just("speech"), st.integers(1, 8)),
    st.tuples(st.just("silence"), st.integers(1, 6)),
    st.tuples(st.just("inject"), st.sampled_from([HOURS, PARKING, HORAIRES])),
    st.tuples(st.just("done"), st.integers(0, 3)),
    st.tuples(st.just("fail"), st.integers(0, 3)),
    st.tuples(st.just("stale"), st.integers(1, 30)),
    st.tuples(st.sampled_from(["create", "cancel", "submit", "delete", "truncate", "commit", "clear"]), st.just(0)),
)


class Walk:
    """Takes random steps and keeps account of the answers."""

    def __init__(self, push_to_talk: bool) -> None:
        self.script = Script(OPTIONS, push_to_talk=push_to_talk)
        self.open: str | None = None
        self.finished: set[str] = set()
        self.numbers = iter(range(1, 1000))

    def step(self, kind: str, value: object) -> None:
        script, n = self.script, next(self.numbers)
        jobs = list(script.jobs.values())
        before = len(script.said)
        match kind:
            case "speech":
                script.speech(int(str(value)))
            case "silence":
                script.silence(int(str(value)))
            case "inject":
                script.obey(InjectContext(f"ctx_{n}", "", (value,)))  # type: ignore[arg-type]
            case "done" if jobs:
                job = jobs[int(str(value)) % len(jobs)]
                script.finish(job.job_id, "When do you open?" if isinstance(job, Transcribe) else ONE_SECOND)
            case "fail" if jobs:
                job = jobs[int(str(value)) % len(jobs)]
                script.fail(job.job_id)
            case "stale" if f"job_{value}" not in script.jobs:
                assert script.engine.job_done(f"job_{value}", ONE_SECOND, script.now) == []
            case "create":
                script.obey(CreateResponse(f"req_{n}"))
            case "cancel":
                script.obey(CancelResponse(self.open or "resp_0"))
            case "submit":
                script.obey(SubmitText(f"usr_{n}", "Where can I park?"))
            case "delete":
                script.obey(DeleteItem(f"ctx_{n - 2}"))
            case "truncate":
                script.obey(Truncate(f"item_{n}", 500))
            case "commit":
                script.obey(CommitAudio())
            case "clear":
                script.obey(ClearAudio())
        for event in script.said[before:]:
            self.account(event)

    def account(self, event: object) -> None:
        match event:
            case ResponseStarted(response_id=response_id):
                assert self.open is None, "two answers at once"
                self.open = response_id
            case ResponseDone(response_id=response_id):
                assert response_id == self.open, "an end of no answer"
                self.open = None
            case AudioDelta(response_id=response_id) | AnswerDelta(response_id=response_id):
                assert response_id == self.open, "a word outside of its answer"
            case SpeechStarted() | TranscriptDone():
                pass


@settings(max_examples=300)
@given(st.booleans(), st.lists(STEPS, max_size=60))
def test_whatever_happens_answers_are_one_at_a_time_and_end_once(
    push_to_talk: bool, steps: list[tuple[str, object]]
) -> None:
    walk = Walk(push_to_talk)
    for kind, value in steps:
        walk.step(kind, value)
    for _ in range(50):  # everything that is still in work comes back: nothing may be left open
        for job_id in list(walk.script.jobs):
            walk.step("done", list(walk.script.jobs).index(job_id) if job_id in walk.script.jobs else 0)
    assert walk.open is None
    assert walk.script.jobs == {}
