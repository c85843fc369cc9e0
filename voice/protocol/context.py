"""Passages of the site's knowledge, and how they are shown to a model: as data, never as instructions.

A passage is untrusted: whoever can edit the site's texts could write "ignore your instructions" into one. So what
reaches the model is stripped of control and bidirectional characters, cut to a budget, numbered, and put between
markers that no passage can contain.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest

from voice.protocol.policy import ContextPolicy

OPEN, CLOSE = "<<<reference data", "end of reference data>>>"
TITLE_LIMIT = 200
"""Characters of a title."""
PAGE_LIMIT = 2_048
"""Characters of the page that the visitor looks at."""


_BREAKS = "\t\r\n\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the site's knowledge. ``score`` is comparable within one search only."""

    title: str
    text: str = field(repr=False)
    url: str = ""
    language: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """What the visitor sees of a passage: its number in the context, its title and where it stands."""

    n: int
    title: str
    url: str


def page_of(title: str, text: str, url: str, language: str) -> Passage | None:
    """The page that the visitor looks at, cleaned and cut like any passage; ``None`` if it says nothing of itself."""
    page = Passage(clean(title)[:TITLE_LIMIT], clean(text)[:PAGE_LIMIT], url, language)
    return page if page.title or page.text else None


def alternate(first: Sequence[Passage], second: Sequence[Passage], limit: int) -> tuple[Passage, ...]:
    """The best of the first, the best of the second, the next best of each: ``limit`` passages, each once."""
    unique: dict[Passage, Passage] = {}
    for passage in chain.from_iterable(zip_longest(first, second)):
        if passage is not None:
            unique.setdefault(replace(passage, score=0.0), passage)
    return tuple(unique.values())[:limit]


def within(passages: Iterable[Passage], policy: ContextPolicy) -> tuple[Passage, ...]:
    """The passages that a turn may use, cleaned and cut to the policy; none that has nothing left to say."""
    chosen: list[Passage] = []
    left = policy.characters
    for passage in passages:
        text = clean(passage.text)[:left]
        if text and len(chosen) < policy.passages:
            left -= len(text)
            chosen.append(replace(passage, title=clean(passage.title)[:TITLE_LIMIT], text=text))
    return tuple(chosen)


def covers(standing: Sequence[Passage], passages: Sequence[Passage]) -> bool:
    """Whether ``standing`` already says what ``passages`` do: the same one first, and none that is missing."""
    known = [replace(passage, score=0.0) for passage in standing]
    wanted = [replace(passage, score=0.0) for passage in passages]
    return known[:1] == wanted[:1] and all(passage in known for passage in wanted)


def sources(passages: Iterable[Passage]) -> tuple[Source, ...]:
    """What the visitor is shown of passages that are :func:`within`, numbered as in :func:`render`."""
    return tuple(Source(n, passage.title, safe_url(passage.url)) for n, passage in enumerate(passages, start=1))


def render(passages: Iterable[Passage]) -> str:
    """Passages that are :func:`within`, as one text for a model."""
    entries = (f"[{n}] {passage.title}\n{passage.text}" for n, passage in enumerate(passages, start=1))
    return "\n\n".join([OPEN, *entries, CLOSE])


def render_page(page: Passage) -> str:
    """The page that the visitor looks at, as one text for a model."""
    return f"{OPEN}\n\n[the page that the visitor looks at] {page.title}\n{page.text}".rstrip() + f"\n\n{CLOSE}"


def clean(text: str) -> str:
    """``text`` without what could hide, reorder or break out: control, format and surrogate characters, markers."""
    kept = "".join(" " if c in _BREAKS else c for c in text if not _is_hidden(c))
    return kept.replace("<<<", "‹").replace(">>>", "›").strip()


def safe_url(url: str) -> str:
    """``url`` if a visitor may be sent there (absolute http or https, or a path of this site), else ``""``."""
    plain = url.strip()
    if any(_is_hidden(c) or c.isspace() or c in "\\<>\"'" for c in plain):
        return ""
    if plain.startswith("/") and not plain.startswith("//"):
        return plain
    return plain if plain.lower().startswith(("https://", "http://")) else ""


def _is_hidden(character: str) -> bool:
    # Cc control, Cf format (bidirectional overrides, zero width, tags), Cs lone surrogates, Co private use.
    return character not in _BREAKS and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"}
