"""A site in trouble, for minutes, and whether what must hold held:

    python -m tests.load.soak --minutes 15 [--sessions 40] [--seed 1] [--keep FOLDER]

Three server processes, Valkey, and a scripted upstream, with a proxy on every link. Visitors talk, interrupt, reload,
vanish, flood and read nothing, forty at a time; links are late, narrow, frozen, half-open, reset and refused; the
upstream is whatever an upstream can be; each minute one of two of the processes is killed with -9, and started again.
The last line says what it came to; the exit code is 0 where all held. See ``voice/docs/reliability.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.load import interrupted
from tests.load.soak.course import Outcome, run

MOST_MINUTES, MOST_SESSIONS = 120.0, 200


def listed(counts: Counter[str]) -> str:
    """In one line, the most frequent first."""
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def report(outcome: Outcome, minutes: float, seed: int) -> str:
    """Several lines; the last says it all."""
    megabytes, files = outcome.growth
    return "\n".join(
        [
            f"faults: {listed(outcome.happened)}",
            f"visitors: {listed(outcome.counted)}",
            f"records: {listed(outcome.reasons)}",
            f"billed, and in no record: {listed(outcome.unbilled)}",
            *outcome.wrong,
            f"soak: {minutes:g} min, seed {seed}: {sum(outcome.happened.values())} faults"
            f" ({outcome.happened['process kill -9']} kills), {outcome.reasons.total()} sessions,"
            f" {outcome.resumed} went on, {outcome.reasons['server_lost']} lost with their server, all final after"
            f" {outcome.final_seconds:.0f} s; memory {megabytes:+.2f} MB/min, files {files:+.2f}/min;"
            f" {len(outcome.wrong)} violations",
        ]
    )


@interrupted.in_a_line
def main() -> None:
    """Soak, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None, help="of what happens when (default: another each time)")
    parser.add_argument("--keep", type=Path, help="a new folder, in which the logs and the database stay")
    options = parser.parse_args()
    if not 0 < options.minutes <= MOST_MINUTES or not 0 < options.sessions <= MOST_SESSIONS:
        parser.error(f"at most {MOST_MINUTES:g} minutes and {MOST_SESSIONS} sessions")
    seed = int(time.time()) if options.seed is None else options.seed
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # that others are gone is what this is about
    with tempfile.TemporaryDirectory(prefix="voice-soak-") as folder:
        if options.keep:
            options.keep.mkdir(parents=True)
        outcome = asyncio.run(run(options.keep or Path(folder), options.minutes, options.sessions, seed))
    print(report(outcome, options.minutes, seed), flush=True)
    sys.exit(bool(outcome.wrong))


if __name__ == "__main__":
    main()
