"""What of an error may leave for an error tracker: where it happened and of which kind it is.

A report is made anew from what is known to be harmless, because nobody can list what is not: a library's message holds
a request with its key, a frame's locals hold what a visitor said, a breadcrumb a URL with a token in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from voice import logs

_KEPT = (
    *("event_id", "timestamp", "platform", "level", "logger", "type", "transaction", "transaction_info"),
    *("release", "environment", "server_name", "sdk", "fingerprint"),
)
_CONTEXTS = ("runtime", "os", "trace")
_FRAME = ("filename", "abs_path", "module", "function", "lineno", "in_app")
_HEADERS = frozenset({"host", "user-agent", "accept-language"})
_CREDENTIAL = re.compile(r"eyJ[\w.-]{10,}|sk-[\w-]{8,}|(?i:bearer)[ .]\S+")

Event = Mapping[str, Any]


def scrub(event: Event) -> dict[str, Any]:
    """The part of a Sentry event that may leave, and the session that it is about."""
    scrubbed = {name: event[name] for name in _KEPT if name in event}
    scrubbed["contexts"] = {k: v for k, v in (event.get("contexts") or {}).items() if k in _CONTEXTS}
    scrubbed["breadcrumbs"] = {"values": [_breadcrumb(crumb) for crumb in _values(event.get("breadcrumbs"))]}
    if message := (event.get("logentry") or {}).get("message"):
        scrubbed["logentry"] = {"message": mask(message)}  # the template; its values are not for others
    if errors := _values(event.get("exception")):
        scrubbed["exception"] = {"values": [_exception(error) for error in errors]}
    if request := event.get("request"):
        scrubbed["request"] = _request(request)
    if session := logs.current.get():
        scrubbed["tags"] = {"voice.session": session}
    return scrubbed


def mask(text: str) -> str:
    """``text`` without what looks like a credential."""
    return _CREDENTIAL.sub("[removed]", text)


def _values(listed: Any) -> list[Any]:
    return list(listed.get("values") or ()) if isinstance(listed, Mapping) else list(listed or ())


def _breadcrumb(crumb: Event) -> dict[str, Any]:
    kept = {name: crumb[name] for name in ("timestamp", "level", "category", "type") if name in crumb}
    own = str(crumb.get("category") or "").startswith("voice")  # the app's own lines are fit for a log
    return kept | ({"message": mask(str(crumb.get("message") or ""))} if own else {})


def _exception(error: Event) -> dict[str, Any]:
    kept = {name: error[name] for name in ("type", "module", "thread_id") if name in error}
    mechanism = error.get("mechanism") or {}
    kept["mechanism"] = {k: mechanism[k] for k in ("type", "handled", "exception_id", "parent_id") if k in mechanism}
    frames = (error.get("stacktrace") or {}).get("frames") or ()
    return kept | {"stacktrace": {"frames": [{k: frame[k] for k in _FRAME if k in frame} for frame in frames]}}


def _request(request: Event) -> dict[str, Any]:
    headers = request.get("headers") or {}
    return {
        "method": request.get("method"),
        "url": urlunsplit((*urlsplit(str(request.get("url") or ""))[:3], "", "")),
        "headers": {name: value for name, value in headers.items() if name.lower() in _HEADERS},
    }
