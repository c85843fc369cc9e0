"""Texts cut into sentences, and sentences into pieces that a voice can say in one breath."""

from __future__ import annotations

import re

#: Words in one spoken piece: some ten seconds of speech.
BREATH = 25
_SHORTEST_PIECE = 6

_END = re.compile(r"[.!?…]+[\"'»”’)\]]*\s+")
_LINE = re.compile(r"\s*\n[\s\-–•*#>]*")
_BULLET = re.compile(r"^[\s\-–•*#>]+")

#: Abbreviations that a name or an example follows: never the end of a sentence.
_NEVER_END = {
    "mr.", "mrs.", "ms.", "dr.", "prof.", "vs.", "e.g.", "i.e.", "approx.", "fig.", "mm.", "mme.", "mlle.",
    "env.", "ex.", "p.ex.", "tel.", "tél.", "art.", "av.", "bd.", "chap.", "p.", "pp.", "cf.", "c.-à-d.",
}  # fmt: skip
#: Words that are abbreviations only where a number follows ("No. 5").
_BEFORE_NUMBER = {"no.", "nos.", "n."}
#: Abbreviations that may end a sentence ("9 a.m.", "etc."): they do where a capital letter follows.
_MAY_END = re.compile(r"^(?:(?:\w\.){2,}|etc\.|st\.|ave\.|inc\.|ltd\.)$")
_INITIAL = re.compile(r"^[A-ZÀ-Þ]\.$")

#: Good places to cut a long sentence, the best kind first.
_CUTS = (
    re.compile(r"[;:,–—]\s"),
    re.compile(r"\s(?=(?:and|or|but|because|which|et|ou|mais|car|qui)\s)", re.IGNORECASE),
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, white space made single. A line of a list or a heading is a sentence of its own."""
    lines = (_BULLET.sub("", line) for line in _LINE.split(text))
    return [sentence for line in lines for sentence in _in_line(" ".join(line.split()))]


def breaths(sentence: str) -> list[str]:
    """``sentence`` in pieces of at most ``BREATH`` words, cut at commas and conjunctions where there are any."""
    pieces = []
    while len(sentence.split()) > BREATH:
        cut = _last_cut(sentence)
        pieces.append(sentence[:cut].strip())
        sentence = sentence[cut:].strip()
    return [*pieces, sentence] if sentence else pieces


def _in_line(line: str) -> list[str]:
    found, start = [], 0
    for end in _END.finditer(line):
        if _is_end(line[start : end.end()].split()[-1], line[end.end() :]):
            found.append(line[start : end.end()].strip())
            start = end.end()
    return [*found, line[start:]] if line[start:] else found


def _is_end(word: str, rest: str) -> bool:
    bare = word.lstrip("(\"'«“‘")
    plain = bare.lower()
    if plain in _NEVER_END or _INITIAL.match(bare):
        return False
    if plain in _BEFORE_NUMBER:
        return not rest[:1].isdigit()
    if _MAY_END.match(plain):
        return rest[:1].isupper()
    return not rest[:1].islower()


def _last_cut(sentence: str) -> int:
    """Where the first piece ends: at the last good place within ``BREATH`` words, or else right after them."""
    limit = _end_of_word(sentence, BREATH)
    earliest = _end_of_word(sentence, _SHORTEST_PIECE)
    for cut in _CUTS:
        places = [found.end() for found in cut.finditer(sentence, 0, limit) if found.end() >= earliest]
        if places:
            return places[-1]
    return limit


def _end_of_word(sentence: str, number: int) -> int:
    ends = [word.end() for word in re.finditer(r"\S+", sentence)]
    return ends[number - 1]
