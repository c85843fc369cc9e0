"""The command line of a measurement: what it is about, and bounds within which it ends."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, TypeVar

Number = TypeVar("Number", int, float)


def command_line(module: str, text: str | None, **more: Any) -> argparse.ArgumentParser:
    """That of ``python -m module``, whose docstring is ``text``: its first line says what is measured. Each can give
    the figures alone, for a program."""
    summary, _, _ = (text or "").partition("\n")
    made = argparse.ArgumentParser(module, description=summary, **more)
    made.add_argument("--json", action="store_true", help="the figures alone")
    return made


def within(least: Number, most: Number) -> Callable[[str], Number]:
    """The ``type`` of an option that is a number of these bounds, which belong to them."""

    def number(text: str) -> Number:
        value = type(least)(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least:g} to {most:g}")
        return value

    return number
