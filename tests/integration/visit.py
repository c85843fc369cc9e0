"""A site in a process of its own, visited through its ASGI application.

``python -m tests.integration.visit [change-a-user]`` asks for a page, for a ticket, for a socket and whether it is
alive, and prints as JSON what it was told, and what is then loaded, open and running. Settings come from the
environment.
"""

import asyncio
import json
import os
import sys
import threading
from typing import Any

CSRF = "c" * 32
HOST = (b"host", b"localhost")
FORM = [(b"cookie", f"csrftoken={CSRF}".encode()), (b"x-csrftoken", CSRF.encode()), (b"origin", b"http://localhost")]
CLIENTS = ("redis", "channels_redis", "weaviate", "grpc", "openai", "websockets", "httpx", "numpy", "onnxruntime")
"""Packages that reach a service or hold a model, by the names they are imported by."""

Message = dict[str, Any]

connections: list[str] = []
"""Every address that this process asked the system to connect to."""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo"}:
        connections.append(str(arguments[-1] if event == "socket.connect" else arguments[0]))


async def _call(application: Any, scope: Message, *messages: Message) -> list[Message]:
    """What the application sends when it is told these messages, one after the other."""
    told, said = iter(messages), list[Message]()

    async def receive() -> Message:
        for message in told:
            return message
        return await asyncio.Future()

    async def send(message: Message) -> None:
        said.append(message)

    async with asyncio.timeout(30):
        await application({"asgi": {"version": "3.0"}, "query_string": b"", **scope}, receive, send)
    return said


async def _request(application: Any, method: str, path: str, *headers: tuple[bytes, bytes]) -> Message:
    scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "headers": [HOST, *headers]}
    start, *bodies = await _call(application, scope, {"type": "http.request"})
    text = b"".join(message.get("body", b"") for message in bodies).decode()
    return {"status": start["status"], "text": text}


async def _dial(application: Any) -> list[Message]:
    scope = {"type": "websocket", "path": "/v1/ws/voice", "headers": [HOST], "subprotocols": ["voice.v1"]}
    return await _call(application, scope, {"type": "websocket.connect"})


async def _visit(application: Any) -> Message:
    sockets = len(_sockets())  # the event loop's own
    return {
        "page": await _request(application, "GET", "/"),
        "ticket": await _request(application, "POST", "/v1/voice/ticket", *FORM),
        "socket": await _dial(application),
        "alive": await _request(application, "GET", "/v1/voice/health"),
        "new_sockets": len(_sockets()) - sockets,
        "tasks": len(asyncio.all_tasks()) - 1,
    }


def _sockets() -> list[str]:
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return [link for link in links if os.path.lexists(link) and os.readlink(link).startswith("socket:")]


def _change_a_user() -> None:
    from django.contrib.auth import get_user_model

    user, _ = get_user_model().objects.get_or_create(username="visitor")
    user.set_unusable_password()
    user.save()


def main() -> None:
    """Start, be visited, tell."""
    sys.addaudithook(_watch)
    import daphne.server  # noqa: F401  # what serves: all that it loads is there before

    before = {*sys.modules}
    from project.asgi import application

    if "change-a-user" in sys.argv:
        _change_a_user()
    told = asyncio.run(_visit(application))
    told |= {
        "clients": sorted({name.partition(".")[0] for name in {*sys.modules} - before}.intersection(CLIENTS)),
        "connections": connections,
        "threads": sorted(thread.name for thread in threading.enumerate()),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
