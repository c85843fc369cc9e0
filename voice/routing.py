"""Where the socket is."""

from __future__ import annotations

from django.urls import path

from voice.consumers import VoiceConsumer

# Channels routes with Django's path(), whose types know views only.
websocket_urlpatterns = [path("v1/ws/voice", VoiceConsumer.as_asgi())]  # type: ignore[arg-type]
