"""A short soak: what holds after fifteen minutes of trouble (``voice/docs/reliability.md``) holds after one.

``SOAK_MINUTES=15`` takes as long as it says; from five on it is known whether memory grows.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.alone

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.6"))


def test_whatever_goes_wrong_all_that_must_hold_holds() -> None:
    command = [sys.executable, "-m", "tests.load.soak", "--minutes", str(MINUTES), "--seed", "20261128"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=MINUTES * 60 + 360)
    print(f"\n{run.stdout}")
    assert run.returncode == 0, run.stdout + run.stderr
