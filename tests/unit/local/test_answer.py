"""Answers are read from the passages: the right sentences, honestly, in the right language, in short pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.context import Passage
from voice.upstream.local.answer import MOST_SENTENCES, MOST_WORDS, Background, compose, needs_knowledge
from voice.upstream.local.follow_up import is_follow_up
from voice.upstream.local.sentences import BREATH, breaths, sentences
from voice.upstream.local.spoken import spoken
from voice.upstream.local.words import language_of, stems

HOURS = Passage(
    "Opening hours",
    "The garden belongs to everybody. We are open from Monday to Saturday from 9 a.m. to 7 p.m. "
    "On Sundays we open at 10 a.m. and close at 1 p.m. Please use the east gate.",
    language="en",
)
TICKETS = Passage("Tickets", "A ticket costs €12. Students pay half. Children under six come in free.", language="en")
HORAIRES = Passage(
    "Horaires",
    "Nous ouvrons du lundi au samedi de 9 h à 19 h. Le dimanche, nous fermons à 13 h. L'entrée se fait à l'est.",
    language="fr",
)
TARIFS = Passage("Tarifs", "Un billet coûte 12 €. Les étudiants paient la moitié.", language="fr")


def answer(question: str, *passages: Passage, language: str = "en", **background: object) -> str:
    found = compose(question, Background(passages, **background), language)  # type: ignore[arg-type]
    return " ".join(sentence.text for sentence in found)


class TestThePageThatTheVisitorLooksAt:
    def test_is_read_from_where_nothing_was_found(self) -> None:
        assert answer("How much is a ticket?", page=TICKETS).startswith("A ticket costs €12.")

    def test_but_only_if_it_speaks_of_what_is_asked(self) -> None:
        assert answer("Where is the lost property office?", page=TICKETS) == answer(
            "Where is the lost property office?"
        )

    def test_gives_way_to_what_was_found_for_the_question(self) -> None:
        assert answer("When are you open on Sundays?", HOURS, page=TICKETS).startswith("On Sundays")


class TestChoosing:
    def test_begins_with_the_sentence_that_answers(self) -> None:
        assert answer("When are you open on Sundays?", HOURS).startswith("On Sundays we open at 10 a.m.")

    def test_prefers_a_number_where_one_is_asked_for(self) -> None:
        assert answer("How much is it?", TICKETS).startswith("A ticket costs €12.")

    def test_begins_at_the_beginning_where_no_word_is_shared(self) -> None:
        assert answer("Tell me something nice", TICKETS).startswith("A ticket costs")

    def test_is_short(self) -> None:
        long = Passage("Rules", " ".join(f"Rule {n} is about dogs and other animals." for n in range(40)))
        assert len(compose("What about dogs?", Background((long,)), "en")) <= MOST_SENTENCES

    def test_leaves_an_endless_sentence_where_one_breathes(self) -> None:
        endless = Passage("Rules", "This goes on, and on, " * 50)
        assert (
            sum(len(sentence.text.split()) for sentence in compose("Rules?", Background((endless,)), "en"))
            <= MOST_WORDS
        )

    def test_trusts_the_order_of_the_search_where_words_say_nothing(self) -> None:
        assert answer("What is special here?", TICKETS, HOURS).startswith("A ticket costs")

    def test_takes_a_later_passage_that_speaks_of_all_that_was_asked(self) -> None:
        assert "Students pay half" in answer("What do students pay?", HOURS, TICKETS)

    def test_in_french(self) -> None:
        assert answer("Quand fermez-vous le dimanche ?", HORAIRES, language="fr").startswith("Le dimanche")


class TestHonesty:
    @pytest.mark.parametrize(("language", "words"), [("en", "found nothing"), ("fr", "rien trouvé")])
    def test_says_that_it_knows_nothing(self, language: str, words: str) -> None:
        assert words in answer("What is the capital of Peru?", language=language)

    def test_an_empty_passage_is_nothing(self) -> None:
        assert "found nothing" in answer("What is this?", Passage("Empty", " \n "))

    @pytest.mark.parametrize("question", ["", "  ", "...", "?!"])
    def test_says_that_it_did_not_understand(self, question: str) -> None:
        assert "did not understand" in answer(question, HOURS)

    def test_says_so_before_it_reads_another_language(self) -> None:
        found = compose("Do you have a car park?", Background((HORAIRES,)), "en")
        assert found[0].language == "en"
        assert {sentence.language for sentence in found[1:]} == {"fr"}

    def test_prefers_a_passage_in_the_language_of_the_question(self) -> None:
        assert answer("Is it expensive?", TARIFS, TICKETS).startswith("A ticket")


class TestSmallTalk:
    @pytest.mark.parametrize(
        ("question", "language", "words"),
        [
            ("Hello!", "en", "Hello"),
            ("Thank you very much.", "en", "welcome"),
            ("Thanks, bye!", "en", "Goodbye"),
            ("Bonjour madame", "fr", "Bonjour"),
            ("Merci beaucoup", "fr", "plaisir"),
            ("Au revoir !", "fr", "Au revoir"),
        ],
    )
    def test_is_answered_without_knowledge(self, question: str, language: str, words: str) -> None:
        assert not needs_knowledge(question)
        assert words in answer(question, HOURS, language=language)

    @pytest.mark.parametrize("question", ["Hello, when do you open?", "Bonjour, où est la gare ?", "Thanks to whom?"])
    def test_with_a_question_is_a_question(self, question: str) -> None:
        assert needs_knowledge(question)

    def test_repeats_what_was_heard(self) -> None:
        assert answer("Can you repeat that please?", said="A ticket costs €12.") == "A ticket costs €12."


class TestFollowUps:
    @pytest.mark.parametrize("question", ["And on Sundays?", "Et le dimanche ?", "What about children?", "On Sundays?"])
    def test_are_known_by_their_form(self, question: str) -> None:
        assert is_follow_up(question)

    @pytest.mark.parametrize(
        "question", ["When do you open on Sundays?", "Combien coûte un billet ?", "Opening hours", ""]
    )
    def test_whole_questions_are_none(self, question: str) -> None:
        assert not is_follow_up(question)

    def test_keep_to_the_topic(self) -> None:
        concert = Passage("Concerts", "On Sundays there is music in the garden.", language="en")
        text = answer("And on Sundays?", concert, topic="When do you open?", earlier=(HOURS,))
        assert text.startswith("On Sundays we open at 10 a.m.")

    def test_keep_to_the_topic_in_french(self) -> None:
        concert = Passage("Concerts", "Le dimanche, il y a de la musique.", language="fr")
        text = answer("Et le dimanche ?", concert, language="fr", topic="Quand ouvrez-vous ?", earlier=(HORAIRES,))
        assert text.startswith("Le dimanche, nous fermons à 13 h.")


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("We open at 9 a.m. on Mondays. Then we close.", 2),
            ("We open at 9 a.m. On Sundays we do not.", 2),
            ("It costs 3.50 euros. That is all.", 2),
            ("Mr. Smith and Dr. Jones work here.", 1),
            ("Demandez à M. Dupont ou à Mme. Petit.", 1),
            ("Nous ouvrons à 9 h. Le dimanche, nous fermons.", 2),
            ("Take e.g. the train. It is quick!", 2),
            ("Is it open? No. It is closed.", 3),
            ("Use door No. 5 on the left.", 1),
            ("Really?! Yes… She said « oui. » Then she left.", 4),
            ("- milk\n- eggs\n\n# Heading", 3),
            ("", 0),
        ],
    )
    def test_are_told_apart(self, text: str, count: int) -> None:
        assert len(sentences(text)) == count

    def test_long_ones_are_cut_where_one_breathes(self) -> None:
        text = "If you come by train in the morning, take the bus number five to the old bridge, " + "and go " * 10
        first = breaths(text)[0]
        assert first.endswith(",")

    @given(st.text(alphabet="ab ,.;!?\n9-M'é", max_size=300))
    def test_nothing_is_lost_or_too_long(self, text: str) -> None:
        pieces = [piece for sentence in sentences(text) for piece in breaths(sentence)]
        assert all(piece and len(piece.split()) <= BREATH for piece in pieces)
        assert [c for c in "".join(pieces) if c.isalnum()] == [c for c in text if c.isalnum()]


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("See https://example.org/a?b=1.", "en", "See the link shown."),
        ("Voir www.exemple.fr/aide pour l'aide", "fr", "Voir le lien affiché pour l'aide"),
        ("It costs €12.50 & more", "en", "It costs 12.50 euros and more"),
        ("Il coûte 12 €, soit 5 % de moins", "fr", "Il coûte 12 euros, soit 5 pour cent de moins"),
        ("**Bold** and `code`", "en", "Bold and code"),
    ],
)
def test_signs_are_said_as_words(text: str, language: str, said: str) -> None:
    assert spoken(text, language) == said


@pytest.mark.parametrize(
    ("text", "language"),
    [("When do you open?", "en"), ("À quelle heure ouvrez-vous ?", "fr"), ("Wifi?", "xx"), ("12345", "xx")],
)
def test_the_language_of_a_question_is_guessed_by_its_small_words(text: str, language: str) -> None:
    assert language_of(text, "xx") == language


def test_forms_of_a_word_are_the_same_word() -> None:
    assert stems("Sundays tickets ouverts dimanches") == stems("Sunday ticket ouvert dimanche")


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=40), st.sampled_from(["en", "fr", "de"]))
def test_there_is_always_something_to_say(question: str, text: str, topic: str, language: str) -> None:
    found = compose(question, Background((Passage("t", text),), (HOURS,), topic, topic), language)
    assert found
    assert all(sentence.text.strip() for sentence in found)
