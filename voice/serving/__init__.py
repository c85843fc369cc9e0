"""Servers that end conversations before themselves: Daphne and uvicorn, each with its own way to stop."""
