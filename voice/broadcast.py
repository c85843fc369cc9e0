"""Telling the other processes, through the channel layer, what they would find out by themselves a little later.

Nothing depends on it: a layer that is missing, slow or dead costs the caller 0.3 seconds, and then nothing for a while.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from voice import following

log = logging.getLogger("voice.broadcast")

LIMIT = 0.3
"""Seconds that a message may take to reach the layer."""
PAUSE = 30.0
"""Seconds in which a layer that failed is left alone: whoever saves something must not wait for it each time."""

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice-broadcast")
_lock = threading.Lock()
_silent_until = 0.0


def announce(message: Mapping[str, Any]) -> None:
    """Send ``message`` to every process that follows, this one included. Blocks for 0.3 seconds at most; never raises.

    ``message`` is what a channel layer takes: a dict with a ``type``, of texts and numbers.
    """
    following.deliver(message)
    layer = get_channel_layer()
    if layer is None or isinstance(layer, InMemoryChannelLayer) or time.monotonic() < _silent_until:
        return
    sending: Future[None] = _thread.submit(asyncio.run, _send(layer, dict(message)))
    try:
        sending.result(LIMIT)
    except Exception as error:  # whatever a layer raises when its server is away
        sending.cancel()
        _fall_silent(error)


async def _send(layer: Any, message: dict[str, Any]) -> None:
    async with asyncio.timeout(LIMIT):
        await layer.group_send(following.GROUP, message)


def _fall_silent(error: Exception) -> None:
    global _silent_until
    with _lock:
        _silent_until = time.monotonic() + PAUSE
    log.warning(
        "the channel layer takes no messages (%s); the other processes look by themselves", type(error).__name__
    )
