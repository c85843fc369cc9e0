"""The picture of a measurement: the CPU time of a session, server by server, for each number of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.load.stamps import is_behind

NAMES = {
    "bridge": "this site",
    "relay": "aiohttp relay of base64 JSON",
    "picows": "bare picows bridge",
    "tutorial": "tutorial-style consumer",
}


def cpu(results: Mapping[str, Mapping[str, Any]], server: str, frame_ms: int) -> str:
    """An SVG of bars."""
    import pygal
    from pygal.style import Style

    style = Style(
        background="white",
        plot_background="white",
        colors=("#1d6fb8", "#8a8a8a", "#c4c4c4", "#d98c3f"),
        font_family="system-ui, sans-serif",
    )
    chart = pygal.Bar(
        style=style, width=760, height=360, legend_at_bottom=True, legend_at_bottom_columns=2, js=[], print_values=True,
        title=f"CPU of the server on {server}, {frame_ms} ms frames", y_title="ms for a session in a second",
        x_title="sessions", margin=20, disable_xml_declaration=True,
    )  # fmt: skip
    chart.x_labels = list(results)
    for name, label in NAMES.items():
        if all(name in servers for servers in results.values()):
            chart.add(label, [_bar(servers[name]) for servers in results.values()])
    return str(chart.render(is_unicode=True))


def _bar(figures: Mapping[str, Any]) -> float | None:
    """Its height; none where a server has fallen behind."""
    return None if is_behind(figures) else figures["cpu_ms_per_session_s"]
