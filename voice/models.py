"""What is kept of conversations, facts about them and never what was said in them; and what staff decide.

The rows of conversations are written by :mod:`voice.records` alone. The admin reads them; an open row (no
``ended_at``) is a live session. The decisions are written by :mod:`voice.live` alone.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from voice.knowledge.models import KnowledgeDocument
from voice.protocol.outcomes import EndReason, TurnOutcome

__all__ = [
    "KnowledgeDocument",
    "VoiceLiveChange",
    "VoiceLiveSettings",
    "VoiceRefusal",
    "VoiceSession",
    "VoiceStatistics",
    "VoiceTranscript",
    "VoiceTurn",
]

_REASONS: dict[EndReason, Any] = {
    EndReason.CLIENT_HANGUP: _("visitor hung up"),
    EndReason.CLIENT_AWAY: _("visitor left the page"),
    EndReason.CLIENT_LOST: _("visitor's connection lost"),
    EndReason.BAD_MESSAGE: _("bad messages from the client"),
    EndReason.UNAUTHENTICATED: _("not authenticated"),
    EndReason.AUTH_EXPIRED: _("authentication expired"),
    EndReason.FORBIDDEN_ORIGIN: _("forbidden origin"),
    EndReason.NOT_IN_ROLLOUT: _("not in the roll-out"),
    EndReason.REVOKED: _("access revoked"),
    EndReason.TIMEOUT: _("client silent"),
    EndReason.IDLE: _("nobody spoke"),
    EndReason.NO_MICROPHONE: _("microphone not given"),
    EndReason.CONCURRENT: _("continued elsewhere"),
    EndReason.LEASE_LOST: _("place lost while the server stood still"),
    EndReason.MAX_DURATION: _("time limit reached"),
    EndReason.BUDGET: _("budget of the conversation used up"),
    EndReason.TOO_BIG: _("message too big"),
    EndReason.RATE_LIMITED: _("too many sessions"),
    EndReason.DAY_BUDGET: _("budget of the day used up"),
    EndReason.TOO_FAST: _("client too fast"),
    EndReason.SLOW_CLIENT: _("client too slow"),
    EndReason.INTERNAL_ERROR: _("internal error"),
    EndReason.UPSTREAM_AUTH: _("provider refused the key"),
    EndReason.UPSTREAM_CLOSED: _("provider closed"),
    EndReason.UPSTREAM_PROTOCOL: _("provider not understood"),
    EndReason.UPSTREAM_UNAVAILABLE: _("provider unavailable"),
    EndReason.UPSTREAM_RATE_LIMITED: _("provider overloaded"),
    EndReason.UPSTREAM_TIMEOUT: _("provider timed out"),
    EndReason.DISABLED: _("switched off"),
    EndReason.SERVER_DRAIN: _("server restarted"),
    EndReason.SERVER_LOST: _("server lost"),
    EndReason.OVERLOADED: _("server overloaded"),
}
_OUTCOMES: dict[TurnOutcome, Any] = {
    TurnOutcome.COMPLETED: _("completed"),
    TurnOutcome.INTERRUPTED: _("interrupted"),
    TurnOutcome.FAILED: _("failed"),
}


def end_reasons() -> list[tuple[str, Any]]:
    """Choices of ``end_reason``. A function, so that a new reason needs no migration."""
    return [(reason.value, _REASONS.get(reason, reason.value)) for reason in EndReason]


def turn_outcomes() -> list[tuple[str, Any]]:
    """Choices of ``outcome``."""
    return [(outcome.value, _OUTCOMES.get(outcome, outcome.value)) for outcome in TurnOutcome]


class VoiceSession(models.Model):
    """One conversation, from its admission to its end. Its id, as hexadecimal digits, is the wire's ``session_id``."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="voice_sessions",
        db_index=False,  # an index below begins with it
    )
    conversation_id = models.UUIDField(
        _("conversation"),
        default=uuid.uuid4,
        editable=False,
        help_text=_("The same for all sessions of a conversation that was interrupted: that of the first."),
    )
    resumed_from = models.ForeignKey(
        "self",
        verbose_name=_("continues"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The session whose conversation the visitor came back to."),
    )
    provider = models.CharField(_("provider"), max_length=32)
    model = models.CharField(_("model"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    ready_at = models.DateTimeField(
        _("ready"), null=True, blank=True, help_text=_("When the visitor could speak; empty if it never came so far.")
    )
    seen_at = models.DateTimeField(
        _("last seen"), default=timezone.now, help_text=_("The last sign of life of the server that holds it.")
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    server = models.CharField(_("server process"), max_length=80, blank=True)
    client = models.CharField(
        _("client"), max_length=16, blank=True, help_text=_("How it got in: by a page's ticket, or a program's token.")
    )
    notice = models.CharField(
        _("notice"), max_length=40, blank=True, help_text=_("Version of the notice that the visitor was shown.")
    )
    end_reason = models.CharField(_("end reason"), max_length=32, blank=True, default="", choices=end_reasons)

    # What was counted; the names are those of voice.protocol.counters.Counters.
    checkpoint = models.PositiveIntegerField(_("checkpoint"), default=0, editable=False)
    mic_frames = models.PositiveIntegerField(_("microphone frames"), default=0)
    mic_ms = models.PositiveIntegerField(_("microphone audio (ms)"), default=0)
    dropped_frames = models.PositiveIntegerField(_("microphone frames dropped"), default=0)
    reconnects = models.PositiveIntegerField(
        _("provider lost"), default=0, help_text=_("How often the provider was lost and dialled again.")
    )
    answer_frames = models.PositiveIntegerField(_("answer frames"), default=0)
    answer_ms = models.PositiveIntegerField(_("answer audio (ms)"), default=0)
    underruns = models.PositiveIntegerField(
        _("playback underruns"),
        default=0,
        help_text=_("How often the sound broke off at the visitor’s, as their browser counted."),
    )
    turns_count = models.PositiveIntegerField(_("turns"), default=0)
    interruptions = models.PositiveIntegerField(_("interruptions"), default=0)
    searches_hit = models.PositiveIntegerField(_("searches in time"), default=0)
    searches_late = models.PositiveIntegerField(_("searches too late"), default=0)
    searches_superseded = models.PositiveIntegerField(_("searches superseded"), default=0)
    searches_failed = models.PositiveIntegerField(_("searches failed"), default=0)
    searches_none = models.PositiveIntegerField(_("searches that found nothing"), default=0)
    text_in = models.PositiveBigIntegerField(_("text tokens in"), default=0)
    text_cached = models.PositiveBigIntegerField(_("of these, cached text tokens"), default=0)
    audio_in = models.PositiveBigIntegerField(_("audio tokens in"), default=0)
    audio_cached = models.PositiveBigIntegerField(_("of these, cached audio tokens"), default=0)
    text_out = models.PositiveBigIntegerField(_("text tokens out"), default=0)
    audio_out = models.PositiveBigIntegerField(_("audio tokens out"), default=0)
    transcription_ms = models.PositiveBigIntegerField(_("transcribed audio (ms)"), default=0)
    transcription_tokens = models.PositiveBigIntegerField(_("transcription tokens"), default=0)
    cost = models.DecimalField(
        _("cost"), max_digits=16, decimal_places=6, null=True, blank=True, default=0, help_text=_("Empty: unknown.")
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    price_version = models.CharField(_("version of the prices"), max_length=32, blank=True)
    estimated = models.BooleanField(
        _("estimated"), default=False, help_text=_("Some of the usage was not told, or the server was lost.")
    )

    class Meta:
        verbose_name = _("voice session")
        verbose_name_plural = _("voice sessions")
        ordering = ("-started_at",)
        indexes = (
            models.Index(fields=("-started_at",), name="voice_session_started"),
            models.Index(fields=("user", "-started_at"), name="voice_session_of_user"),
            models.Index(fields=("end_reason", "-started_at"), name="voice_session_reason"),
            models.Index(fields=("seen_at",), condition=models.Q(ended_at=None), name="voice_session_open"),
            models.Index(fields=("conversation_id",), name="voice_session_conversation"),
        )

    def __str__(self) -> str:
        return self.id.hex

    @property
    def duration(self) -> timedelta | None:
        """How long it lasted; ``None`` while it goes on."""
        return None if self.ended_at is None else self.ended_at - self.started_at


class VoiceStatistics(VoiceSession):
    """The sessions as a whole. Here so that the admin's index, which lists models, links to the page."""

    class Meta:
        proxy = True
        default_permissions = ()  # those of the sessions count
        verbose_name = verbose_name_plural = _("statistics")


class VoiceTurn(models.Model):
    """One exchange: how it ended, how its searches went, and when its steps happened."""

    session = models.ForeignKey(
        VoiceSession,
        verbose_name=_("session"),
        on_delete=models.CASCADE,
        related_name="turns",
        db_index=False,  # the constraint below has an index that begins with it
    )
    number = models.PositiveIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=16, choices=turn_outcomes)
    typed = models.BooleanField(_("typed"), default=False)
    searches = models.JSONField(
        _("searches"), default=dict, blank=True, help_text=_("How many searches ended in each way.")
    )
    marks = models.JSONField(
        _("marks"), default=dict, blank=True, help_text=_("Milliseconds since the turn began, by step.")
    )
    # The marks that statistics are made of: milliseconds from the end of speech (negative: before it).
    context_ms = models.IntegerField(_("context ready (ms)"), null=True, blank=True)
    requested_ms = models.IntegerField(_("answer requested (ms)"), null=True, blank=True)
    first_audio_ms = models.IntegerField(_("first audio (ms)"), null=True, blank=True)
    heard_ms = models.IntegerField(_("first heard (ms)"), null=True, blank=True)
    prefetched = models.BooleanField(
        _("prefetched"), default=False, help_text=_("The context was there before the visitor stopped speaking.")
    )
    context_confirmed = models.BooleanField(
        _("context confirmed"),
        null=True,
        blank=True,
        help_text=_("The provider placed the question right behind the context; unknown where it did not say."),
    )
    sources = models.JSONField(
        _("sources"), default=list, blank=True, help_text=_("Titles and links of what the answer could use.")
    )
    created_at = models.DateTimeField(_("recorded"), default=timezone.now)

    class Meta:
        verbose_name = _("voice turn")
        verbose_name_plural = _("voice turns")
        ordering = ("session", "number")
        constraints = (models.UniqueConstraint(fields=("session", "number"), name="voice_turn_once"),)
        indexes = (
            models.Index(fields=("-created_at", "first_audio_ms"), name="voice_turn_first_audio"),
            models.Index(fields=("outcome", "-created_at"), name="voice_turn_outcome"),
        )

    def __str__(self) -> str:
        return f"{self.session_id.hex}/{self.number}"


class VoiceRefusal(models.Model):
    """How many were turned away in an hour, for one reason. Written by :mod:`voice.turned_away` alone."""

    hour = models.DateTimeField(_("hour"), help_text=_("When it began."))
    reason = models.CharField(_("reason"), max_length=32, choices=end_reasons)
    count = models.PositiveIntegerField(_("how many"), default=0)

    class Meta:
        verbose_name = _("refusals of an hour")
        verbose_name_plural = _("refusals by hour")
        ordering = ("-hour", "reason")
        # Its index serves what is read, too: the hours of a window.
        constraints = (models.UniqueConstraint(fields=("hour", "reason"), name="voice_refusal_once"),)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.reason}"


def _limit(name: Any, least: int = 0) -> Any:
    return models.PositiveIntegerField(name, null=True, blank=True, validators=[MinValueValidator(least)])


LIVE_LIMITS = (
    "sessions_per_user_per_hour",
    "sessions_per_user",
    "sessions_per_address_per_hour",
    "sessions",
    "session_seconds",
    "idle_seconds",
)
"""Limits that staff can change, by the names that they have in the settings."""


class VoiceTranscript(models.Model):
    """What was said in a turn. Stored only where the site turns it on, and purged after the days that it says."""

    VISITOR, ASSISTANT = "visitor", "assistant"

    session = models.ForeignKey(
        VoiceSession,
        verbose_name=_("session"),
        on_delete=models.CASCADE,
        related_name="transcripts",
        db_index=False,  # the constraint below has an index that begins with it
    )
    turn = models.PositiveIntegerField(_("turn"))
    role = models.CharField(_("speaker"), max_length=16, choices=((VISITOR, _("visitor")), (ASSISTANT, _("assistant"))))
    text = models.TextField(_("text"))
    created_at = models.DateTimeField(_("recorded"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("voice transcript")
        verbose_name_plural = _("voice transcripts")
        ordering = ("session", "turn", "-role")
        constraints = (models.UniqueConstraint(fields=("session", "turn", "role"), name="voice_transcript_once"),)

    def __str__(self) -> str:
        return f"{self.session_id.hex}/{self.turn} {self.role}"


class VoiceLiveSettings(models.Model):
    """What staff decide while the site runs: one row. A limit that is empty is that of the settings."""

    ONLY = 1
    """Primary key of the one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    enabled = models.BooleanField(
        _("assistant"), default=True, help_text=_("Off ends every conversation within two seconds and admits nobody.")
    )
    percent = models.PositiveSmallIntegerField(
        _("share in percent"),
        default=100,
        validators=[MaxValueValidator(100)],
        help_text=_("Raising it removes nobody: the same users stay in."),
    )
    group = models.ForeignKey(
        "auth.Group",
        verbose_name=_("of the group"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,  # to forget it would let everyone in
        related_name="+",
        help_text=_("Empty: of all users."),
    )
    staff = models.BooleanField(_("staff always"), default=False, help_text=_("Staff may talk whatever the share is."))
    sessions_per_user_per_hour = _limit(_("conversations per user and hour"))
    sessions_per_user = _limit(_("live conversations per user"))
    sessions_per_address_per_hour = _limit(_("conversations per address and hour"))
    sessions = _limit(_("live conversations of the site"))
    session_seconds = _limit(_("longest conversation, in seconds"), least=60)
    idle_seconds = _limit(_("end after silence, in seconds"), least=10)

    class Meta:
        verbose_name = _("voice settings")
        verbose_name_plural = _("voice settings")

    def __str__(self) -> str:
        return str(_("Voice settings"))


class VoiceLiveChange(models.Model):
    """Who changed the live settings, when, why, and from what to what."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    by = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    changes = models.JSONField(_("changes"), help_text=_("The value before and after, by field."))

    class Meta:
        verbose_name = _("change of the voice settings")
        verbose_name_plural = _("changes of the voice settings")
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("-at",), name="voice_live_change_at"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by}"
