"""Whatever the app says by gettext, it says in French too."""

import ast
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}


def said(module: Path) -> Iterator[str]:
    """The sentences of a module that are to be translated."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            first = node.args[1 if node.func.id.startswith("pgettext") else 0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_every_sentence_of_the_code_has_its_french():
    with (ROOT / "voice/locale/fr/LC_MESSAGES/django.mo").open("rb") as file:
        french = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    known = {key[0] if isinstance(key, tuple) else key for key in french}
    sentences = [(path, text) for path in ROOT.glob("voice/**/*.py") for text in said(path)]
    assert len(sentences) > 100
    assert [f"{path.name}: {text}" for path, text in sentences if text not in known] == []
