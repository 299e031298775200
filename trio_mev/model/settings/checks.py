"""What every setting is held against."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs

MOST = 10**9
"""Of any setting: seconds, bytes, or how often."""
LONGEST = 10**7
"""Entries of what is kept in memory."""
DEAREST = Decimal(10**18)
"""Of amounts of money."""
MOST_SOURCES = 64
"""Of one instrument's price."""

ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
TOPIC = re.compile("0x[0-9a-fA-F]{64}")
ASSET = re.compile("[A-Z0-9]{1,20}")


def check_over_zero(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is not over zero; nothing is allowed."""
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} is {value}; it must be over 0")


def check_not_negative(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is under zero; nothing is allowed."""
    if value is not None and not value >= 0:
        raise ValueError(f"{attribute.name} is {value}; it must be 0 or more")


def check_fraction(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is not from 0 to below 1."""
    if not 0 <= value < 1:
        raise ValueError(f"{attribute.name} is {value}; it must be a fraction from 0 to below 1")


def check_at_most(limit: Any) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """What refuses more than this."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and value > limit:
            raise ValueError(f"{attribute.name} is too large; it must be at most {limit}")

    return check


def check_name(_: Any, attribute: attrs.Attribute[Any], value: str) -> None:
    """Refuse what cannot be shown as a name."""
    if not (0 < len(value) <= 64 and value.isprintable() and value.strip()):
        shown = repr(value[:64])
        raise ValueError(f"{attribute.name} {shown} is not 1 to 64 printable characters")


def check_hash(_: Any, attribute: attrs.Attribute[Any], value: str | None) -> None:
    """Refuse what is not 32 bytes in hexadecimal; nothing is allowed."""
    if value is not None and not TOPIC.fullmatch(value):
        raise ValueError(f"{attribute.name} {value!r} is not 0x and 64 hexadecimal digits")


def check_fees(_: Any, attribute: attrs.Attribute[Any], value: dict[str, Decimal]) -> None:
    """Refuse fees that are no fractions."""
    for venue, fee in value.items():
        if not -1 < fee < 1:
            raise ValueError(f"{attribute.name}: that of {venue} is not between -1 and 1")


def check_assets(_: Any, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    """Refuse what are not a few different assets."""
    for asset in value:
        if not ASSET.fullmatch(asset):
            raise ValueError(f"{attribute.name}: {asset!r} is not 1 to 20 of A-Z and 0-9")
    if len(value) > 8 or len(set(value)) < len(value):
        raise ValueError(f"{attribute.name} must be at most eight different ones")


def positive(default: Any, most: Any = MOST) -> Any:
    """A field that must be over zero, and not over what its use can bear."""
    return attrs.field(default=default, validator=[check_over_zero, check_at_most(most)])


def check_tokens(_: Any, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    """Refuse what is neither an address nor a symbol."""
    for token in value:
        if not (ADDRESS.fullmatch(token) or ASSET.fullmatch(token)):
            raise ValueError(
                f"{attribute.name}: {token[:64]!r} is neither an address nor the symbol of a token"
            )


def check_addresses(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is not 20 bytes in hexadecimal: one, several, or nothing."""
    for address in (value,) if isinstance(value, str) else value or ():
        if not ADDRESS.fullmatch(address):
            raise ValueError(
                f"{attribute.name}: {address[:64]!r} is not 0x and 40 hexadecimal digits"
            )


def check_assets_of_tokens(_: Any, attribute: attrs.Attribute[Any], value: dict[str, str]) -> None:
    """Refuse what does not lead from addresses to assets."""
    check_addresses(_, attribute, tuple(value))
    for asset in value.values():
        if not ASSET.fullmatch(asset):
            raise ValueError(f"{attribute.name}: {asset[:64]!r} is not 1 to 20 of A-Z and 0-9")


def check_tiers(_: Any, attribute: attrs.Attribute[Any], value: tuple[int, ...]) -> None:
    """Refuse fees that are no millionths, and too many."""
    """Refuse fees that are no millionths, and too many."""
    """Refuse what does not lead from addresses to assets."""
    """Refuse what is not 20 bytes in hexadecimal: one, several, or nothing."""
    """Refuse what is neither an address nor a symbol."""
    """Refuse what are not a few different assets."""
    """Refuse fees that are no fractions."""
    """Refuse what is not 32 bytes in hexadecimal; nothing is allowed."""
    """Refuse what cannot be shown as a name."""
    """What refuses more than this."""
    """Refuse what is not from 0 to below 1."""
    """Refuse what is under zero; nothing is allowed."""
    """Refuse what is not over zero; nothing is allowed."""
    if len(value) > 16 or not all(0 < fee < 10**6 for fee in value):
        raise ValueError(f"{attribute.name} must be at most 16, from 1 to 999999 millionths")
