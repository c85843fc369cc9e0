"""The subjects under which the help pages are listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voice.models import KnowledgeDocument


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject: what it is called, in each language, and the words in an article's slug that put it there."""

    titles: dict[str, str]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The articles of one topic, in one language."""

    title: str
    documents: tuple[KnowledgeDocument, ...]


def _topic(en: str, fr: str, words: str) -> Topic:
    return Topic({"en": en, "fr": fr}, frozenset(words.split()))


TOPICS = (
    _topic("Subscriptions", "Abonnements", "subscription business"),
    _topic("Theft and insurance", "Vol et assurance", "theft insurance accident lock marking"),
    _topic("Hiring a bike", "Louer un vélo", "hire frame train"),
    _topic("Tours and groups", "Balades et groupes", "tour tours route group team school"),
    _topic("Families and lessons", "Familles et cours", "child kids helmet adult lessons"),
    _topic("E-bikes and batteries", "Vélos électriques et batteries", "battery ebike charging"),
    _topic(
        "Workshop and repairs",
        "Atelier et réparations",
        "workshop repair repaired puncture courtesy maintenance wash assembly mechanic winter lights",
    ),
    _topic(
        "Buying and delivery",
        "Achats et livraison",
        "delivery delivered collect order parcel stock return refund guarantee payment invoice tax price discount gift"
        " trade buy test donate",
    ),
    _topic(
        "Our shops",
        "Nos magasins",
        "opening sundays address parking contact complaints accessibility adapted deaf shops shop lost luggage",
    ),
    _topic("Your account and Vélo Rivage", "Votre compte et Vélo Rivage", ""),
)
"""An article belongs to the first topic that knows a word of its slug, else to the last."""


def topic_of(slug: str) -> Topic:
    """Where the article ``slug`` belongs."""
    words = set(slug.split("-"))
    return next((topic for topic in TOPICS if topic.words & words), TOPICS[-1])


def chapters(documents: Iterable[KnowledgeDocument], language: str) -> list[Chapter]:
    """All ``documents`` by topic, in the order in which the topics come up."""
    found: dict[str, list[KnowledgeDocument]] = {}
    for document in documents:
        found.setdefault(topic_of(document.slug).titles[language], []).append(document)
    return [Chapter(title, tuple(members)) for title, members in found.items()]
