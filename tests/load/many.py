"""Settings of a site that is measured: many sessions of one visitor; otherwise as a server has them."""

from tests.several.settings import *  # noqa: F403
from tests.several.settings import VOICE

VOICE["LIMITS"] = {"sessions_per_user_per_hour": 0, "sessions_per_user": 0}
