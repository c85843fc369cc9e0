"""Weaviate on two ports of its own: REST and gRPC, with the client's own protobuf classes."""

from __future__ import annotations

import asyncio
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import grpc  # type: ignore[import-untyped]
from weaviate.proto.v1 import batch_delete_pb2, batch_pb2, search_get_pb2, tenants_pb2, weaviate_pb2_grpc

from . import objects
from .collection import Collection
from .rest import RestServer
from .search import Refused, Search, answer, decoded

Context = Any
"""``grpc.aio.ServicerContext``, of which there are no types."""

META = {"version": "1.34.0", "modules": {}, "grpcMaxMessageSize": 10_485_760}


class WeaviateServer:
    """In this process and event loop::

    async with WeaviateServer(Collection("Doc", {"title": "text", "text": "text"})) as server:
        options = WeaviateOptions(url=server.url, grpc_port=server.grpc_port, collection="Doc")
        ...
        assert server.searches[-1].kind == "hybrid"
    """

    def __init__(self, *collections: Collection, api_key: str = "") -> None:
        self.collections = {collection.name: collection for collection in collections}
        self.api_key = api_key
        """Where there is one, requests without it are refused."""
        self.delay = 0.0
        """Seconds before each answer."""
        self.denied = False
        """The key that is sent may do nothing."""
        self.schema_denied = False
        """The key that is sent may search, and not see how collections are made."""
        self.searches: list[Search] = []
        """What was searched for, oldest first; refused ones too."""
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """Method, target and headers of each request of REST."""
        self.waiting = 0
        """Calls of gRPC that are not answered yet."""
        self.grpc_port = 0
        self._changed = asyncio.Condition()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._rest = RestServer(self._on_request)
        self._grpc: Any = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.thaw()
        if self._grpc is not None:
            await self.stop()

    @property
    def url(self) -> str:
        """Of REST."""
        return f"http://127.0.0.1:{self._rest.port}"

    async def start(self) -> None:
        """Listen, on the ports of the last time."""
        await self._rest.start()
        self._grpc = grpc.aio.server()
        weaviate_pb2_grpc.add_WeaviateServicer_to_server(_Servicer(self), self._grpc)  # type: ignore[no-untyped-call]
        self.grpc_port = self._grpc.add_insecure_port(f"127.0.0.1:{self.grpc_port}")
        await self._grpc.start()

    async def stop(self) -> None:
        """Be gone, and cut what is open."""
        stopping, self._grpc = self._grpc, None
        await stopping.stop(None)
        await self._rest.stop()

    def freeze(self) -> None:
        """Take requests and answer none."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Answer, also what was asked before."""
        self._thawed.set()

    def deny(self) -> None:
        """Permission denied, from now on."""
        self.denied = True

    async def until(self, happened: Any, seconds: float = 5.0) -> None:
        """Wait until ``happened()`` is true, looking whenever a request comes in or a call of gRPC ends."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(happened)

    async def count(self, calls: int) -> None:
        """A call of gRPC began (1) or ended (-1), or a request of REST came in (0)."""
        async with self._changed:
            self.waiting += calls
            self._changed.notify_all()

    async def pause(self) -> None:
        """What stands before each answer."""
        await asyncio.sleep(self.delay)
        await self._thawed.wait()

    async def _on_request(self, method: str, target: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        self.requests.append((method, target, headers))
        await self.count(0)
        await self.pause()
        url = urlsplit(target)
        if url.path.startswith("/v1/.well-known"):
            return (404 if url.path.endswith("openid-configuration") else 200), None
        if self.api_key and headers.get("authorization") != f"Bearer {self.api_key}":
            return 401, {"error": [{"message": f"no access with {headers.get('authorization')}"}]}
        if url.path == "/v1/meta":
            return 200, META
        if self.denied or (self.schema_denied and url.path.startswith("/v1/schema")):
            return 403, {"error": [{"message": "forbidden"}]}
        return objects.handle(self.collections, method, url.path, dict(parse_qsl(url.query)), body)


class _Servicer(weaviate_pb2_grpc.WeaviateServicer):
    """The calls of gRPC."""

    def __init__(self, server: WeaviateServer) -> None:
        self._server = server

    async def Search(self, request: search_get_pb2.SearchRequest, context: Context) -> search_get_pb2.SearchReply:
        search = decoded(request, dict(context.invocation_metadata()))
        self._server.searches.append(search)
        await self._admit(context)
        try:
            return answer(self._server.collections, request, search)
        except Refused as refusal:
            await context.abort(grpc.StatusCode.UNKNOWN, f"{refusal}: {search.text}")
            raise AssertionError("abort raises") from refusal

    async def BatchObjects(
        self, request: batch_pb2.BatchObjectsRequest, context: Context
    ) -> batch_pb2.BatchObjectsReply:
        await self._admit(context)
        return objects.batch(self._server.collections, request)

    async def BatchDelete(
        self, request: batch_delete_pb2.BatchDeleteRequest, context: Context
    ) -> batch_delete_pb2.BatchDeleteReply:
        await self._admit(context)
        return objects.batch_delete(self._server.collections, request)

    async def TenantsGet(self, request: tenants_pb2.TenantsGetRequest, context: Context) -> tenants_pb2.TenantsGetReply:
        await self._admit(context)
        return objects.tenants(self._server.collections, request)

    async def _admit(self, context: Context) -> None:
        server = self._server
        await server.count(1)
        try:
            await server.pause()
        finally:
            await server.count(-1)
        sent = dict(context.invocation_metadata()).get("authorization")
        if server.api_key and sent != f"Bearer {server.api_key}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, f"no access with {sent}")
        if server.denied:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"forbidden for {sent}")
