"""The pages of the site: the address says the language, ``/help/`` English and ``/aide/`` French."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation

from voice.models import KnowledgeDocument

from .topics import chapters, topic_of

RELATED = 5


def home(request: HttpRequest, language: str) -> HttpResponse:
    """The front page, with every article by topic."""
    return _page(request, language, "demo/home.html", articles=chapters(_documents(language), language))


def help_index(request: HttpRequest, language: str) -> HttpResponse:
    """All articles: ``documents`` in order, ``chapters`` by topic."""
    documents = _documents(language)
    return _page(request, language, "demo/help.html", documents=documents, chapters=chapters(documents, language))


def article(request: HttpRequest, language: str, slug: str) -> HttpResponse:
    """One article, with others on its topic, and the address of its translation."""
    documents = _documents(language)
    document = get_object_or_404(documents, url=request.path)
    topic = topic_of(document.slug)
    related = [other for other in documents if other != document and topic_of(other.slug) is topic]
    translated = KnowledgeDocument.objects.filter(slug=document.slug).exclude(language=language).first()
    return _page(
        request,
        language,
        "demo/article.html",
        document=document,
        topic=topic.titles[language],
        related=related[:RELATED],
        translated_url=translated.url if translated else "",
    )


def _documents(language: str) -> QuerySet[KnowledgeDocument]:
    return KnowledgeDocument.objects.filter(language=language).exclude(url="").defer("vector").order_by("pk")


def _page(request: HttpRequest, language: str, template: str, **context: Any) -> HttpResponse:
    request.LANGUAGE_CODE = language
    with translation.override(language):
        response = render(request, template, context)
    response.headers["Content-Language"] = language
    return response
