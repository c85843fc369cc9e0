"""Settings of a site that a test starts and talks with: as often as it likes, and for longer than five minutes."""

from datetime import timedelta

from project.settings import *  # noqa: F403
from project.settings import SIMPLE_JWT, VOICE

VOICE["LIMITS"] = {"sessions_per_user_per_hour": 0}
SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] = timedelta(hours=2)
