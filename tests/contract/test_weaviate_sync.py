"""``manage.py voice_sync`` against a server that speaks Weaviate's protocols: afterwards it holds what the rows say."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command

from tests.weaviate_server import objects
from tests.weaviate_server.collection import Collection, StoredObject
from tests.weaviate_server.server import WeaviateServer
from voice.conf import conf
from voice.knowledge.encoder import Encoder
from voice.knowledge.models import KnowledgeDocument
from voice.knowledge.sync import makers, run, target
from voice.knowledge.weaviate.backend import WeaviateKnowledge

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "VoiceKnowledge"
OURS = dict.fromkeys(("title", "text", "url", "language", "voice_document", "voice_hash", "tenant", "audience"), "text")
LONG = " ".join(f"Sentence {n:03} says that the harbour is open to all who come." for n in range(30))


class Letters(Encoder):
    """Texts with the same words are close."""

    name = "letters"
    dimensions = 32

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        return [struct.pack("32f", *self._vector(text.lower().split())) for text in texts]

    def _vector(self, words: list[str]) -> list[float]:
        sums = [0.001] * self.dimensions
        for word in words:
            sums[hashlib.sha256(word.strip(".?").encode()).digest()[0] % self.dimensions] += 1.0
        length = sum(value * value for value in sums) ** 0.5
        return [value / length for value in sums]


@pytest.fixture
async def server() -> AsyncIterator[WeaviateServer]:
    async with WeaviateServer() as running:
        yield running


@pytest.fixture(autouse=True)
def site(settings: Any, server: WeaviateServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A site with that server, and an encoder. Call it with more options of Weaviate's."""
    monkeypatch.setattr(makers, "sentence_encoder", Letters)

    def configured(**options: Any) -> None:
        where = {"url": server.url, "grpc_port": server.grpc_port, "connect_timeout": 1.0}
        settings.VOICE = {"KNOWLEDGE": {"weaviate": where | options}}

    configured()
    return configured


@pytest.fixture
async def rows() -> None:
    await add("hours", title="Hours", body="We open from nine to five.", url="/hours/")
    await add("hours", language="fr", title="Horaires", body="Nous ouvrons de neuf à dix-sept heures.")
    await add("harbour", title="Harbour", body=LONG)


async def add(slug: str, language: str = "en", **fields: str) -> KnowledgeDocument:
    return await KnowledgeDocument.objects.acreate(
        slug=slug, language=language, **{"title": slug, "body": "B."} | fields
    )


