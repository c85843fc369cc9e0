"""Each session has one record, which ends once, with the first reason."""

from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from voice import database, ends, finishing, records, retention
from voice.counts import Count
from voice.models import VoiceSession, VoiceTranscript, VoiceTurn
from voice.protocol.commands import QuestionCorrected, SessionBegan, TurnEnded
from voice.protocol.context import Source
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason, TurnOutcome
from voice.reaper import Round, reap
from voice.records import Recorder, RecordsUnavailable
from voice.spool import Spool
from voice.turns import Facts, Words

pytestmark = pytest.mark.django_db(transaction=True)

FACTS = {"provider": "local", "model": "", "language": "fr"}
TURN = TurnEnded(
    number=1,
    outcome=TurnOutcome.COMPLETED,
    typed=False,
    searches={"hit": 1, "superseded": 2},
    marks={"speech_stopped": 1800},
    prefetched=True,
    context_confirmed=None,
    sources=(Source(1, "Opening hours", "/help/opening-hours/"),),
    question="a secret question",
    answer="a secret answer",
)


@pytest.fixture
def session_id() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(str(tmp_path / "spool"))


async def row(session_id: str) -> VoiceSession:
    return await database.call(VoiceSession.objects.get, pk=session_id, limit=5)


async def no_sleep(seconds: float) -> None:
    """Time does not matter here."""


@pytest.fixture(autouse=True)
async def nothing_is_left_running():
    yield
    assert await finishing.settled(5)


async def test_the_row_is_committed_when_open_returns(session_id, transactional_db, visitor, spool):
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        kept = await row(session_id)
        assert (kept.user_id, kept.provider, kept.language) == (visitor.pk, "local", "fr")
        assert (kept.ready_at, kept.ended_at, kept.end_reason) == (None, None, "")


async def test_a_session_is_a_conversation_of_its_own_unless_it_continues_another(session_id, spool):
    async with Recorder(session_id, spool) as first, Recorder(uuid.uuid4().hex, spool) as second:
        await first.open(user_id=None, **FACTS)
        await first.finish(EndReason.CLIENT_LOST)
        await second.open(user_id=None, conversation_id=session_id, resumed_from=session_id, **FACTS)
        rows = [await row(recorder.session_id) for recorder in (first, second)]
    assert [kept.conversation_id.hex for kept in rows] == [session_id, session_id]
    assert [kept.resumed_from_id for kept in rows] == [None, rows[0].id]
    assert [kept.end_reason for kept in rows] == ["client_lost", ""], "the old row stays as it ended"


async def test_ready_is_noted_once(session_id, spool):
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=None, **FACTS)
        await recorder.ready()
        first = (await row(session_id)).ready_at
        await recorder.ready()
        assert first is not None
        assert (await row(session_id)).ready_at == first


async def test_the_first_reason_stands(session_id, spool):
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=None, **FACTS)
        await recorder.finish(EndReason.IDLE)
        ended = await row(session_id)
        await recorder.finish(EndReason.CLIENT_HANGUP)
        again = await row(session_id)
    assert ended.ended_at is not None
    assert (again.end_reason, again.ended_at) == ("idle", ended.ended_at)


async def test_the_first_reason_stands_also_when_somebody_else_wrote_it(session_id, spool):
    """Another process may have declared the session over."""
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=None, **FACTS)
        other = Recorder(session_id, spool)
        other._inserting = recorder._inserting
        await other.finish(EndReason.DISABLED)
        await recorder.finish(EndReason.IDLE)
    assert (await row(session_id)).end_reason == "disabled"


async def test_a_session_that_breaks_ends_as_an_internal_error(session_id, spool):
    with pytest.raises(KeyError):
        async with Recorder(session_id, spool) as recorder:
            await recorder.open(user_id=None, **FACTS)
            raise KeyError
    assert (await row(session_id)).end_reason == "internal_error"


async def test_a_cancelled_session_has_its_end_recorded(session_id, spool):
    opened = asyncio.Event()

    async def session() -> None:
        async with Recorder(session_id, spool) as recorder:
            await recorder.open(user_id=None, **FACTS)
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(session())
    await opened.wait()
    task.cancel()
    await asyncio.wait({task})
    assert await finishing.settled(5)
    assert (await row(session_id)).ended_at is not None


async def test_without_a_row_there_is_nothing_to_end(session_id, spool):
    async with Recorder(session_id, spool):
        pass
    assert not await database.call(VoiceSession.objects.exists, limit=5)


async def test_a_turn_is_kept_without_what_was_said(session_id, spool, visitor):
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        await recorder.keep(TURN, Counters())
    [turn] = await database.call(lambda: list(VoiceTurn.objects.values()), limit=5)
    assert (turn["number"], turn["outcome"], turn["prefetched"]) == (1, "completed", True)
    assert (turn["searches"], turn["marks"]) == ({"hit": 1, "superseded": 2}, {"speech_stopped": 1800})
    assert turn["sources"] == [{"title": "Opening hours", "url": "/help/opening-hours/"}]
    assert "secret" not in repr(turn)


