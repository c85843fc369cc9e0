"""Settings of a demonstration site with its static files as a server has them: collected, renamed, compressed."""

import os

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS, MIDDLEWARE, STORAGES
from project.storage import ModuleStaticFilesStorage


class RenamedStaticFilesStorage(ModuleStaticFilesStorage):
    """Refers to the renamed files in development too."""

    def url(self, name: str, force: bool = False) -> str:
        return str(super().url(name, force=True))


STATIC_ROOT = os.environ["STATIC_ROOT"]
STORAGES["staticfiles"] = {"BACKEND": "tests.collected.RenamedStaticFilesStorage"}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # these tests log in often
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
INSTALLED_APPS.append("tests.witness.Witness")
MIDDLEWARE.append("tests.strict.NoncePolicy")
