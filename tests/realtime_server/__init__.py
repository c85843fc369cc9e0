"""A scripted upstream that speaks GA Realtime over a real socket, with turn detection of its own."""

from tests.realtime_server.script import Answer, Script, tone
from tests.realtime_server.server import RealtimeServer
from tests.realtime_server.session import RealtimeSession

__all__ = ["Answer", "RealtimeServer", "RealtimeSession", "Script", "tone"]
