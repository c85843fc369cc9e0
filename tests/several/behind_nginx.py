"""Settings of a site behind nginx: starts of an address are counted too."""

from tests.several.settings import *  # noqa: F403
from tests.several.settings import VOICE

VOICE["LIMITS"] = {"sessions_per_address_per_hour": 100}
