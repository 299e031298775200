"""One source of one instrument: its latest quote, and what is known of its error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import exp, expm1, inf, log, nan, sqrt

import attrs

from ..model.identity import Venue
from .scale import BP
from .sources import Source

NOISE = 2.0
"""Standard deviation that a source's error begins with, in bp."""
LEAST = 0.1
"""And below which none is believed to be."""
LEAST_RELIABILITY = 0.05


@attrs.define(eq=False)
class Pair:
    """Two sources' squared difference, in bp², less what the price moved between their times."""

    square: float = 2 * NOISE * NOISE
    count: int = 0


_UNKNOWN = Pair()
_EVEN = BP / 2 / sqrt(3)
"""Of a spread, evenly distributed: by which it, over the mid, becomes a deviation in bp."""


@attrs.define(eq=False)
class Constituent:
    """One source of one instrument.

    A quote is kept as it came. It is read, which takes longer, when a price is wanted.
    """

    source: Source
    bid: Decimal = Decimal(1)
    ask: Decimal = Decimal(1)
    depth: float = 1.0
    """Of a pool: how much of the quote moves it, by which pools are weighed against each other."""
    tick: Decimal | None = None
    """The least step of its price, in quote units; None where it is not known."""
    unread: bool = False
    at: float | None = None
    """Time of its last event, where the source tells it."""
    stamp: int | None = None
    """The source's own time of its last quote, where it told one."""
    received: float = -inf
    time: float = -inf
    """The earlier of the quote's event and receipt."""
    learn_at: float = inf
    """When a quote of it will be learned from again."""
    value: float = 0.0
    """Its mid, in bp of log price."""
    floor: float = LEAST * LEAST
    """Variance below which its error is not whatever the others say: that of a tick, or of half
    a spread, evenly distributed."""
    variance: float = NOISE * NOISE
    """Of its quotes less the true price at their time, in bp², as estimated."""
    said: float = nan
    """What it said when it was last learned from."""
    said_at: float = inf
    """And since when it has said so; not known before it is learned from."""
    stuck: bool = False
    """Whether it still says what it said, though the others are elsewhere by now."""
    noisy: bool = False
    """Whether its error is so much larger than the others' that it is left out."""
    rejected: bool = False
    astray_since: float | None = None
    """Since when, of three, it has been further from both others than any source may be."""
    agreement: float = 1.0
    """Share of late in which it was inside the gate and on its cadence."""
    reliability: float = 1.0
    quotes: int = 0
    faults: int = 0
    judged: tuple[int, int] = (0, 0)
    """Quotes and faults that are in the two below."""
    good: float = 0.0
    bad: float = 0.0
    pairs: dict[str, Pair] = attrs.Factory(dict)
    """By the other source's name; both hold the same one."""

    @property
    def noise(self) -> float:
        """Variance of its quotes, not below its floor."""
        return self.variance if self.variance > self.floor else self.floor

    def read(self) -> None:
        """Turn bid and ask into value and floor."""
        bid, ask = float(self.bid), float(self.ask)
        mid = (bid + ask) / 2
        self.value = BP * log(mid)
        least = _EVEN * (ask - bid) / mid
        if self.tick is not None:
            least = max(least, BP * float(self.tick) / mid)
        self.floor = max(LEAST * LEAST, least * least)
        self.unread = False

    def note_value(self) -> None:
        """Note what it says, and since when, if that is new."""
        if self.value != self.said:
            self.said, self.said_at, self.stuck = self.value, self.time, False

    @property
    def news_at(self) -> float:
        """Time of its last quote that was another one than that before it."""
        return min(self.said_at, self.time) if self.value == self.said else self.time

    def pair_with(self, other: Constituent) -> Pair:
        """What is known of the difference of the two, from now on."""
        pair = self.pairs.get(other.source.source_id)
        if pair is None:
            pair = Pair()
            self.pairs[other.source.source_id] = other.pairs[self.source.source_id] = pair
        return pair

    def square_with(self, other: Constituent) -> float:
        """Their mean squared difference, as far as it is known."""
        return self.pairs.get(other.source.source_id, _UNKNOWN).square

    def reject(self, *, rejected: bool) -> None:
        """Note whether it stands outside the gate."""
        self.source.rejections += rejected and not self.rejected
        self.rejected = rejected

    def judge(self, now: float, weight: float) -> None:
        """Let the outcome of late weigh in its reliability, from 0 to 1."""
        on_cadence = now - self.time <= self.source.late_after
        self.agreement += weight * ((on_cadence and not self.rejected) - self.agreement)
        quotes, faults = self.quotes, self.faults + self.source.faults
        before = self.judged
        self.judged = quotes, faults
        self.good += quotes - before[0] - weight * self.good
        self.bad += faults - before[1] - weight * self.bad
        reliability = self.agreement * (self.good + 1) / (self.good + self.bad + 1)
        self.reliability = reliability if reliability > LEAST_RELIABILITY else LEAST_RELIABILITY


def names(those: Iterable[Constituent]) -> tuple[Venue, ...]:
    """Of their sources, in alphabetical order."""
    return tuple(sorted(one.source.source_id for one in those))


def spread_of(used: Sequence[Constituent]) -> Decimal:
    """Highest value less the lowest of at least one, in quote units."""
    values = [one.value for one in used]
    lowest = min(values)
    width = exp(lowest / BP) * expm1((max(values) - lowest) / BP)
    return Decimal(f"{width:.2e}") if width else Decimal(0)
