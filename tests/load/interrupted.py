"""Ctrl-C ends a measurement in a line, not in a traceback; what it has started it stops by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps


def in_a_line(main: Callable[[], None]) -> Callable[[], None]:
    """``main``, which may be interrupted: exit code 130, as shells have it."""

    @wraps(main)
    def interruptible() -> None:
        try:
            main()
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(130)

    return interruptible
