"""What live conversations and the other pages of the same process cost each other:

    python -m tests.load.neighbours [--server daphne|uvicorn] [--sessions 100] [--frame-ms 40] [--rounds 3] [--json]

An ordinary page (the login form: a session, a template, a token against forgery) is asked for one time after the other,
first with nobody there, then while so many visitors talk: of their process, and of another one, which tells what the
machine's other work costs the page. Then one asks for a page whose database query takes two seconds; the microphones'
frames of those seconds are compared with those of the seconds before.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.load import interrupted
from tests.load.bench import middle
from tests.load.measuring import Load, crowd, reported
from tests.load.options import command_line, within
from tests.load.processes import Helper, ended
from tests.load.stamps import summary
from tests.load.targets import Target, targets
from tests.load.visitors import Order

PAGE, SLOW_PAGE = "/accounts/login/", "/load/slow/"
SLOW_SECONDS = 2.0
PAUSE = 0.02
"""Seconds from one page to the next."""
SECONDS = 5.0
"""That pages are asked for, and that frames are counted beforehand."""
MOST_SESSIONS, MOST_ROUNDS = 400, 9
LIMIT = 60.0


class Reader:
    """Somebody who reads the site's pages, each over a connection of its own."""

    def __init__(self, url: str) -> None:
        self._host = url.split("/")[2]

    def asks_for(self, path: str) -> int:
        """How many nanoseconds the page took."""
        began = time.monotonic_ns()
        with closing(http.client.HTTPConnection(self._host, timeout=LIMIT)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return time.monotonic_ns() - began

    def reads_for(self, seconds: float) -> list[int]:
        """The same page, again and again."""
        until = time.monotonic() + seconds
        took = []
        while time.monotonic() < until:
            took.append(self.asks_for(PAGE))
            time.sleep(PAUSE)
        return took


def measure(target: Target, load: Load, folder: Path) -> dict[str, Any]:
    """The page's times without these sessions, with them in the same process, and with them in another process of the
    same machine; the frames' without and with the slow query."""
    upstream = Helper("tests.load.upstream")
    with ended(upstream):
        server, url = target.start(upstream.hear(), folder / "site.log")
        with ended(server):
            reader = Reader(url)
            reader.reads_for(1)
            alone = reader.reads_for(load.seconds)
            with (
                apart(target, folder) as elsewhere,
                crowd(Order(url, target.dialect, load.sessions, load.frame_ms, target.token)) as visitors,
            ):
                present = sum(each.hear()["opened"] for each in visitors)
                time.sleep(0.5)
                cpu_ms, began = server.cpu_ms, time.monotonic()
                among = reader.reads_for(load.seconds)
                core = (server.cpu_ms - cpu_ms) / (time.monotonic() - began) / 1000
                beside = elsewhere.reads_for(load.seconds)
                before = _frames(upstream, load.seconds, lambda: None)
                during = _frames(upstream, SLOW_SECONDS, lambda: reader.asks_for(SLOW_PAGE))
    page = {"alone": summary(alone), "apart": summary(beside), "among": summary(among)}
    frame = {"before": _with_longest(before), "during": _with_longest(during)}
    return {
        "sessions": present,
        "core": round(core, 2),
        "page_ms": {**page, "rise": _rise(page["alone"], page["among"])},
        "frame_ms": {**frame, "rise": _rise(frame["before"], frame["during"])},
    }


@contextmanager
def apart(target: Target, folder: Path) -> Iterator[Reader]:
    """Who reads the pages of another process of the site, in which nobody talks."""
    server, url = target.start(0, folder / "apart.log")
    with ended(server):
        reader = Reader(url)
        reader.reads_for(1)
        yield reader


def _rise(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 2) for name in before}


def _frames(upstream: Helper, seconds: float, meanwhile: Callable[[], object]) -> list[int]:
    """What the frames took on their way up that departed within this time, while something else happens."""
    [told] = reported(seconds, upstream, meanwhile=meanwhile)
    took: list[int] = told["took"]
    return took


def _with_longest(took: list[int]) -> dict[str, float]:
    return {**summary(took), "longest": round(max(took, default=0) / 1e6, 2)}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The medians of the rounds, each with a new process."""
    load = Load(options.sessions, options.frame_ms, options.seconds)
    with tempfile.TemporaryDirectory() as name, targets(options.server, Path(name)) as servers:
        figures: dict[str, Any] = middle([measure(servers["bridge"], load, Path(name)) for _ in range(options.rounds)])
        return figures


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, within bounds."""
    parser = command_line("tests.load.neighbours", __doc__)
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--sessions", type=within(1, MOST_SESSIONS), default=100)
    parser.add_argument("--frame-ms", type=int, choices=(10, 20, 40, 100), default=40)
    parser.add_argument("--seconds", type=within(1.0, LIMIT), default=SECONDS)
    parser.add_argument("--rounds", type=within(1, MOST_ROUNDS), default=3)
    return parser.parse_args(arguments)


@interrupted.in_a_line
def main() -> None:
    """Measure, and tell."""
    options = parsed()
    told = run(options)
    if options.json:
        print(json.dumps(told, indent=2))
        return
    page, frame = told["page_ms"], told["frame_ms"]
    print(f"{told['sessions']} sessions, frames of {options.frame_ms} ms, {options.server}: {told['core']} of a core\n")
    print("| ms | p50 | p95 | p99 | longest |\n|---|--:|--:|--:|--:|")
    rows = [("a page, nobody talks", page["alone"]), ("a page, all talk to its process", page["among"])]
    rows += [("more", page["rise"]), ("a page, all talk to another process", page["apart"])]
    rows += [("a frame up", frame["before"]), ("a frame up, during a query of 2 s", frame["during"])]
    for name, row in [*rows, ("more", frame["rise"])]:
        print(f"| {name} | {row['p50']} | {row['p95']} | {row['p99']} | {row.get('longest', '')} |")


if __name__ == "__main__":
    main()
