"""``voice/docs/integrate.md``, followed to the letter, and the code of other documents."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "voice/docs/integrate.md").read_text()


@dataclass(frozen=True)
class Block:
    """Some lines of code in the document."""

    heading: str
    language: str
    code: str

    @property
    def path(self) -> str:
        """Of the file that they belong into, as their first line says; of a snippet, nothing."""
        named = re.match(r"(?:# ([\w/.]+), at the end|\{# ([\w/.]+) #\})\n", self.code)
        return (named[1] or named[2]) if named else ""

    @property
    def lines(self) -> list[str]:
        """Without the one that names the file."""
        return self.code.splitlines()[1 if self.path else 0 :]


def blocks(text: str = TEXT) -> list[Block]:
    """All of a document's, in order."""
    found, heading = [], ""
    for title, language, code in re.findall(r"^#+ ([^\n]*)$|^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        heading = title or heading
        if language:
            found.append(Block(heading, language, code))
    return found


class Follower:
    """Somebody who does what the document says, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        (folder / "voice").symlink_to(ROOT)
        self.directory = folder
        self.said = ""
        """What the commands have printed."""
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{self.environment['PATH']}"

    def follow(self) -> str:
        """Do everything up to the command that starts the server. Returns that."""
        for block in blocks():
            if "pip install" in block.code:
                continue  # the packages are those of the tests
            if "runserver" in block.code:
                return block.code.strip()
            if block.language == "sh":
                self.run(block.code)
            elif block.path:
                self.write(block.path, block.lines)
        raise AssertionError("the document starts no server")

    def write(self, name: str, lines: list[str]) -> None:
        """Add lines at the end of a file, which need not be there."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write("\n".join([*lines, ""]))

    def run(self, code: str) -> None:
        """Say this to a shell, which then is where it leads to."""
        done = subprocess.run(
            ["sh", "-ec", f"{code}pwd"],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        *said, directory = done.stdout.splitlines()
        self.directory = Path(directory)
        self.said += "\n".join([*said, done.stderr])
