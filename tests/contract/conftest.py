"""A real Redis for the contracts of stores."""

from collections.abc import Iterator

import pytest

from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """An empty one."""
    redis_server.empty()
    return redis_server
