"""What the frequent nouns are made of: frozen, cheap to construct, known by their fields.

Thousands of them are made every second, and a frozen attrs class takes eight times as long to
construct as a Struct. What is rare stays attrs; ``field_types`` reads both.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec


class Noun(msgspec.Struct, frozen=True, gc=False):
    """A frozen noun whose fields are leaves: it can take part in no cycle of references.

    ``msgspec.structs.replace`` makes a changed copy.
    """


@functools.cache
def field_types(cls: type) -> Mapping[str, Any]:
    """The fields of an event's or payload's class, in order, to their types; empty for others."""
    if issubclass(cls, msgspec.Struct):
        names = cls.__struct_fields__
    elif attrs.has(cls):
        names = tuple(field.name for field in attrs.fields(cls))
    else:
        return {}
    hints = typing.get_type_hints(cls)
    return {name: hints[name] for name in names}
