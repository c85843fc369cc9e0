"""Settings of a site that several processes serve: the limits are those of a new site, and nothing is searched."""

from datetime import timedelta

from project.settings import *  # noqa: F403
from project.settings import SIMPLE_JWT, VOICE

VOICE["KNOWLEDGE"] = {"backend": "none"}
VOICE["TICKET_SECONDS"] = 300
SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] = timedelta(hours=2)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
