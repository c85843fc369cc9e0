"""Staff see what is in Weaviate, and what waits for the next ``voice_sync``."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import F
from django.urls import reverse

from voice.knowledge.models import KnowledgeDocument

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:voice_knowledgedocument_changelist")


@pytest.fixture
def documents() -> None:
    for slug in ("there", "changed", "new"):
        KnowledgeDocument.objects.create(slug=slug, title=slug.title(), body="B.")
    KnowledgeDocument.objects.exclude(slug="new").update(synced_revision=F("revision"))
    KnowledgeDocument.objects.get(slug="changed").save()


@pytest.fixture
def weaviate(settings: Any) -> None:
    settings.VOICE = {"KNOWLEDGE": {"weaviate": {"url": "http://localhost:8080"}}}


def shown(client: Any, staff: Any, **query: str) -> dict[str, str]:
    """The state of each document on the page, by its title."""
    client.force_login(staff)
    response = client.get(PAGE, query)
    assert response.status_code == 200
    changes = response.context["cl"]
    return {row.title: str(changes.model_admin.in_weaviate(row)) for row in changes.result_list}


@pytest.mark.usefixtures("documents", "weaviate")
def test_each_document_says_whether_it_is_there(client: Any, staff: Any) -> None:
    assert shown(client, staff) == {"There": "up to date", "Changed": "waiting", "New": "not there"}
    assert "column-in_weaviate" in client.get(PAGE).text


@pytest.mark.usefixtures("documents", "weaviate")
@pytest.mark.parametrize(("state", "title"), [("up-to-date", "There"), ("waiting", "Changed"), ("missing", "New")])
def test_staff_filter_by_it(client: Any, staff: Any, state: str, title: str) -> None:
    assert shown(client, staff, in_weaviate=state).keys() == {title}


@pytest.mark.usefixtures("documents")
def test_a_site_that_searches_here_is_not_bothered_with_it(client: Any, staff: Any) -> None:
    client.force_login(staff)
    assert "in_weaviate" not in client.get(PAGE).text


@pytest.mark.usefixtures("documents")
def test_a_mark_is_no_change_and_any_change_waits() -> None:
    row = KnowledgeDocument.objects.get(slug="there")
    KnowledgeDocument.objects.filter(pk=row.pk).update(synced_revision=row.revision)
    assert KnowledgeDocument.objects.get(pk=row.pk).revision == row.revision
    KnowledgeDocument.objects.filter(pk=row.pk).update(title="Other")
    row.refresh_from_db()
    assert row.synced_revision != row.revision


@pytest.mark.parametrize("name", ["acme", "ACME_2-b"])
def test_a_tenant_has_a_name_that_weaviate_takes(name: str) -> None:
    KnowledgeDocument(slug="a", title="A", body="B", tenant=name).full_clean()


@pytest.mark.parametrize("name", ["a b", "société", "a/b", "a\n"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KnowledgeDocument(slug="a", title="A", body="B", tenant=name).full_clean()
    assert refused.value.message_dict.keys() == {"tenant"}


def test_staff_say_whose_a_text_is_in_a_part_of_the_form_that_is_folded(client: Any, staff: Any) -> None:
    client.force_login(staff)
    page = client.get(reverse("admin:voice_knowledgedocument_add")).text
    assert "collapse" in page
    assert 'name="tenant"' in page
    assert 'name="audience"' in page
