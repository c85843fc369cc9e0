"""What the records know of a user's last hour, for a store that came back empty."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from voice import database, gate, starts
from voice.admission.memory import MemoryStore
from voice.admission.store import StoreUnavailable
from voice.models import VoiceSession
from voice.protocol.outcomes import REFUNDED, EndReason

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600.0


def begun(user: Any, minutes_ago: float, **fields: Any) -> str:
    """A session that the user began; returns its id as the wire has it."""
    row = VoiceSession(id=uuid.uuid4(), user=user, started_at=timezone.now() - timedelta(minutes=minutes_ago), **fields)
    row.save(force_insert=True)
    return row.id.hex


async def of(user: Any) -> list[str]:
    return [session_id for session_id, _ in await starts.of_user(str(user.pk), HOUR)]


async def test_the_starts_of_the_last_hour_are_known_with_their_times(visitor: Any) -> None:
    def write() -> tuple[str, str]:
        begun(visitor, 61)
        return begun(visitor, 59), begun(visitor, 1)

    early, late = await database.call(write, limit=5)
    found = await starts.of_user(str(visitor.pk), HOUR)
    assert [session_id for session_id, _ in found] == [early, late]
    ago = [timezone.now().timestamp() - at for _, at in found]
    assert ago == pytest.approx([59 * 60, 60], abs=10)


async def test_another_users_starts_are_not_among_them(visitor: Any, staff: Any) -> None:
    await database.call(begun, staff, 1, limit=5)
    assert await of(visitor) == []


@pytest.mark.parametrize("reason", sorted(REFUNDED))
async def test_a_start_that_was_given_back_does_not_come_back(visitor: Any, reason: EndReason) -> None:
    def write() -> str:
        begun(visitor, 1, end_reason=reason)
        return begun(visitor, 1, end_reason=reason, ready_at=timezone.now())

    counted = await database.call(write, limit=5)
    assert await of(visitor) == [counted]


async def test_nor_does_one_that_never_had_a_microphone(visitor: Any) -> None:
    ended = {"end_reason": EndReason.NO_MICROPHONE, "ready_at": timezone.now()}
    await database.call(lambda: begun(visitor, 1, **ended), limit=5)
    assert await of(visitor) == []


@pytest.mark.parametrize("reason", ["", EndReason.CONCURRENT, EndReason.DISABLED, EndReason.CLIENT_LOST])
async def test_any_other_start_stays_counted_also_if_the_upstream_was_never_reached(visitor: Any, reason: str) -> None:
    session_id = await database.call(begun, visitor, 1, end_reason=reason, limit=5)
    assert await of(visitor) == [session_id]


async def test_a_session_that_went_on_with_a_conversation_is_no_start(visitor: Any) -> None:
    def write() -> str:
        first = begun(visitor, 5)
        begun(visitor, 4, resumed_from_id=uuid.UUID(first), conversation_id=uuid.UUID(first))
        return first

    first = await database.call(write, limit=5)
    assert await of(visitor) == [first]


# -- the store of this process ------------------------------------------------------------------------------------


@pytest.fixture
def fresh_store() -> Any:
    gate.store.cache_clear()
    yield
    gate.store.cache_clear()


@pytest.mark.usefixtures("fresh_store")
def test_without_an_address_of_redis_this_process_counts_for_itself(settings: Any) -> None:
    settings.VOICE = {}
    assert isinstance(gate.store(), MemoryStore)


@pytest.mark.usefixtures("fresh_store")
async def test_with_one_redis_counts_and_closing_is_nothing_before_it_was_dialled(settings: Any) -> None:
    from voice.admission.redis.store import RedisStore

    settings.VOICE = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    assert isinstance(gate.store(), RedisStore)
    await gate.close()


async def test_records_that_cannot_be_read_admit_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> Any:
        raise TimeoutError

    monkeypatch.setattr(starts, "of_user", broken)
    with pytest.raises(StoreUnavailable):
        await gate._history("1")
