"""Settings that collect static files as a server does, into the folder ``STATIC_ROOT``."""

import os

from project.settings import *  # noqa: F403
from project.settings import STORAGES

STATIC_ROOT = os.environ["STATIC_ROOT"]
STORAGES["staticfiles"] = {"BACKEND": "project.storage.ModuleStaticFilesStorage"}
