"""What every knowledge base must do, whatever stands behind it.

A backend's test module subclasses :class:`KnowledgeContract` and gives two fixtures: ``knowledge``, which holds
:data:`TEXTS`, and ``unreachable``, whose service or database is gone.
"""

import asyncio

import pytest

from voice.knowledge.base import Knowledge, KnowledgeError
from voice.protocol.context import Passage

TEXTS = (
    Passage(
        "Opening hours of the museum",
        "The museum is open from Tuesday to Sunday, 10 am to 6 pm. It is closed on Mondays.",
        "/en/opening-hours/",
        "en",
    ),
    Passage(
        "Ticket prices",
        "Tickets cost 12 euros for adults. Children under twelve pay nothing.",
        "https://museum.example/en/prices/",
        "en",
    ),
    Passage(
        "Cloakroom and luggage",
        "Umbrellas, coats and bags can be left in the cloakroom free of charge.",
        "",
        "en",
    ),
    Passage(
        "Horaires d’ouverture du musée",
        "Le musée est ouvert du mardi au dimanche, de 10 heures à 18 heures. Il est fermé le lundi.",
        "/fr/horaires/",
        "fr",
    ),
    Passage(
        "Tarif des billets",
        "Le billet coûte 12 euros pour les adultes. L’entrée est gratuite pour les enfants.",
        "/fr/tarifs/",
        "fr",
    ),
    Passage("Wi-Fi", "Wi-Fi: network MUSEUM-GUEST, password rembrandt.", "/wifi/", ""),
)

HOSTILE = (
    "",
    "   ",
    "?!…",
    "'\"; DROP TABLE voice_knowledgedocument; --",
    'ticket" OR "price',
    "NEAR(ticket price) AND * NOT ^ - : {title}",
    "___",
    "ticket\x00price",
    "\ud800 ticket",
    "🎟️🎟️🎟️",
    "門票多少錢",
    "ticket " * 5_000,
)


def titles(passages: tuple[Passage, ...]) -> list[str]:
    return [passage.title for passage in passages]


class KnowledgeContract:
    """Claims about :class:`voice.knowledge.base.Knowledge`."""

    async def test_the_passage_that_answers_comes_first_and_whole(self, knowledge: Knowledge) -> None:
        first, *_ = await knowledge.search("What are the ticket prices?", language="en", limit=3)
        expected = TEXTS[1]
        found = (first.title, first.text, first.url, first.language)
        assert found == (expected.title, expected.text, expected.url, expected.language)

    @pytest.mark.parametrize(
        ("question", "language", "title"),
        [
            ("when is the museum open", "en", "Opening hours of the museum"),
            ("can I leave my luggage in a cloakroom", "en", "Cloakroom and luggage"),
            ("quels sont les horaires du musée", "fr", "Horaires d’ouverture du musée"),
            ("combien coûte le billet", "fr", "Tarif des billets"),
        ],
    )
    async def test_each_language_has_its_answers(
        self, knowledge: Knowledge, question: str, language: str, title: str
    ) -> None:
        assert titles(await knowledge.search(question, language=language, limit=3))[0] == title

    async def test_a_half_spoken_question_is_enough(self, knowledge: Knowledge) -> None:
        assert titles(await knowledge.search("so what do the tickets", language="en", limit=1)) == ["Ticket prices"]

    async def test_the_best_is_first(self, knowledge: Knowledge) -> None:
        passages = await knowledge.search("museum opening hours, and ticket prices", language="en", limit=6)
        scores = [passage.score for passage in passages]
        assert len(scores) > 1
        assert scores == sorted(scores, reverse=True)

    @pytest.mark.parametrize("limit", [1, 2])
    async def test_no_more_than_the_limit(self, knowledge: Knowledge, limit: int) -> None:
        found = await knowledge.search("museum opening hours, and ticket prices", language="en", limit=limit)
        assert len(found) == limit

    @pytest.mark.parametrize("tag", ["fr", "fr-CA", "FR"])
    async def test_a_language_tag_means_its_language(self, knowledge: Knowledge, tag: str) -> None:
        found = await knowledge.search("musée, billet, horaires", language=tag, limit=6)
        assert {passage.language for passage in found} <= {"fr", ""}
        assert "Tarif des billets" in titles(found)

    @pytest.mark.parametrize("language", ["en", "fr"])
    async def test_a_text_without_a_language_serves_everyone(self, knowledge: Knowledge, language: str) -> None:
        assert "Wi-Fi" in titles(await knowledge.search("Wi-Fi password", language=language, limit=3))

    @pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
    async def test_any_text_is_a_question(self, knowledge: Knowledge, query: str) -> None:
        assert len(await knowledge.search(query, language="en", limit=3)) <= 3

    @pytest.mark.parametrize("query", ["", "  \n"])
    async def test_no_question_finds_nothing(self, knowledge: Knowledge, query: str) -> None:
        assert await knowledge.search(query, language="en", limit=3) == ()

    async def test_sessions_that_search_at_once_do_not_disturb_each_other(self, knowledge: Knowledge) -> None:
        questions = ["ticket prices", "opening hours of the museum", "Wi-Fi password", "cloakroom for luggage"] * 6
        alone = [titles(await knowledge.search(q, language="en", limit=2)) for q in questions[:4]]
        found = await asyncio.gather(*(knowledge.search(q, language="en", limit=2) for q in questions))
        assert [titles(passages) for passages in found] == alone * 6

    async def test_a_search_may_be_cancelled(self, knowledge: Knowledge) -> None:
        search = asyncio.create_task(knowledge.search("ticket prices", language="en", limit=1))
        await asyncio.sleep(0)
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search
        assert await knowledge.search("ticket prices", language="en", limit=1)

    async def test_a_search_after_closing_opens_it_again(self, knowledge: Knowledge) -> None:
        assert await knowledge.search("ticket prices", language="en", limit=1)
        await knowledge.close()
        await knowledge.close()
        assert await knowledge.search("ticket prices", language="en", limit=1)

    async def test_trouble_has_one_name(self, unreachable: Knowledge) -> None:
        with pytest.raises(KnowledgeError):
            await unreachable.search("ticket prices", language="en", limit=1)

    def test_it_has_a_name_for_records(self, knowledge: Knowledge) -> None:
        assert knowledge.name
