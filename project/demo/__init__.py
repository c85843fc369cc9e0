"""Vélo Rivage, a believable site to talk with: bicycles by the sea, and the help pages about them."""
