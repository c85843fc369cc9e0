"""Getting in, step by step: who it is, whether they may talk now, what it may cost, and that it is written down.

Each step lets the visitor pass or raises :class:`~voice.frames.Over` with the reason, which is counted: of those who
are turned away there is no record. Nothing here knows the socket beyond its scope.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import Error as DatabaseFault

from voice import addresses, database, gate, origins, spending
from voice.admission.limits import Limits
from voice.admission.store import Refused, StoreUnavailable
from voice.conf import conf
from voice.frames import Over
from voice.protocol.budget import Budgets
from voice.protocol.outcomes import EndReason
from voice.protocol.wires.base import Wire
from voice.records import Recorder, RecordsUnavailable
from voice.resumption import Beginning
from voice.session import Session
from voice.tokens import Identity


def refusal(reason: EndReason, retry_after_ms: int | None = None) -> Over:
    """Turned away, and counted."""
    gate.refused(reason)
    return Over(reason, retry_after_ms)


async def admitted(scope: Any, wire: Wire) -> tuple[Identity, Limits]:
    """Who it is, and within which limits."""
    if scope["voice_refusal"] is not None:
        raise refusal(scope["voice_refusal"])
    if not all(map(wire.tolerates, scope["voice_parameters"])):
        raise refusal(EndReason.BAD_MESSAGE)
    identity: Identity = scope["voice_identity"]
    if not origins.admits(scope, identity):
        raise refusal(EndReason.FORBIDDEN_ORIGIN)
    try:
        decision = await gate.decision(identity.user)
    except (TimeoutError, DatabaseFault):
        decision = EndReason.OVERLOADED
    if isinstance(decision, EndReason):
        raise refusal(decision)
    return identity, decision


async def allowance(identity: Identity, spent: Decimal) -> Decimal | None:
    """What a session of theirs may cost whose conversation has cost ``spent``; ``None``: anything."""
    budgets = conf().budgets
    if budgets == Budgets():
        return None
    if budgets.session:
        if spent >= budgets.session:
            raise refusal(EndReason.BUDGET)
        budgets = replace(budgets, session=budgets.session - spent)
    try:
        left = await database.call(
            spending.allowance, identity.user.pk, budgets, conf().prices.currency, limit=gate.DECISION_LIMIT
        )
    except (TimeoutError, DatabaseFault):
        raise refusal(EndReason.OVERLOADED) from None
    if isinstance(left, spending.SpentToday):
        raise refusal(EndReason.DAY_BUDGET, left.retry_after_ms)
    return left


async def take_place(scope: Any, session_id: str, user_id: str, limits: Limits, resumed_from: str) -> None:
    """Have a place among the live sessions, which whoever comes in holds from then on."""
    # None where addresses are not counted, so that none is kept.
    address = addresses.of_scope(scope) if limits.sessions_per_address_per_hour else ""
    try:
        answer = await gate.store().acquire(session_id, user_id, limits, address, resumed_from)
    except StoreUnavailable as error:
        raise refusal(error.reason) from None
    if isinstance(answer, Refused):
        raise refusal(answer.reason, answer.retry_after_ms)


async def open_record(
    recorder: Recorder, session: Session, identity: Identity, notice: str, beginning: Beginning
) -> None:
    """Commit the session's row, before anything of it costs money. ``notice`` is what the visitor has agreed to."""
    upstream, terms = session.upstream, session.terms
    try:
        await recorder.open(
            user_id=identity.user.pk,
            conversation_id=beginning.state.conversation_id,
            resumed_from=beginning.resumed_from,
            provider=upstream.provider,
            model=upstream.model,
            language=terms.language,
            client="widget" if identity.kind == "ticket" else "program",
            notice=notice,
            currency=terms.prices.currency,
            price_version=terms.prices.version,
        )
    except RecordsUnavailable as error:
        raise refusal(error.reason) from None
