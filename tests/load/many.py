"""Settings of a site that is measured: many sessions of one visitor, pages without TLS and without collected files;
otherwise as a server has them.
"""

from tests.several.settings import *  # noqa: F403
from tests.several.settings import STORAGES, VOICE

ROOT_URLCONF = "tests.load.pages"
SECURE_SSL_REDIRECT = False
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
VOICE["LIMITS"] = {"sessions_per_user_per_hour": 0, "sessions_per_user": 0}
