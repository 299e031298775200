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
from .jointly import JointWatch, Together, Way
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

    Where several swaps are pending in one pool and direction, it reports as well what one sandwich
    about all of them would bring, if that is more than about any one of them.

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
        self.together = JointWatch()
        self._joint: OrderedDict[Way, Opportunity] = OrderedDict()
        """What is told of several swaps, by pool and direction."""

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The exposure that follows."""
        kind, data = event.event_type, event.data
        found: list[Opportunity] = []
        if kind is DataType.EFFECT:
            found = self._on_effect(data, event.received_at)
        elif kind is DataType.POOLS:
            self.watch.advance(data)
            self.together.advance(data)
        elif kind is DataType.PRICE:
            self._ether.take(data, event.received_at)
        else:
            found = self._lived(data)
        return [event.finding(one, DataType.FINDING, EventPriority.HIGH) for one in found]

    def _on_effect(self, pending: PendingEffect, now: float) -> list[Opportunity]:
        view = self.watch.view
        if view is None or view.hash != pending.view.hash:
            return []  # a newer block is here already, and so will be what it does there
        cause = pending.transaction.hash
        places = self.watch.places(pending)
        opens = sorted(self.watch.look(pending, places), key=lambda one: -one.net_wei)
        found = [self._of(one, pending, now) for one in opens[: self.settings.most]]
        news = self._news(cause, {one.id: one for one in found})
        for way in self.together.take(pending, places):
            news += self._of_several(way, now)
        return news

    def _of_several(self, way: Way, now: float) -> list[Opportunity]:
        """What is new of the swaps in one pool and direction, taken together."""
        before = self._joint.get(way)
        priced = self.watch.least(*way)
        if before is not None and not self.together.has(way, before.victims):
            return []  # not all of them have been told of again
        if priced is None:
            return []
        gas, least = priced
        alone = max((self._alone(cause, way) for cause in self.together.causes(way)), default=0)
        victims = () if before is None else before.victims
        found = self.together.look(way, max(least, alone + 1), victims)
        if found is None:
            return self._end(way)
        one = self._joined(way, found, gas, now)
        if before is not None and before.id == one.id and before.detail == one.detail:
            return []
        ended = [] if before is None or before.id == one.id else self._end(way)
        self._joint[way] = one
        self._joint.move_to_end(way)
        if len(self._joint) > MOST_CAUSES:
            self._joint.popitem(last=False)
        return [*ended, one]

    def _alone(self, cause: str, way: Way) -> int:
        """What a sandwich about one of them alone is said to make there."""
        pool, token = way
        return max(
            (
                (one.gross or {}).get(token, 0)
                for one in self._told.get(cause, {}).values()
                if one.pools == (pool,)
            ),
            default=0,
        )

    def _end(self, way: Way) -> list[Opportunity]:
        """Nothing is to be made of several any more."""
        before = self._joint.pop(way, None)
        return [] if before is None else [attrs.evolve(before, status=Status.SUPERSEDED)]

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

    def _lived(self, step: PendingLife) -> list[Opportunity]:
        """A swap is pending no more. If it is in a block, that judges what was told of it."""
        if step.life not in _OVER:
            return []
        self._told.pop(step.hash, None)
        self.together.forget(step.hash)
        found = []
        for way in [way for way, one in self._joint.items() if step.hash in one.victims]:
            ended = self._end(way)
            found += [] if step.life is Life.INCLUDED else ended
        return found

    def _joined(self, way: Way, found: Together, gas: int, now: float) -> Opportunity:
        view, profit = found.members[0].pending.view, found.joint.profit
        pool, token = way
        net = {token: profit}
        net[ETHER] = net.get(ETHER, 0) - gas
        victims = tuple(one.cause for one in found.members)
        return Opportunity(
            Kind.SANDWICH,
            f"sandwich:{victims[0]}:{pool}:{token}",
            NAME,
            Status.PREDICTED,
            Grounds.ARITHMETIC,
            found.exposure,
            cause=victims[0],
            block=view.number,
            expires_block=view.number + 1,
            victims=victims,
            pools=(pool,),
            gross={token: profit},
            net=net,
            gas_wei=gas,
            usd=self._ether.in_usd(self.watch.in_wei(token, profit) - gas, now),
        )

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
