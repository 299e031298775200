"""SandwichDetector: what pending swaps leave open to whoever swaps before and after them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import attrs

from ..chain.effects.pending import PendingEffect
from ..flow.processor import DataProcessor
from ..model.chain import Life, PendingLife
from ..model.event import DataEvent, DataType, EventPriority
from ..model.intents import ETHER
from ..model.opportunity import Grounds, Kind, Opportunity, Status
from ..model.settings import ExposureSettings
from .exposures import ExposureWatch, Open
from .worth import EtherPrice

NAME = "SandwichDetector"
MOST_CAUSES = 10_000
"""Pending transactions whose exposure is remembered; the oldest are forgotten first."""
_OVER = frozenset({Life.INCLUDED, Life.REPLACED, Life.DROPPED, Life.EXPIRED})


class SandwichDetector(DataProcessor):
    """Reports the exposure of pending swaps: the most that the limit of each lets it lose, what
    that would bring to whoever took it, and the limit that would have prevented it. Of the pools
    on a swap's way it is the one where that is worst. A swap that nobody would make anything of
    after gas is not reported.

    An exposure is told again when its amounts change, and as superseded when it is no more while
    the swap is still pending.

    Args:
        settings: what a sandwich must be worth.
    """

    consumes = frozenset({DataType.POOLS, DataType.EFFECT, DataType.PRICE, DataType.MEMPOOL})
    emits = frozenset({DataType.FINDING})

    def __init__(self, settings: ExposureSettings | None = None) -> None:
        self.settings = settings = settings or ExposureSettings()
        self.watch = ExposureWatch(settings.least_wei)
        self._ether = EtherPrice(settings.native)
        self._told: OrderedDict[str, dict[str, Opportunity]] = OrderedDict()
        """By cause, and by id."""

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The exposure that follows."""
        kind, data = event.event_type, event.data
        if kind is DataType.EFFECT:
            found = self._on_effect(data, event.received_at)
            return [event.finding(one, DataType.FINDING, _priority(one)) for one in found]
        if kind is DataType.POOLS:
            self.watch.advance(data)
        elif kind is DataType.PRICE:
            self._ether.take(data, event.received_at)
        else:
            self._lived(data)
        return ()

    def _on_effect(self, pending: PendingEffect, now: float) -> list[Opportunity]:
        view = self.watch.view
        if view is None or view.hash != pending.view.hash:
            return []  # a newer block is here already, and so will be what it does there
        cause = pending.transaction.hash
        opens = sorted(self.watch.look(pending), key=lambda one: -one.net_wei)
        found = [self._of(one, pending, now) for one in opens[: self.settings.most]]
        return self._news(cause, {one.id: one for one in found})

    def _news(self, cause: str, found: dict[str, Opportunity]) -> list[Opportunity]:
        """What is new or has changed, and what is no more, as superseded."""
        before = self._told.pop(cause, {})
        if found:
            self._told[cause] = found
            if len(self._told) > MOST_CAUSES:
                self._told.popitem(last=False)
        gone = [
            attrs.evolve(one, status=Status.SUPERSEDED)
            for name, one in before.items()
            if name not in found
        ]
        return gone + [
            one
            for name, one in found.items()
            if name not in before or before[name].detail != one.detail
        ]

    def _lived(self, step: PendingLife) -> None:
        if step.life in _OVER:
            self._told.pop(step.hash, None)

    def _of(self, one: Open, pending: PendingEffect, now: float) -> Opportunity:
        cause, view, profit = pending.transaction.hash, pending.view, one.exposure.attacker_profit
        net = {one.token: profit}
        net[ETHER] = net.get(ETHER, 0) - one.gas_wei
        return Opportunity(
            Kind.SANDWICH,
            f"sandwich:{cause}:{one.swap}",
            NAME,
            Status.PREDICTED,
            Grounds.ARITHMETIC,
            one.exposure,
            cause=cause,
            block=view.number,
            expires_block=view.number + 1,
            victims=(cause,),
            pools=(one.pool,),
            gross={one.token: profit},
            net=net,
            gas_wei=one.gas_wei,
            usd=self._ether.in_usd(one.net_wei, now),
        )


def _priority(one: Opportunity) -> EventPriority:
    return EventPriority.HIGH if one.status is Status.PREDICTED else EventPriority.NORMAL
