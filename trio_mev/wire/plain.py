"""Numbers in lines of JSON: as text, since programs in other languages would round them."""

from __future__ import annotations

from decimal import Decimal


def text(value: Decimal | None) -> str | None:
    """A Decimal without an exponent; None stays None."""
    return None if value is None else format(value, "f")


def integer(value: int | None) -> str | None:
    """An integer of any size; None stays None."""
    return None if value is None else str(value)
