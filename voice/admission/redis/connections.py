"""A connection that was lost says so, whatever the interpreter.

On Python 3.12, on 3.13 before 3.13.10 and on 3.14.0, asyncio's own transport answers the next write on a connection
that the other side has reset with a ``TypeError`` or an ``AttributeError`` (CPython's gh-136234). The client library
hands that on up to 8.1 (its issue 4287), where nothing tries again and nothing knows it for Redis's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as ConnectionLost


class _Honest(AbstractConnection):
    """What is added to a kind of connection."""

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        """Send it; the connection is closed, where that fails. Raises Redis's errors."""
        try:
            await super().send_packed_command(command, check_health)
        except (AttributeError, TypeError) as error:
            raise ConnectionLost("lost before it was written to") from error


def honest(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection (TCP, TLS, Unix socket), which says so."""
    made: Any = type(f"Honest{kind.__name__}", (_Honest, kind), {})
    return made  # type: ignore[no-any-return]
