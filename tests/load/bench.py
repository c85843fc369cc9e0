"""What a conversation costs the server, beside bridges that do less:

    python -m tests.load.bench [--server daphne|uvicorn] [--sessions 10 50 100] [--frame-ms 20] [--seconds 10]
                               [--rounds 3] [--against relay picows tutorial] [--json] [--svg FILE]

Visitors send audio without a pause and are answered half of the time, by a scripted service on the same machine. For
each number of sessions the servers take turns, so that whatever else the machine does meets all of them; a figure is
the median of the rounds, a ratio the median of the ratios within a round. See ``voice/docs/performance.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from tests.load import interrupted, picture
from tests.load.measuring import Load, direct, measure
from tests.load.options import command_line, within
from tests.load.stamps import is_behind
from tests.load.targets import Target, targets

SESSIONS = [10, 50, 100, 200, 400]
MOST_SESSIONS, MOST_SECONDS, MOST_ROUNDS = 400, 60.0, 9
LIMIT = 3600.0
"""Seconds of measuring that one call may ask for."""
REFERENCES = ("relay", "picows", "tutorial")
FIGURES = """\
cpu_ms_per_session_s  CPU milliseconds of the server, the kernel's included, for one session in one second
rss_kib_per_session   memory that the server holds more than after its first session, for each
up_ms, down_ms        from a frame's departure to its arrival on the other side of the server
added_ms              the medians of these, less those without a server in between
errors                frames that were lost or doubled, or took half a second; sessions gone too early, or not let in
opened_per_s          sessions that came in, eight at a time from each client process
lag_ms                how late the server's event loop was
ratio                 the CPU of the site, as a multiple of the relay's; ratios: of each reference's
"""
Figures = dict[str, Any]


def middle(rounds: Sequence[Any]) -> Any:
    """The median of each figure, in whatever dicts it stands; of errors, all."""
    first = rounds[0]
    if isinstance(first, dict):
        return {key: _all_of(key, [each[key] for each in rounds if key in each]) for key in first}
    return round(median(rounds), 2)


def _all_of(key: str, values: list[Any]) -> Any:
    if key == "errors":
        return {kind: sum(value[kind] for value in values) for kind in values[0]}
    return middle(values)


def compared(rounds: Sequence[Mapping[str, Figures]]) -> Figures:
    """The figures of each server under one load, and how much the site costs beside each of the others."""
    names = [name for name in rounds[0] if name != "direct"]
    ratios = {
        name: round(median(_ratio(each["bridge"], each[name]) for each in rounds), 2)
        for name in names
        if name != "bridge"
    }
    return {
        **{name: middle([_with_added(each[name], each["direct"]) for each in rounds]) for name in names},
        "direct": middle([each["direct"] for each in rounds]),
        "ratio": ratios.get("relay"),
        "ratios": ratios,
    }


def _with_added(figures: Figures, without: Figures) -> Figures:
    added = {way: round(figures[f"{way}_ms"]["p50"] - without[f"{way}_ms"]["p50"], 2) for way in ("up", "down")}
    return {**figures, "added_ms": added}


def _ratio(bridge: Figures, other: Figures) -> float:
    cpu = other["cpu_ms_per_session_s"]
    return bridge["cpu_ms_per_session_s"] / cpu if cpu else 0.0


def run(options: argparse.Namespace) -> dict[str, Figures]:
    """All measurements, by the number of sessions."""
    with tempfile.TemporaryDirectory() as name, targets(options.server, Path(name)) as servers:
        chosen = [servers[each] for each in ("bridge", *options.against)]
        results: dict[str, Figures] = {}
        for sessions in options.sessions:
            load = Load(sessions, options.frame_ms, options.seconds)
            rounds = []
            for n in range(options.rounds):
                order = chosen if n % 2 == 0 else chosen[::-1]
                done = {target.name: _measure(target, load, Path(name)) for target in order}
                rounds.append({"direct": direct(load), **{target.name: done[target.name] for target in chosen}})
            results[str(sessions)] = compared(rounds)
        return results


def _measure(target: Target, load: Load, folder: Path) -> Figures:
    figures = measure(target, load, folder)
    cpu = figures["cpu_ms_per_session_s"]
    print(f"{target.name}, {load.sessions} sessions: {cpu} CPU ms/session-s", file=sys.stderr, flush=True)
    return figures


def conditions(options: argparse.Namespace) -> dict[str, Any]:
    """What the figures hold for."""
    packages = ("django", "channels", options.server, "uvloop", "websockets", "aiohttp", "picows")
    return {
        "server": options.server,
        "frame_ms": options.frame_ms,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }


def table(results: Mapping[str, Figures]) -> str:
    """The results in Markdown, with a star at what has fallen behind."""
    head = "| sessions | server | CPU ms/session-s | site × | KiB/session | added up, down ms | p99 up, down ms |"
    lines = [f"{head} opened/s | loop p99 ms | lost, late, gone |", "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for sessions, servers in results.items():
        for name, figures in servers.items():
            if name in ("direct", "ratio", "ratios"):
                continue
            up, down, added, errors = (figures[key] for key in ("up_ms", "down_ms", "added_ms", "errors"))
            star = "*" if is_behind(figures) else ""
            lines.append(
                f"| {sessions} | {name} | {figures['cpu_ms_per_session_s']}{star} | {servers['ratios'].get(name, '')} "
                f"| {figures['rss_kib_per_session']} | {added['up']}, {added['down']} | {up['p99']}, {down['p99']} "
                f"| {figures['opened_per_s']} | {figures['lag_ms'].get('p99', '')} "
                f"| {errors['lost']}, {errors['late']}, {errors['gone']} |"
            )
    return "\n".join(lines)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, within bounds."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = command_line("tests.load.bench", __doc__, epilog=FIGURES, formatter_class=formatter)
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--sessions", type=within(1, MOST_SESSIONS), nargs="+", default=SESSIONS)
    parser.add_argument("--frame-ms", type=int, choices=(10, 20, 40, 100), default=20)
    seconds = within(1.0, MOST_SECONDS)
    parser.add_argument("--seconds", type=seconds, default=10.0, help="of each measurement (10: a whole turn of each)")
    parser.add_argument("--rounds", type=within(1, MOST_ROUNDS), default=3, help="whose median is taken (3)")
    parser.add_argument("--against", nargs="*", choices=REFERENCES, default=["relay", "picows"])
    parser.add_argument("--svg", type=Path, help="a picture of the CPU time")
    options = parser.parse_args(arguments)
    if options.seconds * options.rounds * len(options.sessions) * (2 + len(options.against)) > LIMIT:
        parser.error(f"more than {LIMIT:.0f} s of measuring; ask for less of something")
    return options


@interrupted.in_a_line
def main() -> None:
    """Measure, and tell."""
    options = parsed()
    told = conditions(options)
    results = run(options)
    if options.svg:
        options.svg.write_text(picture.cpu(results, options.server, options.frame_ms))
    if options.json:
        print(json.dumps({**results, "conditions": told}, indent=2))
    else:
        print(table(results), json.dumps(told), sep="\n\n")


if __name__ == "__main__":
    main()
