"""The wire ``realtime``: the vocabulary of the GA Realtime API, so that its stock clients connect to this server.

The same closed vocabulary as everywhere: client events are read field by field, and nothing of them is passed on as it
came; server events are built from the commands of the core. See ``voice/docs/realtime.md``.
"""

from voice.protocol.wires.realtime.settings import Offer
from voice.protocol.wires.realtime.wire import Realtime

__all__ = ["Offer", "Realtime"]
