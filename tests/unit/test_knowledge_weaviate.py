"""What of Weaviate needs no server: the reading of answers, schemas, addresses and errors."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from weaviate.connect.base import ConnectionParams

from voice.knowledge.base import EVERYONE, Filter, KnowledgeError, KnowledgeUnavailable, Scope
from voice.knowledge.weaviate import schema
from voice.knowledge.weaviate.client import client
from voice.knowledge.weaviate.errors import within
from voice.knowledge.weaviate.options import WeaviateOptions
from voice.knowledge.weaviate.query import Question, ask, languages, passages

OPTIONS = WeaviateOptions(url="http://weaviate.example")


def params(options: WeaviateOptions) -> ConnectionParams:
    connection: Any = client(options)._connection
    found: ConnectionParams = connection._connection_params
    return found


# -- where the server is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "http", "grpc"),
    [
        ({"url": "http://here"}, ("here", 80, False), ("here", 50051, False)),
        ({"url": "http://here:8080/"}, ("here", 8080, False), ("here", 50051, False)),
        ({"url": "http://here:8080", "grpc_port": 7}, ("here", 8080, False), ("here", 7, False)),
        ({"url": "https://here", "grpc_host": "there"}, ("here", 443, True), ("there", 443, True)),
        ({"url": "https://a.weaviate.cloud"}, ("a.weaviate.cloud", 443, True), ("grpc-a.weaviate.cloud", 443, True)),
        ({"url": "https://a.weaviate.network"}, ("a.weaviate.network", 443, True), ("a.grpc.weaviate.network", 443, True)),  # noqa: E501
        ({"url": "https://a.weaviate.cloud", "grpc_host": "b"}, ("a.weaviate.cloud", 443, True), ("b", 443, True)),
    ],
)  # fmt: skip
def test_where_rest_and_grpc_are(settings: dict[str, Any], http: tuple[Any, ...], grpc: tuple[Any, ...]) -> None:
    found = params(replace(OPTIONS, **settings))
    assert (found.http.host, found.http.port, found.http.secure) == http
    assert (found.grpc.host, found.grpc.port, found.grpc.secure) == grpc


@pytest.mark.parametrize("url", ["here", "ftp://here", "http://", "http://user:pw@here", "https://here"])
def test_what_is_no_address(url: str) -> None:
    """The last one says not where gRPC is: it cannot share a host and port with REST."""
    with pytest.raises(ValueError, match="Weaviate"):
        client(replace(OPTIONS, url=url))


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "grpc_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    connection: Any = client(OPTIONS)._connection
    assert connection.get_proxies() == {}
    assert ("grpc.enable_http_proxy", 0) in connection._grpc_config.channel_options


# -- what was found -------------------------------------------------------------------------------------------------


def found(*, distance: float | None = None, score: float | None = None, **properties: Any) -> Any:
    metadata = SimpleNamespace(distance=distance, score=score)
    return SimpleNamespace(objects=[SimpleNamespace(properties=properties, metadata=metadata)])


def read(answer: Any, **filters: Filter) -> Any:
    return passages(answer, Question("lions", ("en",), 3, Scope(filters=filters)), OPTIONS)


def test_a_text_for_everyone_has_no_language() -> None:
    (passage,) = read(found(title="Lions", text="They sleep.", url="/lions/", language="*", score=0.5))
    assert (passage.title, passage.text, passage.url, passage.language) == ("Lions", "They sleep.", "/lions/", "")
    assert passage.score == 0.5


def test_what_is_missing_is_empty() -> None:
    (passage,) = read(found(title=None, text="They sleep."))
    assert (passage.title, passage.url, passage.language, passage.score) == ("", "", "", 0.0)


def test_the_nearer_the_better() -> None:
    near, far = (read(found(text="They sleep.", distance=distance))[0].score for distance in (0.2, 1.5))
    assert near > far


@pytest.mark.parametrize(
    ("value", "wanted", "kept"),
    [
        ("staff", "staff", True),
        ("staff of the shop", "staff", False),
        ("Staff", "staff", False),
        ("staff", ("members", "staff"), True),
        ("staff of the shop", ("members", "staff"), False),
        (["members", "staff"], "staff", True),
        (["members", "staff of the shop"], "staff", False),
        (3, 3, True),
        (True, True, True),
    ],
)
def test_a_text_that_only_shares_a_word_with_the_filter_is_not_in_scope(value: Any, wanted: Filter, kept: bool) -> None:
    """A server finds the whole value only where the property is tokenised as a field; its word is not taken for it."""
    assert bool(read(found(text="They sleep.", audience=value), audience=wanted)) is kept


# -- how a collection is made ---------------------------------------------------------------------------------------


def config(*, module: str | None = None, named: str | None = None, tokens: str | None = "field") -> Any:
    texts = [SimpleNamespace(name=name, tokenization="word") for name in ("title", "text", "url")]
    vectors = {"default": SimpleNamespace(vectorizer=SimpleNamespace(vectorizer=named))} if named else None
    return SimpleNamespace(
        name="Museum",
        properties=[*texts, SimpleNamespace(name="language", tokenization=tokens)],
        vectorizer=module,
        vector_config=vectors,
    )


@pytest.mark.parametrize(("module", "named"), [("text2vec-openai", None), (None, "text2vec-openai")])
def test_a_module_is_seen_wherever_it_is(module: str | None, named: str | None) -> None:
    """In the collection, or in one of its named vectors."""
    (problem,) = schema.problems(config(module=module, named=named), OPTIONS, own=True)
    assert "text2vec-openai" in problem
    assert not [*schema.problems(config(module=module, named=named), replace(OPTIONS, vectors="server"), own=False)]


@pytest.mark.parametrize(("module", "named"), [("none", None), (None, "none"), (None, None)])
def test_no_module_is_needed_for_own_vectors(module: str | None, named: str | None) -> None:
    assert not [*schema.problems(config(module=module, named=named), OPTIONS, own=True)]


@pytest.mark.parametrize(
    ("tokens", "asked"),
    [
        ("field", ("fr", "*")),
        ("lowercase", ("fr", "*")),
        ("whitespace", ("fr", "*")),
        (None, ("fr", "*")),
        ("word", ("fr",)),
        ("trigram", ("fr",)),
    ],
)
def test_the_sign_for_every_language_is_asked_for_where_it_is_a_word(tokens: str, asked: tuple[str, ...]) -> None:
    """Where it is none, the server refuses the whole search: only stop words are left of it."""
    assert languages("fr", schema.everyone(config(tokens=tokens), OPTIONS)) == asked


def several() -> Any:
    museum = config()
    museum.vector_config = {
        name: SimpleNamespace(vectorizer=SimpleNamespace(vectorizer=module))
        for name, module in {"openai": "text2vec-openai", "ours": "none"}.items()
    }
    return museum


@pytest.mark.parametrize(("own", "vectors", "name"), [(True, "own", "ours"), (False, "server", "openai")])
def test_of_several_vectors_the_one_of_the_same_maker_is_searched(own: bool, vectors: Any, name: str) -> None:
    assert schema.target(several(), own) == name
    assert not [*schema.problems(several(), replace(OPTIONS, vectors=vectors), own)]


def test_the_only_vector_needs_no_name() -> None:
    assert schema.target(config(named="none"), own=True) is None


@pytest.mark.parametrize("search", ["hybrid", "near_text"])
@pytest.mark.parametrize("vector", [None, [0.5]])
async def test_the_vector_is_named_in_searches_by_meaning(search: Any, vector: list[float] | None) -> None:
    asked: list[Any] = []

    async def call(*_: Any, **arguments: Any) -> None:
        asked.append(arguments["target_vector"])

    collection: Any = SimpleNamespace(query=SimpleNamespace(hybrid=call, near_text=call, near_vector=call))
    question = Question("lions", (), 3, EVERYONE, vector, "ours")
    await ask(collection, question, replace(OPTIONS, search=search, vectors="own" if vector else "server"))
    assert asked == ["ours"]


# -- errors ---------------------------------------------------------------------------------------------------------


async def test_the_caller_may_cancel() -> None:
    """And it is not mistaken for a client that was closed under the call."""
    waiting = asyncio.create_task(within(5, asyncio.sleep(60)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_call_that_is_cancelled_below_is_no_cancellation() -> None:
    async def below() -> None:
        raise asyncio.CancelledError

    with pytest.raises(KnowledgeUnavailable):
        await within(5, below())


async def test_no_words_of_the_clients_error_remain() -> None:
    async def fails() -> None:
        raise RuntimeError("the question was: my illness")

    with pytest.raises(KnowledgeError) as raised:
        await within(5, fails())
    assert str(raised.value) == "RuntimeError"
    assert raised.value.__cause__ is raised.value.__context__ is None
