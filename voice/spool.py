"""Where ends of sessions, and turns, wait while the database cannot take them: a small file each, on the disk for sure.

A file is written aside, forced to the disk and renamed, so a reader finds a whole one or none; and its directory is
forced to the disk too, or a power cut could lose the name. Whoever brings one to the database removes it afterwards.
Bringing it twice must do no harm.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

ENDING = ".json"


class SpoolError(Exception):
    """The directory cannot be used."""


class Spool:
    """The files of one directory, which is the user's alone (0700). Nothing is made before something is to be kept."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)

    def keep(self, name: str, line: str) -> None:
        """Have ``line`` on the disk under ``name`` when this returns. Raises ``OSError`` or :class:`SpoolError`."""
        self._prepare()
        aside = self.directory / f".{name}.{os.getpid()}"
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self._path(name))
        directory = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def waiting(self) -> Iterator[tuple[str, str]]:
        """What waits, by name. One that is removed meanwhile is left out. Raises as :meth:`keep`."""
        if not self.directory.exists():
            return
        self._prepare()
        for path in sorted(self.directory.glob(f"*{ENDING}")):
            try:
                yield path.stem, path.read_text()
            except FileNotFoundError:
                continue

    def set_aside(self, name: str) -> None:
        """It is nothing that can be brought anywhere; it waits no longer, and stays to be looked at."""
        self._path(name).replace(self.directory / f"{name}.bad")

    def remove(self, name: str) -> None:
        """It has reached the database."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.directory / (name + ENDING)

    def _prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.directory.lstat()
        # In a directory that everyone may write to, somebody else may have been first.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise SpoolError(f"{self.directory} must be a directory that this user alone may read (0700)")
