"""The port to a dialect: frames in, what was said out; commands in, the frames that tell them out. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod

from voice.protocol.commands import ToBrowser
from voice.protocol.wires.messages import ClientMessage, Start

Frame = str | bytes
"""What goes over the socket: text or binary."""

Said = ClientMessage | bytes | ToBrowser
"""A message; a piece of audio (PCM, whole samples, at most a second); or what the client is told at once."""


class Wire(ABC):
    """The dialect of one connection, which may remember what went over it. A new one is made for each."""

    subprotocol: str
    """Agreed upon, if the client has offered it."""
    resumes = False
    """Whether a client of this dialect can go on with a conversation that was cut off; else none is kept for it."""
    reports = False
    """Whether a client has to say what it has played, and is given up if it does not."""
    binary = False
    """Whether binary frames are the visitor's audio, as they are: those need no decoding."""

    @abstractmethod
    def decode(self, frame: Frame) -> tuple[Said, ...]:
        """What a frame says, in order; mostly one thing.

        Raises:
            WireError: it is not of the vocabulary.
        """

    def tolerates(self, parameter: str) -> bool:
        """Whether the address may have a query parameter of this name. It changes nothing."""
        return True

    def unasked(self) -> Start | None:
        """How the conversation begins where the client says nothing for a while; ``None``: it does not."""
        return None

    @abstractmethod
    def encode(self, command: ToBrowser) -> list[Frame]:
        """The frames that tell ``command``, in order; none where the dialect has no word for it."""
