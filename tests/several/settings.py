"""Settings of a site that several processes serve: the limits of visitors are those of a new site, nothing is searched,
and all the clients of a test have one address."""

import os
from datetime import timedelta

from project.settings import *  # noqa: F403
from project.settings import SIMPLE_JWT, VOICE
from tests.several import DRAIN_SECONDS

ASGI_APPLICATION = os.environ.get("TEST_APPLICATION", "project.asgi.application")
VOICE["KNOWLEDGE"] = {"backend": "none"}
VOICE["TICKET_SECONDS"] = 300
VOICE["CROWD"] = {"per_address": 0, "waiting_per_address": 0, "waiting": 0, "opened_per_minute": 0}
VOICE["DRAIN"] = {"seconds": DRAIN_SECONDS}
SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] = timedelta(hours=2)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
