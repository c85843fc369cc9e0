"""Addresses of a site that is measured: its own, and a page that waits for the database."""

from __future__ import annotations

import time
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from project.urls import urlpatterns as site
from tests.load.neighbours import SLOW_SECONDS


def slow(request: HttpRequest) -> HttpResponse:
    """A page whose query takes :data:`SLOW_SECONDS`, as one that waits for a lock does: without processor time."""
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.create_function("pause", 1, time.sleep)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pause(%s)", [SLOW_SECONDS])
    return HttpResponse("done")


urlpatterns = [path("load/slow/", slow), *site]
