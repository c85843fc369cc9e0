"""What a server left behind is brought to its end: once, and truly."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from voice import counts, database, ends, finishing, heartbeat, records, wiring
from voice.counts import Count
from voice.ends import LOST_SECONDS, End
from voice.models import VoiceSession, VoiceTurn
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason
from voice.reaper import INTERVAL, Round, reap
from voice.records import Recorder
from voice.spool import Spool, SpoolError
from voice.turns import Facts, Words

pytestmark = pytest.mark.django_db(transaction=True)


class OverError(BaseException):
    """What ends a loop without end."""


COUNTED = Counters(turns_count=2, audio_in=700, cost=Decimal("0.012345"))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(str(tmp_path / "spool"))


def session(seen_ago: float = 0.0) -> VoiceSession:
    """An open one, whose server gave its last sign of life so many seconds ago."""
    now = timezone.now()
    return VoiceSession.objects.create(
        provider="fake", started_at=now - timedelta(minutes=5), seen_at=now - timedelta(seconds=seen_ago)
    )


def end(row: VoiceSession, checkpoint: int = 3, **changed: object) -> End:
    return End(row.pk, EndReason.IDLE, timezone.now(), Count(checkpoint, replace(COUNTED, **changed)))  # type: ignore[arg-type]


def test_a_session_without_a_sign_of_life_ends_as_of_the_last_one_with_its_last_count(spool):
    row = session(seen_ago=LOST_SECONDS + 1)
    counts.keep(row.pk, Count(1, COUNTED))
    VoiceSession.objects.filter(pk=row.pk).update(seen_at=row.seen_at)
    assert reap(spool) == Round(replayed=0, lost=1)
    lost = VoiceSession.objects.get(pk=row.pk)
    assert (lost.end_reason, lost.ended_at, lost.estimated) == ("server_lost", row.seen_at, True)
    assert (lost.turns_count, lost.audio_in, lost.cost) == (2, 700, COUNTED.cost)
    assert reap(spool) == Round(replayed=0, lost=0)


def test_who_lives_is_left_alone(spool):
    session(seen_ago=LOST_SECONDS - 5)
    assert reap(spool).lost == 0


def test_a_killed_server_is_noticed_within_a_minute_and_a_living_one_may_miss_two_signs():
    assert LOST_SECONDS + INTERVAL < 60
    assert 3 * heartbeat.INTERVAL <= LOST_SECONDS


async def test_all_sessions_that_a_process_holds_live_by_one_statement_every_ten_seconds(spool, monkeypatch):
    held = [Recorder(uuid.uuid4().hex, spool) for _ in range(3)]
    for recorder in held:
        await recorder.open(user_id=None, provider="fake")
    await held[0].finish(EndReason.IDLE)
    assert await finishing.settled(5)
    long_ago = timezone.now() - timedelta(hours=1)
    await database.call(VoiceSession.objects.update, seen_at=long_ago, limit=5)
    slept, said = [], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise OverError

    def signs_of_life(session_ids: tuple[uuid.UUID, ...]) -> None:
        said.append(len(session_ids))
        of_process(session_ids)

    of_process = ends.signs_of_life
    monkeypatch.setattr(ends, "signs_of_life", signs_of_life)
    with monkeypatch.context() as clock:
        clock.setattr(heartbeat.asyncio, "sleep", sleep)
        with pytest.raises(OverError):
            await heartbeat.run()
    assert slept == [heartbeat.INTERVAL] * 2
    assert said == [2]
    seen = await database.call(VoiceSession.objects.filter(seen_at__gt=long_ago).count, limit=5)
    assert seen == 2, "and not the one that is over"
    for recorder in held:
        await recorder.__aexit__()


async def test_a_sign_of_life_that_cannot_be_given_is_told_and_followed_by_another(monkeypatch, caplog):
    failures = iter([OperationalError(), TimeoutError(), RuntimeError("a bug"), OverError()])

    async def failing(*_: Any, **__: Any) -> None:
        raise next(failures)

    monkeypatch.setattr(database, "call", failing)
    monkeypatch.setattr(heartbeat, "INTERVAL", 0)
    with pytest.raises(OverError):
        await heartbeat.run()
    assert caplog.text.count("could not be said to live") == 3


def test_a_checkpoint_is_a_sign_of_life():
    row = session(seen_ago=LOST_SECONDS + 1)
    counts.keep(row.pk, Count(1, COUNTED))
    assert ends.end_lost() == 0


def test_counts_never_fall_whatever_order_they_arrive_in():
    row = session()
    counts.keep(row.pk, Count(2, COUNTED))
    counts.keep(row.pk, Count(1, Counters(turns_count=1)))
    assert VoiceSession.objects.get(pk=row.pk).turns_count == 2


def test_the_first_end_stands_and_a_later_one_may_only_raise_the_count():
    row = session()
    ends.write(end(row, checkpoint=3))
    ends.write(replace(end(row, checkpoint=4, audio_in=900), reason=EndReason.CLIENT_HANGUP))
    ends.write(end(row, checkpoint=2, audio_in=1))
    ended = VoiceSession.objects.get(pk=row.pk)
    assert (ended.end_reason, ended.audio_in, ended.checkpoint) == ("idle", 900, 4)


def test_what_waits_in_the_spool_is_replayed_before_anything_is_presumed(spool):
    row = session(seen_ago=LOST_SECONDS + 100)
    spool.keep(row.pk.hex, end(row).to_json())
    assert reap(spool) == Round(replayed=1, lost=0)
    ended = VoiceSession.objects.get(pk=row.pk)
    assert (ended.end_reason, ended.cost, ended.estimated) == ("idle", COUNTED.cost, False)
    assert list(spool.waiting()) == []


def test_an_end_is_the_same_after_its_journey(spool):
    row = session()
    for told in (end(row), end(row, cost=None)):
        assert End.from_json(json.loads(told.to_json())) == told


def test_what_can_never_be_brought_does_not_hold_up_the_rest(spool):
    """Another version of this app wrote it."""
    row = session()
    facts = {"outcome": "completed", "first_audio_ms": 1}
    spool.keep("a-facts", Facts(row.pk, timezone.now(), 1, {**facts, "mood": "good"}).to_json())
    spool.keep("b-facts", Facts(row.pk, timezone.now(), 2, facts).to_json())
    assert reap(spool).replayed == 1
    assert [path.name for path in spool.directory.glob("*.bad")] == ["a-facts.bad"]
    assert VoiceTurn.objects.get().number == 2


def test_a_turn_of_a_session_that_is_deleted_is_dropped(spool):
    facts = Facts(uuid.uuid4(), timezone.now(), 1, {"outcome": "completed"})
    spool.keep("a-facts", facts.to_json())
    assert reap(spool).replayed == 1
    assert list(spool.waiting()) == []
    assert not VoiceTurn.objects.exists()


def test_turns_are_the_same_after_their_journey():
    for kept in (
        Facts(uuid.uuid4(), timezone.now(), 1, {"outcome": "completed", "marks": {"ended": 1}, "sources": []}),
        Words(uuid.uuid4(), timezone.now(), 2, {"visitor": "\u202eGrüße"}, corrects=True),
    ):
        assert type(kept).from_json(json.loads(kept.to_json())) == kept


def test_what_is_no_end_is_named_once_and_kept_aside(spool, caplog):
    spool.keep("strange", '{"session": 1}')
    for _ in range(2):
        assert reap(spool).replayed == 0
    assert caplog.text.count("cannot be brought, and is set aside: strange (KeyError)") == 1
    assert (spool.directory / "strange.bad").read_text() == '{"session": 1}\n'


def test_sites_of_one_user_with_other_databases_do_not_share_a_spool(monkeypatch):
    mine = wiring.spool().directory
    assert mine == wiring.spool().directory
    monkeypatch.setitem(connection.settings_dict, "HOST", "another")
    assert wiring.spool().directory != mine


def test_the_spool_is_its_users_alone(tmp_path):
    spool = Spool(str(tmp_path / "spool"))
    spool.keep("one", "{}")
    assert spool.directory.stat().st_mode & 0o777 == 0o700
    assert (spool.directory / "one.json").stat().st_mode & 0o777 == 0o600
    spool.directory.chmod(0o755)
    with pytest.raises(SpoolError, match="0700"):
        spool.keep("two", "{}")


def test_a_link_is_no_spool(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "spool").symlink_to(tmp_path / "real")
    with pytest.raises(SpoolError):
        Spool(str(tmp_path / "spool")).keep("one", "{}")


def test_the_command_does_one_round(settings, tmp_path, capsys):
    settings.VOICE = {**settings.VOICE, "SPOOL": str(tmp_path / "spool")}
    session(seen_ago=LOST_SECONDS + 1)
    call_command("voice_reap")
    assert capsys.readouterr().out == "0 records replayed, 1 sessions of lost servers ended.\n"


@contextmanager
def locked() -> Iterator[None]:
    """Nobody else can write sessions."""
    lock: Any
    if connection.vendor == "sqlite":
        lock = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
    else:
        names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
        where = {name: connection.settings_dict[key] for key, name in names.items() if connection.settings_dict[key]}
        lock = pytest.importorskip("psycopg").connect(**where)
        lock.execute("LOCK TABLE voice_voicesession IN EXCLUSIVE MODE")
    try:
        yield
    finally:
        lock.rollback()
        lock.close()


async def test_two_hundred_ends_that_meet_a_locked_database_all_arrive(spool, monkeypatch):
    """Their process is gone before the lock is: what arrives comes from the disk."""
    monkeypatch.setattr(records, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(records, "FINISH_SECONDS", 0.0)
    monkeypatch.setattr(records, "RETRY_SECONDS", 0.5)
    sessions = [Recorder(uuid.uuid4().hex, spool) for _ in range(200)]
    for recorder in sessions:
        await recorder.open(user_id=None, provider="fake")
    with locked():
        for recorder in sessions:
            recorder.remember(COUNTED)
            await recorder.finish(EndReason.SERVER_DRAIN)
        assert await finishing.settled(60)
        waiting = len(list(spool.waiting()))
    for recorder in sessions:
        await recorder.__aexit__()
    done = await database.call(reap, spool, limit=60)
    ended = await database.call(
        VoiceSession.objects.filter(end_reason="server_drain", audio_in=700, cost=COUNTED.cost).count, limit=5
    )
    print(f"{waiting} of 200 ends waited in the spool, {done.replayed} were replayed, {ended} arrived")
    assert (waiting, ended, list(spool.waiting())) == (200, 200, [])
