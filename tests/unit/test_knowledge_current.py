"""The index keeps in step with the rows, at little cost."""

from array import array
from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.db import OperationalError

from voice.knowledge.encoder import Encoder
from voice.knowledge.local import rows
from voice.knowledge.local.current import CurrentIndex
from voice.knowledge.local.index import Index
from voice.knowledge.models import KnowledgeDocument
from voice.knowledge.options import KnowledgeOptions

pytestmark = pytest.mark.django_db


class CountingEncoder(Encoder):
    """Every text means the same; what was encoded is remembered."""

    name = "counting"
    dimensions = 2

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        self.texts += texts
        return [array("f", [1.0, 0.0]).tobytes() for _ in texts]


@pytest.fixture
def encoder() -> CountingEncoder:
    pytest.importorskip("numpy", reason="vectors need numpy")
    return CountingEncoder()


@pytest.fixture
def current(encoder: CountingEncoder) -> CurrentIndex:
    return CurrentIndex(lambda: encoder)


def document(slug: str, title: str) -> KnowledgeDocument:
    return KnowledgeDocument.objects.create(slug=slug, title=title, body="Text.", language="en")


def known(index: Index) -> list[str]:
    return sorted(d.title for d in index.documents.values())


def test_nothing_changed_is_one_query(current: CurrentIndex, django_assert_num_queries: object) -> None:
    document("a", "A")
    first = current.get()
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert current.get() is first


def test_only_what_changed_is_encoded(current: CurrentIndex, encoder: CountingEncoder) -> None:
    changed, _ = document("a", "A"), document("b", "B")
    current.get()
    encoder.texts.clear()
    changed.title = "C"
    changed.save()
    assert known(current.get()) == ["B", "C"]
    assert encoder.texts == ["C. Text.", "C", "C. Text."]


def test_rows_added_and_deleted_between_two_searches_do_not_cancel_out(current: CurrentIndex) -> None:
    gone = document("a", "A")
    current.get()
    gone.delete()
    document("b", "B")
    assert known(current.get()) == ["B"]


def test_an_index_in_use_never_changes(current: CurrentIndex) -> None:
    document("a", "A")
    index = current.get()
    document("b", "B")
    current.get()
    assert known(index) == ["A"]


def test_vectors_of_another_encoder_are_made_again(current: CurrentIndex, encoder: CountingEncoder) -> None:
    row = document("a", "A")
    KnowledgeDocument.objects.filter(pk=row.pk).update(vector=b"old", encoder="another")
    current.get()
    assert encoder.texts
    row.refresh_from_db()
    assert row.encoder == "counting:text+title+sentences"


def test_a_vector_made_of_an_older_text_is_not_kept() -> None:
    """Somebody saves the row while its vector is being made."""
    row = document("a", "A")
    (read,) = rows.documents({}, "")
    row.save()
    rows.store_vectors([replace(read, vectors=b"of the older text")], "counting")
    row.refresh_from_db()
    assert (row.vector, row.encoder) == (None, "")


def test_storing_a_vector_is_no_change_of_the_row(current: CurrentIndex) -> None:
    document("a", "A")
    before = rows.state()
    current.get()
    assert rows.state() == before
    assert not KnowledgeDocument.objects.filter(vector=None).exists()


def test_a_database_that_cannot_be_written_costs_only_the_vectors(
    current: CurrentIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(rows, "store_vectors", read_only)
    document("a", "A")
    assert known(current.get()) == ["A"]


def test_while_the_index_is_being_made_the_older_one_is_searched(
    current: CurrentIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    document("a", "A")
    old = current.get()
    document("b", "B")
    monkeypatch.setattr("voice.knowledge.local.current.PATIENCE", 0)
    with current._building:  # as another thread does that makes the new one
        assert current.get() is old
    assert known(current.get()) == ["A", "B"]


def test_a_site_without_texts_finds_nothing(current: CurrentIndex) -> None:
    assert current.get().search("anything", "en", KnowledgeOptions(), 3) == ()
