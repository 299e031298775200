"""Numbers as text, read strictly: exact, finite, bounded, or refused with a reason."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal, InvalidOperation

from ..errors import MalformedFrame

Four = tuple[Decimal, Decimal, Decimal, Decimal]

MAX_DIGITS = 40
"""Of a venue's decimal; prices and sizes have fewer than twenty."""
MAX_INPUT = 2**20
"""Bytes of a log's or transaction's data; nodes take transactions up to 128 KiB."""

_DIGITS = "0123456789"
_PARTS = b"0123456789."
"""Of a sound number."""
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_LAST_MILLISECOND = 253_402_300_799_999
"""The end of the year 9999."""


def decimal(text: str) -> Decimal:
    """A venue's number, not negative: digits with at most one point.

    Signs, exponents, NaN, Infinity, underscores and spaces, which ``Decimal`` would take, are
    refused.

    Raises:
        MalformedFrame: ``bad_number``, or ``negative_number``.
    """
    # Without the digits at its ends a sound number is empty, or its point alone.
    rest = text.strip(_DIGITS)
    if (not rest or rest == ".") and len(text) <= MAX_DIGITS + len(rest):
        try:
            return Decimal(text)
        except InvalidOperation:  # there is no digit at all
            pass
    reason = "negative_number" if re.match(r"-\d", text) else "bad_number"
    raise MalformedFrame(reason, f"{text[:MAX_DIGITS]!r}")


def price(text: str) -> Decimal:
    """A venue's price, over zero.

    Raises:
        MalformedFrame: as ``decimal``, and ``price_not_positive``.
    """
    try:
        value = decimal(text)
    except MalformedFrame as error:
        if error.reason == "negative_number":
            raise MalformedFrame("price_not_positive", f"{text[:MAX_DIGITS]!r}") from None
        raise
    if not value:
        raise MalformedFrame("price_not_positive", "0")
    return value


def exact(value: Decimal) -> Decimal:
    """A venue's number that came as one of JSON, not negative.

    Raises:
        MalformedFrame: ``bad_number``, or ``negative_number``.
    """
    sign, digits, exponent = value.as_tuple()
    if isinstance(exponent, str) or len(digits) > MAX_DIGITS or abs(exponent) > MAX_DIGITS:
        raise MalformedFrame("bad_number", f"{value}"[:MAX_DIGITS])
    if sign:
        raise MalformedFrame("negative_number", f"{value}"[:MAX_DIGITS])
    return value


def exact_price(value: Decimal) -> Decimal:
    """A venue's price that came as a number of JSON, over zero.

    Raises:
        MalformedFrame: ``bad_number``, or ``price_not_positive``.
    """
    if value.is_finite() and value <= 0:
        raise MalformedFrame("price_not_positive", f"{value}"[:MAX_DIGITS])
    return exact(value)


