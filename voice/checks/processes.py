"""Several processes count together, and hear of each other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004

from voice.conf import conf, problems

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
ON_LISTS = "channels_redis.core.RedisChannelLayer"
BLOCKS_FOR = 5.0
"""Seconds that this layer waits for a message in one call (``brpop_timeout`` in channels_redis 4.3)."""

E014 = Error(
    "channels_redis.core with redis-py 8 or later loses each consumer that has heard nothing for five seconds.",
    hint="Give every entry of 'hosts' in CHANNEL_LAYERS the form {'address': …, 'socket_timeout': None}, or use "
    "channels_redis.pubsub.RedisPubSubChannelLayer with it.",
    id="voice.E014",
)
W004 = Warning(
    "VOICE['REDIS_URL'] is set, and the channel layer is none that processes share: who continues in another window "
    "would be heard in both for some seconds.",
    hint="Use channels_redis.pubsub.RedisPubSubChannelLayer in CHANNEL_LAYERS.",
    id="voice.W004",
)
W005 = Warning(
    "The channel layer is on Redis, and VOICE['REDIS_URL'] is not set: each process would count for itself, so that "
    "a visitor has the limits as often as there are processes, and a ticket opens a conversation in each.",
    hint="Set VOICE['REDIS_URL'], in this project by the environment's REDIS_URL.",
    id="voice.W005",
)
W006 = Warning(
    "WEB_CONCURRENCY asks for several processes, and VOICE['REDIS_URL'] is not set: each would count for itself, so "
    "that a visitor has the limits as often as there are processes.",
    hint="Set VOICE['REDIS_URL'], or run one process.",
    id="voice.W006",
)
W013 = Warning(
    "VOICE['REDIS_URL'] is set, and VOICE['RESUME_KEYS'] is not: no conversation is kept, so that a visitor whose "
    "connection is lost, or whose page is loaded anew, begins from nothing.",
    hint="Set VOICE['RESUME_KEYS'], in this project by VOICE_RESUME_KEYS. A key: python -c 'import base64, secrets; "
    "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'. Or say VOICE['RESUME'] = False.",
    id="voice.W013",
)


@register("voice")
def check_idle_consumers(**_: Any) -> list[CheckMessage]:
    """The channel layer does not take a silence for a fault."""
    layer = _layer()
    if layer.get("BACKEND") != ON_LISTS or _major("redis") < 8:
        return []
    hosts = layer.get("CONFIG", {}).get("hosts") or [None]
    return [] if all(map(_waits, hosts)) else [E014]


@register("voice", deploy=True)
def check_shared_counting(**_: Any) -> list[CheckMessage]:
    """What processes count, and how they hear of each other, are both shared or neither."""
    if problems():
        return []
    backend = str(_layer().get("BACKEND", IN_MEMORY))
    if conf().redis_url:
        return [W004] if backend == IN_MEMORY else []
    if backend.startswith("channels_redis."):
        return [W005]
    return [W006] if _several_processes() else []


@register("voice", deploy=True)
def check_resuming(**_: Any) -> list[CheckMessage]:
    """A conversation outlives the process that held it."""
    if problems() or not conf().resume or not conf().redis_url:
        return []
    return [] if conf().resume_keys else [W013]


def _layer() -> Mapping[str, Any]:
    layer: Mapping[str, Any] = getattr(settings, "CHANNEL_LAYERS", {}).get("default", {})
    return layer


def _waits(host: object) -> bool:
    """Whether a connection to ``host`` waits longer than the layer does: by default redis-py 8 gives up as soon."""
    if not isinstance(host, Mapping) or "socket_timeout" not in host:
        return False
    limit = host["socket_timeout"]
    return limit is None or limit > BLOCKS_FOR


def _major(package: str) -> int:
    try:
        return int(version(package).partition(".")[0])
    except PackageNotFoundError:
        return 0


def _several_processes() -> bool:
    """Gunicorn, uvicorn and many hosting services read the number of processes from this variable."""
    wanted = os.environ.get("WEB_CONCURRENCY", "")
    return wanted.isdecimal() and int(wanted) > 1
