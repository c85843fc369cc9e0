"""What staff see of conversations: lists to filter, search and export, and each turn as a waterfall. Read-only."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from voice.models import VoiceSession, VoiceTranscript, VoiceTurn
from voice.protocol.outcomes import SearchOutcome
from voice.visible import visible

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # generic for the type checker only

USERNAME = f"user__{get_user_model().USERNAME_FIELD}"
STEPS = {
    "speech": _("visitor speaks"),
    "partials": _("words appear"),
    "search": _("search"),
    "injection": _("passages injected"),
    "request": _("answer requested"),
    "response": _("provider answers"),
    "audio": _("audio arrives"),
    "heard": _("visitor hears it"),
}

SEARCHES: dict[str, Any] = {
    SearchOutcome.HIT: _("in time"),
    SearchOutcome.LATE: _("too late"),
    SearchOutcome.SUPERSEDED: _("replaced by a newer one"),
    SearchOutcome.FAILED: _("failed"),
    SearchOutcome.NONE: _("nothing found"),
}


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


class Dated(QuerySet[Any]):
    """Rows whose dates the database finds by itself, for the links above a list (see ``statistics.expressions``)."""

    def datetimes(self, field_name: str, kind: str, order: str = "ASC", tzinfo: Any = None) -> Any:
        """The first day of each ``kind`` (year, month or day) in which there are rows."""
        from voice.figures import Window
        from voice.statistics.expressions import Step, period

        of_all = self.order_by().aggregate(first=Min(field_name), last=Max(field_name))
        if of_all["first"] is None:
            return []
        window = Window(of_all["first"], of_all["last"] + timedelta(seconds=1))
        began = period(field_name, window, Step(kind))
        return self.order_by().annotate(_began=began).values_list("_began", flat=True).distinct().order_by("_began")


class Listed(ModelAdmin):
    """A list that can be had as CSV, as it is filtered, by those who may see it."""

    change_list_template = "voice/records/change_list.html"
    show_full_result_count = False
    list_per_page = 50
    export_columns: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All rows, with their dates."""
        return Dated(self.model).order_by(*self.get_ordering(request))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """A session is found by its id, as logs and wire write it too: without hyphens."""
        with suppress(ValueError):
            search_term = str(uuid.UUID(search_term.strip()))
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[URLPattern]:
        """With that of the file."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The file. What cannot be understood in the address leads back to the list, which says so."""
        from voice.export import csv_response

        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except admin.options.IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        return csv_response(request, rows, self.export_columns, f"{self.opts.model_name}-{timezone.localdate()}.csv")


