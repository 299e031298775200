"""What was found: how much of each kind, what it brings, and the largest of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import attrs

from ...model.chain import TransactionAnalysis
from ...model.event import DataEvent
from ...model.market import PriceAlert, Spread
from ...model.opportunity import Amounts, Opportunity
from ...model.simulation import SimulatedTransaction
from ...wire.words import describe_analysis, describe_simulated, describe_spread
from .model import Found, Rate, Row, Sums, Told
from .series import Tally

MOST_KEPT = 5000
"""Opportunities that may still change."""
MOST_SHOWN = 100
MOST_TOLD = 50
"""Of each type."""
MOST_TYPES = 32
MOST_TOKENS = 200
LONGEST = 400
"""Characters of a message."""
OTHER = "other"


@attrs.define(eq=False)
class _Sums:
    count: int = 0
    usd: Decimal | None = None
    unpriced: int = 0
    gross: Counter[str] = attrs.Factory(Counter)
    net: Counter[str] = attrs.Factory(Counter)
    without_net: int = 0

    def add(self, one: Found) -> None:
        self.count += 1
        if one.usd is None:
            self.unpriced += 1
        else:
            self.usd = one.usd + (self.usd or 0)
        _sum(self.gross, one.gross)
        _sum(self.net, one.net)
        self.without_net += one.net is None

    def told(self, kind: str, status: str, verdict: str, basis: str, reverted: bool) -> Sums:
        gross, net = dict(sorted(self.gross.items())), dict(sorted(self.net.items()))
        usd, unpriced = self.usd, self.unpriced
        row = kind, status, verdict, basis, reverted
        return Sums(*row, self.count, usd, unpriced, gross, net, self.without_net)


def _sum(sums: Counter[str], amounts: Amounts | None) -> None:
    for token, amount in (amounts or {}).items():
        name = token if token in sums or len(sums) < MOST_TOKENS else OTHER
        sums[name] += amount if name is token else 0


@attrs.define(eq=False)
class FindingKeeper:
    """Keeps it. Of an opportunity that is told again the latest word counts.

    Args:
        start: when the run began.
    """

    start: float
    alerts: Counter[str] = attrs.Factory(Counter)
    _kept: dict[str, Found] = attrs.Factory(dict)
    _words: dict[str, tuple[float, int, str, int, int]] = attrs.Factory(dict)
    """When each was told last, and by whom."""
    _gone: dict[Row, _Sums] = attrs.Factory(dict)
    """Of those that there was no more room for."""
    _told: dict[str, list[tuple[tuple[Any, ...], Told]]] = attrs.Factory(dict)
    _rates: dict[str, Tally] = attrs.Factory(dict)

    def take(self, event: DataEvent) -> None:
        """Something was found."""
        if isinstance(event.data, Opportunity):
            name = event.data.kind.value
            self._keep(event.data, event)
        else:
            name = self._tell(event)
        self._rates.setdefault(name, Tally(self.start)).add(event.received_at)

    def _keep(self, one: Opportunity, event: DataEvent) -> None:
        at, before = event.received_at, self._kept.get(one.id)
        # Two processors may speak of it at the same moment, in whatever order they come up.
        word = (at, event.event_type.stage, event.source, event.sequence, event.ordinal)
        if before is not None and word < self._words[one.id]:
            self._kept[one.id] = attrs.evolve(before, at=min(at, before.at))
            return
        self._words[one.id] = word
        outcome = one.outcome
        self._kept[one.id] = Found(
            at if before is None else min(at, before.at),
            one.kind.value,
            one.id,
            one.detector,
            one.status.value,
            None if outcome is None else outcome.verdict.value,
            one.grounds.value,
            one.reverted,
            one.gross,
            one.net,
            one.usd,
            one.block,
            one.transactions[0] if one.transactions else one.cause,
            None if outcome is None else outcome.lead,
        )
        if len(self._kept) > MOST_KEPT:
            self._give_up()

    def _give_up(self) -> None:
        """The tenth of them with the least worth is from now on in the sums only."""
        for one in sorted(self._kept.values(), key=_rank, reverse=True)[: MOST_KEPT // 10]:
            self._gone.setdefault(one.row, _Sums()).add(one)
            del self._kept[one.id], self._words[one.id]

    def _tell(self, event: DataEvent) -> str:
        kind, message, worth = _read(event)
        if kind not in self.alerts and len(self.alerts) >= MOST_TYPES:
            kind = OTHER
        self.alerts[kind] += 1
        key = (float("-inf") if worth is None else worth, event.received_at, event.name)
        told = self._told.setdefault(kind, [])
        made = Told(event.received_at, kind, message[:LONGEST], event.source, worth)
        told.append((key, made))
        if len(told) >= 2 * MOST_TOLD:
            told[:] = _largest(told)
        return kind

    def sums(self) -> tuple[Sums, ...]:
        """Every opportunity, by what became of it."""
        rows = {
            row: attrs.evolve(one, gross=Counter(one.gross), net=Counter(one.net))
            for row, one in self._gone.items()
        }
        for found in self._kept.values():
            rows.setdefault(found.row, _Sums()).add(found)
        return tuple(one.told(*row) for row, one in sorted(rows.items()))

    def found(self) -> tuple[Found, ...]:
        """The largest, by what they are worth in USD; then those of which that is not known."""
        return tuple(sorted(self._kept.values(), key=_rank)[:MOST_SHOWN])

    def told(self) -> tuple[Told, ...]:
        """The largest alerts of each type, or the latest where they have no size."""
        return tuple(one for _, told in sorted(self._told.items()) for _, one in _largest(told))

    def rates(self) -> tuple[Rate, ...]:
        """How many of each kind in each bin, all of one width."""
        width = max((tally.width for tally in self._rates.values()), default=0.0)
        for tally in self._rates.values():
            tally.widen(width)
        return tuple(
            Rate(name, width, dict(sorted(tally.counts.items())))
            for name, tally in sorted(self._rates.items())
        )


def _rank(one: Found) -> tuple[bool, Decimal, float, str]:
    return one.usd is None, -(one.usd or Decimal(0)), one.at, one.id


def _largest(told: Iterable[tuple[tuple[Any, ...], Told]]) -> list[tuple[tuple[Any, ...], Told]]:
    return sorted(told, key=lambda one: one[0], reverse=True)[:MOST_TOLD]


def _spread(spread: Spread) -> tuple[str, str, float | None]:
    return "spread", describe_spread(spread), float(spread.net_ratio)


def _transaction(found: TransactionAnalysis) -> tuple[str, str, float | None]:
    worth = None if found.value_usd is None else float(found.value_usd)
    return "transaction", describe_analysis(found), worth


def _simulation(tried: SimulatedTransaction) -> tuple[str, str, float | None]:
    return "simulation", describe_simulated(tried), _transaction(tried.analysis)[2]


def _alert(alert: PriceAlert) -> tuple[str, str, float | None]:
    return alert.type, alert.message, None


_READERS: dict[type, Callable[[Any], tuple[str, str, float | None]]] = {
    Spread: _spread,
    TransactionAnalysis: _transaction,
    SimulatedTransaction: _simulation,
    PriceAlert: _alert,
}


def _read(event: DataEvent) -> tuple[str, str, float | None]:
    """Type, words, and size where it has one."""
    read = _READERS.get(type(event.data))
    if read is None:
        return event.event_type.value, repr(event.data), None
    return read(event.data)
