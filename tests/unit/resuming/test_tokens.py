"""A token names a session and holds a secret; only its digest is stored."""

import pytest

from voice.resuming.tokens import ResumeToken

SESSION = "0198c1f0a5b74c0d8f6f2a4f7f1d9a35"


def test_a_token_is_read_as_it_was_written():
    token = ResumeToken.new(SESSION)
    read = ResumeToken.parse(token.text)
    assert read == token
    assert read.digest == token.digest


def test_no_two_tokens_are_alike_and_none_shows_its_secret():
    one, other = ResumeToken.new(SESSION), ResumeToken.new(SESSION)
    assert one.secret != other.secret
    assert one.digest != other.digest
    assert one.secret not in repr(one) + one.digest


@pytest.mark.parametrize(
    "text",
    ["", ".", SESSION, f"{SESSION}.", f".{'a' * 43}", f"{SESSION}.{'a' * 42}", f"{SESSION}.{'a' * 44}",
     f"{SESSION.upper()}.{'a' * 43}", f"{SESSION}.{'é' * 43}", f"{SESSION}.{'a' * 43}\n"],
)  # fmt: skip
def test_anything_else_is_no_token(text: str):
    assert ResumeToken.parse(text) is None
