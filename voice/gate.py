"""The admission objects that the faces of this process share, made from the settings.

The widget's tag, the ticket and the socket ask the same two, so that they agree.
"""

from __future__ import annotations

from functools import cache

from voice.admission.flag import Flag, MasterFlag
from voice.admission.memory import MemoryStore
from voice.admission.store import AdmissionStore
from voice.conf import enabled


@cache
def flag() -> Flag:
    """Whether voice is on, and for whom."""
    return MasterFlag(enabled)


@cache
def store() -> AdmissionStore:
    """Who has started, who talks, and which tickets are spent."""
    return MemoryStore()
