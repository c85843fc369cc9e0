"""A frozen dataclass from a dict of settings: every key must be a field's name, every value of the field's type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal, InvalidOperation
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Options = TypeVar("Options")


def read(
    kind: type[Options], given: object, where: str, problems: list[str], spell: Callable[[str], str] = str
) -> Options | None:
    """``kind`` with what ``given`` says, and its own defaults for the rest; ``None`` if something is wrong.

    A field that is itself a dataclass is read from a dict in turn, a tuple from a list too. ``spell`` makes a field's
    name into the key of this level. Each thing that is wrong adds a sentence to ``problems``, which names its key
    (``where`` is the dict's own name) and never shows a value, for values may be secrets.
    """
    if not isinstance(given, Mapping):
        problems.append(f"{where} must be a dict, not {type(given).__name__}.")
        return None
    hints = get_type_hints(kind)
    names = {spell(each.name): each.name for each in fields(cast(Any, kind))}
    found = [f"{where}[{key!r}] is unknown; known are {', '.join(names)}." for key in given if key not in names]
    values = {
        name: _value(hints[name], given[key], f"{where}[{key!r}]", found) for key, name in names.items() if key in given
    }
    problems += found
    return None if found else _build(kind, values, where, problems)


def fits(value: object, kind: Any) -> bool:
    """Whether ``value`` is of the annotated ``kind``, as far as settings need it.

    A whole number is good for ``float``; ``True`` is no number; a list is good for a tuple.
    """
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, list | tuple) and all(fits(member, inner[0]) for member in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(fits(k, inner[0]) and fits(v, inner[1]) for k, v in value.items())
    if isinstance(value, bool):
        return origin is bool
    return isinstance(value, int | float if origin is float else origin)


def _value(kind: Any, value: object, where: str, problems: list[str]) -> Any:
    if is_dataclass(kind):
        return read(cast(type[Any], kind), value, where, problems)
    inner = get_args(kind)
    if get_origin(kind) is Mapping and is_dataclass(inner[1]) and isinstance(value, Mapping):
        return {
            key: read(cast(type[Any], inner[1]), each, f"{where}[{key!r}]", problems) for key, each in value.items()
        }
    if kind is Decimal or Decimal in inner:
        value = _decimal(value)
    if not fits(value, kind):
        problems.append(f"{where} must be {_name(kind)}.")
    return tuple(value) if isinstance(value, list) else value


def _decimal(value: object) -> object:
    """A number, or a text of one, as the decimal that it was written as; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


def _build(kind: type[Options], values: dict[str, Any], where: str, problems: list[str]) -> Options | None:
    try:
        return kind(**values)
    except ValueError as error:  # what the dataclass itself found wrong
        problems.append(f"{where}: {error}.")
        return None


def _name(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(map(_name, get_args(kind)))
    if kind is type(None):
        return "None"
    return str(kind) if get_args(kind) else str(kind.__name__)
