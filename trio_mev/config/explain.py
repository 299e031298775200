"""What is wrong with a configuration, one line a problem, for people."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, IterableValidationNote


def explain(error: BaseException, path: str = "") -> list[str]:
    """One line a problem, with its key path."""
    if not isinstance(error, cattrs.BaseValidationError):
        return [f"{path or 'configuration'}: {_describe(error)}"]
    lines: list[str] = []
    for inner in error.exceptions:
        step = path
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, IterableValidationNote):
                step = f"{path}[{note.index}]"
            elif isinstance(note, AttributeValidationNote):
                step = f"{path}.{note.name}" if path else note.name
        lines += explain(inner, step)
    return lines


def _describe(error: BaseException) -> str:
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        return "; ".join(_unknown(key, known) for key in sorted(error.extra_fields))
    if isinstance(error, RecursionError):
        return "its values are nested too deeply"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, (TypeError, AttributeError)):
        return f"it has the wrong type: {error}"
    return str(error)


def _unknown(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"unknown key {key}; {hint}"
