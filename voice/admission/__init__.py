"""May this person talk now? The flag, the limits, and the leases of those who do."""
