"""Filters: conditions on events, checked when they are made, counted when they are applied."""

from __future__ import annotations

import enum
import operator as operators
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import attrs
import re2

from ..errors import ConfigError
from ..model.event import DataEvent, DataType
from ..model.settings import FilterSettings
from .paths import MISSING, NUMBERS, FieldPath, number, operand, parse_path

MAX_PATTERN = 500
MAX_SUBJECT = 10_000
"""Characters; longer values are cut before a pattern is tried."""

Condition = Callable[[DataEvent], bool]


@attrs.frozen
class FilterStats:
    """A filter's figures."""

    name: str
    total_events: int
    events_passed: int
    events_filtered: int
    events_invalid: int
    """Of those filtered, refused by a validator and not by a condition."""
    pass_rate: float | None
    """None before the first event."""
    filter_count: int


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, (tuple, list, frozenset, set)):
        return wanted in value
    return str(wanted) in _text(value)


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, enum.Enum) else value)


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "equals": operators.eq,
    "not_equals": operators.ne,
    "greater_than": operators.gt,
    "less_than": operators.lt,
    "contains": _contains,
}
OPERATORS = (*_COMPARISONS, "regex")
_ORDERED = frozenset({"greater_than", "less_than"})


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_hex(value: Any, length: int) -> bool:
    return isinstance(value, str) and len(value) == length and value.startswith("0x")


VALIDATORS: dict[str, Callable[[Any], bool]] = {
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": _is_number,
    "positive": lambda v: _is_number(v) and v > 0,
    "string": lambda v: isinstance(v, str),
    "address": lambda v: _is_hex(v, 42),
    "hash": lambda v: _is_hex(v, 66),
}


class EventFilter:
    """Conditions that an event must all meet.

    A field that the event does not have meets no condition. A wrong operator, path, operand or
    pattern is an error when the filter is made, never a silent refusal later.

    Args:
        name: for the statistics.
        payloads: a plug-in's own payload classes, whose fields paths may name.
    """

    def __init__(self, name: str, payloads: Iterable[type] = ()) -> None:
        self.name = name
        self._payloads = tuple(payloads)
        self._conditions: list[Condition] = []
        self._validators: list[tuple[FieldPath, Callable[[Any], bool]]] = []
        self._received = self._passed = self._invalid = 0

    @classmethod
    def of(cls, name: str, settings: Iterable[FilterSettings]) -> EventFilter:
        """A filter as configured.

        Raises:
            ConfigError: a line a problem, all of them at once.
        """
        made = cls(name)
        problems: list[str] = []
        for index, one in enumerate(settings):
            try:
                if one.operator is not None:
                    made.add_field_filter(one.path, one.operator, one.value)
                else:
                    made.add_range_filter(one.path, one.min, one.max)
                if one.types:
                    made._conditions[-1] = _only(one.types, made._conditions[-1])
            except ConfigError as error:
                problems.append(f"{name}[{index}]: {error}")
        if problems:
            raise ConfigError(*problems)
        return made

    def add_field_filter(self, path: str, operator: str, value: Any) -> None:
        """Compare a field with a value.

        Args:
            path: such as ``data.value``; ``data.gasPrice`` is ``data.gas_price``.
            operator: one of OPERATORS; ``regex`` searches, in time linear in the text.
            value: hexadecimal text is a number where the field is one.

        Raises:
            ConfigError: path, operator, value or pattern cannot be used.
        """
        field = parse_path(path, self._payloads)
        if value is None:
            raise ConfigError(f"path {path!r}: there is no value to compare it with")
        if operator == "regex":
            self._conditions.append(_matcher(field, value))
            return
        compare = _COMPARISONS.get(operator)
        if compare is None:
            raise ConfigError(f"operator {operator!r} is not one of {', '.join(OPERATORS)}")
        wanted = value if operator == "contains" else operand(field, value)
        if operator in _ORDERED:
            _check_ordered(field, wanted)
        self._conditions.append(_comparison(field, compare, wanted))

    def add_range_filter(self, path: str, min_value: Any, max_value: Any) -> None:
        """Let a field through from ``min_value`` to ``max_value``, both included.

        Raises:
            ConfigError: path or bounds cannot be used.
        """
        field = parse_path(path, self._payloads)
        low, high = operand(field, min_value), operand(field, max_value)
        _check_ordered(field, low)
        _check_ordered(field, high)
        if _is_number(low) != _is_number(high) or low > high:
            raise ConfigError(f"path {path!r}: the range {min_value} to {max_value} is empty")
        self._conditions.append(_comparison(field, lambda found, _: low <= found <= high, low))

    def add_custom_filter(self, condition: Condition) -> None:
        """Ask a function; what it raises is its own failure and counts as the processor's."""
        self._conditions.append(condition)

    def add_validator(self, path: str, form: str) -> None:
        """Require a field's form: one of VALIDATORS. Its refusals are counted apart.

        Raises:
            ConfigError: path or form is not known.
        """
        if form not in VALIDATORS:
            raise ConfigError(f"form {form!r} is not one of {', '.join(VALIDATORS)}")
        self._validators.append((parse_path(path, self._payloads), VALIDATORS[form]))

    def filter_event(self, event: DataEvent) -> bool:
        """Whether the event meets every condition; counted."""
        self._received += 1
        for path, is_valid in self._validators:
            found = path.follow(event)
            if found is MISSING or not is_valid(found):
                self._invalid += 1
                return False
        if not all(condition(event) for condition in self._conditions):
            return False
        self._passed += 1
        return True

    def get_stats(self) -> FilterStats:
        """The figures now."""
        return FilterStats(
            self.name,
            self._received,
            self._passed,
            self._received - self._passed,
            self._invalid,
            self._passed / self._received if self._received else None,
            len(self._conditions) + len(self._validators),
        )


def _only(types: frozenset[DataType], condition: Condition) -> Condition:
    return lambda event: event.event_type not in types or condition(event)


def _check_ordered(field: FieldPath, wanted: Any) -> None:
    """Refuse to order what has no order: the comparison would raise on every event."""
    numeric = _is_number(wanted)
    ordered = numeric or isinstance(wanted, str)
    if field.types:
        ordered = ordered and any(numeric == (kind in NUMBERS) for kind in field.types)
    if not ordered:
        raise ConfigError(f"path {field.text!r}: nothing in it is more or less than {wanted!r}")


def _comparison(field: FieldPath, compare: Callable[[Any, Any], Any], wanted: Any) -> Condition:
    numeric = _is_number(wanted) and compare is not _contains

    def condition(event: DataEvent) -> bool:
        found = field.follow(event)
        if found is MISSING or found is None:
            return False
        if numeric and isinstance(found, str):
            found = _as_number(found)
        try:
            return bool(compare(found, wanted))
        except TypeError:  # another payload's field of that name
            return False

    return condition


def _as_number(text: str) -> Any:
    """The number that a text is, such as ``0x5208``; else the text."""
    try:
        return number(text)
    except ValueError:
        return text


def _matcher(field: FieldPath, pattern: Any) -> Condition:
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise ConfigError(f"path {field.text!r}: a pattern is text of {MAX_PATTERN} at most")
    try:
        # RE2 takes time linear in the subject; the standard library's engine may never end.
        search = re2.compile(pattern).search
    except re2.error as error:
        raise ConfigError(f"path {field.text!r}: pattern {pattern!r}: {error}") from None

    def condition(event: DataEvent) -> bool:
        found = field.follow(event)
        if found is MISSING or found is None:
            return False
        return search(_text(found)[:MAX_SUBJECT]) is not None

    return condition
