"""The page that staff look at: what goes on now, and the figures of a range of days. Read-only.

Its permission is that of the sessions, ``voice.view_voicesession``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst

from voice.models import VoiceStatistics

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[VoiceStatistics]
else:
    ModelAdmin = admin.ModelAdmin  # generic for the type checker only


class StatisticsAdmin(ModelAdmin):
    """One page in place of a list. What it needs is loaded when somebody opens it."""

    def get_urls(self) -> list[URLPattern]:
        """The page, and the part of it that is asked for every few seconds. There is nothing to open or add."""
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name="voice_voicestatistics_changelist"),
            path("now/", self.admin_site.admin_view(self.now_view), name="voice_voicestatistics_now"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The page."""
        from voice.statistics import page

        self._require_permission(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": capfirst(self.opts.verbose_name_plural),
            "htmx": apps.is_installed("django_htmx"),
            **page.context(request.GET, timezone.now()),
        }
        return TemplateResponse(request, "voice/statistics/page.html", context)

    def now_view(self, request: HttpRequest) -> HttpResponse:
        """The tiles of what goes on."""
        from voice.statistics import page

        self._require_permission(request)
        return TemplateResponse(request, "voice/statistics/now.html", {"now": page.now(timezone.now())})

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the index links to it."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For those who may see the sessions."""
        return request.user.has_perm("voice.view_voicesession")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
