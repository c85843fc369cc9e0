"""A key that was refused is not tried again for a while.

Whoever comes next would wait for the same refusal, and a service that is asked again and again with a wrong key may
shut out the address. So for half a minute after a refusal everybody is told so at once; then one more is tried.
"""

from __future__ import annotations

from typing import Final

REST_SECONDS: Final = 30.0
"""From a refusal to the next try."""


class Circuit:
    """Told of refusals; says whether to dial. One for all conversations of a process with the same key and model.

    ``now`` is seconds on a clock that does not run backwards.
    """

    def __init__(self) -> None:
        self._until: float | None = None

    def is_open(self, now: float) -> bool:
        """Whether nobody should dial."""
        return self._until is not None and now < self._until

    def refused(self, now: float) -> bool:
        """We were refused. Whether that is news."""
        news = not self.is_open(now)
        self._until = now + REST_SECONDS
        return news
