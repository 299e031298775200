"""A price had from two others: X/Q from X/B and B/Q.

USDT, USDC and USD are three currencies, and quotes in different ones never meet in one vote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log, log1p

from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Price, PriceStatus
from .scale import BP, price_of

RANKS = {
    PriceStatus.OK: 0,
    PriceStatus.DEGRADED: 1,
    PriceStatus.DISPUTED: 2,
    PriceStatus.STALE: 3,
}
"""How far a price can be believed, the best first."""


def legs(instrument: Instrument, bases: Sequence[str]) -> Iterator[tuple[Instrument, Instrument]]:
    """The pairs of spot instruments whose prices make that of a spot instrument."""
    if instrument.kind is not InstrumentKind.SPOT:
        return
    for base in bases:
        if base not in (instrument.base, instrument.quote):
            yield Instrument(instrument.base, base), Instrument(base, instrument.quote)


class Joinable:
    """Which prices can be had from two others, as instruments become known.

    Args:
        bases: currencies in the middle.
        wanted: those that joined prices are in.
    """

    def __init__(self, bases: Sequence[str], wanted: Sequence[str]) -> None:
        self._bases = frozenset(bases)
        self._wanted = frozenset(wanted)
        self._spot: dict[Instrument, None] = {}
        self._firsts: dict[str, list[Instrument]] = {base: [] for base in bases}
        """Known instruments by the base that they are quoted in."""
        self.of: dict[Instrument, list[Instrument]] = {}
        """By a leg, the prices that are joined of it and another that is known."""

    def learn(self, instrument: Instrument) -> None:
        """One more is known."""
        if instrument.kind is not InstrumentKind.SPOT or instrument in self._spot:
            return
        self._spot[instrument] = None
        if instrument.quote in self._bases:
            self._firsts[instrument.quote].append(instrument)
            for quote in sorted(self._wanted - {instrument.quote, instrument.base}):
                self._pair(instrument, Instrument(instrument.quote, quote))
        if instrument.base in self._bases and instrument.quote in self._wanted:
            for first in self._firsts[instrument.base]:
                if first.base != instrument.quote:
                    self._pair(first, instrument)

    def _pair(self, first: Instrument, second: Instrument) -> None:
        if second not in self._spot:
            return
        joined = Instrument(first.base, second.quote)
        for leg in (first, second):
            self.of.setdefault(leg, []).append(joined)

    def instruments(self) -> Iterable[Instrument]:
        """The joined ones that nobody quotes."""
        every = dict.fromkeys(one for those in self.of.values() for one in those)
        return [one for one in every if one not in self._spot]


def join(instrument: Instrument, first: Price, second: Price) -> Price | None:
    """The product of two prices; None where one is stale.

    The half-widths are added, in log price. Adding their squares would be right where the two
    errors have nothing to do with each other, and too little where they are wrong together: the
    same venues quote both legs, over the same connections, late at the same times. The sum holds
    for whatever they have in common, and is no wider than it must be where one leg is much
    narrower than the other, as that of two dollars is. The status is the worse of the two.
    """
    if PriceStatus.STALE in (first.status, second.status):
        return None
    widths = _distance(first) + _distance(second)
    price, confidence = price_of(_value(first) + _value(second), widths)
    return Price(
        instrument,
        price,
        confidence,
        max(first.status, second.status, key=RANKS.__getitem__),
        _named(first, first.sources) + _named(second, second.sources),
        _named(first, first.rejected) + _named(second, second.rejected),
        age=max(first.age or 0.0, second.age or 0.0),
        via=(first.instrument, second.instrument),
        on_chain=_named(first, first.on_chain) + _named(second, second.on_chain),
    )


def better(one: Price, other: Price) -> bool:
    """Whether a price can be believed further, or as far and is the narrower of two joined."""
    rank, other_rank = RANKS[one.status], RANKS[other.status]
    if rank != other_rank or not other.via:
        return rank < other_rank
    return _distance(one) < _distance(other)


def _value(price: Price) -> float:
    assert price.price is not None
    return BP * log(price.price)


def _distance(price: Price) -> float:
    assert price.price is not None
    assert price.confidence is not None
    return BP * log1p(price.confidence / price.price)


def _named(price: Price, sources: Iterable[Venue]) -> tuple[Venue, ...]:
    return tuple(Venue(f"{source} {price.instrument}") for source in sources)
