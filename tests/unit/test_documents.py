"""The documents are all in the README and in their index, and no link or path of theirs leads nowhere."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "voice/docs").glob("*.md"))]


def anchors(path: Path) -> set[str]:
    """Of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_lists_every_document() -> None:
    listed = re.findall(r"\]\(voice/docs/([\w.]+)\)", (ROOT / "README.md").read_text())
    assert {path.name for path in (ROOT / "voice/docs").iterdir() if path.suffix in {".md", ".yaml"}} <= {*listed}


def test_the_index_lists_every_document() -> None:
    index = ROOT / "voice/docs/README.md"
    listed = re.findall(r"^- \[([\w.]+)\]\(\1\)", index.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(
        path.name for path in index.parent.iterdir() if path.suffix in {".md", ".yaml"} and path != index
    )


def test_the_french_of_the_readme_is_set_as_french_is() -> None:
    french = (ROOT / "README.md").read_text().partition("## En français\n")[2].partition("\n## ")[0]
    words = re.sub(r"`[^`]*`|\]\([^)]*\)", "", french)
    assert not re.findall(r"[^\u00a0][;:?!»]|«[^\u00a0]|'", words)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_is_named_is_there(path: Path) -> None:
    there = {test.stem for test in (ROOT / "tests").rglob("test_*.py")}
    assert {*re.findall(r"`(test_\w+)`", path.read_text())} <= there


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target, _, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#?)([^)\s]*)\)", path.read_text()):
        there = path.parent / target if target else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_is_named_is_there(path: Path) -> None:
    """Those of this repository; a template may be named as Django does."""
    named = re.findall(r"`((?:voice|project|tests)/[\w./@-]+)`", path.read_text())
    assert [name for name in named if not (ROOT / name).exists() and not _template(name)] == []


def _template(name: str) -> bool:
    return (ROOT / "voice/templates" / name).exists()