class VoiceSessionAdmin(ReadOnly, Listed):
    """Conversations, the newest first. Those without an end are going on."""

    list_display = ("started_at", "who", "provider", "language", "duration", "turns_count", "cost", "end_reason")
    list_filter = ("end_reason", "provider", "language", "estimated", "started_at")
    list_select_related = ("user",)
    search_fields = ("=id", "=conversation_id", USERNAME)
    date_hierarchy = "started_at"
    ordering = ("-started_at",)
    change_form_template = "voice/records/session.html"
    readonly_fields = ("who", "duration", "conversation")
    export_columns = (
        "id", "conversation_id", "resumed_from_id", USERNAME,
        "provider", "model", "language", "client", "notice", "server",
        "started_at", "ready_at", "ended_at", "end_reason",
        "turns_count", "interruptions",
        "mic_frames", "mic_ms", "dropped_frames", "reconnects", "answer_frames", "answer_ms", "underruns",
        "searches_hit", "searches_late", "searches_superseded", "searches_failed", "searches_none",
        "text_in", "text_cached", "audio_in", "audio_cached", "text_out", "audio_out",
        "transcription_ms", "transcription_tokens", "cost", "currency", "price_version", "estimated",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("who", "started_at", "ready_at", "ended_at", "duration", "end_reason", "turns_count",
                           "interruptions", "cost", "currency", "estimated")}),
        (_("Connection"), {"classes": ("collapse",), "fields": (
            "id", "conversation", "resumed_from", "provider", "model", "language", "client", "notice", "server",
            "seen_at")}),
        (_("Counted"), {"classes": ("collapse",), "fields": (
            "mic_frames", "mic_ms", "dropped_frames", "reconnects", "answer_frames", "answer_ms", "underruns",
            "searches_hit", "searches_late", "searches_superseded", "searches_failed", "searches_none",
            "text_in", "text_cached", "audio_in", "audio_cached", "text_out", "audio_out",
            "transcription_ms", "transcription_tokens", "price_version")}),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """With that of what was said."""
        said = self.admin_site.admin_view(self.transcript_view)
        return [path("<uuid:pk>/transcript/", said, name="voice_voicesession_transcript"), *super().get_urls()]

    @admin.display(description=_("user"), ordering="user")
    def who(self, session: VoiceSession) -> str | None:
        """Whose conversation it was; nothing if the account is deleted."""
        return visible(str(session.user)) if session.user else None

    @admin.display(description=_("duration"))
    def duration(self, session: VoiceSession) -> timedelta | None:
        """How long it lasted, in whole seconds; nothing while it goes on."""
        lasted = session.duration
        return None if lasted is None else timedelta(seconds=round(lasted.total_seconds()))

    @admin.display(description=_("conversation"))
    def conversation(self, session: VoiceSession) -> SafeString | str:
        """The way to all sessions of the conversation, if the visitor came back to it."""
        address = reverse("admin:voice_voicesession_changelist") + f"?q={session.conversation_id}"
        several = VoiceSession.objects.filter(conversation_id=session.conversation_id).count() > 1
        return format_html('<a href="{}">{}</a>', address, session.conversation_id) if several else "-"

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The session and its turns; whether there is a transcript is told to those who may read it."""
        session = self.get_object(request, object_id)
        shown = (
            {
                "turns": [_turn(turn) for turn in session.turns.order_by("number")],
                "transcript": request.user.has_perm("voice.view_voicetranscript") and session.transcripts.exists(),
            }
            if session
            else {}
        )
        kwargs["extra_context"] = {**(kwargs.get("extra_context") or {}), **shown}
        return super().change_view(request, object_id, *args, **kwargs)

    def transcript_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """What was said, for those who may read it. Each reading leaves an entry in the admin's log."""
        if not (self.has_view_permission(request) and request.user.has_perm("voice.view_voicetranscript")):
            raise PermissionDenied
        session = VoiceSession.objects.filter(pk=pk).first()
        lines = list(VoiceTranscript.objects.filter(session=pk)) if session else []
        if session is None or not lines:
            raise Http404
        LogEntry.objects.log_actions(
            user_id=cast(int, request.user.pk), queryset=[session], action_flag=CHANGE,
            change_message="Read the transcript.", single_object=True,
        )  # fmt: skip
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": session,
            "title": _("What was said"),
            "lines": [(line.turn, line.get_role_display(), visible(line.text)) for line in lines],
        }
        return TemplateResponse(request, "voice/records/transcript.html", context)


class VoiceTurnAdmin(ReadOnly, Listed):
    """Turns of all conversations, the newest first."""

    list_display = ("created_at", "conversation", "number", "outcome", "typed", "first_audio_ms", "prefetched")
    list_filter = ("outcome", "typed", "prefetched", "context_confirmed", "session__provider", "created_at")
    list_select_related = False  # SQLite would begin at the other end of the join, and sort them all
    search_fields = ("=session__id", f"session__{USERNAME}")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    exclude = ("sources", "marks")
    readonly_fields = ("picture", "titles")
    export_columns = (
        "session_id", "number", "created_at", "outcome", "typed", "prefetched", "context_confirmed",
        "context_ms", "requested_ms", "first_audio_ms", "heard_ms", "searches", "marks", "sources",
    )  # fmt: skip

    class Media:
        css = {"all": ("voice/statistics.css",)}

    @admin.display(description=_("session"))
    def conversation(self, turn: VoiceTurn) -> SafeString:
        """The way to its session."""
        address = reverse("admin:voice_voicesession_change", args=[turn.session_id])
        return format_html('<a href="{}">{}</a>', address, turn.session_id.hex[:8])

    @admin.display(description=_("waterfall"))
    def picture(self, turn: VoiceTurn) -> SafeString:
        """When its steps happened."""
        return SafeString(render_to_string("voice/records/waterfall.html", _turn(turn)))

    @admin.display(description=_("sources"))
    def titles(self, turn: VoiceTurn) -> SafeString:
        """What the answer could use. Addresses are text: nobody has checked where they lead."""
        return format_html_join("", "<p>{}<br>{}</p>", _sources(turn))


def _turn(turn: VoiceTurn) -> dict[str, Any]:
    """What the templates show of a turn."""
    from voice.waterfall import waterfall

    drawn = waterfall(turn.marks)
    return {
        "turn": turn,
        "waterfall": drawn,
        "steps": [(STEPS[bar.step], bar) for bar in drawn.bars] if drawn else [],
        "searches": [(SEARCHES.get(outcome, visible(outcome)), number) for outcome, number in turn.searches.items()],
        "sources": list(_sources(turn)),
    }


def _sources(turn: VoiceTurn) -> list[tuple[str, str]]:
    return [(visible(str(source.get("title", ""))), visible(str(source.get("url", "")))) for source in turn.sources]
