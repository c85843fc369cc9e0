"""The embedded provider: speech in, speech out, offline, on the CPU."""
