"""Where the socket is."""

from __future__ import annotations

from typing import Any

from django.urls import path

PATH = "v1/ws/voice"


async def conversation(scope: Any, receive: Any, send: Any) -> None:
    """The consumer, imported when the first visitor comes: a site that is switched off starts without it."""
    from voice.consumers import VoiceConsumer

    await VoiceConsumer.as_asgi()(scope, receive, send)


# Channels routes with Django's path(), whose types know views only.
websocket_urlpatterns = [
    path(PATH, conversation),  # type: ignore[arg-type]
    path(f"{PATH}/realtime", conversation, {"wire": "realtime"}),  # type: ignore[arg-type]
]
