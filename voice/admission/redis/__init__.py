"""Admission across processes: Redis or Valkey keeps the count, and each decision is one script on its own clock."""
