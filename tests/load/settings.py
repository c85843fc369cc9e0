"""Settings of a site that is attacked: one visitor may come as often as they like, and the rest is as on a new site."""

from tests.several.settings import *  # noqa: F403
from tests.several.settings import VOICE

VOICE["CROWD"] = {"opened_per_minute": 0}
VOICE["LIMITS"] = {"sessions_per_user_per_hour": 0, "sessions_per_user": 0}
