"""``voice/docs/integrate.md`` keeps what it promises; ``tests/integration/test_integrate.py`` follows it."""

from tests.document import blocks


def test_it_takes_less_than_ten_lines() -> None:
    lines = [line for block in blocks() if block.heading == "The eight lines" for line in block.lines if line]
    assert len(lines) == 8
