"""A Django project around the ``voice`` app: settings, addresses and a demonstration site."""

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT_FILE = BASE_DIR / ".env"
"""Variables for this machine, one per line; those of the process's own environment win. Never in version control."""
DATA = BASE_DIR / ".data"
"""What the project itself writes: SQLite database, collected static files, keys of a development checkout."""
