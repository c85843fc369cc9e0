"""What a visitor is told when a conversation ends or is refused: one sentence for each reason, in their language.

The widget has words of its own for these reasons; the sentences serve every other client, and the ticket.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from voice.protocol.outcomes import EndReason

_SERVICE = _("The voice service is not available at the moment.")

MESSAGES: dict[EndReason, str | Promise] = {
    EndReason.CLIENT_HANGUP: _("Goodbye."),
    EndReason.CLIENT_AWAY: _("The page was left."),
    EndReason.CLIENT_LOST: _("The connection was lost."),
    EndReason.BAD_MESSAGE: _("The page sent something that was not understood."),
    EndReason.UNAUTHENTICATED: _("Please log in to talk with the assistant."),
    EndReason.AUTH_EXPIRED: _("Please log in again to go on."),
    EndReason.FORBIDDEN_ORIGIN: _("This page may not use the voice assistant."),
    EndReason.NOT_IN_ROLLOUT: _("The voice assistant is not yet available to you."),
    EndReason.REVOKED: _("You may no longer use the voice assistant."),
    EndReason.TIMEOUT: _("Nothing was heard from the page."),
    EndReason.NO_MICROPHONE: _("The microphone was not allowed."),
    EndReason.IDLE: _("Nobody has spoken for a while, so the conversation has ended."),
    EndReason.CONCURRENT: _("The conversation goes on in another window."),
    EndReason.LEASE_LOST: _("The conversation was interrupted. Please ask again."),
    EndReason.MAX_DURATION: _("The conversation has reached its time limit."),
    EndReason.BUDGET: _("This conversation has used up what it may cost."),
    EndReason.TOO_BIG: _("The page sent too much at once."),
    EndReason.RATE_LIMITED: _("You have had many conversations."),
    EndReason.DAY_BUDGET: _("The assistant has spoken enough for today. Please come back tomorrow."),
    EndReason.TOO_FAST: _("The page sent too much."),
    EndReason.SLOW_CLIENT: _("Your connection is too slow."),
    EndReason.INTERNAL_ERROR: _("An error has occurred."),
    EndReason.UPSTREAM_AUTH: _SERVICE,
    EndReason.UPSTREAM_CLOSED: _("The conversation was interrupted. Please ask again."),
    EndReason.UPSTREAM_PROTOCOL: _SERVICE,
    EndReason.UPSTREAM_UNAVAILABLE: _SERVICE,
    EndReason.UPSTREAM_RATE_LIMITED: _("Many people are talking at the moment. Please try again soon."),
    EndReason.UPSTREAM_TIMEOUT: _("The voice service takes too long to answer."),
    EndReason.DISABLED: _("The voice assistant is switched off at the moment."),
    EndReason.SERVER_DRAIN: _("The service restarts. The conversation can go on in a moment."),
    EndReason.SERVER_LOST: _("The connection was lost."),
    EndReason.OVERLOADED: _("The voice assistant is busy. Please try again in a moment."),
}
