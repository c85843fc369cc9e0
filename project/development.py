"""Settings of a checkout: those of ``project.settings``, with debugging on unless there is a secret key of its own.

``manage.py`` uses these, so that a newcomer needs no variable; a server (``project.asgi``) never does. Where
``DJANGO_SECRET_KEY`` is set, that is on a server, there is no difference between the two.
"""

import os

from environs import Env

from project import ENVIRONMENT_FILE

_env = Env()
_env.read_env(ENVIRONMENT_FILE, recurse=False)
_own_key = _env.str("DJANGO_SECRET_KEY", default="")
os.environ.setdefault("DJANGO_DEBUG", _env.str("DJANGO_DEBUG", default="false" if _own_key else "true"))

from project.settings import *  # noqa: E402, F403
