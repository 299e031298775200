"""What exchanges paid when a block was made: a history of prices, read from lines of JSON.

They are the lines that a run writes of its prices, so that what was watched can be looked into
later; anybody else's prices can be written so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal, localcontext

import attrs
import msgspec

from ..chain.contracts.assets import ASSETS, DECIMALS, QUOTES
from ..errors import MalformedFrame
from ..model.identity import Instrument, InstrumentKind
from ..model.market import PriceStatus
from ..model.opportunity import Amounts

MAX_AGE = 60
"""Seconds for which a price holds; a line a minute is enough."""
MOST_PRICES = 2_000_000
"""Of a history: one for each instrument and second, the last one in it."""
_DIGITS = 40
_DECIMAL = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?")
_SOUND = frozenset({PriceStatus.OK.value, PriceStatus.DEGRADED.value})
_SECOND = 10**9
_CENT = Decimal("0.000001")


@attrs.frozen
class Rate:
    """What a unit of one asset is in another one."""

    price: Decimal
    low: Decimal
    high: Decimal
    """What it is between, so far as is known: from 0 to infinity where nobody says."""

    def over(self) -> Rate:
        """What a unit of the other is in this one."""
        with localcontext(prec=_DIGITS):
            high = 1 / self.low if self.low else Decimal("Infinity")
            return Rate(1 / self.price, 1 / self.high, high)

    def times(self, other: Rate) -> Rate:
        """Through an asset between the two."""
        with localcontext(prec=_DIGITS):
            return Rate(self.price * other.price, self.low * other.low, self.high * other.high)


_Pair = tuple[str, str]
_ONE = Rate(Decimal(1), Decimal(1), Decimal(1))


class _OffChain(msgspec.Struct, gc=False):
    price: str | None
    confidence: str | None
    status: str


class _Kind(msgspec.Struct, gc=False):
    kind: str = ""


class _Line(msgspec.Struct, gc=False):
    instrument: str
    price: str | None
    seen_at: int
    confidence: str | None = None
    status: str = PriceStatus.OK.value
    off_chain: _OffChain | None = None


_KIND, _LINE = msgspec.json.Decoder(_Kind), msgspec.json.Decoder(_Line)


@attrs.define(eq=False)
class _Series:
    """The prices of one instrument, by the first whole second at which each was known."""

    seconds: list[int]
    rates: list[Rate | None]
    """None where none could be believed."""

    def at(self, second: int) -> Rate | None:
        place = bisect_right(self.seconds, second) - 1
        if place < 0 or second - self.seconds[place] > MAX_AGE:
            return None
        return self.rates[place]


class Prices:
    """A history of prices.

    Args:
        seen: by instrument, base before quote, and by second.
    """

    def __init__(self, seen: dict[_Pair, dict[int, Rate | None]]) -> None:
        self._series = {
            pair: _Series(sorted(rates), [rates[second] for second in sorted(rates)])
            for pair, rates in seen.items()
        }

    def __len__(self) -> int:
        return sum(len(one.seconds) for one in self._series.values())

    def at(self, second: int) -> Rates:
        """Those that were known then.

        Args:
            second: of a block's timestamp.
        """
        found = {pair: one.at(second) for pair, one in self._series.items()}
        return Rates({pair: rate for pair, rate in found.items() if rate is not None})


class Rates:
    """Prices as of one time.

    Args:
        known: by base and quote.
    """

    def __init__(self, known: dict[_Pair, Rate]) -> None:
        self._known = {(quote, base): rate.over() for (base, quote), rate in known.items()} | known

    def rate(self, base: str, quote: str) -> Rate | None:
        """What one asset is in another: as it is quoted, or through one that both are quoted in."""
        if base == quote:
            return _ONE
        found = self._known.get((base, quote))
        for between in () if found else QUOTES:
            first, second = self._known.get((base, between)), self._known.get((between, quote))
            if first is not None and second is not None:
                return first.times(second)
        return found

    def in_usd(self, amounts: Amounts) -> Decimal | None:
        """What amounts of tokens are worth together; None where one of them has no price."""
        total = Decimal(0)
        with localcontext(prec=_DIGITS):
            for token, amount in amounts.items():
                asset = ASSETS.get(token)
                rate = None if asset is None else self.rate(asset, "USD")
                if rate is None:
                    return None
                total += whole(token, amount) * rate.price
            return total.quantize(_CENT)


def whole(token: str, amount: int) -> Decimal:
    """An amount of a token that has a price, in its whole units."""
    with localcontext(prec=_DIGITS):
        return Decimal(amount).scaleb(-DECIMALS[token])


def read_prices(lines: Iterable[bytes]) -> Prices:
    """A history, from lines of JSON in any order; those of another kind than ``price`` are left.

    Raises:
        MalformedFrame: with the number of the line that cannot be read, or there are too many.
    """
    seen: dict[_Pair, dict[int, Rate | None]] = {}
    latest: dict[tuple[str, str, int], int] = {}
    for number, line in enumerate(lines, 1):
        try:
            if not line.strip() or _KIND.decode(line).kind != "price":
                continue
            told = _LINE.decode(line)
            pair, rate = _pair(told.instrument), _rate(told)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise MalformedFrame("bad_price", f"line {number}: {error}") from None
        if pair is None:
            continue
        second = -(-told.seen_at // _SECOND)
        if told.seen_at < latest.get((*pair, second), told.seen_at):
            continue
        latest[*pair, second] = told.seen_at
        seen.setdefault(pair, {})[second] = rate
        if len(latest) > MOST_PRICES:
            raise MalformedFrame("too_many", f"line {number}: over {MOST_PRICES} prices")
    return Prices(seen)


def _pair(text: str) -> _Pair | None:
    """None of what is not traded on the spot."""
    instrument = Instrument.parse(text)
    if instrument.kind is not InstrumentKind.SPOT:
        return None
    return instrument.base, instrument.quote


def _rate(told: _Line) -> Rate | None:
    """The price without pools where there are any: a pool would be compared with itself."""
    own: _Line | _OffChain = told if told.off_chain is None else told.off_chain
    if own.price is None or own.status not in _SOUND:
        return None
    price = _decimal(own.price)
    if not price:
        raise ValueError("a price of 0")
    if own.confidence is None:
        return Rate(price, Decimal(0), Decimal("Infinity"))
    width = _decimal(own.confidence)
    return Rate(price, max(price - width, Decimal(0)), price + width)


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no decimal number")
    return Decimal(text)
