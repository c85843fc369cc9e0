"""The codec: client events of the GA Realtime API in, server events out.

Theory of operation. The core answers each question by itself, and once: a spoken one when it is over, a typed one when
it is there. This vocabulary has more steps, which are played here. A typed item is kept until ``response.create`` asks
for its answer. A spoken one is answered in any case, so the ``response.create`` of a client that would rather have
asked itself asks for what is under way. Whoever asked for an answer gets a response, if only one that was cancelled or
has failed, since stock clients wait for it. And a ``conversation.item.truncate`` is this vocabulary's way to say how
much was heard.
"""

from __future__ import annotations

from voice.protocol.commands import ToBrowser
from voice.protocol.wires.base import Frame, Said, Wire
from voice.protocol.wires.fields import WireError, json_object
from voice.protocol.wires.messages import Start
from voice.protocol.wires.realtime.client_events import ClientEvents
from voice.protocol.wires.realtime.settings import Offer, Settings
from voice.protocol.wires.realtime.state import State
from voice.protocol.wires.realtime.telling import Telling


class Realtime(Wire):
    """One connection's."""

    subprotocol = "realtime"

    def __init__(self, offer: Offer) -> None:
        self._settings = Settings(offer)
        state = State(self._settings)
        self._client_events, self._telling = ClientEvents(state), Telling(state)

    def decode(self, frame: Frame) -> tuple[Said, ...]:
        """What a client event asks for."""
        if not isinstance(frame, str):
            raise WireError("invalid_audio", "Audio comes in input_audio_buffer.append events, in base64.")
        return self._client_events.read(json_object(frame))

    def encode(self, command: ToBrowser) -> list[Frame]:
        """The server events that tell a command."""
        return [*self._telling.tell(command)]

    def tolerates(self, parameter: str) -> bool:
        """The model, which stock clients always name. Whoever asks for anything else would miss it."""
        return parameter == "model"

    def unasked(self) -> Start:
        """As the site has it."""
        return self._settings.begin()
