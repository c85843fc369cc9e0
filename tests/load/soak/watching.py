"""One process, looked at from outside each second: its memory and its open files."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.soak.verdict import slope

INTERVAL = 1.0


@dataclass(frozen=True)
class Sample:
    """At one instant."""

    at: float
    """Minutes, on a clock of its own."""
    megabytes: float
    files: int


@dataclass
class Watch:
    """Of the process ``pid``."""

    pid: int
    samples: list[Sample] = field(default_factory=list)

    def look(self) -> Sample:
        """How it is now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kilobytes = int(status.partition("VmRSS:")[2].split()[0])
        return Sample(time.monotonic() / 60, kilobytes / 1024, len(os.listdir(f"/proc/{self.pid}/fd")))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.samples.append(self.look())
            await asyncio.sleep(INTERVAL)

    def growth(self, warm_up: float) -> tuple[float, float]:
        """Megabytes and files that it gained in a minute, after so many minutes."""
        warm = [each for each in self.samples if each.at >= self.samples[0].at + warm_up]
        return slope([(each.at, each.megabytes) for each in warm]), slope([(each.at, each.files) for each in warm])
