"""Work that takes seconds, shown as one line that fills up; a line each in a log, where nothing can be redrawn."""

from __future__ import annotations

from typing import Protocol

WIDTH, FULL, EMPTY = 24, "━", "─"


class Out(Protocol):
    """A stream, or what a command wraps around one."""

    def write(self, text: str, /) -> object:
        """Write ``text``."""

    def flush(self) -> None:
        """Show it."""


class Progress:
    """``progress(label, share)`` says what is being done, and how much of all the work is behind it, 0 to 1."""

    def __init__(self, out: Out, *, redraw: bool) -> None:
        self._out = out
        self._redraw = redraw
        self._label = ""

    def __call__(self, label: str, share: float) -> None:
        if self._redraw:
            self._out.write(f"\r\x1b[2K  {bar(share)}  {label}")
            self._out.flush()
        elif label != self._label:
            self._out.write(f"  … {label}\n")
        self._label = label

    def clear(self) -> None:
        """The work is done: the line makes room."""
        if self._redraw:
            self._out.write("\r\x1b[2K")
            self._out.flush()


def bar(share: float) -> str:
    """``share`` of a bar."""
    share = min(max(share, 0.0), 1.0)
    full = round(WIDTH * share)
    return f"{FULL * full}{EMPTY * (WIDTH - full)} {share:4.0%}"
