"""One measurement: so many visitors of one server, for so long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.load.processes import Helper, Server, ended
from tests.load.stamps import summary
from tests.load.targets import Target
from tests.load.visitors import Order

PER_PROCESS = 100
"""Visitors of one client process."""
SETTLE = 0.5
"""Seconds from the last admission to the beginning, and of the session that comes first of all."""


@dataclass(frozen=True)
class Load:
    """What one server is asked to bear."""

    sessions: int
    frame_ms: int
    seconds: float


def measure(target: Target, load: Load, folder: Path) -> dict[str, Any]:
    """The figures of one server under this load; see :data:`tests.load.bench.FIGURES`."""
    upstream = Helper("tests.load.upstream")
    with ended(upstream):
        server, url = target.start(upstream.hear(), folder / f"{target.name}.log")
        with ended(server):
            _warm_up(target, url, load, upstream)
            return _measured(target, url, load, upstream, server)


def _warm_up(target: Target, url: str, load: Load, upstream: Helper) -> None:
    """One session, so that what a process loads once is not counted as the first one's."""
    with crowd(Order(url, target.dialect, 1, load.frame_ms, target.token)) as [visitor]:
        visitor.hear()
        reported(SETTLE, visitor, upstream)


def direct(load: Load) -> dict[str, Any]:
    """The latencies with no server in between: what there is of the machine, and of the ends, in all the others."""
    upstream = Helper("tests.load.upstream")
    with ended(upstream):
        order = Order(f"ws://127.0.0.1:{upstream.hear()}/", "events", load.sessions, load.frame_ms)
        with crowd(order) as visiting:
            for visitors in visiting:
                visitors.hear()
            return _latencies(reported(load.seconds, *visiting, upstream))


def _measured(target: Target, url: str, load: Load, upstream: Helper, server: Server) -> dict[str, Any]:
    idle_kib = server.rss_kib
    with crowd(Order(url, target.dialect, load.sessions, load.frame_ms, target.token)) as visiting:
        opened = [visitors.hear() for visitors in visiting]
        time.sleep(SETTLE)
        server.lag_ms()
        began, cpu_ms = time.monotonic(), server.cpu_ms
        reports = reported(load.seconds, *visiting, upstream)
        cpu_ms, took = server.cpu_ms - cpu_ms, time.monotonic() - began
        return {
            "cpu_ms_per_session_s": round(cpu_ms / took / load.sessions, 2),
            "rss_kib_per_session": round((server.rss_kib - idle_kib) / load.sessions),
            **_latencies(reports),
            "opened_per_s": round(sum(each["opened"] for each in opened) / max(each["opened_s"] for each in opened), 1),
            "lag_ms": server.lag_ms(),
        }


def _latencies(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Of what the visitors reported, and the upstream, which comes last."""
    *visitors, upstream = reports
    up, down = upstream["took"], [took for report in visitors for took in report["took"]]
    sent = upstream["sent"] + sum(report["sent"] for report in visitors)
    return {
        "up_ms": summary(up),
        "down_ms": summary(down),
        "frames": {"up": len(up), "down": len(down)},
        "errors": {
            "lost": sum(report["lost"] for report in reports),
            "late": sent - len(up) - len(down),
            "gone": sum(report["gone"] for report in visitors),
        },
    }


@contextmanager
def crowd(order: Order) -> Iterator[list[Helper]]:
    """As many visitors as are ordered, in as many processes as that takes. Each of these says when all are in."""
    groups = [min(PER_PROCESS, order.sessions - n) for n in range(0, order.sessions, PER_PROCESS)]
    crowd = [Helper("tests.load.visitors") for _ in groups]
    with ended(*crowd):
        for visitors, sessions in zip(crowd, groups, strict=True):
            visitors.say(json.dumps(asdict(replace(order, sessions=sessions))))
        yield crowd


def reported(seconds: float, *helpers: Helper, meanwhile: Callable[[], object] = lambda: None) -> list[dict[str, Any]]:
    """Let so much time pass, and something happen in it; what each of them says about it, when that is over."""
    begin = time.monotonic_ns()
    end = begin + round(seconds * 1e9)
    for helper in helpers:
        helper.say(f"{begin} {end}")
    meanwhile()
    return [helper.hear() for helper in helpers]
