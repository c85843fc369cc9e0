"""The demonstration site: its pages in two languages, and the command that starts it."""

import io
import socket
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import resolve

from project.demo.topics import TOPICS, chapters, topic_of
from voice.knowledge import loading
from voice.management.progress import Progress, bar
from voice.models import KnowledgeDocument

KNOWLEDGE = Path(settings.BASE_DIR) / "project" / "demo" / "knowledge"


@pytest.fixture
def sample(db: None) -> None:
    """Two articles in both languages, and one that has no page."""
    for language, folder in (("en", "help"), ("fr", "aide")):
        for slug in ("hire-price", "hire-booking"):
            KnowledgeDocument.objects.create(
                slug=slug, title=f"{slug} {language}", body="Text.", url=f"/{folder}/{slug}/", language=language
            )
    KnowledgeDocument.objects.create(slug="unlinked", title="Unlinked", body="Text.", language="en")


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("url", "language"),
    [
        ("/", "en"),
        ("/fr/", "fr"),
        ("/help/", "en"),
        ("/aide/", "fr"),
        ("/help/hire-price/", "en"),
        ("/aide/hire-price/", "fr"),
    ],
)
def test_the_address_says_the_language_and_not_the_browser(client: Client, url: str, language: str) -> None:
    response = client.get(url, headers={"accept-language": "fr" if language == "en" else "en"})
    assert response.status_code == 200
    assert response.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in response.text
    assert f"hire-price {language}" in response.text


@pytest.mark.usefixtures("sample")
def test_an_article_leads_to_its_translation_and_to_its_neighbours(client: Client) -> None:
    context = client.get("/help/hire-price/").context
    assert context["translated_url"] == "/aide/hire-price/"
    assert [other.slug for other in context["related"]] == ["hire-booking"]


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("url", ["/help/nothing/", "/help/unlinked/", "/aide/nothing/"])
def test_what_has_no_page_is_not_found(client: Client, url: str) -> None:
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_article_of_the_sample_has_a_page_in_its_language(language: str) -> None:
    for entry in loading.read(KNOWLEDGE / f"{language}.json"):
        match = resolve(entry["url"])
        assert match.url_name in {"article", "article-fr"}
        assert match.kwargs["language"] == entry["language"] == language


def test_every_article_belongs_to_one_topic_and_no_topic_is_empty() -> None:
    documents = [KnowledgeDocument(**entry) for entry in loading.read(KNOWLEDGE / "en.json")]
    found = chapters(documents, "en")
    assert {chapter.title for chapter in found} == {topic.titles["en"] for topic in TOPICS}
    assert sum(len(chapter.documents) for chapter in found) == len(documents)


def test_a_slug_with_words_of_two_topics_belongs_to_the_first() -> None:
    assert topic_of("subscription-theft").titles["en"] == "Subscriptions"


def test_the_demo_does_not_start_with_the_settings_of_a_server() -> None:
    with pytest.raises(CommandError, match="settings of a server"):
        call_command("demo")


def test_a_port_that_is_taken_is_said_before_any_work(settings) -> None:
    settings.DEBUG = True
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CommandError, match="cannot be used"):
        call_command("demo", port=taken.getsockname()[1])
    assert settings.ENABLE_VOICE_REALTIME is False


def test_progress_is_one_line_that_is_drawn_again() -> None:
    out = io.StringIO()
    progress = Progress(out, redraw=True)
    progress("voices", 0.5)
    progress("voices", 1.0)
    progress.clear()
    assert out.getvalue().count("\r") == 3
    assert "\n" not in out.getvalue()


def test_progress_in_a_log_is_a_line_for_each_part() -> None:
    out = io.StringIO()
    progress = Progress(out, redraw=False)
    for label, share in (("voices", 0.0), ("voices", 0.5), ("knowledge", 1.0)):
        progress(label, share)
    assert out.getvalue() == "  … voices\n  … knowledge\n"


@pytest.mark.parametrize(("share", "full"), [(-1.0, 0), (0.0, 0), (0.5, 12), (1.0, 24), (2.0, 24)])
def test_a_bar_is_never_longer_than_its_frame(share: float, full: int) -> None:
    assert bar(share).count("━") == full
    assert len(bar(share)) == 24 + 5
