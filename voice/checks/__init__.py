"""System checks: what would fail at the first visitor is said when the site starts.

A module for each thing that can be wrong: what ``VOICE`` holds (:mod:`.configuration`), how the app is put into the
site (:mod:`.site`), how its processes share what they count (:mod:`.processes`), and who gets in (:mod:`.security`).
All are listed in ``voice/docs/settings.md``. Nothing here reaches a network or loads a model.
"""

from . import configuration, processes, security, site

__all__ = ["configuration", "processes", "security", "site"]