async def sync(*flags: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    await sync_to_async(call_command)("voice_sync", *flags, stdout=out, stderr=out)
    return out.getvalue()


def held(server: WeaviateServer, name: str = NAME) -> dict[str, list[str]]:
    """The texts of each document in the collection."""
    found: dict[str, list[str]] = {}
    for stored in server.collections[name].objects.values():
        found.setdefault(stored.properties["voice_document"], []).append(stored.properties["text"])
    return found


async def waiting() -> set[str]:
    """The documents that are not marked as being in Weaviate."""
    return {row.slug async for row in KnowledgeDocument.objects.all() if row.synced_revision != row.revision}


# -- what it does -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rows")
async def test_the_first_run_makes_the_collection_and_fills_it(server: WeaviateServer) -> None:
    said = await sync()
    assert f"Collection {NAME} made." in said
    pieces = len(held(server)["harbour/en"])
    assert pieces > 2
    assert f"{2 + pieces} created, 0 updated, 0 deleted, 0 unchanged (pieces of 3 documents)" in said
    stored = {o.properties["title"]: o for o in server.collections[NAME].objects.values()}
    assert stored["Hours"].properties["url"] == "/hours/"
    assert stored["Horaires"].properties["language"] == "fr"
    assert len(stored["Hours"].vector or []) == Letters.dimensions
    assert await waiting() == set()


@pytest.mark.usefixtures("rows")
async def test_a_second_run_sends_nothing(server: WeaviateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await sync()
    before = dict(server.collections[NAME].objects)
    monkeypatch.setattr(objects, "batch", None)
    said = await sync()
    assert "0 created, 0 updated, 0 deleted" in said
    assert "made" not in said
    assert server.collections[NAME].objects == before


@pytest.mark.usefixtures("rows")
async def test_a_changed_document_is_replaced_and_a_gone_one_deleted(server: WeaviateServer) -> None:
    await sync()
    hours = await KnowledgeDocument.objects.aget(slug="hours", language="en")
    hours.body = "We open at ten."
    await hours.asave()
    await KnowledgeDocument.objects.filter(slug="harbour").adelete()
    assert await waiting() == {"hours"}
    said = await sync()
    assert "0 created, 1 updated" in said
    assert held(server) == {
        "hours/en": ["We open at ten."],
        "hours/fr": ["Nous ouvrons de neuf à dix-sept heures."],
    }
    assert await waiting() == set()


@pytest.mark.usefixtures("rows")
async def test_a_shortened_document_leaves_nothing_behind(server: WeaviateServer) -> None:
    await sync()
    await KnowledgeDocument.objects.filter(slug="harbour").aupdate(body="It is closed.")
    await sync()
    assert held(server)["harbour/en"] == ["It is closed."]


@pytest.mark.usefixtures("rows")
async def test_a_collection_of_many_pages_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "PAGE", 2)
    await sync()
    await KnowledgeDocument.objects.filter(slug="hours").adelete()
    said = await sync()
    assert "0 created, 0 updated, 2 deleted" in said
    assert ", 0 unchanged" not in said


async def test_what_is_saved_during_a_run_waits_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def text() -> str:
        return (await KnowledgeDocument.objects.aget()).body

    def meanwhile(self: Any, *args: Any) -> Any:
        KnowledgeDocument.objects.update(body="Newer.")
        return put(self, *args)

    put = target.Target.put
    await add("a", body="Older.")
    monkeypatch.setattr(target.Target, "put", meanwhile)
    await sync()
    assert (await text(), await waiting()) == ("Newer.", {"a"})
    monkeypatch.setattr(target.Target, "put", put)
    assert "1 updated" in await sync()
    assert await waiting() == set()


@pytest.mark.usefixtures("rows")
async def test_a_dry_run_changes_nothing(server: WeaviateServer) -> None:
    said = await sync("--dry-run")
    assert "would be made" in said
    assert "Would be: " in said
    assert server.collections == {}
    assert len(await waiting()) == 2
    await sync()
    before = dict(server.collections[NAME].objects)
    await KnowledgeDocument.objects.filter(language="fr").adelete()
    await KnowledgeDocument.objects.filter(slug="hours").aupdate(title="When")
    assert "0 created, 1 updated, 1 deleted" in await sync("--dry-run")
    assert server.collections[NAME].objects == before
    assert await waiting() == {"hours"}


@pytest.mark.usefixtures("rows")
async def test_a_rebuild_makes_the_collection_anew(server: WeaviateServer, site: Any) -> None:
    site(vectors="none")
    await sync()
    server.collections[NAME].vectorizer = "text2vec-openai"
    site(vectors="own")
    with pytest.raises(CommandError, match="text2vec-openai"):
        await sync()
    said = await sync("--rebuild")
    assert f"Collection {NAME} made." in said
    assert server.collections[NAME].vectorizer == "none"
    assert all(stored.vector for stored in server.collections[NAME].objects.values())
    assert await waiting() == set()


async def test_a_module_of_the_server_may_make_the_vectors(server: WeaviateServer, site: Any) -> None:
    site(vectors="server", vectoriser="text2vec-transformers")
    await add("hours")
    await sync()
    assert server.collections[NAME].vectorizer == "text2vec-transformers"
    assert [stored.vector for stored in server.collections[NAME].objects.values()] == [None]


async def test_tenants_keep_their_texts_apart(server: WeaviateServer) -> None:
    await add("a", tenant="acme", audience="staff")
    moving = await add("b", tenant="bolt")
    await sync()
    collection = server.collections[NAME]
    assert (collection.multi_tenant, collection.tenants) == (True, {"acme", "bolt"})
    assert {(o.tenant, o.properties["tenant"], o.properties["audience"]) for o in collection.objects.values()} == {
        ("acme", "acme", "staff"),
        ("bolt", "bolt", ""),
    }
    moving.tenant = "core"
    await moving.asave()
    await sync()
    assert {o.tenant for o in collection.objects.values()} == {"acme", "core"}


async def test_a_text_of_nobody_is_not_sent_among_those_of_tenants(server: WeaviateServer) -> None:
    await add("a", tenant="acme")
    await add("nobody")
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 2 documents"):
        await sync_to_async(call_command)("voice_sync", stdout=out, stderr=out)
    assert "nobody/en: It belongs to no tenant" in out.getvalue()
    assert held(server).keys() == {"a/en"}
    assert await waiting() == {"nobody"}


# -- a collection of the site's own -------------------------------------------------------------------------------


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("flags", [(), ("--dry-run",), ("--rebuild",)])
async def test_a_collection_that_was_not_made_for_it_is_refused(server: WeaviateServer, flags: tuple[str, ...]) -> None:
    article = StoredObject("5a1cd361-1e0d-4ae7-bd52-ee09cb5f31cc", {"title": "A", "text": "B"})
    server.collections[NAME] = Collection(NAME, {"title": "text", "text": "text"}, objects={article.uuid: article})
    with pytest.raises(CommandError, match=r"no property audience, .*voice_document, voice_hash"):
        await sync(*flags)
    assert server.collections[NAME].objects == {article.uuid: article}
    assert server.collections[NAME].properties == {"title": "text", "text": "text"}


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("flags", [(), ("--rebuild",)])
async def test_what_others_wrote_stays(server: WeaviateServer, flags: tuple[str, ...]) -> None:
    article = StoredObject("5a1cd361-1e0d-4ae7-bd52-ee09cb5f31cc", {"title": "A", "text": "B"})
    server.collections[NAME] = Collection(NAME, dict(OURS), objects={article.uuid: article})
    await sync()
    await KnowledgeDocument.objects.all().adelete()
    await sync(*flags)
    assert server.collections[NAME].objects == {article.uuid: article}


async def test_texts_of_tenants_do_not_go_where_all_could_find_them(server: WeaviateServer) -> None:
    server.collections[NAME] = Collection(NAME, dict(OURS))
    await add("a", tenant="acme")
    with pytest.raises(CommandError, match="tenants"):
        await sync()
    assert server.collections[NAME].objects == {}


# -- trouble ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rows")
async def test_objects_that_the_server_refuses_do_not_hold_up_the_others(
    server: WeaviateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choosy(collections: Any, request: Any) -> Any:
        refused = [n for n, sent in enumerate(request.objects) if "neuf" in str(sent.properties)]
        taken = type(request)(objects=[sent for n, sent in enumerate(request.objects) if n not in refused])
        reply = stores(collections, taken)
        for n in refused:
            reply.errors.add(index=n, error="the vectoriser did not like it")
        return reply

    stores = objects.batch
    monkeypatch.setattr(objects, "batch", choosy)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 3 documents"):
        await sync_to_async(call_command)("voice_sync", stdout=out, stderr=out)
    assert "hours/fr: the vectoriser did not like it" in out.getvalue()
    assert held(server).keys() == {"hours/en", "harbour/en"}
    assert [row.language async for row in KnowledgeDocument.objects.filter(synced_revision=None)] == ["fr"]
    monkeypatch.setattr(objects, "batch", stores)
    assert "1 created, 0 updated" in await sync()


async def test_a_batch_that_is_refused_as_a_whole_is_told_in_the_same_way(
    server: WeaviateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add("a")
    await sync()
    await add("b")
    monkeypatch.setattr(Letters, "encode", lambda self, texts: [struct.pack("2f", 1.0, 0.0) for _ in texts])
    with pytest.raises(CommandError, match="1 of 2 documents"):
        await sync()
    assert held(server).keys() == {"a/en"}


@pytest.mark.usefixtures("rows")
async def test_a_run_that_was_interrupted_is_gone_on_with(
    server: WeaviateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 1)
    sent: list[Any] = []
    put = target.Target.put

    def interrupted(self: Any, *args: Any) -> Any:
        sent.append(args)
        if len(sent) == 3:
            raise KeyboardInterrupt
        return put(self, *args)

    monkeypatch.setattr(target.Target, "put", interrupted)
    with pytest.raises(CommandError, match="run the command again") as stopped:
        await sync()
    assert stopped.value.returncode == 130
    assert held(server).keys() == {"hours/en", "hours/fr"}
    assert await waiting() == {"harbour"}
    assert "0 updated, 0 deleted, 2 unchanged" in await sync()
    assert await waiting() == set()


@pytest.mark.usefixtures("rows")
async def test_what_a_server_has_lost_is_not_called_up_to_date(
    server: WeaviateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync()
    server.collections.clear()
    monkeypatch.setattr(objects, "batch", None)
    with pytest.raises(CommandError):
        await sync()
    assert await waiting() == {"hours", "harbour"}


@pytest.mark.usefixtures("rows")
async def test_a_server_that_freezes_is_not_waited_for(server: WeaviateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 1)

    def soon(*args: Any) -> Any:
        monkeypatch.setattr(target, "WRITE_LIMIT", 1.0)  # seconds; the collection is there by now, however long it took
        return put(*args)

    def last(*args: Any) -> Any:
        server.freeze()
        return stores(*args)

    put, stores = target.Target.put, objects.batch
    monkeypatch.setattr(target.Target, "put", soon)
    monkeypatch.setattr(objects, "batch", last)
    with pytest.raises(CommandError, match="cannot be reached"):
        await sync()
    monkeypatch.setattr(objects, "batch", stores)
    server.thaw()
    assert "0 updated, 0 deleted, 1 unchanged" in await sync()
    assert await waiting() == set()


async def test_a_server_that_is_down(server: WeaviateServer) -> None:
    await server.stop()
    with pytest.raises(CommandError, match=rf"Weaviate at {server.url} cannot be reached"):
        await sync()
    await server.start()


async def test_a_server_that_does_not_answer(server: WeaviateServer, site: Any) -> None:
    site(connect_timeout=0.2)
    server.freeze()
    with pytest.raises(CommandError, match="cannot be reached"):
        await sync()


@pytest.mark.parametrize("key", ["", "wrong-key"])
async def test_a_wrong_key_is_told_and_not_shown(server: WeaviateServer, site: Any, key: str) -> None:
    server.api_key = "right-key"
    site(api_key=key)
    with pytest.raises(CommandError, match="refuses the key") as refused:
        await sync()
    assert "-key" not in str(refused.value)


@pytest.mark.usefixtures("rows")
async def test_a_key_that_may_not_write(server: WeaviateServer) -> None:
    await sync()
    server.deny()
    with pytest.raises(CommandError, match="refuses the key"):
        await sync()


async def test_a_site_without_weaviate(settings: Any) -> None:
    settings.VOICE = {}
    with pytest.raises(CommandError, match="WEAVIATE_URL"):
        await sync()


async def test_an_address_that_is_none(site: Any) -> None:
    site(url="localhost:8080")
    with pytest.raises(CommandError, match="not of the form"):
        await sync()


@pytest.mark.parametrize(("vectors", "installed"), [("own", False), (None, True)])
async def test_vectors_are_not_given_up_silently(
    site: Any, monkeypatch: pytest.MonkeyPatch, vectors: str | None, installed: bool
) -> None:
    """An encoder that does not start for once must not cost the collection its vectors."""
    site(vectors=vectors)
    monkeypatch.setattr(makers, "sentence_encoder", lambda: None)
    monkeypatch.setattr(makers, "find_spec", lambda name: object() if installed else None)
    with pytest.raises(CommandError, match="encoder"):
        await sync()


async def test_where_no_encoder_is_installed_words_must_do(
    server: WeaviateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(makers, "sentence_encoder", lambda: None)
    monkeypatch.setattr(makers, "find_spec", lambda name: None)
    await add("a")
    await sync()
    assert [stored.vector for stored in server.collections[NAME].objects.values()] == [None]


# -- what it is for -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("vectors", ["own", "none"])
async def test_a_visitor_finds_what_was_sent(site: Any, vectors: str) -> None:
    site(vectors=vectors)
    await add("everyone", language="", title="Chien", body="Nos amis les chiens attendent dehors.")
    await sync()
    knowledge = WeaviateKnowledge(conf().knowledge.weaviate, encoder=Letters)
    try:
        (hours, *_) = await knowledge.search("when do you open from nine", language="en", limit=2)
        assert (hours.title, hours.url) == ("Hours", "/hours/")
        (far, *_) = await knowledge.search("Sentence 029 says what?", language="en", limit=1)
        assert "Sentence 029" in far.text
        (french, *_) = await knowledge.search("les chiens attendent", language="fr", limit=1)
        assert (french.title, french.language) == ("Chien", "")
    finally:
        await knowledge.close()
