"""Charts as SVG that a strict content security policy lets pass and that follows the admin's light and dark.

pygal brings styles, scripts and ids of its own along with each picture; here they are left out, and
``voice/statistics.css`` says how the classes look. Nothing in a picture is data of a visitor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from pygal.graph.graph import Graph

WIDTH, HEIGHT = 420, 220
"""The pictures scale; in this size their letters are as big as the page's, on a phone and in two columns alike."""
FONT = 12
LABELS = 6
"""Along the time axis, at most."""
_SVG = "http://www.w3.org/2000/svg"

Series = tuple[str, Sequence[float | None]]


def lines(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    alt: str,
    top: float,
    write: Callable[[float], str],
    limit: Series | None = None,
) -> SafeString:
    """A line for each of ``series``, from zero to ``top`` at least; ``None`` is a gap. ``limit`` is a dashed line.

    ``write`` is how a number reads on the axis, and ``alt`` what the picture says to those who do not see it.
    """
    import pygal

    highest = max([top, *(value for _, values in series for value in values if value is not None)])
    chart = pygal.Line(**_options("with-limit" if limit else ""), range=(0, highest))
    for name, values in [limit, *series] if limit else series:
        chart.add(name, values, show_dots=_has_lone_point(values))
    return _drawn(chart, labels, alt, write)


def _has_lone_point(values: Sequence[float | None]) -> bool:
    """Whether a value has none beside it: no line leads there, so that only a dot shows it."""
    edged = [None, *values, None]
    around = zip(edged, edged[1:], edged[2:], strict=False)
    return any(value is not None and before is None and after is None for before, value, after in around)


def bars(
    labels: Sequence[str], series: Series, *, alt: str, top: float, write: Callable[[float], str], tone: str
) -> SafeString:
    """A bar for each label, on an axis from zero to ``top`` at least. ``tone`` is a class that says the colour."""
    import pygal

    name, values = series
    highest = max([top, *(value for value in values if value is not None)])
    chart = pygal.Bar(**_options(tone), range=(0, highest), show_legend=False, spacing=10)
    chart.add(name, values)
    return _drawn(chart, labels, alt, write)


def _options(kind: str) -> dict[str, Any]:
    from pygal.style import Style

    return {
        "style": Style(background="transparent", plot_background="transparent", font_family="inherit",
                       label_font_size=FONT, major_label_font_size=FONT, legend_font_size=FONT, no_data_font_size=FONT),
        "classes": ("pygal-chart", kind) if kind else ("pygal-chart",),
        "width": WIDTH, "height": HEIGHT, "margin": 4, "margin_right": 14, "legend_at_bottom": True,
        "legend_box_size": 10, "js": [], "css": [], "disable_xml_declaration": True, "truncate_label": -1,
        "truncate_legend": -1, "max_scale": 5, "no_data_text": "–",
    }  # fmt: skip


def _drawn(chart: Graph, labels: Sequence[str], alt: str, write: Callable[[float], str]) -> SafeString:
    every = max(1, -(-len(labels) // LABELS))
    chart.x_labels = [label if n % every == 0 else "" for n, label in enumerate(labels)]
    chart.value_formatter = write
    root = ElementTree.fromstring(chart.render())  # noqa: S314  # what pygal has just written
    _strip(root)
    root.set("role", "img")
    root.set("aria-label", alt)
    ElementTree.register_namespace("", _SVG)
    return mark_safe(ElementTree.tostring(root, encoding="unicode"))  # noqa: S308  # well-formed, and stripped


def _strip(parent: ElementTree.Element) -> None:
    """Leave nothing that a policy forbids, that comes twice on a page, or that only pygal's own script would use."""
    for child in list(parent):
        unwanted = child.tag in (f"{{{_SVG}}}{tag}" for tag in ("defs", "title", "desc", "script", "style"))
        if unwanted or child.get("class", "").endswith("tooltip-overlay"):
            parent.remove(child)
        else:
            _strip(child)
    for name in ("id", "style"):
        parent.attrib.pop(name, None)
