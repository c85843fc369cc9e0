"""The picture of a measurement: the CPU time of a session, server by server, for each number of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.load.stamps import is_behind

NAMES = {
    "bridge": "this site",
    "relay": "aiohttp relay",
    "picows": "bare picows bridge",
    "tutorial": "tutorial's consumer",
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
        opacity="1",
        guide_stroke_color="#e4e4e4",
        major_guide_stroke_color="#e4e4e4",
        value_font_size=12,
        legend_font_size=12,
        title_font_size=14,
    )
    chart = pygal.Bar(
        style=style, width=760, height=360, legend_at_bottom=True, legend_at_bottom_columns=4, js=[], print_values=True,
        title=f"CPU ms for a session in a second, on {server}, frames of {frame_ms} ms",
        x_title="sessions", margin=20, margin_bottom=45, disable_xml_declaration=True,
    )  # fmt: skip
    chart.x_labels = list(results)
    for name, label in NAMES.items():
        if all(name in servers for servers in results.values()):
            chart.add(label, [_bar(servers[name]) for servers in results.values()])
    return str(chart.render(is_unicode=True))


def _bar(figures: Mapping[str, Any]) -> float | None:
    """Its height; none where a server has fallen behind."""
    return None if is_behind(figures) else figures["cpu_ms_per_session_s"]
