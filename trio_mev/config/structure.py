"""Plain values of a TOML file into frozen settings, by cattrs; unknown keys are refused."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from ..model.event import DataType
from ..model.identity import Endpoint, Instrument, Secret
from ..model.settings import AnyFeed, EthereumSettings, VenueSettings
from ..wire.venues import ADAPTERS

KINDS = {"ethereum": EthereumSettings, **dict.fromkeys(ADAPTERS, VenueSettings)}
MOST_BITS = 256
"""Of a whole number; longer ones cannot even be shown."""


def make_converter(env: Mapping[str, str]) -> cattrs.Converter:
    """A converter whose secrets come from ``env``."""
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)

    def resolve(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("it must be text")
        if not value.startswith("env:"):
            return value
        name = value.removeprefix("env:")
        if not env.get(name):
            raise ValueError(f"the environment has no {name}; set it")
        return env[name]

    def secret(value: Any, _: Any) -> Secret:
        if isinstance(value, str) and not value.startswith("env:"):
            raise ValueError("a secret is written as env:NAME and set in the environment")
        return Secret(resolve(value))

    hooks: list[tuple[Any, Any]] = [
        (Endpoint, lambda value, _: Endpoint(resolve(value))),
        (Secret, secret),
        (Instrument, lambda value, _: Instrument.parse(_text(value))),
        (Decimal, lambda value, _: _decimal(value)),
        (DataType, lambda value, _: _data_type(value)),
        (bool, lambda value, _: _of_type(value, bool, "true or false")),
        (int, lambda value, _: _of_type(value, int, "a whole number")),
        (float, lambda value, _: _float(value)),
        (str, lambda value, _: _text(value)),
        (str | tuple[str, ...] | None, lambda value, _: _topic(value)),
    ]
    for kind, hook in hooks:
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_func(
        lambda t: _origin(t) is Literal, lambda value, t: _choice(value, t)
    )
    converter.register_structure_hook_func(
        lambda t: _origin(t) in {tuple, frozenset}, lambda value, t: _list(converter, value, t)
    )
    converter.register_structure_hook(AnyFeed, lambda value, _: _feed(converter, value))
    converter.register_structure_hook_factory(attrs.has, lambda cls: _table(converter, cls))
    return converter


def _table(converter: cattrs.Converter, cls: Any) -> Callable[[Any, Any], Any]:
    """A class's hook, which tries each field's validator by itself: so every problem is found,
    and each with its path."""

    def of(field: attrs.Attribute[Any]) -> Any:
        def structure(value: Any, kind: Any) -> Any:
            made = converter.structure(value, kind)
            assert field.validator is not None
            field.validator(None, field, made)
            return made

        return override(struct_hook=structure)

    fields = {field.name: of(field) for field in attrs.fields(cls) if field.validator}
    # The names are those of cattrs' own arguments; fields of the settings cannot clash.
    make: Any = make_dict_structure_fn
    inner = make(cls, converter, _cattrs_forbid_extra_keys=True, **fields)

    def structure_table(value: Any, kind: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("it is not a table")
        return inner(value, kind)

    return structure_table


def _origin(kind: Any) -> Any:
    return typing.get_origin(kind)


def _feed(converter: cattrs.Converter, value: Any) -> Any:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(KINDS)}")
    return converter.structure(value, KINDS[kind])


def _list(converter: cattrs.Converter, value: Any, kind: Any) -> Any:
    if not isinstance(value, list):
        raise ValueError("it is not a list")
    items: Any = list.__class_getitem__(typing.get_args(kind)[0])
    return _origin(kind)(converter.structure(value, items))


def _text(value: Any) -> str:
    return str(_of_type(value, str, "text"))


def _of_type(value: Any, kind: Any, what: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{value!r} is not {what}")
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ValueError("the number is too large")
    return value


def _float(value: Any) -> float:
    return float(_of_type(value, (int, float), "a number"))


def _decimal(value: Any) -> Decimal:
    if isinstance(value, int):
        _of_type(value, int, "a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    if isinstance(value, bool) or not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return number


def _data_type(value: Any) -> DataType:
    try:
        return DataType(value)
    except ValueError:
        raise ValueError(
            f"{value!r} is not one of {', '.join(t.value for t in DataType)}"
        ) from None


def _topic(value: Any) -> str | tuple[str, ...] | None:
    # TOML has no null: an empty text stands for "any".
    if isinstance(value, list):
        return tuple(_text(item) for item in value)
    return _text(value) or None


def _choice(value: Any, kind: Any) -> Any:
    options = typing.get_args(kind)
    if value not in options:
        raise ValueError(f"{value!r} is not one of {', '.join(map(str, options))}")
    return value
