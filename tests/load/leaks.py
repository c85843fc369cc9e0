"""What a session leaves behind in the server, after many of them, one after the other:

    python -m tests.load.leaks [--server daphne|uvicorn] [--sessions 1000] [--json]

Each is let in, speaks for a moment and hangs up. What the process holds is looked at after the first tenth, ten at
least (all that is loaded or allotted once is there by then), and at the end, each time when everything has gone. A leak
is a difference.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.load import interrupted
from tests.load.options import command_line, within
from tests.load.processes import Helper, Server, ended
from tests.load.targets import targets
from tests.load.visitors import Order, dial

FEWEST, MOST_SESSIONS = 10, 10_000
SPOKEN = 0.05
"""Seconds that each of them speaks."""
SETTLE_LIMIT = 15.0
"""Seconds until what was opened is closed, after the last has gone."""
Holdings = dict[str, int]
"""``sockets`` and ``files`` (descriptors), ``threads``, ``tasks``, ``objects`` of the app's classes, ``rss_kib``."""


def measure(server: str, sessions: int) -> dict[str, Any]:
    """What a new server holds after a tenth of so many sessions, and after all of them."""
    first = max(FEWEST, sessions // 10)
    with tempfile.TemporaryDirectory() as name, targets(server, Path(name)) as servers:
        upstream = Helper("tests.load.upstream")
        with ended(upstream):
            site = servers["bridge"]
            process, url = site.start(upstream.hear(), Path(name) / "site.log")
            with ended(process):
                order = Order(url, site.dialect, 1, 20, site.token)
                came = asyncio.run(_one_after_the_other(order, first))
                before = _settled(process)
                came += asyncio.run(_one_after_the_other(order, sessions - first))
                after = _settled(process)
    grown = (after["rss_kib"] - before["rss_kib"]) / (sessions - first)
    return {"sessions": came, "before": before, "after": after, "rss_kib_per_session": round(grown, 2)}


async def _one_after_the_other(order: Order, sessions: int) -> int:
    """How many were let in."""
    came = 0
    for _ in range(sessions):
        [visitor] = await dial(order)
        came += visitor.present
        await asyncio.sleep(SPOKEN)
        visitor.hang_up()
    return came


def _settled(server: Server) -> Holdings:
    """What it holds, as soon as that is the same for a second."""
    until = time.monotonic() + SETTLE_LIMIT
    holds = server.holdings()
    while time.monotonic() < until:
        time.sleep(1)
        last, holds = holds, server.holdings()
        if {**last, "rss_kib": 0} == {**holds, "rss_kib": 0}:
            break
    return holds


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, within bounds."""
    parser = command_line("tests.load.leaks", __doc__)
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--sessions", type=within(FEWEST + 1, MOST_SESSIONS), default=1000)
    return parser.parse_args(arguments)


@interrupted.in_a_line
def main() -> None:
    """Measure, and tell."""
    options = parsed()
    told = measure(options.server, options.sessions)
    if options.json:
        print(json.dumps(told, indent=2))
        return
    print("| | after a tenth | after all |\n|---|--:|--:|")
    for name, held in told["before"].items():
        print(f"| {name} | {held} | {told['after'][name]} |")
    print(f"\n{told['sessions']} sessions, {told['rss_kib_per_session']} KiB more for each")


if __name__ == "__main__":
    main()
