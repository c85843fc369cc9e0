"""Where staff edit what the assistant knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from voice.knowledge.models import KnowledgeDocument

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[KnowledgeDocument]
else:
    ModelAdmin = admin.ModelAdmin  # generic for the type checker only


UP_TO_DATE, WAITING, MISSING = "up-to-date", "waiting", "missing"
STATES = {UP_TO_DATE: _("up to date"), WAITING: _("waiting"), MISSING: _("not there")}
QUERIES = {
    UP_TO_DATE: Q(synced_revision=F("revision")),
    WAITING: Q(synced_revision__isnull=False) & ~Q(synced_revision=F("revision")),
    MISSING: Q(synced_revision=None),
}


class InWeaviate(admin.SimpleListFilter):
    """What ``voice_sync`` has sent, and what waits for its next run."""

    title = _("in Weaviate")
    parameter_name = "in_weaviate"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The states."""
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[KnowledgeDocument]) -> QuerySet[KnowledgeDocument]:
        """The documents in the state that was chosen."""
        chosen = QUERIES.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


class KnowledgeDocumentAdmin(ModelAdmin):
    """A plain editor. What is saved here is used from the next question on; in Weaviate, from the next sync on."""

    list_display = ("title", "language", "url", "updated_at")
    list_filter = ("language", "updated_at")
    search_fields = ("title", "body", "slug")
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("updated_at",)
    fieldsets = (
        (None, {"fields": ("title", "body", "url", "language", "slug", "updated_at")}),
        (_("Who may find it"), {"fields": ("tenant", "audience"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[KnowledgeDocument]:
        """Without the vectors, 2 kB a row, which no page shows."""
        return super().get_queryset(request).defer("vector")

    def syncs(self) -> bool:
        """Whether visitors' questions are searched in Weaviate, which ``voice_sync`` fills from here."""
        return False

    def get_list_display(self, request: HttpRequest) -> Any:
        """With the state in Weaviate, where that is what is searched."""
        return (*self.list_display, "in_weaviate") if self.syncs() else self.list_display

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Likewise."""
        return (*self.list_filter, InWeaviate) if self.syncs() else self.list_filter

    @admin.display(description=_("in Weaviate"))
    def in_weaviate(self, document: KnowledgeDocument) -> Any:
        """Whether it is there as it is here."""
        if document.synced_revision is None:
            return STATES[MISSING]
        return STATES[UP_TO_DATE if document.synced_revision == document.revision else WAITING]
