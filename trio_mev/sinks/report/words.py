"""Numbers, times and words of the report, for people."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from ..amounts import amount_text

NONE = "—"
MOST_TOKENS = 3
"""Of one cell; the others are counted."""
_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def plain(text: str, limit: int = 200) -> str:
    """Without what is not to be seen, or would turn the direction of writing; cut to a length."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(
        c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in cut
    )


def label(text: str, limit: int = 60) -> str:
    """For a chart, which would take tags for what they are."""
    return html.escape(plain(text, limit), quote=False)


def source(name: str) -> str:
    """A venue; a pool with the two ends of its address."""
    protocol, _, address = name.partition(":0x")
    return f"{protocol}:0x{address[:4]}…{address[-4:]}" if len(address) > 12 else name


def number(value: float | Decimal | None, digits: int = 2) -> str:
    """With separators."""
    return NONE if value is None else f"{value:,.{digits}f}"


def usd(value: Decimal | float | None) -> str:
    """Dollars and cents."""
    if value is None:
        return NONE
    return f"{'−' if value < 0 else ''}${abs(value):,.2f}"


def share(value: float | None, digits: int = 0) -> str:
    """Per cent."""
    return NONE if value is None else f"{value:.{digits}%}"


def seconds(value: float | None) -> str:
    """A short time, with its unit."""
    if value is None:
        return NONE
    name, size = next(((n, s) for n, s in _UNITS if abs(value) >= s), _UNITS[-1])
    return f"{value / size:.3g} {name}" if abs(value) < 1000 else f"{value:,.0f} s"


def lasting(value: float) -> str:
    """A long time: hours, minutes, seconds."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, left = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {left:02} s"


def size(count: int) -> str:
    """Bytes."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:,.1f} kB" if count < 10**6 else f"{count / 10**6:,.1f} MB"


def clock(nanoseconds: int, day: bool = False) -> str:
    """A time of the epoch, in UTC; a tape may say any."""
    try:
        when = datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (OverflowError, OSError, ValueError):
        return f"{nanoseconds / 1e9:.0f} s"
    return when.strftime("%Y-%m-%d %H:%M:%S" if day else "%H:%M:%S")


def decimal(value: Decimal | None) -> str:
    """All of its digits, with separators and without an exponent."""
    return NONE if value is None else f"{value:,f}"


def plain_number(value: float | None) -> str:
    """Its first eight digits, without an exponent."""
    return NONE if value is None else decimal(Decimal(f"{value:.8g}"))


def amounts(by_token: Mapping[str, int] | None) -> str:
    """By token; the first ones."""
    if by_token is None:
        return NONE
    words = [amount_text(token, amount) for token, amount in list(by_token.items())[:MOST_TOKENS]]
    if (more := len(by_token) - MOST_TOKENS) > 0:
        words.append(f"{more} more tokens")
    return ", ".join(words) or "nothing"


def several(count: int, noun: str, plural: str | None = None) -> str:
    """A number of things."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
