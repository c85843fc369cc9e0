"""The wire ``realtime``, event by event."""
