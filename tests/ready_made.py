"""Databases that take long to make: each is made once in a run of tests, and copied from then on."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.folder import FOLDER


@contextmanager
def database(path: Path, kind: str) -> Iterator[None]:
    """Unless it is there, ``path`` becomes a copy of the first one of its kind, as that was at the end of this context.

    While the first one is made, within, other processes wait.
    """
    if path.exists():
        yield
        return
    template = FOLDER / f"{kind}.sqlite3"
    with template.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if template.exists():
            fcntl.flock(lock, fcntl.LOCK_UN)
            _copy(template, path)
            yield
        else:
            yield
            _copy(path, template)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
