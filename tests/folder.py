"""The folder that all processes of a run of tests share: ``TESTS_FOLDER``. Whoever made it removes it."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "TESTS_FOLDER" not in os.environ:
    os.environ["TESTS_FOLDER"] = tempfile.mkdtemp(prefix="voice-tests-")
    atexit.register(shutil.rmtree, os.environ["TESTS_FOLDER"], ignore_errors=True)
FOLDER = Path(os.environ["TESTS_FOLDER"])
