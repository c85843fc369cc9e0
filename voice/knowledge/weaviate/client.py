"""A client of Weaviate, as the options say. Importing it takes half a second: only who connects imports this."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import weaviate
from weaviate.classes.init import AdditionalConfig, Auth, Timeout
from weaviate.config import GrpcConfig

from voice.knowledge.weaviate.options import WeaviateOptions

CHANNEL: Final = [
    # A connection that was cut in silence is given up when for so long nothing sent on it is acknowledged, by a ping
    # during a call or by TCP. It is not pinged between calls: Weaviate's server, which keeps to the defaults of
    # gRPC for Go, takes that for an attack and closes it ("too_many_pings").
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # By default a server that was away for long is tried again only every two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # As with HTTP, no proxy is taken from the environment.
    ("grpc.enable_http_proxy", 0),
    # A pool of the process would let one client wait out another one's back-off.
    ("grpc.use_local_subchannel_pool", 1),
]


def client(options: WeaviateOptions) -> weaviate.WeaviateAsyncClient:
    """A client that is not connected yet, for the event loop that connects it.

    Raises:
        ValueError: the options do not say where the server is.
    """
    if problems := options.problems():
        raise ValueError(" ".join(problems))
    common: dict[str, Any] = {
        "auth_credentials": Auth.api_key(options.api_key) if options.api_key else None,
        "headers": dict(options.headers),
        "additional_config": AdditionalConfig(
            timeout=Timeout(init=options.connect_timeout, query=options.query_timeout),
            grpc_config=GrpcConfig(channel_options=CHANNEL),
            trust_env=False,
        ),
        # They ask a package index for the newest version, which can take 2 s in a closed network.
        "skip_init_checks": True,
    }
    if options.in_the_cloud:
        return weaviate.use_async_with_weaviate_cloud(urlsplit(options.url).hostname or "", **common)
    return weaviate.use_async_with_custom(**_address(options), **common)


def _address(options: WeaviateOptions) -> dict[str, Any]:
    url = urlsplit(options.url)
    secure = url.scheme == "https"
    http = url.hostname, url.port or (443 if secure else 80)
    grpc = options.grpc_host or url.hostname, options.grpc_port or (443 if secure else 50051)
    if http == grpc:
        raise ValueError("Weaviate's gRPC needs a host or a port of its own: set grpc_host or grpc_port.")
    return {
        "http_host": http[0],
        "http_port": http[1],
        "http_secure": secure,
        "grpc_host": grpc[0],
        "grpc_port": grpc[1],
        "grpc_secure": secure,
    }
