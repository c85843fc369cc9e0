"""Who is refused is told so over a real socket, too: the handshake is accepted, and the close has its code."""

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.credentials import REFUSED, signed
from tests.integration.conftest import OpenAISite

pytestmark = pytest.mark.asyncio(loop_scope="module")

MADE = [
    "tampered", "expired", "an expiry beyond all calendars", "another algorithm", "no algorithm", "a refresh token",
    "a list of users", "a user who is no more",
]  # fmt: skip


GOODBYE = (
    '{"type":"session.ending","code":1000,"reason":"client_hangup","retry":"no","retry_after_ms":null,'
    '"message":"Goodbye."}',
    1000,
)
"""To who could have stayed."""


async def told(
    site: OpenAISite, *offer: str, path: str = "", say: str = '{"type": "end"}', **headers: str
) -> tuple[str, int]:
    """The last word, and the code of the close that follows it."""
    subprotocols = [Subprotocol(name) for name in ("voice.v1", *offer)]
    async with connect(
        site.site.url + path, subprotocols=subprotocols, additional_headers=headers, compression=None, proxy=None
    ) as socket:
        assert socket.subprotocol == "voice.v1"
        if say:
            await socket.send(say)
        ending = await socket.recv()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    return str(ending), closed.value.rcvd.code


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_bad_credential(openai_site: OpenAISite) -> None:
    good = openai_site.site.token
    claims = jwt.decode(good, options={"verify_signature": False})
    assert await told(openai_site, f"voice.bearer.{signed(claims)}", say='{"type": "end"}') == GOODBYE
    for name in MADE:
        raw = REFUSED[name](claims)
        for ending, code in (
            await told(openai_site, f"voice.bearer.{raw}"),
            await told(openai_site, Authorization=f"Bearer {raw}"),
        ):
            assert code == 4401, name
            assert '"reason":"unauthenticated"' in ending, name
    assert (await told(openai_site))[1] == 4401
    assert (await told(openai_site, path=f"?token={good}"))[1] == 4401
    assert (await told(openai_site, f"voice.bearer.{good}", path="?token=x"))[1] == 4401


async def test_a_foreign_page(openai_site: OpenAISite) -> None:
    bearer = f"voice.bearer.{openai_site.site.token}"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        ending, code = await told(openai_site, bearer, Origin=origin)
        assert code == 4403, origin
        assert '"reason":"forbidden_origin"' in ending


async def test_nobody_of_them_cost_anything(openai_site: OpenAISite) -> None:
    assert openai_site.upstream.handshakes == []
