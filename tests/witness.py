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

        make = wiring.session

        @wraps(make)
        def session(session_id: str, *terms: Any, **more: Any) -> Any:
            made = make(session_id, *terms, **more)
            receive, send = made.receive, made.upstream.send

            def received(event: Event) -> None:
                if isinstance(event, Heard):
                    _note(session_id, "heard", event.item_id, event.played_ms, underruns=event.underruns)
                receive(event)

            async def sent(command: ToUpstream) -> None:
                if isinstance(command, Truncate):
                    _note(session_id, "truncated", command.item_id, command.audio_end_ms)
                await send(command)

            made.receive, made.upstream.send = received, sent
            return made

        wiring.session = session


def _note(session_id: str, what: str, item_id: str, milliseconds: int, **more: int) -> None:
    fact = {"session": session_id, "what": what, "item": item_id, "ms": milliseconds, **more}
    with open(os.environ["WITNESS"], "a") as file:
        file.write(f"{json.dumps(fact)}\n")
