"""What goes wrong in the client of Weaviate, in the port's words.

A server's text may repeat the question or name what nobody should read in a log: only the kind of an error is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

import httpx
from grpc import StatusCode  # type: ignore[import-untyped]
from grpc.aio import AioRpcError  # type: ignore[import-untyped]
from weaviate.exceptions import (
    UnexpectedStatusCodeError,
    WeaviateClosedClientError,
    WeaviateConnectionError,
    WeaviateGRPCUnavailableError,
    WeaviateStartUpError,
    WeaviateTimeoutError,
)

from voice.knowledge.base import KnowledgeError, KnowledgeUnavailable

T = TypeVar("T")

UNREACHABLE: Final = (
    OSError,  # TimeoutError too
    httpx.TransportError,
    WeaviateClosedClientError,
    WeaviateConnectionError,
    WeaviateGRPCUnavailableError,
    WeaviateStartUpError,
    WeaviateTimeoutError,
)
AWAY: Final = (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED)


async def within(seconds: float, call: Awaitable[T]) -> T:
    """What ``call`` gives, in at most ``seconds``; the client itself would try again for 63 s.

    Raises:
        KnowledgeError: for whatever goes wrong, without the client's error, whose text nobody may see.
    """
    try:
        async with asyncio.timeout(seconds):
            return await call
    except asyncio.CancelledError:
        if cancelled():
            raise
        fault: KnowledgeError = KnowledgeUnavailable("closed")
    except Exception as error:  # of a library that promises no more than that
        fault = translated(error)
    raise fault


def cancelled() -> bool:
    """Whether a ``CancelledError`` is meant for the current task, and does not come from a call under a closed client.

    Only to be asked in a task, and where no time limit of one's own has run out.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def translated(error: Exception) -> KnowledgeError:
    """The port's error for one of the client's."""
    status = _status(error)
    told = f"{type(error).__name__} ({status.name})" if status else type(error).__name__
    if isinstance(error, UNREACHABLE) or status in AWAY or _server_failed(error):
        return KnowledgeUnavailable(told)
    return KnowledgeError(told)


def _status(error: BaseException) -> StatusCode | None:
    """That of the gRPC call which the client's error was raised for."""
    cause = error.__cause__ or error.__context__
    return cause.code() if isinstance(cause, AioRpcError) else None


def _server_failed(error: Exception) -> bool:
    """Status 502, 503 and the like, also those of a proxy in front of the server. (Codes of gRPC are below 17.)"""
    return isinstance(error, UnexpectedStatusCodeError) and error.status_code >= 500
