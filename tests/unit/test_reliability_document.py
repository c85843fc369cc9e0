"""What ``voice/docs/reliability.md`` says is so: its sentences, its codes and the tests that it names."""

import re
from gettext import GNUTranslations
from pathlib import Path

import pytest

from voice.protocol.outcomes import EndReason

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "voice/docs/reliability.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in DOCUMENT.splitlines() if line[:2] == "| "]
WORDS = [row for row in ROWS if re.match(r"`(notice|reason)\.", row[0])]


@pytest.mark.parametrize(("code", "english", "french"), WORDS, ids=[row[0] for row in WORDS])
def test_its_sentences_are_the_widgets(code: str, english: str, french: str) -> None:
    words = (ROOT / "voice/templates/voice/words.html").read_text()
    assert f'data-word="{code.strip("`")}">{{% translate "{english}" %}}' in words
    with (ROOT / "voice/locale/fr/LC_MESSAGES/django.mo").open("rb") as file:
        assert GNUTranslations(file).gettext(english) == french.strip(" |")


def test_its_codes_belong_to_their_reasons() -> None:
    told = re.findall(r"(\d{4}) ((?:`[a-z_]+`(?:, )?)+)", DOCUMENT)
    pairs = [(int(code), EndReason(reason)) for code, reasons in told for reason in re.findall(r"`(\w+)`", reasons)]
    assert len(pairs) > 15
    assert [(reason, code) for code, reason in pairs if reason.ending.code != code] == []


def test_the_tests_that_it_names_exist() -> None:
    named = set(re.findall(r"`(?:tests/[a-z/]+/)?(test_[a-z_]+)`", DOCUMENT))
    assert len(named) > 10
    assert named <= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


def test_the_tests_that_it_quotes_exist() -> None:
    """By the beginning of their names."""
    for file, beginning in re.findall(r"`(test_[a-z_]+)`: ([a-z -]+)", DOCUMENT):
        sources = "".join(path.read_text() for path in (ROOT / "tests").rglob(f"{file}.py"))
        assert f"def test_{re.sub('[ -]', '_', beginning.strip())}" in sources, f"{file}: {beginning}"
