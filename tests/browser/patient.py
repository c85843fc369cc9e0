"""The demonstration site on a machine that does other things too: answers wait for what was found as long as it takes.

For tests whose claim is what is said, and not when. The site's own patience ends after a fifth of a second; then the
embedded provider answers from the page alone. It speaks English only, to be there sooner.
"""

from project.settings import VOICE
from tests.collected import *  # noqa: F403

VOICE = {
    **VOICE,
    "PREFETCH": {"budget_ms": 10_000, "typed_budget_ms": 10_000},
    "LOCAL": {"languages": ["en"]},
}
