"""What admission costs in one process does not depend on how many others came within the hour."""

from __future__ import annotations

import time

from voice.admission.limits import Limits
from voice.admission.memory import MemoryStore

LIMITS = Limits(sessions_per_user_per_hour=5, sessions_per_address_per_hour=50)
PER_USER = 4


async def cost(users: int) -> float:
    """Milliseconds of processor time for a visit, after each of so many users has been there four times."""
    now = 0.0
    store = MemoryStore(lambda: now)

    async def visit(name: str) -> None:
        await store.acquire(name, name.partition("-")[0], LIMITS, f"address of {name.partition('-')[0]}")
        await store.renew(name)
        await store.release(name)

    for n in range(PER_USER):
        for user in range(users):
            now += 0.01
            await visit(f"{user}-{n}")
    began = time.process_time()
    for user in range(100):
        await visit(f"{user}-new")
    return (time.process_time() - began) * 10


async def test_ten_thousand_users_cost_the_limiter_as_much_as_a_hundred() -> None:
    few, many = await cost(100), await cost(10_000)
    print(f"100 users: {few:.3f} ms of CPU a visit; 10,000, with {10_000 * PER_USER} starts: {many:.3f} ms")
    assert many < 10 * few  # searched from end to end they would cost a hundred times as much
