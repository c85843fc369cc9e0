"""``voice/docs/settings.md`` names every setting with its type and default, variable, command and system check."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from django.conf import settings
from django.core.checks import registry
from django.core.management import BaseCommand, get_commands, load_command_class

from project.settings import env
from voice.conf import INSTRUCTIONS, VoiceSettings

ROOT = Path(settings.BASE_DIR)
DOCUMENT = (ROOT / "voice/docs/settings.md").read_text()
DJANGOS_OWN = {
    flag for action in BaseCommand().create_parser("manage.py", "any")._actions for flag in action.option_strings
} | {"--skip-checks"}
WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`True` or `False`",
    type(None): "`None`",
    Decimal: "decimal",
}


def sections(kind: type[Any] = VoiceSettings, title: str = "VOICE") -> Iterator[tuple[str, type[Any]]]:
    """Every dict of settings by its heading, the outermost first."""
    yield f"`{title}`", kind
    for name, inner in get_type_hints(kind).items():
        if is_dataclass(inner):
            key = name.upper() if kind is VoiceSettings else name
            yield from sections(inner, f'{title}["{key}"]')  # type: ignore[arg-type]


def kind_of(hint: Any) -> str:
    """A type as the document spells it."""
    inner = get_args(hint)
    if get_origin(hint) is Literal:
        return ", ".join(f'`"{value}"`' for value in inner)
    if get_origin(hint) is tuple:
        return f"list of {kind_of(inner[0])}s"
    if get_origin(hint) is Mapping:
        return "dict of dicts" if is_dataclass(inner[1]) else f"dict of {kind_of(inner[1])}s"
    return " or ".join(map(kind_of, inner)) if inner else WORDS[hint]


def default_of(field: Field[Any]) -> str:
    """A default as the document spells it."""
    value = field.default if field.default is not MISSING else field.default_factory()  # type: ignore[misc]
    if value == INSTRUCTIONS:
        return "in `voice/conf.py`"
    if isinstance(value, str | dict | tuple):
        return f"`{json.dumps(value)}`"
    return f"`{value}`"


def rows(title: str) -> dict[str, list[str]]:
    """The table below a heading: its rows' cells by the first, which is in backquotes."""
    _, heading, rest = DOCUMENT.partition(f"# {title}\n")
    assert heading, f"there is no heading {title!r}"
    lines = re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]
    return {first.strip("` "): others for first, *others in cells}


@pytest.mark.parametrize(("title", "kind"), [*sections()])
def test_every_key_is_there_with_its_type_and_default(title: str, kind: type[Any]) -> None:
    hints = get_type_hints(kind)
    expected = {
        field.name.upper() if kind is VoiceSettings else field.name: [kind_of(hints[field.name]), default_of(field)]
        for field in fields(kind)
        if not is_dataclass(hints[field.name])
    }
    assert {name: others[:2] for name, others in rows(title).items()} == expected


@pytest.mark.parametrize("title", [title for title, _ in sections()])
def test_every_key_has_a_meaning(title: str) -> None:
    assert all(len(others) == 3 and others[2] for others in rows(title).values())


def test_every_variable_of_the_environment_is_there_and_no_other() -> None:
    assert sorted(rows("The environment of this project")) == sorted(env.dump())


def test_every_command_is_there_with_its_options_and_no_other() -> None:
    documented = {name.split()[0].strip("`,"): others[-1] for name, others in rows("Commands").items()}
    ours = {name: app for name, app in get_commands().items() if app in {"voice", "project.demo"}}
    assert sorted(documented) == sorted(ours)
    measured = "".join((ROOT / "voice/docs/latency.md").read_text().partition("## Measure it yourself")[1:])
    for name, app in ours.items():
        parser = load_command_class(app, name).create_parser("manage.py", name)
        options = {flag for action in parser._actions for flag in action.option_strings} - DJANGOS_OWN
        listed = measured if "latency.md" in documented[name] else documented[name]
        assert {*re.findall(r"`(--[a-z-]+)", listed)} == options, name


def test_every_system_check_is_there_and_no_other() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "voice/checks").glob("*.py"))
    known = re.findall(r'id="(voice\.[EW]\d{3})"', sources)
    assert len(known) == len({*known})
    assert [*rows("System checks")] == sorted(known)


def test_no_check_of_this_app_is_left_unregistered() -> None:
    registered = {check.__name__ for check in registry.registry.get_checks(include_deployment_checks=True)}
    sources = "".join(path.read_text() for path in (ROOT / "voice/checks").glob("*.py"))
    assert {*re.findall(r"^def (check_\w+)", sources, re.MULTILINE)} <= registered
