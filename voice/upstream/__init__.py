"""The realtime model's side: a port (:mod:`voice.upstream.base`) and its providers."""
