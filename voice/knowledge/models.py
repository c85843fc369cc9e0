"""The site's own texts, as rows that staff edit and visitors ask about."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

DERIVED = frozenset({"vector", "encoder", "synced_revision"})
"""The fields that follow from the others; writing them is no change of the document."""


def new_revision() -> int:
    """A number that no other state of a row has: 40 random bits, so that the sum over many rows fits 64."""
    return secrets.randbits(40)


def validate_link(url: str) -> None:
    """Refuse what :func:`voice.protocol.context.safe_url` would not show to a visitor."""
    from voice.protocol.context import safe_url  # for who edits a text; every start of Django loads this module

    if safe_url(url) != url:
        raise ValidationError(_("Enter a full http(s) address, or a path of this site that begins with “/”."))


def validate_tenant(name: str) -> None:
    """Refuse what Weaviate does not take for the name of a tenant."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValidationError(_("Use letters without accents, digits, hyphens and underscores."))


class KnowledgeDocumentQuerySet(models.QuerySet["KnowledgeDocument"]):
    """Changes in bulk count as changes, too: they get a new revision and lose their vectors."""

    def update(self, **changes: Any) -> int:
        """As Django's; also under ``bulk_update`` and the asynchronous forms."""
        if not changes.keys() <= DERIVED:
            changes = {"revision": new_revision(), "vector": None, "encoder": "", **changes}
        return super().update(**changes)


class KnowledgeDocument(models.Model):
    """One text that the assistant may use.

    ``revision`` is new after every change, so that a process sees with one cheap query (the number of rows and
    the sum of their revisions) that its index is outdated. A time would not do: a transaction that began earlier
    can be committed later, and the clocks of two machines differ.
    """

    slug = models.SlugField(
        _("short name"),
        max_length=100,
        allow_unicode=True,
        db_index=False,  # the constraint below has an index that begins with it
        help_text=_("Names this text when texts are loaded from a file. Letters, digits and hyphens."),
    )
    title = models.CharField(
        _("title"),
        max_length=200,
        help_text=_("What the text is about, in a few words. Visitors see it as the source of an answer."),
    )
    body = models.TextField(
        _("text"),
        help_text=_("What the assistant should know, in plain sentences. Short texts on one subject work best."),
    )
    url = models.CharField(
        _("link"),
        max_length=500,
        blank=True,
        validators=[validate_link],
        help_text=_("Where visitors can read more: a full address or a path such as /help/. Optional."),
    )
    language = models.CharField(
        _("language"),
        max_length=16,
        blank=True,
        help_text=_("The language of the text, such as en or fr. Empty for a text that serves everyone."),
    )
    tenant = models.CharField(
        _("tenant"),
        max_length=64,
        blank=True,
        default="",
        validators=[validate_tenant],
        help_text=_("Whose text this is; empty: everyone's where the site has no tenants."),
    )
    audience = models.CharField(
        _("audience"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("Who may find it, as the site's own rule (SCOPE) reads it. Optional."),
    )
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)
    revision = models.PositiveBigIntegerField(
        _("revision"),
        default=new_revision,
        editable=False,
        db_index=True,  # the sum is read from the index, without touching texts and vectors
    )
    vector = models.BinaryField(_("vectors"), null=True, editable=False)
    encoder = models.CharField(_("encoder of the vector"), max_length=64, blank=True, default="", editable=False)
    synced_revision = models.PositiveBigIntegerField(_("revision in Weaviate"), null=True, editable=False)

    objects = KnowledgeDocumentQuerySet.as_manager()

    class Meta:
        app_label = "voice"
        verbose_name = _("knowledge document")
        verbose_name_plural = _("knowledge documents")
        ordering = ("language", "title", "pk")
        constraints = (models.UniqueConstraint(fields=("slug", "language"), name="voice_document_slug_per_language"),)
        indexes = (
            models.Index(fields=("language",), name="voice_document_language"),
            models.Index(fields=("tenant",), name="voice_document_tenant"),
        )

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As Django's, with a new revision; the vector is forgotten, and made again at the next search."""
        self.revision, self.vector, self.encoder = new_revision(), None, ""
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = {*fields, "revision", "updated_at", *DERIVED}
        super().save(*args, **kwargs)
