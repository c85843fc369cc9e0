"""HTTP addresses, to be included below ``/v1/``."""

from __future__ import annotations

from django.urls import path

from voice import health, stats, views

app_name = "voice"
urlpatterns = [
    path("voice/ticket", views.ticket, name="ticket"),
    path("voice/health", health.health, name="health"),
    path("voice/stats", stats.stats, name="stats"),
]
