"""Each end of a conversation is told in words, in each language of the site."""

from django.utils import translation

from voice.messages import MESSAGES
from voice.protocol.outcomes import EndReason


def sentences(language: str) -> dict[EndReason, str]:
    with translation.override(language):
        return {reason: str(MESSAGES[reason]) for reason in EndReason}


def test_every_reason_has_a_sentence_in_english_and_french() -> None:
    english, french = sentences("en"), sentences("fr")
    assert all(text.endswith(".") for text in (*english.values(), *french.values()))
    assert [reason.value for reason in EndReason if french[reason] == english[reason]] == []
