"""A site under fire for as long as one likes, and whether all that must hold did: ``python -m tests.load.soak``."""

SESSION_SECONDS = 45
"""That a conversation may last there: short, so that some reach it."""
