"""What is sent and what is deleted, so that a collection holds what the documents say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.knowledge.sync import schema
from voice.knowledge.sync.pieces import Piece, Text, pieces
from voice.knowledge.sync.plan import Stored, plan
from voice.knowledge.sync.schema import Property, Schema, definition, lacks
from voice.knowledge.weaviate.options import EVERY_LANGUAGE, WeaviateOptions

OPTIONS = WeaviateOptions(url="http://localhost")
HOURS = Text("hours", "en", "Hours", "From 9 to 5.", "/hours/")
LONG = Text(
    "tides", "fr", "Marées", " ".join(f"Phrase {n:03} sur la marée qui monte et qui descend." for n in range(60))
)


def objects(*texts: Text, options: WeaviateOptions = OPTIONS, maker: str = "encoder") -> list[Piece]:
    return [piece for text in texts for piece in pieces(text, options, maker)]


def held(found: list[Piece]) -> list[Stored]:
    """What the collection holds once ``found`` was sent."""
    return [Stored(piece.id, piece.tenant, piece.document, piece.hash) for piece in found]


# -- the objects of a document ------------------------------------------------------------------------------------


def test_an_object_has_the_names_of_the_options() -> None:
    named = replace(
        OPTIONS, title_property="headline", text_property="content", url_property="", language_property="lang"
    )
    (piece,) = objects(replace(HOURS, audience="staff"), options=named)
    assert {name: value for name, value in piece.properties.items() if name != "voice_hash"} == {
        "headline": "Hours",
        "content": "From 9 to 5.",
        "lang": "en",
        "voice_document": "hours/en",
        "tenant": "",
        "audience": "staff",
    }


@pytest.mark.parametrize(("language", "stored"), [("fr-CA", "fr"), ("EN", "en"), ("", EVERY_LANGUAGE)])
def test_a_language_is_stored_as_searches_ask_for_it(language: str, stored: str) -> None:
    assert objects(replace(HOURS, language=language))[0].properties["language"] == stored


def test_the_vector_of_a_piece_is_made_with_its_title() -> None:
    first, second, *_ = objects(LONG)
    assert first.meaning == f"Marées. {first.properties['text']}"
    assert second.meaning.startswith("Marées. ")


def test_ids_are_those_of_every_run() -> None:
    """Objects of another id would be found twice."""
    assert [str(piece.id) for piece in objects(HOURS)] == ["890a0ceb-42b6-5959-a7ab-a96dece450e6"]


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), unique=True))
def test_no_two_documents_share_an_id(names: list[tuple[str, str]]) -> None:
    found = objects(*(replace(HOURS, slug=slug, language=language) for slug, language in names))
    assert len({piece.id for piece in found}) == len(names)


# -- the plan -----------------------------------------------------------------------------------------------------


def test_into_an_empty_collection_everything_goes() -> None:
    found = objects(HOURS, LONG)
    todo = plan(found, [])
    assert (list(todo.create), todo.replace, todo.delete, todo.unchanged) == (found, (), (), ())


def test_a_second_run_sends_nothing() -> None:
    found = objects(HOURS, LONG)
    todo = plan(objects(HOURS, LONG), held(found))
    assert (todo.send, todo.delete, list(todo.unchanged)) == ((), (), found)


def test_only_the_changed_piece_is_sent() -> None:
    before, after = objects(LONG), objects(replace(LONG, body=LONG.body.replace("Phrase 030", "Phrase XXX")))
    todo = plan(after, held(before))
    assert 1 <= len(todo.replace) <= 2  # two where the sentence stands on a border
    assert all("Phrase XXX" in piece.properties["text"] for piece in todo.replace)
    assert len(todo.unchanged) == len(after) - len(todo.replace)
    assert (todo.create, todo.delete) == ((), ())


def test_what_a_shortened_document_has_too_much_is_deleted() -> None:
    before, after = objects(LONG), objects(replace(LONG, body=LONG.body[:500]))
    todo = plan(after, held(before))
    assert {known.id for known in todo.delete} == {piece.id for piece in before[1:]}


def test_what_is_gone_is_deleted_and_nothing_else() -> None:
    todo = plan(objects(HOURS), held(objects(HOURS, LONG)))
    assert {known.document for known in todo.delete} == {"tides/fr"}
    assert todo.send == ()


@pytest.mark.parametrize(
    "changes", [{"title": "Opening"}, {"url": "/open/"}, {"audience": "staff"}, {"body": "From 9 to 6."}]
)
def test_whatever_is_stored_is_sent_when_it_changes(changes: dict[str, Any]) -> None:
    todo = plan(objects(replace(HOURS, **changes)), held(objects(HOURS)))
    assert len(todo.replace) == 1


def test_vectors_of_another_maker_are_sent_again() -> None:
    todo = plan(objects(HOURS, LONG, maker="another"), held(objects(HOURS, LONG)))
    assert len(todo.replace) == len(objects(HOURS, LONG))


def test_a_text_that_moves_leaves_its_first_tenant() -> None:
    todo = plan(objects(replace(HOURS, tenant="b")), held(objects(replace(HOURS, tenant="a"))))
    assert [piece.tenant for piece in todo.create] == ["b"]
    assert [known.tenant for known in todo.delete] == ["a"]


def test_everything_is_sent_again_when_that_is_wanted() -> None:
    todo = plan(objects(HOURS, LONG), held(objects(HOURS, LONG)), everything=True)
    assert list(todo.replace) == objects(HOURS, LONG)


TEXTS = st.lists(
    st.builds(
        Text,
        slug=st.sampled_from("abc"),
        language=st.sampled_from(["", "en"]),
        title=st.just("T"),
        body=st.text(st.sampled_from("ab. "), max_size=1500),
        tenant=st.sampled_from(["", "x"]),
    ),
    unique_by=lambda text: text.name,
)


@given(TEXTS, TEXTS)
def test_after_a_plan_the_collection_holds_what_the_documents_say(before: list[Text], after: list[Text]) -> None:
    stored = {(known.tenant, known.id): known for known in held(objects(*before))}
    todo = plan(objects(*after), stored.values())
    for known in todo.delete:
        del stored[known.tenant, known.id]
    stored |= {(known.tenant, known.id): known for known in held(list(todo.send))}
    assert sorted(stored.values(), key=str) == sorted(held(objects(*after)), key=str)
    assert plan(objects(*after), stored.values()).changes == ()


# -- the collection -----------------------------------------------------------------------------------------------


def made(options: WeaviateOptions = OPTIONS, vectors: schema.Vectors = "own", multi_tenant: bool = False) -> Schema:
    """The collection that ``definition`` makes."""
    config = definition(options, vectors, multi_tenant=multi_tenant)
    return Schema(
        {p["name"]: Property(p["dataType"][0], p["tokenization"]) for p in config["properties"]},
        {name: next(iter(vector["vectorizer"])) for name, vector in config["vectorConfig"].items()},
        config["multiTenancyConfig"]["enabled"],
    )


@pytest.mark.parametrize("vectors", ["own", "server", "none"])
@pytest.mark.parametrize("multi_tenant", [True, False])
def test_the_collection_that_is_made_lacks_nothing(vectors: schema.Vectors, multi_tenant: bool) -> None:
    assert lacks(made(OPTIONS, vectors, multi_tenant), OPTIONS, vectors, multi_tenant=multi_tenant) == []


def test_filters_compare_whole_values_and_searches_words() -> None:
    by_name = {p["name"]: p for p in definition(OPTIONS, "own", multi_tenant=False)["properties"]}
    for name in ("language", "tenant", "audience", "voice_document", "voice_hash"):
        assert (by_name[name]["tokenization"], by_name[name]["indexFilterable"]) == ("field", True)
    for name in ("title", "text"):
        assert (by_name[name]["tokenization"], by_name[name]["indexSearchable"]) == ("word", True)
    assert not by_name["url"]["indexFilterable"]
    assert not by_name["url"]["indexSearchable"]


def test_a_module_reads_title_and_text_alone() -> None:
    vector = definition(OPTIONS, "server", multi_tenant=False)["vectorConfig"]["default"]
    assert vector["vectorizer"] == {
        "text2vec-openai": {"properties": ["text", "title"], "vectorizeClassName": False},
    }


def test_what_an_existing_collection_lacks_is_said_by_name() -> None:
    foreign = Schema({"title": Property("text", "word"), "text": Property("text[]", "word")}, {"": "none"})
    said = "; ".join(lacks(foreign, OPTIONS, "own", multi_tenant=True))
    for part in ("audience, language, tenant, url, voice_document, voice_hash", "text[]", "tenants"):
        assert part in said


def test_a_language_must_be_compared_as_a_whole() -> None:
    """The sign of a text for everyone is no word, and no filter would find it."""
    split = made()
    split = replace(split, properties={**split.properties, "language": Property("text", "word")})
    assert ["language" in said for said in lacks(split, OPTIONS, "own", multi_tenant=False)] == [True]


@pytest.mark.parametrize(("there", "wanted"), [("server", "own"), ("none", "server"), ("own", "server")])
def test_vectors_of_two_makers_do_not_mix(there: schema.Vectors, wanted: schema.Vectors) -> None:
    assert len(lacks(made(vectors=there), OPTIONS, wanted, multi_tenant=False)) == 1


def test_a_collection_of_ours_may_be_made_anew_and_another_may_not() -> None:
    ours = made()
    assert schema.is_plain(ours, OPTIONS)
    more = replace(ours, properties={**ours.properties, "author": Property("text", "field")})
    assert not schema.is_plain(more, OPTIONS)
    assert not schema.is_plain(replace(ours, vectors={"a": "none", "b": "none"}), OPTIONS)


def test_nothing_of_a_collection_without_our_mark_is_ours() -> None:
    assert schema.is_foreign(Schema({"title": Property("text")}, {"": "none"}))
    assert not schema.is_foreign(made())
