"""Where staff edit what the assistant knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .models import KnowledgeDocument

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[KnowledgeDocument]
else:
    ModelAdmin = admin.ModelAdmin  # generic for the type checker only


class KnowledgeDocumentAdmin(ModelAdmin):
    """A plain editor; what is saved here is used from the next question on."""

    list_display = ("title", "language", "url", "updated_at")
    list_filter = ("language", "updated_at")
    search_fields = ("title", "body", "slug")
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("updated_at",)
    fields = ("title", "body", "url", "language", "slug", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[KnowledgeDocument]:
        """Without the vectors, 2 kB a row, which no page shows."""
        return super().get_queryset(request).defer("vector")
