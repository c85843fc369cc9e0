"""What can go wrong in the embedded provider, outermost first.

    LocalProviderError
        PartUnavailable      a part of speech (VAD, a recogniser, a voice) cannot be loaded
            WeightsError     ... because a model file is not the one that was pinned
        Busy                 there is more work than the processors can do now

Every message is one sentence for the person who runs the site; none holds spoken text.
"""


class LocalProviderError(Exception):
    """Base of the embedded provider's errors. Do not raise directly."""


class PartUnavailable(LocalProviderError):
    """A part cannot be loaded; `part` is its name for people, `why` the reason and the remedy."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part} is not available: {why}")
        self.part = part
        self.why = why


class WeightsError(PartUnavailable):
    """A model file is missing, or differs from the file that was pinned."""


class Busy(LocalProviderError):
    """All workers are at work and every waiting place is taken: do without, or try later."""
