"""The OpenAI upstream over TLS, as in earnest: to whom it talks, and to whom it does not."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.realtime_server import RealtimeServer
from voice.upstream.base import UpstreamSession, UpstreamUnavailable
from voice.upstream.openai import transport
from voice.upstream.openai.client import OpenAIUpstream
from voice.upstream.openai.options import OpenAIOptions

KEY = "sk-the-key-that-nobody-may-see"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """The one authority that this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    transport._tls.cache_clear()
    yield authority
    transport._tls.cache_clear()


def server_of(authority: trustme.CA, name: str = "127.0.0.1") -> RealtimeServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return RealtimeServer(tls=context)


def upstream_of(server: RealtimeServer) -> OpenAIUpstream:
    return OpenAIUpstream(UpstreamSession("en", "Be kind."), OpenAIOptions(api_key=KEY, base_url=server.url))


async def test_it_talks_with_who_can_prove_their_name(trusted: trustme.CA) -> None:
    """Over ``wss``, for a ``base_url`` of ``https``."""
    async with server_of(trusted) as server, upstream_of(server):
        assert server.handshakes[0][1]["Authorization"] == f"Bearer {KEY}"
        assert server.session.settings["output_modalities"] == ["audio"]


async def test_it_tells_the_key_to_nobody_whom_it_does_not_know(trusted: trustme.CA) -> None:
    """A certificate of somebody's own is nobody's."""
    async with server_of(trustme.CA()) as server:
        with pytest.raises(UpstreamUnavailable, match="SSLCertVerificationError"):
            async with upstream_of(server):
                pass
        assert not server.handshakes


async def test_nor_to_who_has_another_name(trusted: trustme.CA) -> None:
    """However good the certificate."""
    async with server_of(trusted, "realtime.example.com") as server:
        with pytest.raises(UpstreamUnavailable, match="SSLCertVerificationError"):
            async with upstream_of(server):
                pass
        assert not server.handshakes
