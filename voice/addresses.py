"""Whose address is it? Behind proxies, the peer is a proxy, and whoever dials may write any ``X-Forwarded-For``.

Each proxy appends the address of its own peer at the right. With ``N`` proxies of the site's, the ``N``-th from the
right is therefore what the outermost of them saw, and what stands further left is hearsay. ``N`` is
``VOICE["TRUSTED_PROXIES"]``; it is 0 by default, and then the header is not looked at.

An address is a key to count by. IPv6 is counted by its /64, which is what one customer of a provider has.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.http import HttpRequest

from voice.conf import conf

UNKNOWN = "unknown"
"""Of a peer without an address, at the other end of a Unix socket."""


def client(peer: str | None, forwarded: str, proxies: int) -> str:
    """The address to count by: of ``peer``, or, behind ``proxies`` of ours, of who ``forwarded`` says that asked them.

    A header that is too short, or holds no address at this place, was not written by our proxies alone. Then it is the
    peer's address that counts: too many share it, but nobody chooses it.
    """
    hops = forwarded.split(",")
    seen = _normal(hops[-proxies]) if 0 < proxies <= len(hops) else None
    return seen or _normal(peer or "") or UNKNOWN


def of_scope(scope: Mapping[str, Any]) -> str:
    """Of who opened this WebSocket."""
    peer = scope.get("client")
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
    return client(peer[0] if peer else None, ",".join(sent), conf().trusted_proxies)


def of_request(request: HttpRequest) -> str:
    """Of who made this request."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return client(request.META.get("REMOTE_ADDR"), forwarded, conf().trusted_proxies)


def _normal(text: str) -> str | None:
    """The one spelling of an address, without port and zone, or its network; ``None`` if it is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # some proxies add the port
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(IPv6Network((int(address), 64), strict=False))
