"""A Django project around the ``voice`` app: settings, addresses and a demonstration site."""

import os
from pathlib import Path

# The embedded sentence encoder multiplies small matrices. Several threads are no faster at it, and where the processors
# have other things to do they wait for each other: a search of 10 ms took half a second. NumPy reads it at its import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT_FILE = BASE_DIR / ".env"
"""Variables for this machine, one per line; those of the process's own environment win. Never in version control."""
DATA = BASE_DIR / ".data"
"""What the project itself writes: SQLite database, collected static files, keys of a development checkout."""
