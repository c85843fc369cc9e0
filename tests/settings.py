"""Settings of the tests: those of a checkout, whatever the developer's own environment says."""

import os

from tests.folder import FOLDER

# A file, because a server started by a test works in a process of its own, with the same database.
_database = os.environ.setdefault("TEST_DATABASE", str(FOLDER / "tests.sqlite3"))
_another = os.environ.get("TEST_DATABASE_URL", "")  # of a PostgreSQL on which unit tests shall run instead
os.environ.update(
    DJANGO_DEBUG="true",
    DATABASE_URL=_another or f"sqlite:///{_database}",
    REDIS_URL="",
    OPENAI_API_KEY="",
    OPENAI_BASE_URL="",
    ENABLE_VOICE_REALTIME="false",
    VOICE_PROVIDER="",
    VOICE_ORIGINS="",
    VOICE_TRUSTED_PROXIES="0",
    VOICE_RESUME_KEYS="",
    VOICE_SPOOL="",
    SENTRY_DSN="",
    OTEL_EXPORTER_OTLP_ENDPOINT="",
    LOG_FORMAT="line",
)

from project.settings import *  # noqa: E402, F403
from project.settings import DATABASES  # noqa: E402

if not _another:
    DATABASES["default"]["TEST"] = {"NAME": _database}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files straight from the apps: nobody collects them for a test.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
