"""The visitor comes back: what is kept of a conversation for a minute, where, and for whom."""
