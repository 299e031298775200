"""What pools say of prices: who would trade with a pool, and at what price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from ..chain.contracts.assets import ASSETS, rank
from ..chain.pools.band import band
from ..chain.pools.book import Entry
from ..chain.pools.pool import Protocol
from ..chain.pools.view import PoolsView
from ..chain.pools.worth import middle, told_by
from ..model.identity import Instrument, Venue
from ..model.noun import Noun
from ..model.settings import PoolSettings

PRICED = frozenset({Protocol.UNISWAP_V2, Protocol.UNISWAP_V3})
ETH = "ETH"


class PoolQuote(Noun, frozen=True):
    """Between which prices a pool is left alone, and how much it takes to move it."""

    venue: Venue
    instrument: Instrument
    bid: Decimal
    ask: Decimal
    depth: Decimal
    """In whole tokens of the quote: see `depth_of`."""

    @property
    def mid(self) -> Decimal:
        """Half-way."""
        return (self.bid + self.ask) / 2


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

    def quotes(self, view: PoolsView) -> Iterator[PoolQuote]:
        """One for each pool that has a price and some depth, as of a block."""
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
                depth = Decimal(found.depth).scaleb(-decimals[1 - base])
                yield PoolQuote(venue, instrument, found.low, found.high, depth)

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
        base = 1 if rank(first) < rank(second) else 0
        names = (first, second) if base == 0 else (second, first)
        return Venue(f"{pool.protocol.value}:{pool.id}"), Instrument(*names), base


def _ether(priced: list[tuple[Entry, tuple[Venue, Instrument, int]]]) -> dict[str, Decimal]:
    """What ether costs in each asset, by the pool in the middle of those that can be believed."""
    votes: dict[str, list[tuple[Decimal, int]]] = {}
    for entry, (_, instrument, base) in priced:
        told = told_by(entry, base) if instrument.base == ETH else None
        if told is not None:
            decimals = entry.pool.decimals
            price = told[0].scaleb(decimals[base] - decimals[1 - base])
            votes.setdefault(instrument.quote, []).append((price, told[1]))
    return {asset: middle(those) for asset, those in votes.items()}
