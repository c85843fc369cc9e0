"""What is asked of the server, by the options and by what a visitor may find."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.weaviate_server.collection import Collection, StoredObject
from tests.weaviate_server.server import WeaviateServer
from voice.knowledge.base import EVERYONE, Knowledge, KnowledgeError, KnowledgeUnavailable, Scope
from voice.knowledge.encoder import Encoder
from voice.knowledge.weaviate.backend import WeaviateKnowledge
from voice.knowledge.weaviate.options import WeaviateOptions

from ..knowledge_contract import TEXTS, titles
from .museum import PROPERTIES, Make, filled, stored

Way = tuple[dict[str, Any], str, str, bool]

WAYS: list[Way] = [
    # settings, the collection's module, which search is asked for, and whether it carries a vector
    ({}, "none", "hybrid", True),
    ({"search": "near_text"}, "none", "near_vector", True),
    ({"vectors": "server"}, "text2vec-openai", "hybrid", False),
    ({"vectors": "server", "search": "near_text"}, "text2vec-openai", "near_text", False),
    ({"search": "bm25"}, "none", "bm25", False),
    ({"vectors": "none"}, "none", "bm25", False),
    ({"vectors": "none", "search": "near_text"}, "none", "bm25", False),
    ({"vectors": "server", "search": "bm25"}, "text2vec-openai", "bm25", False),
]


@pytest.fixture(params=WAYS, ids=lambda way: "-".join(map(str, way[0].values())) or "default")
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


class TestEveryWayOfSearching:
    """What holds for all of them, and how the options choose."""

    @pytest.fixture(autouse=True)
    def museum(self, server: WeaviateServer, way: Way) -> None:
        """Each text is there for two tenants, with more properties than are needed."""
        more = {"audience": "members", "level": 2, "notes": "of the staff"}
        objects = [stored(text, tenant=tenant, **more) for text in TEXTS for tenant in ("ours", "theirs")]
        properties = {**PROPERTIES, "audience": "text", "level": "int", "notes": "text"}
        museum = Collection("Museum", properties, vectorizer=way[1], multi_tenant=True)
        server.collections["Museum"] = filled(museum, *objects)

    @pytest.fixture
    def knowledge(self, options: WeaviateOptions, way: Way, make: Make) -> WeaviateKnowledge:
        return make(replace(options, **way[0]))

    async def test_the_options_choose(self, knowledge: Knowledge, server: WeaviateServer, way: Way) -> None:
        _, _, kind, vector = way
        await knowledge.search("ticket prices", language="en", limit=3, scope=Scope("ours"))
        (search,) = server.searches
        assert (search.kind, bool(search.vector), search.limit) == (kind, vector, 3)
        assert search.text == ("" if kind == "near_vector" else "ticket prices")

    async def test_only_what_is_needed_is_returned(self, knowledge: Knowledge, server: WeaviateServer) -> None:
        await knowledge.search("ticket prices", language="en", limit=3, scope=Scope("ours"))
        assert server.searches[0].returned == ["language", "text", "title", "url"]

    async def test_words_are_looked_for_in_titles_and_texts(self, knowledge: Knowledge, server: WeaviateServer) -> None:
        await knowledge.search("ticket prices", language="en", limit=3, scope=Scope("ours"))
        assert server.searches[0].searched in ([], ["title", "text"])

    async def test_scope_and_language_are_in_every_query(self, knowledge: Knowledge, server: WeaviateServer) -> None:
        scope = Scope("ours", {"audience": ("members", "staff"), "level": 2, "title": "Ticket prices"})
        found = await knowledge.search("ticket prices", language="en-GB", limit=3, scope=scope)
        (search,) = server.searches
        assert search.tenant == "ours"
        assert sorted(search.filters) == [
            ("audience", "contains_any", ["members", "staff"]),
            ("language", "contains_any", ["en", "*"]),
            ("level", "equal", 2),
            ("title", "equal", "Ticket prices"),
        ]
        assert titles(found) == ["Ticket prices"]

    async def test_nothing_outside_of_the_scope_is_found(self, knowledge: Knowledge) -> None:
        scope = Scope("ours", {"audience": "staff"})
        assert await knowledge.search("ticket prices", language="en", limit=3, scope=scope) == ()

    async def test_none_of_no_values_finds_nothing(self, knowledge: Knowledge, server: WeaviateServer) -> None:
        scope = Scope("ours", {"audience": ()})
        assert await knowledge.search("ticket prices", language="en", limit=3, scope=scope) == ()
        assert not server.searches

    @pytest.mark.parametrize("scope", [EVERYONE, Scope("nobody"), Scope("ours", {"clearance": "top"})])
    async def test_a_scope_that_cannot_be_kept_to_is_an_error(self, knowledge: Knowledge, scope: Scope) -> None:
        """Without a tenant, with one that does not exist, and with a property that is not there."""
        with pytest.raises(KnowledgeError) as raised:
            await knowledge.search("ticket prices", language="en", limit=3, scope=scope)
        assert not isinstance(raised.value, KnowledgeUnavailable)

    async def test_tenants_need_no_preparing(self, knowledge: Knowledge) -> None:
        """No tenant is known there, and no failure comes of it."""
        await knowledge.prepare()


async def test_alpha_weighs_meaning_against_words(make: Make, server: WeaviateServer, options: WeaviateOptions) -> None:
    await make(replace(options, alpha=0.25)).search("ticket", language="en", limit=1)
    assert server.searches[0].alpha == 0.25


async def test_an_existing_collection_serves_as_it_is(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    """With names of its own, a list as its text, and neither addresses nor languages."""
    article = StoredObject(str(uuid4()), {"headline": "Lions", "body": ["Lions sleep.", "A lot."]})
    server.collections["Zoo"] = filled(Collection("Zoo", {"headline": "text", "body": "text[]"}), article)
    names: dict[str, Any] = {
        "title_property": "headline",
        "text_property": "body",
        "url_property": "",
        "language_property": "",
    }
    knowledge = make(replace(options, collection="Zoo", vectors="none", **names))
    (found,) = await knowledge.search("do lions sleep", language="en", limit=3)
    assert (found.title, found.text, found.url, found.language) == ("Lions", "Lions sleep. A lot.", "", "")
    assert (server.searches[0].returned, server.searches[0].filters) == (["body", "headline"], [])


async def test_without_a_language_all_texts_are_searched(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    await make(options).search("ticket", language="", limit=1)
    assert server.searches[0].filters == []


async def test_a_question_is_cut_and_cleaned(make: Make, server: WeaviateServer, options: WeaviateOptions) -> None:
    await make(options).search("\ud800tic\x00ket" + "s" * 5_000, language="en", limit=1)
    assert server.searches[0].text == "tic ket" + "s" * 992


@pytest.mark.parametrize("query", ["", " \n", "?!…", "\ud800", "\x00", "🎟️"])
async def test_what_cannot_be_searched_for_is_not_asked(
    make: Make, server: WeaviateServer, options: WeaviateOptions, query: str
) -> None:
    assert await make(options).search(query, language="en", limit=1) == ()
    assert not server.requests


async def test_an_encoder_in_trouble_is_an_error_of_the_search(make: Make, options: WeaviateOptions) -> None:
    def broken() -> Encoder:
        raise OSError("no weights")

    with pytest.raises(KnowledgeError):
        await make(options, encoder=broken).search("ticket", language="en", limit=1)
