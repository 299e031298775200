"""Prices that pools have, as quotes of a venue: who would trade with a pool, and at what price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from ..chain.contracts.assets import ASSETS, QUOTES
from ..chain.pools.band import band, spot
from ..chain.pools.book import Entry
from ..chain.pools.pool import Protocol
from ..chain.pools.view import PoolsView
from ..model.identity import Instrument, Venue
from ..model.market import Quote
from ..model.settings import PoolSettings

PRICED = frozenset({Protocol.UNISWAP_V2, Protocol.UNISWAP_V3})
ETH = "ETH"


class PoolPrices:
    """Turns pools of two known assets into quotes.

    A pool's name as a venue is its protocol and its whole address: anybody can make a pool whose
    address begins like another's.

    Args:
        settings: what tokens are worth, and what it costs to correct a pool.
    """

    def __init__(self, settings: PoolSettings) -> None:
        own = {address.lower(): asset for address, asset in settings.assets.items()}
        self._assets: Mapping[str, str] = {**ASSETS, **own}
        self._gas = settings.correction_gas
        self._places: dict[str, tuple[Venue, Instrument, int] | None] = {}

    def quotes(self, view: PoolsView) -> Iterator[Quote]:
        """One for each pool that has a price, as of a block."""
        priced = [
            (entry, place)
            for entry in view.usable()
            if entry.pool.protocol in PRICED and (place := self.place(entry)) is not None
        ]
        ether = _ether(priced)
        for entry, (venue, instrument, base) in priced:
            worth = Decimal(1) if instrument.quote == ETH else ether.get(instrument.quote)
            if worth is None or view.base_fee is None:
                continue  # what a correction costs is not known
            decimals = entry.pool.decimals
            gas = Decimal(self._gas * view.base_fee).scaleb(decimals[1 - base] - 18) * worth
            found = band(entry.state, base, decimals, gas)
            if found is not None:
                yield Quote(venue, instrument, found.low, found.high)

    def place(self, entry: Entry) -> tuple[Venue, Instrument, int] | None:
        """A pool's venue, its instrument, and the place of the token that is priced; None of what
        is no pool of two known assets."""
        pool = entry.pool
        if pool.id not in self._places:
            self._places[pool.id] = self._find_place(entry)
        return self._places[pool.id]

    def _find_place(self, entry: Entry) -> tuple[Venue, Instrument, int] | None:
        pool = entry.pool
        assets = [self._assets.get(token) for token in pool.tokens]
        first, second = assets if len(assets) == 2 else (None, None)
        if first is None or second is None or first == second:
            return None
        base = 1 if _rank(first) < _rank(second) else 0
        names = (first, second) if base == 0 else (second, first)
        return Venue(f"{pool.protocol.value}:{pool.id}"), Instrument(*names), base


def _rank(asset: str) -> tuple[int, str]:
    """The lower, the more others are priced in it."""
    return QUOTES.index(asset) if asset in QUOTES else len(QUOTES), asset


def _ether(priced: list[tuple[Entry, tuple[Venue, Instrument, int]]]) -> dict[str, Decimal]:
    """What ether costs in each asset, by the deepest pool of both."""
    deepest: dict[str, int] = {}
    prices: dict[str, Decimal] = {}
    for entry, (_, instrument, base) in priced:
        found = spot(entry.state, base) if instrument.base == ETH else None
        if found is not None and found[1] > deepest.get(instrument.quote, 0):
            deepest[instrument.quote] = found[1]
            decimals = entry.pool.decimals
            prices[instrument.quote] = found[0].scaleb(decimals[base] - decimals[1 - base])
    return prices