@pytest.mark.parametrize("anonymous", [False, True])
async def test_with_a_turn_the_count_so_far_is_kept_also_of_a_session_that_is_nobodys(
    session_id, spool, visitor, anonymous
):
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=None if anonymous else visitor.pk, **FACTS)
        await recorder.keep(TURN, Counters(turns_count=1, mic_ms=1_800))
        kept = await row(session_id)
        assert (kept.turns_count, kept.mic_ms, kept.checkpoint) == (1, 1_800, 1)
        await recorder.keep(replace(TURN, number=2), Counters(turns_count=2, mic_ms=3_600))
        assert (await row(session_id)).turns_count == 2


async def test_a_turn_that_is_late_brings_no_older_count(session_id, spool, visitor):
    """A call that nobody waits for any more still takes effect."""
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        facts = Facts.of(uuid.UUID(session_id), timezone.now(), TURN)
        late = partial(facts.write, Count(1, Counters(turns_count=1)))
        await recorder.checkpoint(Counters(turns_count=1))
        await recorder.checkpoint(Counters(turns_count=2))
        await database.call(late, limit=5)
        assert (await row(session_id)).turns_count == 2
        assert await database.call(VoiceTurn.objects.count, limit=5) == 1


async def test_a_fact_that_the_database_takes_late_brings_no_older_count_than_the_last(
    session_id, spool, visitor, monkeypatch
):
    taken, set_ready = threading.Event(), records._set_ready

    def late(*args):
        taken.wait(5)
        set_ready(*args)

    monkeypatch.setattr(records, "_set_ready", late)
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        begins = asyncio.create_task(recorder.keep(SessionBegan(), Counters()))
        await asyncio.sleep(0)
        recorder.remember(Counters(turns_count=1))
        taken.set()
        await begins
        await recorder.finish(EndReason.CLIENT_HANGUP)
    assert (await row(session_id)).turns_count == 1


async def test_a_turn_is_kept_once_however_often_it_is_brought(session_id, spool, visitor):
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        await recorder.keep(TURN, Counters())
        await recorder.keep(replace(TURN, outcome=TurnOutcome.FAILED), Counters())
    [turn] = await database.call(lambda: list(VoiceTurn.objects.all()), limit=5)
    assert turn.outcome == "completed"


async def test_a_turn_that_the_database_does_not_take_waits_in_the_spool_and_ends_nothing(
    session_id, monkeypatch, caplog, spool, visitor
):
    def locked(self, *count):
        raise OperationalError("database is locked by a secret")

    async with Recorder(session_id, spool, transcripts=True) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        with monkeypatch.context() as broken:
            broken.setattr(Facts, "write", locked)
            broken.setattr(Words, "write", locked)
            await recorder.keep(TURN, Counters())
            await recorder.keep(QuestionCorrected(1, "a secret correction"), Counters())
        await recorder.finish(EndReason.IDLE)
    assert "turn 1-facts waits in the spool: OperationalError" in caplog.text
    assert "secret" not in caplog.text
    assert await database.call(reap, spool, limit=5) == Round(replayed=3, lost=0)
    [turn] = await database.call(lambda: list(VoiceTurn.objects.values()), limit=5)
    assert (turn["number"], turn["outcome"], turn["marks"]) == (1, "completed", {"speech_stopped": 1800})
    assert await said() == {"visitor": "a secret correction", "assistant": "a secret answer"}
    assert list(spool.waiting()) == []


async def test_a_turn_that_neither_database_nor_disk_takes_is_told_to_be_lost(session_id, monkeypatch, caplog, visitor):
    def locked(self, *count):
        raise OperationalError

    spool = Spool("/proc/nothing-can-be-made-here")
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        monkeypatch.setattr(Facts, "write", locked)
        await recorder.keep(TURN, Counters())
    assert "turn 1-facts is lost: OperationalError" in caplog.text


# -- what was said --------------------------------------------------------------------------------------------------


async def said() -> dict[str, str]:
    """What is stored, by who said it."""
    rows = VoiceTranscript.objects.values_list("role", "text")
    return dict(await database.call(lambda: list(rows), limit=5))


async def test_a_late_transcript_replaces_what_was_known_of_the_question(session_id, spool, visitor):
    async with Recorder(session_id, spool, transcripts=True) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        await recorder.keep(TURN, Counters())
        await recorder.keep(QuestionCorrected(1, "a better question"), Counters())
    assert await said() == {"visitor": "a better question", "assistant": "a secret answer"}


async def test_a_late_transcript_stands_also_if_the_first_comes_later_still(session_id, spool, visitor):
    """The first was brought by the spool."""
    async with Recorder(session_id, spool, transcripts=True) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        await recorder.keep(QuestionCorrected(1, "a better question"), Counters())
        await recorder.keep(TURN, Counters())
    assert await said() == {"visitor": "a better question", "assistant": "a secret answer"}


