"""The rows that staff edit, and loading them from a file."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import ValidationError

from voice.knowledge.admin import KnowledgeDocumentAdmin
from voice.knowledge.loading import Counts, Entry, load, read
from voice.knowledge.models import KnowledgeDocument

pytestmark = pytest.mark.django_db


def entry(slug: str = "hours", **changes: str) -> Entry:
    plain = Entry(slug=slug, language="en", title="Hours", body="From 9 to 5.", url="/hours/")
    return cast(Entry, plain | changes)


@pytest.mark.parametrize("url", ["", "/help/", "https://example.org/a?b=c", "http://example.org"])
def test_a_link_leads_to_this_site_or_the_web(url: str) -> None:
    KnowledgeDocument(slug="a", title="A", body="B", url=url).full_clean()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "help", "data:text/html,x", "/a b"])
def test_any_other_link_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KnowledgeDocument(slug="a", title="A", body="B", url=url).full_clean()
    assert refused.value.message_dict.keys() == {"url"}


def test_each_save_is_a_new_revision_without_a_vector() -> None:
    row = KnowledgeDocument.objects.create(slug="a", title="A", body="B")
    KnowledgeDocument.objects.update(vector=b"v", encoder="e")
    row.refresh_from_db()
    before = row.revision
    row.title = "C"
    row.save(update_fields=["title"])
    row.refresh_from_db()
    assert row.revision != before
    assert (row.title, row.vector, row.encoder) == ("C", None, "")


def test_one_short_name_for_each_language() -> None:
    load([entry(), entry(language="fr")])
    with pytest.raises(ValidationError):
        KnowledgeDocument(slug="hours", language="fr", title="A", body="B").full_clean()


def test_loading_twice_changes_nothing() -> None:
    texts = [entry(), entry("prices", title="Prices")]
    assert load(texts) == Counts(created=2)
    revisions = set(KnowledgeDocument.objects.values_list("revision"))
    assert load(texts) == Counts(unchanged=2)
    assert set(KnowledgeDocument.objects.values_list("revision")) == revisions


def test_loading_changes_what_differs_and_leaves_other_rows() -> None:
    load([entry(), entry("prices")])
    assert load([entry(title="Opening hours")]) == Counts(updated=1)
    titles = dict(KnowledgeDocument.objects.values_list("slug", "title"))
    assert titles == {"hours": "Opening hours", "prices": "Hours"}


def test_a_wrong_text_loads_nothing() -> None:
    with pytest.raises(ValidationError):
        load([entry(), entry("bad", url="javascript:alert(1)")])
    assert not KnowledgeDocument.objects.exists()


def test_a_file_holds_an_array_of_texts(tmp_path: Path) -> None:
    file = tmp_path / "texts.json"
    file.write_text(json.dumps([entry(title="Été")]), encoding="utf-8")
    assert read(file) == [entry(title="Été")]


def test_staff_save_a_text_in_the_admin(rf: Any, staff: Any) -> None:
    load([entry()])
    admin = KnowledgeDocumentAdmin(KnowledgeDocument, AdminSite())
    request = rf.get("/")
    request.user = staff
    row = admin.get_queryset(request).get()
    form = admin.get_form(request, row, change=True)(
        {"title": "Open", "body": "Now.", "url": "", "language": "en", "slug": "hours"}, instance=row
    )
    assert form.is_valid(), form.errors
    form.save()
    assert KnowledgeDocument.objects.get().title == "Open"
