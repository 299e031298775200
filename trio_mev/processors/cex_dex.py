"""Pools against the price that exchanges have: what pays on both sides after every fee.

Whoever buys at a pool sells at an exchange, at the lower end of the aggregated price's interval
and less the taker's fee; whoever sells at a pool buys there at the upper end. The size is where
the pool's next unit would cost as much. The price is that without pools: with them a pool would be
compared with itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from math import isqrt

import attrs

from ..chain.pools.band import DIGITS, spot
from ..chain.pools.book import Entry
from ..chain.pools.product import ProductPool
from ..chain.pools.swap import Swap
from ..chain.pools.ticked import TickedPool
from ..chain.pools.ticks import MAX_ROOT, MIN_ROOT, Q96
from ..chain.pools.view import PoolsView
from ..chain.pools.worth import Worth
from ..chain.routes.gas import gas_of
from ..model.identity import Instrument, Venue
from ..model.market import Price, PriceStatus
from ..model.opportunity import CexDex, SwapRecord
from .pool_prices import PRICED, PoolPrices

SOUND = frozenset({PriceStatus.OK, PriceStatus.DEGRADED})


@attrs.frozen
class Deal:
    """A swap at a pool that an exchange pays more for, or asks less."""

    swap: SwapRecord
    detail: CexDex
    gas_wei: int
    net_wei: int
    """What is left after fees and gas."""

    @property
    def buys(self) -> bool:
        """Whether the pool's base token is bought there."""
        return self.detail.size > 0


class CexDexWatch:
    """Compares pools with prices.

    Args:
        places: which pool trades which instrument.
        fees: taker fees by venue.
        least: wei that a deal must leave.
    """

    def __init__(self, places: PoolPrices, fees: Mapping[str, Decimal], least: int = 1) -> None:
        self._places, self._fees, self._least = places, fees, least
        self._of: dict[Instrument, list[str]] = {}
        self._view: PoolsView | None = None
        self._worth: Worth | None = None

    @property
    def view(self) -> PoolsView | None:
        """What it is as of."""
        return self._view

    def advance(self, view: PoolsView) -> None:
        """Go on to a view."""
        self._view, self._worth = view, Worth(view)
        self._of = {}
        for entry in view.usable():
            place = self._places.place(entry) if entry.pool.protocol in PRICED else None
            if place is not None:
                self._of.setdefault(place[1], []).append(entry.pool.id)

    def look(self, price: Price) -> Iterator[Deal]:
        """What pays at the pools of a price's instrument."""
        own = price.off_chain or price
        # Of a price joined without pools the sources have no fees: they are named with their legs.
        joined = price.via and price.off_chain is None
        if self._view is None or own.status not in SOUND or joined:
            return
        fee = self._fee(own.sources)
        if fee is None or own.price is None or own.confidence is None:
            return
        for pool in self._of.get(price.instrument, ()):
            entry = self._view.entries[pool]
            deal = self._deal(entry, own.price, own.confidence, fee)
            if deal is not None:
                yield deal

    def _fee(self, sources: tuple[Venue, ...]) -> Decimal | None:
        """The highest of the sources' fees: which of them would be traded at is not known."""
        fees = [self._fees.get(source) for source in sources]
        known = [fee for fee in fees if fee is not None]
        return max(known) if known and len(known) == len(fees) else None

    def _deal(self, entry: Entry, price: Decimal, width: Decimal, fee: Decimal) -> Deal | None:
        place = self._places.place(entry)
        found = None if place is None else spot(entry.state, place[2])
        if place is None or found is None:
            return None
        base = place[2]
        shift = entry.pool.decimals[base] - entry.pool.decimals[1 - base]
        with localcontext(prec=DIGITS):
            bid = ((price - width) * (1 - fee)).scaleb(-shift)
            ask = ((price + width) * (1 + fee)).scaleb(-shift)
            if found[0] < bid:
                return self._priced(entry, base, bid, found[0], price, width, buys=True)
            if found[0] > ask:
                return self._priced(entry, base, ask, found[0], price, width, buys=False)
        return None

    def _priced(
        self, entry: Entry, base: int, worth: Decimal, here: Decimal, price: Decimal,
        width: Decimal, *, buys: bool,
    ) -> Deal | None:  # fmt: skip
        """The deal up to where the pool's next unit is worth what the exchange gives for it."""
        assert self._view is not None
        assert self._worth is not None
        quote, pool = 1 - base, entry.pool
        paid_place = quote if buys else base
        swap = _until(entry, base, worth, paid_place)
        if swap is None or not swap.amount_in or not swap.amount_out:
            return None
        base_amount, quote_amount = (
            (swap.amount_out, swap.amount_in) if buys else (swap.amount_in, swap.amount_out)
        )
        fair = int(base_amount * worth)
        profit = fair - quote_amount if buys else quote_amount - fair
        value = self._worth.in_wei(pool.tokens[quote], profit)
        if value is None or self._view.next_base_fee is None:
            return None
        gas = gas_of([pool.protocol], swap.crossed) * self._view.next_base_fee
        if value - gas < self._least:
            return None
        tokens = pool.tokens[paid_place], pool.tokens[1 - paid_place]
        size = Decimal(base_amount).scaleb(-pool.decimals[base])
        shift = pool.decimals[base] - pool.decimals[quote]
        return Deal(
            SwapRecord(
                pool.id,
                pool.protocol.value,
                tokens[0],
                swap.amount_in,
                tokens[1],
                swap.amount_out,
            ),
            CexDex(price, here.scaleb(shift), width, size if buys else -size),
            gas,
            value - gas,
        )


def _until(entry: Entry, base: int, worth: Decimal, paid: int) -> Swap | None:
    """The swap after which the next unit, fee included, would be at a price; None for none.

    Args:
        entry: the pool.
        base: place of the token that is priced.
        worth: the price, in smallest units.
        paid: place of the token that is paid.
    """
    state = entry.state
    if isinstance(state, ProductPool):
        amount = _product_amount(state, base, worth, paid)
        return state.swap(paid, 1 - paid, amount) if amount > 0 else None
    assert isinstance(state, TickedPool)
    kept = 1 - Decimal(state.fee_of(paid == 0)) / 10**6
    # Buying the base, its own price may rise to worth * kept; selling it, fall to worth / kept.
    target = worth * kept if paid != base else worth / kept
    raw = target if base == 0 else 1 / target
    root = int((raw * Q96 * Q96).sqrt())
    limit = min(max(root, MIN_ROOT + 1), MAX_ROOT - 1)
    done = state.swap_to(paid == 0, 2**200, limit=limit)
    return done if done.amount_in else None


def _product_amount(state: ProductPool, base: int, worth: Decimal, paid: int) -> int:
    """From the derivative of what a pair gives: (R + g x)^2 = t g R S at the price t for which
    the token paid is had, R being the reserve of what is paid and S the other."""
    held = (state.reserve0, state.reserve1)[paid]
    given = (state.reserve0, state.reserve1)[1 - paid]
    kept, of = state.fee.kept, state.fee.of
    price = worth if paid != base else 1 / worth
    root = isqrt(int(price * kept * held * given / of))
    return max((root - held) * of // kept, 0)
