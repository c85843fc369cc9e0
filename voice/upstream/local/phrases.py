"""What the embedded provider says by itself, and the small talk that needs no knowledge."""

from __future__ import annotations

from typing import Final

from .words import words

UNKNOWN, UNCLEAR, ELSEWHERE, GREETING, THANKS, GOODBYE, NOTHING_SAID = (
    "unknown", "unclear", "elsewhere", "greeting", "thanks", "goodbye", "nothing_said",
)  # fmt: skip

_PHRASES: Final = {
    "en": {
        UNKNOWN: "I am sorry, I found nothing about that here.",
        UNCLEAR: "I am sorry, I did not understand. Could you say it again?",
        ELSEWHERE: "I found this in another language.",
        GREETING: "Hello! What would you like to know?",
        THANKS: "You are welcome.",
        GOODBYE: "Goodbye!",
        NOTHING_SAID: "I have not said anything yet.",
    },
    "fr": {
        UNKNOWN: "Désolé, je n'ai rien trouvé à ce sujet ici.",
        UNCLEAR: "Désolé, je n'ai pas compris. Pouvez-vous répéter ?",
        ELSEWHERE: "J'ai trouvé ceci dans une autre langue.",
        GREETING: "Bonjour ! Que souhaitez-vous savoir ?",
        THANKS: "Avec plaisir.",
        GOODBYE: "Au revoir !",
        NOTHING_SAID: "Je n'ai encore rien dit.",
    },
}

REPEAT: Final = "repeat"


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What each kind of small talk is recognised by, the first kind first. All other words must be ``_AROUND``.
_SMALL_TALK: Final = {
    REPEAT: _set("repeat repeter repetez repete pardon"),
    GOODBYE: _set("bye goodbye revoir adieu"),
    THANKS: _set("thanks thank merci"),
    GREETING: _set("hello hi hey bonjour bonsoir salut coucou"),
}
_AROUND: Final = _set(
    "a again all and au beaucoup bien can ca cela could dire est et for good great it je la le les l madame monsieur "
    "me much morning evening of ok okay please plait pouvez vous pour s si so sorry super tell that the there to tout "
    "toi tres un very you your help aide nice day bonne journee parfait perfect answer reponse"
)


def phrase(key: str, language: str) -> str:
    """A phrase in a language, English where we have none."""
    return _PHRASES.get(language, _PHRASES["en"])[key]


def small_talk(text: str) -> str | None:
    """Which kind of small talk ``text`` is, if it is nothing else."""
    found = frozenset(words(text))
    for kind, marks in _SMALL_TALK.items():
        if found & marks and found <= _AROUND.union(*_SMALL_TALK.values()):
            return kind
    return None
