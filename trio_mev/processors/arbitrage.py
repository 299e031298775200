"""ArbitrageDetector: cycles through pools, after pending swaps too, and pools against exchanges."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from hashlib import blake2b

import attrs

from ..chain.contracts.assets import TOKENS
from ..chain.effects.outcome import Verdict
from ..chain.effects.pending import PendingEffect
from ..chain.pools.view import PoolsView
from ..flow.processor import DataProcessor
from ..model.chain import Life, PendingLife
from ..model.event import DataEvent, DataType, EventPriority
from ..model.intents import ETHER
from ..model.market import Price
from ..model.opportunity import Grounds, Kind, Opportunity, Path, Status
from ..model.settings import ArbitrageSettings, PoolSettings, PriceSettings
from .cex_dex import CexDexWatch, Deal
from .cycles import Cycle, CycleWatch
from .pool_prices import PoolPrices
from .wanted import address_of
from .worth import EtherPrice

NAME = "ArbitrageDetector"
MOST_CAUSES = 10_000
"""Pending transactions whose predictions are remembered; the oldest are forgotten first."""
_OVER = frozenset({Life.INCLUDED, Life.REPLACED, Life.DROPPED, Life.EXPIRED})


class ArbitrageDetector(DataProcessor):
    """Reports cycles that pay more than their gas: on each block's state, and in the block after
    a pending swap; and pools whose price is outside the exchanges' interval by more than fees and
    gas. Of cycles with a pool in common only the best.

    A prediction is told again when its amounts change, and as superseded when it no longer pays
    while its cause is still pending.

    Args:
        settings: least profit, tokens that profit is wanted in.
        pools: what tokens are worth.
        prices: fees of exchanges.
    """

    consumes = frozenset({DataType.POOLS, DataType.EFFECT, DataType.PRICE, DataType.MEMPOOL})
    emits = frozenset({DataType.ARBITRAGE})

    def __init__(
        self,
        settings: ArbitrageSettings | None = None,
        pools: PoolSettings | None = None,
        prices: PriceSettings | None = None,
    ) -> None:
        self.settings = settings = settings or ArbitrageSettings()
        prices = prices or PriceSettings()
        bases = tuple(map(address_of, settings.bases or TOKENS))
        self._cycles = CycleWatch(bases, settings.least_wei)
        self._venues = CexDexWatch(
            PoolPrices(pools or PoolSettings()), prices.fees, settings.least_wei
        )
        self._ether = EtherPrice(settings.native)
        self._told: OrderedDict[str, dict[str, Opportunity]] = OrderedDict()
        """By cause, and by id."""

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The opportunities that follow."""
        kind, data, now = event.event_type, event.data, event.received_at
        if kind is DataType.POOLS:
            found = list(self._on_block(data, now))
        elif kind is DataType.EFFECT:
            found = self._on_effect(data, now)
        elif kind is DataType.PRICE:
            self._ether.take(data, now)
            found = self._on_price(data, now)
        else:
            found = self._on_life(data)
        return [event.finding(one, DataType.ARBITRAGE, EventPriority.HIGH) for one in found]

    def _on_block(self, view: PoolsView, now: float) -> Iterator[Opportunity]:
        self._venues.advance(view)
        for cycle in self._cycles.advance(view)[: self.settings.most]:
            yield attrs.evolve(self._of_cycle(cycle, view, view.hash, now), on_state=True)

    def _on_effect(self, pending: PendingEffect, now: float) -> list[Opportunity]:
        """What a pending swap opens, where that is new."""
        view, cause = pending.view, pending.transaction.hash
        if self._cycles.view is None or self._cycles.view.hash != view.hash:
            return []  # a newer block is here already, and so will be what it does there
        reverts = pending.effect.verdict is Verdict.REVERTS
        cycles = [] if reverts else self._cycles.after(pending, self.settings.most)
        found = [self._of_cycle(cycle, view, cause, now) for cycle in cycles]
        return self._news(cause, {one.id: one for one in found})

    def _news(self, cause: str, found: dict[str, Opportunity]) -> list[Opportunity]:
        """Those that are new or have changed, and those that no longer hold, as superseded."""
        before = self._told.pop(cause, {})
        if found:
            self._told[cause] = found
            if len(self._told) > MOST_CAUSES:
                self._told.popitem(last=False)
        news = [
            one
            for name, one in found.items()
            if name not in before or before[name].gross != one.gross
        ]
        gone = [_superseded(one) for name, one in before.items() if name not in found]
        return gone + news

    def _on_life(self, step: PendingLife) -> list[Opportunity]:
        if step.life in _OVER:
            self._told.pop(step.hash, None)
        return []

    def _on_price(self, price: Price, now: float) -> list[Opportunity]:
        """Deals at the instrument's pools, each told once while it lasts."""
        cause = f"price {price.instrument}"
        deals = [self._of_deal(deal, now) for deal in self._venues.look(price)]
        before = self._told.get(cause, {})
        found = {one.id: before.get(one.id, one) for one in deals}
        return self._news(cause, found)

    def _of_cycle(self, cycle: Cycle, view: PoolsView, cause: str, now: float) -> Opportunity:
        token = cycle.token
        net = {token: cycle.gross}
        net[ETHER] = net.get(ETHER, 0) - cycle.gas_wei
        return Opportunity(
            Kind.ARBITRAGE,
            f"arbitrage:{cause}:{_digest(cycle)}",
            NAME,
            Status.PREDICTED,
            Grounds.ARITHMETIC,
            Path(cycle.path),
            cause=cause,
            block=view.number,
            expires_block=view.number + 1,
            pools=cycle.pools,
            gross={token: cycle.gross},
            net=net,
            gas_wei=cycle.gas_wei,
            usd=self._ether.in_usd(cycle.net_wei, now),
        )

    def _of_deal(self, deal: Deal, now: float) -> Opportunity:
        swap, view = deal.swap, self._venues.view
        assert view is not None
        gross = {swap.token_in: -swap.amount_in, swap.token_out: swap.amount_out}
        side = "buy" if deal.buys else "sell"
        return Opportunity(
            Kind.CEX_DEX,
            f"cex_dex:{swap.pool}:{side}:{view.hash}",
            NAME,
            Status.PREDICTED,
            Grounds.HEURISTIC,
            deal.detail,
            cause=view.hash,
            on_state=True,
            confidence=0.95,
            block=view.number,
            expires_block=view.number + 1,
            pools=(swap.pool,),
            gross=gross,
            net={**gross, ETHER: gross.get(ETHER, 0) - deal.gas_wei},
            gas_wei=deal.gas_wei,
            usd=self._ether.in_usd(deal.net_wei, now),
        )


def _digest(cycle: Cycle) -> str:
    """The same for the same cycle."""
    text = ">".join(f"{edge.pool}{edge.token_in}{edge.token_out}" for edge in cycle.route)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _superseded(one: Opportunity) -> Opportunity:
    return attrs.evolve(one, status=Status.SUPERSEDED)
