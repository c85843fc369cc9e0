"""The benchmark runs, and prints what its document says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.integration.measurements import told_by


def documented() -> Any:
    """The figures of the document's example."""
    text = (Path(settings.BASE_DIR) / "voice/docs/performance.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return json.loads(example)


def keys(figures: Any) -> Any:
    """The names in it, without the values."""
    return {name: keys(value) for name, value in figures.items()} if isinstance(figures, dict) else None


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_short_measurement_prints_the_documented_figures(server: str) -> None:
    options = f"--server {server} --sessions 2 --seconds 2 --rounds 1".split()
    against = ["--against", "relay", *(["picows", "tutorial"] if server == "daphne" else [])]
    told = told_by("bench", *options, *against, seconds=120)
    assert told["conditions"]["server"] == server
    assert told["2"]["ratio"] > 0
    assert told["conditions"].keys() >= documented()["conditions"].keys()
    for name in ["bridge", *against[1:]]:
        figures = told["2"][name]
        assert keys(figures) == keys(documented()["20"]["bridge"])
        assert figures["cpu_ms_per_session_s"] > 0
        assert figures["rss_kib_per_session"] >= 0
        assert figures["errors"]["gone"] == 0  # what is late says how busy the machine is, as does how much was sent
        assert figures["frames"]["up"] >= 2 * 2 * 50 * 0.5
        assert figures["frames"]["down"] >= 5
        for way in ("up_ms", "down_ms"):
            assert 0 < figures[way]["p50"] <= figures[way]["p95"] <= figures[way]["p99"]
        assert figures["lag_ms"]["p50"] >= 0
        assert figures["opened_per_s"] > 0
