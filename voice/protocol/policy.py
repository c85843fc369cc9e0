"""What a site may turn about how a conversation uses its knowledge. Cheap to import: the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Retrieval = Literal["prefetch", "sequential", "off"]
"""When the knowledge is searched: while the visitor speaks, after that, or never."""


@dataclass(frozen=True, slots=True)
class PrefetchPolicy:
    """When the knowledge is searched while the visitor still speaks."""

    first_words: int = 5
    """The first search starts when this many words stand."""
    more_words: int = 6
    """Another one when this many further words stand. On 140 questions of 13 words (``voice/docs/latency.md``) three
    found 1 % more, and wasted half as many searches again."""
    closing_words: int = 2
    """Another one when this many further words stand and a question mark closes them: that is the whole question,
    and the VAD has yet to wait for its silence."""
    page_words: int = 10
    """A question of up to so many words is also searched for as one about the visitor's page."""
    characters_per_word: int = 3
    """In scripts without spaces between words, this many characters count as one."""
    quiet_ms: int = 150
    """A last word that has stood unchanged this long counts as closed."""
    fit: float = 0.4
    """Share of the question's words that a search must have known for its passages to be used as they are. More of
    it finds more, and waits for it: with 450 ms a search, 0.6 let 18 % of 140 answers wait for 150 ms or more and had
    89 % of the passages right; 0.4 let 4 % wait and had 83 %."""
    quick_fit: float = 0.8
    """The same share where the knowledge is quick, so that a last search hardly delays an answer."""
    quick_ms: int = 100
    """A knowledge is quick that answered the search before within this time."""
    budget_ms: int = 200
    """How long the answer may wait for retrieval, from the end of speech."""
    typed_budget_ms: int = 1_000
    """The same for a typed question: nothing could be searched for while it was on its way, and who types expects to
    wait for a moment."""
    sequential_budget_ms: int = 5_000
    """The same where the answer is meant to wait: for the end of the transcript, then for the search."""


@dataclass(frozen=True, slots=True)
class ContextPolicy:
    """How much of the knowledge goes into one turn."""

    passages: int = 5
    characters: int = 3_000
    """Budget of the passages' texts together; about 750 tokens."""
    keep: bool = True
    """Leave the context in the conversation after its answer (cheaper than taking it out, and follow-up questions
    can still use it), or delete it as soon as the answer is done."""
