"""HTTP addresses, to be included below ``/v1/``."""

from __future__ import annotations

from django.urls import path

from voice import views

app_name = "voice"
urlpatterns = [path("voice/ticket", views.ticket, name="ticket")]
