"""Addresses at which a password becomes tokens, for sites that want them: to be included below ``/v1/``.

They are no part of :mod:`voice.urls`, so that installing this app opens no further way to log in to a site.
"""

from __future__ import annotations

from django.urls import path

from voice.token_views import Obtain, Refresh

app_name = "voice_token"
urlpatterns = [
    path("token/", Obtain.as_view(), name="obtain"),
    path("token/refresh/", Refresh.as_view(), name="refresh"),
]
