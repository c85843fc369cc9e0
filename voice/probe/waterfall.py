"""A picture of two turns, one of each mode, from the first word to the first audio. Pure: turns give an SVG document.

It is read in a browser, in a README and in print, so it brings its own ground and its own ink for light and dark, and
neither script nor font. Zero is where it hurts: the instant at which the visitor was heard to have stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from voice.probe.figures import Measured
from voice.protocol.context import clean
from voice.protocol.timeline import Mark

WIDTH, LEFT, RIGHT = 960, 132, 190
LANE, ROW, BAR, TOP, FOOT = 164, 26, 14, 60, 44
LEGEND = "seconds from speech_stopped · white strokes: the transcript grows · ◆ the context stands in the conversation"
ROWS = ("question", "search", "wait", "upstream")
STYLE = """\
  svg { color: #1d2430; font: 13px system-ui, sans-serif }
  .ground { fill: #ffffff }
  text { fill: currentColor }
  .name { font-weight: 600; font-size: 15px }
  .quiet { fill-opacity: .72; font-size: 12px }
  .grid { stroke: currentColor; stroke-opacity: .16 }
  .zero { stroke: currentColor; stroke-opacity: .7 }
  .word { stroke: #ffffff; stroke-opacity: .85; stroke-width: 1.5 }
  .question { fill: #6d7b91 } .search { fill: #2f7dd1 } .wait { fill: #d0671c } .upstream { fill: #2c9464 }
  .context { fill: #2f7dd1; stroke: currentColor; stroke-width: 1.2 }
  @media (prefers-color-scheme: dark) { svg { color: #e6e9ef } .ground { fill: #14181f } }"""


def waterfall(turns: Sequence[Measured]) -> str:
    """``turns`` under each other on one scale, aligned at the end of speech. Needs one turn at least.

    Only turns that were answered can be drawn.

    Raises:
        ValueError: there is none, or one was not answered.
    """
    if not turns or any(turn.first_audio_ms is None for turn in turns):
        raise ValueError("a turn without an answer cannot be drawn")
    scale = _Scale.of(turns)
    height = TOP + LANE * len(turns) + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" aria-labelledby="waterfall-title waterfall-desc">',
        '<title id="waterfall-title">From the question to the first audio of its answer</title>',
        f'<desc id="waterfall-desc">{_text(" ".join(map(_sentence, turns)))}</desc>',
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}" rx="8"/>',
        *_axis(scale, height - FOOT),
        *(part for n, turn in enumerate(turns) for part in _lane(turn, scale, TOP + LANE * n)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Milliseconds from the end of speech to pixels."""

    first: int
    last: int

    @classmethod
    def of(cls, turns: Iterable[Measured]) -> _Scale:
        relative = [ms - turn.marks[Mark.SPEECH_STOPPED] for turn in turns for ms in turn.marks.values()]
        answered = [turn.first_audio_ms or 0 for turn in turns]
        return cls(min(relative), max(answered))

    def x(self, ms: int) -> float:
        inside = (WIDTH - LEFT - RIGHT) * (ms - self.first) / max(1, self.last - self.first)
        return round(LEFT + inside, 1)

    def ticks(self) -> range:
        step = next((s for s in (100, 250, 500, 1_000, 2_000) if (self.last - self.first) / s <= 12), 5_000)
        return range(math.ceil(self.first / step) * step, self.last + 1, step)


def _axis(scale: _Scale, bottom: int) -> list[str]:
    parts = [f'<text class="quiet" x="{LEFT}" y="26">{LEGEND}</text>']
    for ms in scale.ticks():
        x, kind = scale.x(ms), "grid" if ms else "zero"
        parts.append(f'<line class="{kind}" x1="{x}" y1="{TOP - 20}" x2="{x}" y2="{bottom}"/>')
        parts.append(f'<text class="quiet" x="{x}" y="{bottom + 18}" text-anchor="middle">{_seconds(ms)}</text>')
    return parts


def _lane(turn: Measured, scale: _Scale, top: int) -> list[str]:
    stopped = turn.marks[Mark.SPEECH_STOPPED]
    y = {row: top + 30 + n * ROW for n, row in enumerate(ROWS)}
    at = {mark: turn.marks[mark] - stopped for mark in Mark if mark in turn.marks}
    added, requested, audio = turn.added_ms or 0, at[Mark.RESPONSE_REQUESTED], at[Mark.FIRST_AUDIO]
    return [
        f'<text class="name" x="16" y="{top + 12}">{_text(turn.mode.capitalize())}</text>',
        f'<text class="quiet" x="{LEFT}" y="{top + 12}">{_text(_short(turn.question))}</text>',
        *(f'<text class="quiet" x="16" y="{y[row] + 12}">{row}</text>' for row in ROWS),
        _bar("question", scale, at.get(Mark.SPEECH_STARTED, scale.first), 0, y["question"]),
        *(_word(scale.x(ms - stopped), y["question"]) for ms in turn.partials if ms <= stopped),
        *(_bar("search", scale, began - stopped, ended - stopped, y["search"]) for began, ended in _shown(turn)),
        *([_diamond(scale.x(at[Mark.CONTEXT_READY]), y["search"])] if Mark.CONTEXT_READY in at else []),
        *([_bar("wait", scale, requested - added, requested, y["wait"])] if added else []),
        _label(scale.x(requested), y["wait"], f"{added:,} ms added by retrieval"),
        _bar("upstream", scale, requested, audio, y["upstream"]),
        _label(scale.x(audio), y["upstream"], f"first audio after {audio:,} ms"),
    ]


def _shown(turn: Measured) -> list[tuple[int, int]]:
    """The searches as far as they matter to the answer: until it sounds."""
    audio = turn.marks[Mark.FIRST_AUDIO]
    return [(began, min(ended, audio)) for began, ended in turn.searches if 0 <= began < audio]


def _bar(kind: str, scale: _Scale, start: int, end: int, y: int) -> str:
    x = scale.x(start)
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{max(1.0, scale.x(end) - x):.1f}" height="{BAR}" rx="2"/>'


def _word(x: float, y: int) -> str:
    return f'<line class="word" x1="{x}" y1="{y}" x2="{x}" y2="{y + BAR}"/>'


def _diamond(x: float, y: int) -> str:
    half = BAR / 2
    return f'<path class="context" d="M{x} {y - 1}l{half} {half + 1}l-{half} {half + 1}l-{half} -{half + 1}z"/>'


def _label(x: float, y: int, text: str) -> str:
    return f'<text x="{x + 8}" y="{y + 12}">{_text(text)}</text>'


def _sentence(turn: Measured) -> str:
    added, audio = turn.added_ms or 0, turn.first_audio_ms
    mode = turn.mode.capitalize()
    return f"{mode}: retrieval made the answer wait {added} ms; it sounded {audio} ms after the end of speech."


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g}".replace("-", "−")


def _short(question: str) -> str:
    return question if len(question) <= 100 else f"{question[:99]}…"


def _text(text: str) -> str:
    return escape(clean(text))
