"""Whose address is counted, behind proxies and without them; nobody chooses their own."""

from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from voice.addresses import client, of_request, of_scope

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "counted"),
    [
        ("192.0.2.7", "", 0, "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", 0, "192.0.2.7"),
        (PROXY, "198.51.100.1", 1, "198.51.100.1"),
        (PROXY, "203.0.113.9, 198.51.100.1", 1, "198.51.100.1"),
        (PROXY, "203.0.113.9, 198.51.100.1, 10.0.0.2", 2, "198.51.100.1"),
        (PROXY, "203.0.113.9,,evil,198.51.100.1", 1, "198.51.100.1"),
        (PROXY, "198.51.100.1:50123", 1, "198.51.100.1"),
        (PROXY, "[2001:db8:1:2::9]:443", 1, "2001:db8:1:2::/64"),
        (PROXY, "", 1, PROXY),
        (PROXY, "198.51.100.1", 2, PROXY),
        (PROXY, "198.51.100.1, unknown", 1, PROXY),
        (PROXY, "198.51.100.1, ", 1, PROXY),
        (PROXY, "198.51.100.999", 1, PROXY),
        ("::ffff:192.0.2.7", "", 0, "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", 0, "fe80::/64"),
        (None, "", 0, "unknown"),
        ("", "198.51.100.1", 0, "unknown"),
        ("", "198.51.100.1", 1, "198.51.100.1"),
        ("", "nonsense", 1, "unknown"),
    ],
)
def test_the_address_that_counts(peer: str | None, forwarded: str, proxies: int, counted: str):
    assert client(peer, forwarded, proxies) == counted


@given(st.text(max_size=60), st.integers(1, 3))
def test_whatever_a_client_writes_it_is_counted_as_what_the_proxy_saw(written: str, proxies: int):
    """The outermost proxy appends the client's address, and each further one its own peer's."""
    appended = ["198.51.100.1", "10.0.0.3", "10.0.0.2"][:proxies]
    assert client(PROXY, ",".join([written, *appended]), proxies) == "198.51.100.1"


@given(st.text(max_size=60), st.integers(0, 3))
def test_nothing_that_is_written_raises(written: str, proxies: int):
    assert client(written, written, proxies)


def test_one_customer_has_a_whole_network_of_ipv6():
    assert client("2001:db8:1:2::1", "", 0) == client("2001:db8:1:2:ffff::1", "", 0)
    assert client("2001:db8:1:2::1", "", 0) != client("2001:db8:1:3::1", "", 0)


@pytest.mark.parametrize(("proxies", "counted"), [(0, PROXY), (1, "198.51.100.1"), (3, "203.0.113.9"), (4, PROXY)])
def test_sockets_and_requests_are_read_alike(settings: Any, proxies: int, counted: str):
    settings.VOICE = {"TRUSTED_PROXIES": proxies}
    headers = [(b"x-forwarded-for", b"203.0.113.9, 192.0.2.1"), (b"X-Forwarded-For", b"198.51.100.1")]
    assert of_scope({"client": (PROXY, 50123), "headers": headers}) == counted
    forwarded = "203.0.113.9, 192.0.2.1,198.51.100.1"
    request = RequestFactory().get("/", REMOTE_ADDR=PROXY, headers={"x-forwarded-for": forwarded})
    assert of_request(request) == counted


def test_a_unix_socket_has_no_address():
    assert of_scope({"client": None, "headers": []}) == "unknown"
    assert of_scope({"headers": []}) == "unknown"
