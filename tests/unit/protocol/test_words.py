"""Counting and comparing the words of a transcript that is still growing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol import words


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("When do you open?", ["when", "do", "you", "open"]),
        ("don’t l'heure", ["don’t", "l'heure"]),
        ("ÉTÉ Straße", ["été", "strasse"]),
        ("room 12b, 3rd floor…", ["room", "12b", "3rd", "floor"]),
        ("snake_case", ["snake", "case"]),
        ("営業時間", ["営", "業", "時", "間"]),
        ("iPhoneの値段", ["iphone", "の", "値", "段"]),
        (unicodedata.normalize("NFD", "l'été à Orléans"), ["l'été", "à", "orléans"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
    ],
)
def test_words_are_what_a_language_takes_for_one(text: str, tokens: list[str]) -> None:
    assert words.tokens(text) == [unicodedata.normalize("NFC", token) for token in tokens]


@pytest.mark.parametrize(
    ("text", "asking"),
    [
        ("Hi there", []),
        ("Bonjour, euh, alors", []),
        ("Well, hello, when do you open", ["when", "do", "you", "open"]),
        ("Is there parking", ["is", "there", "parking"]),
    ],
)
def test_greetings_and_filler_ask_nothing_at_the_beginning_and_are_words_elsewhere(
    text: str, asking: list[str]
) -> None:
    assert words.asking_words(text) == asking


@pytest.mark.parametrize(
    ("text", "closed", "all_words"),
    [
        ("", 0, 0),
        ("when", 0, 1),
        ("when ", 1, 1),
        ("when do", 1, 2),
        ("when do?", 2, 2),
        ("営業時間は", 1, 1),
        ("営業時間はい", 2, 2),
        ("hello", 0, 0),
    ],
)
def test_a_last_word_that_may_still_grow_is_open(text: str, closed: int, all_words: int) -> None:
    assert words.count(text, 3, closed_only=True) == closed
    assert words.count(text, 3, closed_only=False) == all_words


@pytest.mark.parametrize(
    ("known", "text", "share"),
    [
        ("when do you", "when do you open", 0.75),
        ("When DO you open?", "when do you open", 1.0),
        ("", "when", 0.0),
        ("anything", "", 1.0),
        ("anything", "hi there", 1.0),
        ("when", "when when when", 1.0),
    ],
)
def test_coverage_is_the_share_of_the_words_that_were_known(known: str, text: str, share: float) -> None:
    assert words.coverage(known, text) == share


@given(st.text(max_size=60))
def test_any_text_can_be_counted(text: str) -> None:
    closed, everything = (words.count(text, 3, closed_only=only) for only in (True, False))
    assert 0 <= closed <= everything <= closed + 1
    assert words.coverage(text, text) == 1.0
