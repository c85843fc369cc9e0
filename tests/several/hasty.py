"""The application, whose servers are presumed to be lost five times as soon as they are: for tests that wait for it."""

from project.asgi import application
from voice import ends, heartbeat, reaper

HASTE = 5

ends.LOST_SECONDS /= HASTE
reaper.INTERVAL /= HASTE
heartbeat.INTERVAL /= HASTE

__all__ = ["application"]