def whole(text: str) -> int:
    """A venue's whole number that came as text, not negative and within 63 bits.

    Raises:
        MalformedFrame: ``bad_number``.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        raise MalformedFrame("bad_number", f"{text[:MAX_DIGITS]!r}")
    return int(text)


def seconds(text: str) -> int:
    """Seconds since the epoch with up to nine decimals, as nanoseconds.

    Raises:
        MalformedFrame: ``bad_time``.
    """
    since, _, fraction = text.partition(".")
    if not (f"{since}{fraction}".isdecimal() and text.isascii() and since and len(fraction) <= 9):
        raise MalformedFrame("bad_time", f"{text[:MAX_DIGITS]!r}")
    if len(since) > 12 or int(since) * 1000 > _LAST_MILLISECOND:
        raise MalformedFrame("bad_time", f"{text[:MAX_DIGITS]!r}")
    return int(since) * 1_000_000_000 + int(fraction.ljust(9, "0"))


def sides(bid: str, ask: str, bid_size: str, ask_size: str) -> Four:
    """The four numbers of a quote, the prices over zero.

    Sound ones are checked all at once, which takes a third of the time; others one by one.

    Raises:
        MalformedFrame: as ``price`` and ``decimal``.
    """
    # Nothing is left where all is digits and points; whether these are well placed Decimal knows.
    # Two numbers are nearly always shorter than one may be.
    if (
        not f"{bid}{ask}{bid_size}{ask_size}".encode().strip(_PARTS)
        and len(bid) + len(ask) <= MAX_DIGITS
        and len(bid_size) + len(ask_size) <= MAX_DIGITS
    ):
        try:
            four = Decimal(bid), Decimal(ask), Decimal(bid_size), Decimal(ask_size)
        except InvalidOperation:  # one has no digit at all, or several points
            pass
        else:
            if four[0] and four[1]:
                return four
    return price(bid), price(ask), decimal(bid_size), decimal(ask_size)


def quantity(text: str, bits: int = 256) -> int:
    """An Ethereum quantity: ``0x`` and hexadecimal digits, within ``bits``.

    Raises:
        MalformedFrame: ``bad_hex``, or ``hex_too_long``.
    """
    if len(text) > 2 + bits // 4:
        raise MalformedFrame("hex_too_long", f"{len(text)} characters in a quantity")
    # int() alone would take underscores, spaces, signs and other scripts' digits.
    if not (text.startswith("0x") and text.isalnum() and text.isascii()):
        raise MalformedFrame("bad_hex", f"{text[:20]!r}")
    try:
        return int(text, 16)
    except ValueError:
        raise MalformedFrame("bad_hex", f"{text[:20]!r}") from None


def maybe_quantity(text: str | None, bits: int = 256) -> int | None:
    """A quantity that may be absent."""
    return None if text is None else quantity(text, bits)


def data(text: str) -> bytes:
    """Ethereum data of any length up to a mebibyte: ``0x`` and pairs of hexadecimal digits.

    Raises:
        MalformedFrame: ``bad_hex``, ``odd_hex``, or ``hex_too_long``.
    """
    if not text.startswith("0x"):
        raise MalformedFrame("bad_hex", f"{text[:20]!r}")
    if len(text) > 2 + 2 * MAX_INPUT:
        raise MalformedFrame("hex_too_long", f"{len(text)} characters of data")
    if len(text) % 2:
        raise MalformedFrame("odd_hex", f"{len(text)} characters of data")
    try:
        raw = bytes.fromhex(text[2:])
    except ValueError:
        raise MalformedFrame("bad_hex", f"{text[:20]!r}") from None
    if 2 * len(raw) != len(text) - 2:  # fromhex skips spaces
        raise MalformedFrame("bad_hex", "spaces in data")
    return raw


def hash32(text: str) -> str:
    """A 32-byte hash in lower case.

    Raises:
        MalformedFrame: ``bad_hash``.
    """
    if not _HASH.fullmatch(text):
        raise MalformedFrame("bad_hash", f"{text[:20]!r}")
    return text.lower()


def address(text: str) -> str:
    """A 20-byte address in lower case.

    Raises:
        MalformedFrame: ``bad_address``.
    """
    if not _ADDRESS.fullmatch(text):
        raise MalformedFrame("bad_address", f"{text[:20]!r}")
    return text.lower()


def milliseconds(value: int) -> int:
    """Milliseconds since the epoch as nanoseconds.

    Raises:
        MalformedFrame: ``bad_time``.
    """
    if not 0 <= value <= _LAST_MILLISECOND:
        raise MalformedFrame("bad_time", str(value)[:MAX_DIGITS])
    return value * 1_000_000


def microseconds(text: str) -> int:
    """Microseconds since the epoch, as digits, as nanoseconds.

    Raises:
        MalformedFrame: ``bad_time``.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise MalformedFrame("bad_time", f"{text[:MAX_DIGITS]!r}")
    value = int(text)
    milliseconds(value // 1000)
    return value * 1000


def iso_time(text: str) -> int:
    """ISO 8601 with a zone, as nanoseconds since the epoch.

    Raises:
        MalformedFrame: ``bad_time``.
    """
    try:
        since = datetime.datetime.fromisoformat(text) - _EPOCH
    except (ValueError, TypeError):
        raise MalformedFrame("bad_time", f"{text[:MAX_DIGITS]!r}") from None
    if since.days < 0:
        raise MalformedFrame("bad_time", f"{text[:MAX_DIGITS]!r}")
    seconds = since.days * 86_400 + since.seconds
    return seconds * 1_000_000_000 + since.microseconds * 1000
