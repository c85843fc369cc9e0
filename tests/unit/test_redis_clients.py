"""Asking Redis: whoever asks can be cancelled, whatever the client library does with that."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as ConnectionLost

from tests.clock import in_virtual_time
from voice.admission.redis.clients import Clients
from voice.admission.store import ANSWER_SECONDS, StoreUnavailable

NOWHERE = "redis://127.0.0.1:1/0"


async def deaf(then: BaseException | None = None) -> str:
    """A question that loses its cancellation, as commands do while their connection breaks."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(1)
    if then is not None:
        raise then
    return "an answer"


@pytest.mark.parametrize("then", [None, ConnectionLost("gone")], ids=["answered", "failed"])
@in_virtual_time
async def test_who_is_cancelled_while_asking_is_so_at_once(then: BaseException | None) -> None:
    asking = asyncio.create_task(Clients(NOWHERE).answer(deaf(then)))
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.wait({asking}, timeout=0.5)
    assert asking.cancelled()
    await asyncio.sleep(2)


@in_virtual_time
async def test_a_question_that_is_not_answered_in_time_counts_as_unanswered() -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailable):
        await Clients(NOWHERE).answer(deaf())
    assert asyncio.get_running_loop().time() - began == pytest.approx(ANSWER_SECONDS, abs=0.1)
    await asyncio.sleep(2)
