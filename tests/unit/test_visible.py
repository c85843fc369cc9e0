"""Stored text that would hide, reorder or calculate is written out."""

import pytest

from voice.visible import cell, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Réparer une crevaison", "Réparer une crevaison"),
        ("admin\u202egpj.exe", "admin\\u202egpj.exe"),
        ("a\x00b\x1b[31m\r\n\t", "a\\u0000b\\u001b[31m\\u000d\\u000a\\u0009"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\u2066isolated\u2069\u2028", "\\u2066isolated\\u2069\\u2028"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("<script>", "<script>"),
        ("espace\N{NO-BREAK SPACE}fine", "espace\N{NO-BREAK SPACE}fine"),
    ],
)
def test_what_hides_or_controls_text_is_written_out(text, seen):
    assert visible(text) == seen


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "  =1", "\t=1", "\r@x", "＝1", "\n-2"]
)
def test_no_cell_begins_like_a_formula(text):
    assert cell(text).startswith("'")


@pytest.mark.parametrize("text", ["", "amelie", "a=b", "1-2", "\u202e=1"])
def test_other_cells_are_left_alone_but_for_what_hides(text):
    assert cell(text) == visible(text)
