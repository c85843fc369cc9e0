"""A measurement of :mod:`tests.load`, run as a command."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def told_by(name: str, *options: str, seconds: float = 240) -> Any:
    """The figures of ``python -m tests.load.NAME OPTIONS --json``, which are printed too. It may take so long."""
    command = [sys.executable, "-m", f"tests.load.{name}", *options, "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    assert run.returncode == 0, run.stderr
    print(run.stdout)
    return json.loads(run.stdout)
