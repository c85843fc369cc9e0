"""Sites of several processes."""

DRAIN_SECONDS = 4.0
"""That their conversations have when one is stopped."""
