"""What keeps the probe from measuring."""


class ProbeError(Exception):
    """A sentence for the operator. What was measured before it stands."""
