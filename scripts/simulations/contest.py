"""One row: the median, Pyth's rule and ours look at the same quotes.

Pyth's rule is handed what nobody knows: the true standard deviation of every source's error, and
how much the price has moved since it quoted. Ours is handed neither.
"""

from __future__ import annotations

import math
from statistics import median

import attrs

from trio_mev.model.identity import Venue
from trio_mev.model.market import PriceStatus
from trio_mev.pricing.consensus import Vector, calibrated, unweighted
from trio_mev.pricing.panel import SAMPLE, Panel
from trio_mev.pricing.sources import Source

from .scores import Score, Tally
from .world import RATES, Family, Fault, Quoted, Ticked, World

MAX_AGE = 60.0
NO_LIMIT = 1e9
HALF_LIFE = 60.0


@attrs.frozen
class Result:
    """What came out of one row."""

    name: str
    sources: int
    fault: Fault
    family: Family
    seconds: float
    episodes: int
    moments: int
    median: Score
    pyth: Score
    ours: Score
    disputed: float
    """Share of the scored moments at which ours was in dispute."""
    disputed_standing: float | None
    """And of those at which a source's latest quote was a faulty one; None where there is none."""


def class_of(rate: float) -> str:
    """The update class of a source that quotes so often."""
    if rate >= 1:
        return "high_frequency"
    return "normal" if rate >= 0.2 else "low_frequency"


class Contest:
    """The rules' prices beside the truth."""

    def __init__(self, world: World, sample: float = SAMPLE) -> None:
        self.world = world
        self.panel = Panel(calibrated, NO_LIMIT, HALF_LIFE, sample=sample)
        self.members = [
            self.panel.add(Source(Venue(str(n)), "simulated", class_of(rate), MAX_AGE), 0.0)
            for n, rate in enumerate(world.rates)
        ]
        self.held: dict[int, tuple[float, float, float]] = {}
        """By source: value, time, and what the price had moved by then."""
        self.median, self.pyth, self.ours = Tally(), Tally(), Tally()
        self.disputed = self.standing = self.disputed_standing = 0

    def run(self) -> None:
        """All of it."""
        for event in self.world.run():
            if isinstance(event, Quoted):
                self._quoted(event)
            else:
                self._ticked(event)

    def _quoted(self, quote: Quoted) -> None:
        self.held[quote.source] = quote.value, quote.time, self.world.moved
        one = self.members[quote.source]
        one.value, one.time = quote.value, quote.time
        one.quotes += 1
        if quote.time >= one.learn_at:
            self.panel.learn(one, quote.time)

    def _ticked(self, tick: Ticked) -> None:
        estimate = self.panel.tick(tick.time).estimate
        if not tick.scored or estimate is None:
            return
        truth = tick.truth
        self.ours.add(estimate.middle - truth, estimate.half_width)
        disputed = estimate.status is PriceStatus.DISPUTED
        self.disputed += disputed
        self.standing += tick.standing
        self.disputed_standing += disputed and tick.standing
        values, errors = [], []
        for source, (value, time, moved) in self.held.items():
            if tick.time - time <= MAX_AGE:
                values.append(value)
                error = self.world.error_of(source)
                errors.append(math.sqrt(error * error + self.world.moved - moved))
        self.median.add(median(values) - truth)
        lower, middle, upper = unweighted(Vector(values, errors, (), ()))
        self.pyth.add(middle - truth, max(middle - lower, upper - middle))


def name_of(count: int, fault: Fault, family: Family = "normal") -> str:
    """A row's name, such as ``n5-stuck`` or ``tails-n8-clean``."""
    row = f"n{count}-{fault}"
    return row if family == "normal" else f"{family}-{row}"


def contest(
    count: int, fault: Fault, family: Family, seconds: float, seed: int, sample: float = SAMPLE
) -> Result:
    """One row's result."""
    assert count in RATES
    world = World(count, fault, family, seconds, seed)
    run = Contest(world, sample)
    run.run()
    moments = len(run.ours.errors)
    return Result(
        name_of(count, fault, family),
        count,
        fault,
        family,
        seconds,
        world.episodes,
        moments,
        run.median.score(),
        run.pyth.score(),
        run.ours.score(),
        run.disputed / moments,
        run.disputed_standing / run.standing if run.standing else None,
    )
