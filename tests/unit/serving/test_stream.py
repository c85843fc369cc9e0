"""Frames that are opened ahead of a parser: nothing is lost, doubled or out of order, however the network cuts it."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Opcode, apply_mask  # type: ignore[attr-defined]
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from voice.bypass import Bypass
from voice.serving.stream import Stream, written

Sent = tuple[str, bytes]

SIZES = [1, 125, 126, 127, 960, 1_920, 65_535, 65_536]
WHOLE = st.one_of(
    st.tuples(st.just("audio"), st.sampled_from(SIZES).map(bytes)),
    st.tuples(st.just("text"), st.sampled_from([0, *SIZES]).map(lambda size: b"s" * size)),
)
REFUSED = st.tuples(st.sampled_from(["audio", "text"]), st.just(b"no"))
OTHER = st.one_of(
    st.tuples(st.just("ping"), st.just(b"ping")),
    st.tuples(st.just("in parts"), st.sampled_from([b"12", b"1" * 300])),
)
MESSAGES = st.lists(st.one_of(WHOLE, REFUSED, OTHER), max_size=12)


class Ends:
    """A client, and the server's side: what was ``heard`` past the parser, and ``all`` that came, in its order."""

    def __init__(self) -> None:
        self.client, self.parser = ClientProtocol(parse_uri("ws://127.0.0.1/")), ServerProtocol(max_size=2**20)
        self.heard: list[bytes | str] = []
        self.all: list[Sent] = []
        self._bypass, self._parts = Bypass(), b""
        self._bypass.hear = self._hear
        self.unopened: list[bytes] = []
        self.stream = Stream(self._bypass, apply_mask, self._parse)
        self.client.send_request(self.client.connect())
        self.arrive(b"".join(self.client.data_to_send()))
        (request,) = self.parser.events_received()
        self.parser.send_response(self.parser.accept(request))
        self.client.receive_data(b"".join(self.parser.data_to_send()))

    def say(self, kind: str, payload: bytes) -> bytes:
        """What a client writes for it."""
        match kind:
            case "audio":
                self.client.send_binary(payload)
            case "text":
                self.client.send_text(payload)
            case "ping":
                self.client.send_ping(payload)
            case "in parts":
                self.client.send_binary(payload[:1], fin=False)
                self.client.send_ping(b"between")
                self.client.send_continuation(payload[1:], fin=True)
        return b"".join(self.client.data_to_send())

    def arrive(self, data: bytes, *, waiting: bool = False) -> None:
        """The network brings this."""
        self.stream.waiting = waiting
        self.stream.receive(data)

    def parsed(self) -> None:
        """What the parser has made of it."""
        for frame in self.parser.events_received():
            if frame.opcode not in {Opcode.PING, Opcode.CLOSE}:
                self._parts += frame.data
                if frame.fin:
                    self.all.append(("parsed", self._parts))
                    self._parts = b""

    def _parse(self, data: bytes) -> None:
        self.unopened.append(data)
        self.parser.receive_data(data)

    def _hear(self, message: bytes | str) -> bool:
        self.parsed()
        payload = message.encode() if isinstance(message, str) else message
        if payload == b"no":
            return False
        self.heard.append(message)
        self.all.append(("heard", payload))
        return True


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return (data[begin:end] for begin, end in pairwise(edges) if begin < end)


@given(MESSAGES, st.lists(st.integers(0, 2**20), max_size=20))
def test_all_comes_once_and_in_order_however_it_is_cut(messages: list[Sent], cuts: list[int]) -> None:
    ends = Ends()
    for piece in pieces(b"".join(ends.say(*message) for message in messages), cuts):
        ends.arrive(piece)
        ends.parsed()
    assert ends.parser.parser_exc is None
    assert [payload for _, payload in ends.all] == [payload for kind, payload in messages if kind != "ping"]


@given(MESSAGES)
def test_whole_messages_of_less_than_64_kib_are_opened_wherever_one_may_begin(messages: list[Sent]) -> None:
    ends = Ends()
    for message in messages:
        ends.arrive(ends.say(*message))
    short = [each for each in messages if each[0] in ("audio", "text") and each[1] != b"no" and len(each[1]) < 65_536]
    assert ends.heard == [payload.decode() if kind == "text" else payload for kind, payload in short]


def test_text_that_is_none_is_left_to_the_parser() -> None:
    ends = Ends()
    ends.client.send_text(b"\xff")
    broken = b"".join(ends.client.data_to_send())
    ends.arrive(broken)
    assert ends.unopened[-1] == broken
    assert ends.heard == []


def test_what_was_not_fetched_is_not_overtaken() -> None:
    ends = Ends()
    ends.arrive(ends.say("audio", b"1"), waiting=True)
    ends.arrive(ends.say("audio", b"2"))
    assert ends.all == [("parsed", b"1"), ("heard", b"2")]


def test_nothing_is_opened_in_the_middle_of_a_message_or_behind_a_goodbye() -> None:
    """There it is against the protocol, and what follows from that is for the parser to say."""
    inside, behind = Ends(), Ends()
    inside.client.send_binary(b"1", fin=False)
    behind.client.send_close(1000)
    for ends in (inside, behind):
        ends.arrive(b"".join(ends.client.data_to_send()))
        ends.arrive(another := Ends().say("audio", b"2"))
        assert ends.unopened[-1] == another
        assert ends.heard == []


@given(st.lists(WHOLE, max_size=5))
def test_what_is_written_is_read_as_it_was_meant(messages: list[Sent]) -> None:
    ends = Ends()
    ends.client.receive_data(
        b"".join(written(payload if kind == "audio" else payload.decode()) for kind, payload in messages)
    )
    assert ends.client.parser_exc is None
    _handshake, *frames = ends.client.events_received()
    assert [(frame.opcode, frame.fin, frame.data) for frame in frames] == [
        (Opcode.BINARY if kind == "audio" else Opcode.TEXT, True, payload) for kind, payload in messages
    ]
