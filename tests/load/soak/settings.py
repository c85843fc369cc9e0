"""Settings of a site whose visitors come as often as they like, one conversation each at a time, and a short one."""

import os

from tests.load.soak import SESSION_SECONDS
from tests.several.settings import *  # noqa: F403
from tests.several.settings import VOICE

VOICE["LIMITS"] = {"sessions_per_user_per_hour": 0, "sessions_per_user": 1, "session_seconds": SESSION_SECONDS}
VOICE["SPOOL"] = os.environ["VOICE_SPOOL"]
