"""Paths to the fields of events, checked against the types when a filter is made."""

from __future__ import annotations

import difflib
import enum
import re
import types
import typing
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from ..errors import ConfigError
from ..model.event import DataEvent, EventPriority
from ..model.export import PAYLOADS
from ..model.identity import Instrument
from ..model.noun import field_types

MISSING = object()
"""What a path leads to where there is nothing."""


NUMBERS = frozenset({int, float, Decimal, EventPriority})
"""Types whose values have an order as numbers."""


def snake(part: str) -> str:
    """``gasPrice`` as ``gas_price``: nodes' spellings work in paths too."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", part).lower()


@attrs.frozen
class FieldPath:
    """A checked path."""

    text: str
    parts: tuple[str, ...]
    types: tuple[Any, ...]
    """The field's types, several where payloads differ; empty where they are not known, as
    within metadata."""

    def follow(self, event: DataEvent) -> Any:
        """The value, or MISSING; bytes as ``0x`` text, as everywhere outside."""
        value: Any = event
        for part in self.parts:
            if isinstance(value, Mapping):
                value = value.get(part, MISSING)
            else:
                value = getattr(value, part, MISSING)
            if value is MISSING:
                return MISSING
        return "0x" + value.hex() if isinstance(value, bytes) else value


def parse_path(text: str, payloads: Iterable[type] = ()) -> FieldPath:
    """Check a path such as ``data.value``, ``source`` or ``metadata.subscription_id``.

    Args:
        text: parts joined by dots; ``data.`` leads into the payload.
        payloads: a plug-in's own payload classes, beside the model's.

    Raises:
        ConfigError: no event has such a field.
    """
    raw = text.split(".")
    fields = field_types(DataEvent)
    first = snake(raw[0])
    if first not in fields:
        raise ConfigError(f"path {text!r}: an event has no {raw[0]!r}; it has {_names(fields)}")
    if first == "metadata":
        return FieldPath(text, (first, *raw[1:]), ())
    if first != "data" or len(raw) == 1:
        if len(raw) > 1:
            raise ConfigError(f"path {text!r}: {first} has no fields of its own")
        hint = plain_type(fields[first])
        return FieldPath(text, (first,), () if hint is Any else (hint,))
    return _in_payload(text, raw[1:], (*PAYLOADS, *payloads))


def _in_payload(text: str, raw: list[str], classes: tuple[type, ...]) -> FieldPath:
    parts = ["data"]
    found: list[Any] = []
    for part in raw:
        name = snake(part)
        types_of = [field_types(c)[name] for c in classes if name in field_types(c)] or [
            # A property is a field for whoever reads; selector is one.
            typing.get_type_hints(c.__dict__[name].fget).get("return")
            for c in classes
            if isinstance(c.__dict__.get(name), property)
        ]
        if not types_of:
            known = sorted({name for c in classes for name in field_types(c)})
            close = difflib.get_close_matches(name, known, 3, 0.5)
            hint = f"near it are {_names(close)}" if close else f"known are {_names(known)}"
            raise ConfigError(f"path {text!r}: no payload has {part!r}; {hint}")
        parts.append(name)
        found = list(dict.fromkeys(map(plain_type, types_of)))
        classes = tuple(c for c in found if isinstance(c, type))
    return FieldPath(text, tuple(parts), () if None in found or Any in found else tuple(found))


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


def plain_type(hint: Any) -> Any:
    """A type without its ``| None``, an alias by NewType as what it stands for; None where
    there are several."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        rest = [plain_type(a) for a in typing.get_args(hint) if a is not type(None)]
        return rest[0] if len(rest) == 1 else None
    return getattr(hint, "__supertype__", hint)


def operand(path: FieldPath, value: Any) -> Any:
    """A configured value as the field's own type: ``"0x3b9aca00"`` is a number to an integer.

    Raises:
        ConfigError: it can never be compared with the field.
    """
    problem: ValueError | None = None
    for kind in path.types:
        try:
            return _fit(kind, value)
        except ValueError as error:
            problem = problem or error
    if problem is not None:
        raise ConfigError(f"path {path.text!r}: {value!r} does not fit: {problem}")
    return value


def _fit(kind: Any, value: Any) -> Any:
    if kind in NUMBERS and kind is not EventPriority:
        return float(number(value)) if kind is float else number(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _member(kind, value)
    if kind is Instrument:
        return value if isinstance(value, Instrument) else Instrument.parse(str(value))
    if kind in {str, bytes}:
        text = _of_type(value, str, "not text")
        return text.lower() if text.startswith("0x") else text  # as hashes are kept
    if kind is bool:
        return _of_type(value, bool, "not true or false")
    return _of_type(value, kind, "the field is not a single value")


def _of_type(value: Any, kind: Any, problem: str) -> Any:
    if not isinstance(kind, type) or not isinstance(value, kind):
        raise ValueError(problem)
    return value


def number(value: Any) -> int | Decimal:
    """A number, or text that is one, also as ``0x`` text; ValueError for anything else."""
    if isinstance(value, str) and value.lower().startswith("0x"):
        return int(value, 16)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not found.is_finite():
        raise ValueError("not a finite number")
    return found


def _member(kind: type[enum.Enum], value: Any) -> enum.Enum:
    if isinstance(value, kind):
        return value
    for member in kind:
        if value == member.value or str(value).upper() == member.name:
            return member
    raise ValueError(f"not one of {_names(m.name.lower() for m in kind)}")
