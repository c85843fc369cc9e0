"""Conversations that wait in Redis: scripts, and who runs them."""
