"""What staff see: the switch and the knowledge, to edit; the records of conversations, to read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from voice.conf import conf
from voice.knowledge.admin import KnowledgeDocumentAdmin
from voice.live_admin import LiveSettingsAdmin
from voice.models import KnowledgeDocument, VoiceLiveSettings, VoiceSession, VoiceStatistics, VoiceTurn
from voice.statistics_admin import StatisticsAdmin

admin.site.register(VoiceLiveSettings, LiveSettingsAdmin)
admin.site.register(VoiceStatistics, StatisticsAdmin)


@admin.register(KnowledgeDocument)
class VoiceKnowledgeAdmin(KnowledgeDocumentAdmin):
    """The editor, which knows what this site searches."""

    def syncs(self) -> bool:
        """Where the backend is Weaviate."""
        return conf().knowledge.backend == "weaviate"


class ReadOnly:
    """Facts are read: nobody adds, changes or deletes one by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class TurnInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The turns below their session."""

    model = VoiceTurn
    extra = 0
    fields = ("number", "outcome", "typed", "prefetched", "context_confirmed", "searches", "marks", "sources")


@admin.register(VoiceSession)
class VoiceSessionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Conversations, the newest first. Those without an end are going on."""

    list_display = ("started_at", "user", "provider", "language", "duration", "end_reason")
    list_filter = ("end_reason", "provider", "language", "started_at")
    list_select_related = ("user",)
    search_fields = ("=id", f"user__{get_user_model().USERNAME_FIELD}")
    date_hierarchy = "started_at"
    ordering = ("-started_at",)
    inlines = (TurnInline,)

    @admin.display(description=_("duration"))
    def duration(self, session: VoiceSession) -> timedelta | None:
        """How long it lasted, in whole seconds; nothing while it goes on."""
        lasted = session.duration
        return None if lasted is None else timedelta(seconds=round(lasted.total_seconds()))


@admin.register(VoiceTurn)
class VoiceTurnAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Turns of all conversations, the newest first."""

    list_display = ("created_at", "session", "number", "outcome", "typed", "prefetched", "context_confirmed")
    list_filter = ("outcome", "typed", "prefetched", "context_confirmed", "created_at")
    list_select_related = ("session",)
    search_fields = ("=session__id",)
    ordering = ("-created_at",)
