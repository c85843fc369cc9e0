"""An application of the site that a browser talks with: it writes down what nobody sees from outside.

Each fact is a line of JSON in the file that ``WITNESS`` names: what the session was told to have been heard, and where
the embedded provider's memory was cut.
"""

import json
import os
from functools import wraps
from typing import Any

from django.apps import AppConfig

from voice.protocol.commands import ToUpstream, Truncate
from voice.protocol.events import Event, Heard


class Witness(AppConfig):
    """Stands beside each session of this process."""

    name = "tests.witness"

    def ready(self) -> None:
        """Every session is made by :func:`voice.wiring.session`."""
        from voice import wiring
        from voice.session import Session

        make, receive = wiring.session, Session.receive

        @wraps(receive)
        def received(session: Session, event: Event) -> None:
            if isinstance(event, Heard):
                _note(session.terms.session_id, "heard", event.item_id, event.played_ms, underruns=event.underruns)
            receive(session, event)

        @wraps(make)
        def session(session_id: str, *terms: Any, **more: Any) -> Any:
            made = make(session_id, *terms, **more)
            send = made.upstream.send

            async def sent(command: ToUpstream) -> None:
                if isinstance(command, Truncate):
                    _note(session_id, "truncated", command.item_id, command.audio_end_ms)
                await send(command)

            made.upstream.send = sent
            return made

        Session.receive, wiring.session = received, session  # type: ignore[method-assign]


def _note(session_id: str, what: str, item_id: str, milliseconds: int, **more: int) -> None:
    fact = {"session": session_id, "what": what, "item": item_id, "ms": milliseconds, **more}
    with open(os.environ["WITNESS"], "a") as file:
        file.write(f"{json.dumps(fact)}\n")