async def test_a_late_transcript_is_stored_by_no_site_that_stores_none(session_id, spool, visitor):
    async with Recorder(session_id, spool) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        await recorder.keep(QuestionCorrected(1, "a better question"), Counters())
    assert await said() == {}


async def test_what_no_database_takes_is_replaced_and_costs_nothing_else(session_id, spool, visitor):
    """A client may type a NUL, and half of an emoji may come from a provider."""
    async with Recorder(session_id, spool, transcripts=True) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        await recorder.keep(replace(TURN, question="a\0b\ud83d", sources=(Source(1, "\0", "/\ud83d"),)), Counters())
    assert (await said())["visitor"] == "a\N{REPLACEMENT CHARACTER}b?"
    [turn] = await database.call(lambda: list(VoiceTurn.objects.all()), limit=5)
    assert turn.sources == [{"title": "\N{REPLACEMENT CHARACTER}", "url": "/?"}]


async def test_of_somebody_who_was_forgotten_meanwhile_only_figures_are_kept(session_id, spool, visitor):
    async with Recorder(session_id, spool, transcripts=True) as recorder:
        await recorder.open(user_id=visitor.pk, **FACTS)
        await recorder.keep(replace(TURN, number=7), Counters())
        await database.call(retention.erase, visitor.pk, limit=5)
        await recorder.keep(TURN, Counters())
        await recorder.keep(QuestionCorrected(7, "a secret question"), Counters())
    turns = await database.call(lambda: list(VoiceTurn.objects.order_by("number").values()), limit=5)
    assert [(turn["number"], turn["sources"], turn["searches"]) for turn in turns] == [
        (1, [], TURN.searches),
        (7, [], TURN.searches),
    ]
    assert await said() == {}


async def test_a_database_that_refuses_the_row_refuses_the_session(session_id, monkeypatch, spool):
    def refuses(self, **kwargs):
        raise OperationalError("down")

    monkeypatch.setattr(VoiceSession, "save", refuses)
    async with Recorder(session_id, spool) as recorder:
        with pytest.raises(RecordsUnavailable) as refused:
            await recorder.open(user_id=None, **FACTS)
    assert refused.value.reason is EndReason.OVERLOADED


async def test_a_row_that_came_too_late_does_not_stay_open(session_id, monkeypatch, spool):
    """The visitor was refused; then the database answered after all."""
    may_save, save = threading.Event(), VoiceSession.save

    def late(self, **kwargs):
        may_save.wait(5)
        save(self, **kwargs)

    monkeypatch.setattr(VoiceSession, "save", late)
    monkeypatch.setattr(records, "OPEN_SECONDS", 0.01)
    monkeypatch.setattr(records, "FINISH_SECONDS", 60.0)
    async with asyncio.timeout(5):  # nobody waits for what may never be
        async with Recorder(session_id, spool) as recorder:
            with pytest.raises(RecordsUnavailable):
                await recorder.open(user_id=None, **FACTS)
    may_save.set()
    assert await finishing.settled(5)
    assert (await row(session_id)).end_reason == "overloaded"


async def test_the_end_is_tried_again_while_the_database_is_locked(session_id, monkeypatch, spool):
    attempts, write = count(1), ends.write

    def locked_twice(*args):
        if next(attempts) <= 2:
            raise OperationalError("database is locked")
        write(*args)

    monkeypatch.setattr(ends, "write", locked_twice)
    async with Recorder(session_id, spool, sleep=no_sleep) as recorder:
        await recorder.open(user_id=None, **FACTS)
        await recorder.finish(EndReason.IDLE)
    assert (await row(session_id)).end_reason == "idle"


async def test_an_end_that_cannot_be_written_waits_in_the_spool(session_id, monkeypatch, caplog, spool):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def locked(*args):
        raise OperationalError("database is locked")

    monkeypatch.setattr(ends, "write", locked)
    async with Recorder(session_id, spool, sleep=sleep) as recorder:
        await recorder.open(user_id=None, **FACTS)
        await recorder.finish(EndReason.IDLE)
    assert await finishing.settled(5)
    assert slept[:6] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert 50 < sum(slept) <= 60
    assert f"session {session_id} ended (idle); its end waits in the spool: OperationalError" in caplog.text
    assert [name for name, _ in spool.waiting()] == [session_id]


async def test_two_hundred_sessions_that_end_at_once_lose_nothing(spool):
    sessions = [Recorder(uuid.uuid4().hex, spool) for _ in range(200)]
    for session in sessions:
        await session.open(user_id=None, **FACTS)
    await asyncio.gather(*(session.finish(EndReason.SERVER_DRAIN) for session in sessions))
    assert await finishing.settled(20)
    left = await database.call(VoiceSession.objects.filter(end_reason="server_drain").count, limit=5)
    assert left == 200


def test_every_reason_and_outcome_has_words():
    from voice import models

    assert set(models._REASONS) == set(EndReason)
    assert set(models._OUTCOMES) == set(TurnOutcome)
    longest = VoiceSession._meta.get_field("end_reason").max_length
    assert all(len(reason) <= longest for reason in EndReason)
