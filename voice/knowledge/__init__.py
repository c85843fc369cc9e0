"""The site's knowledge: a port (:mod:`voice.knowledge.base`) and its backends."""
