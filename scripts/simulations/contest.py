"""One row: the median, Pyth's rule and ours look at the same quotes.

Pyth's rule is handed what nobody knows: the true standard deviation of every source's error, and
how much the price has moved since it quoted. Ours is handed neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import attrs

from trio_mev.model.identity import Venue
from trio_mev.model.market import PriceStatus
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing.consensus import Vector, calibrated, unweighted
from trio_mev.pricing.constituent import Constituent
from trio_mev.pricing.panel import SAMPLE, Panel
from trio_mev.pricing.scale import deviation
from trio_mev.pricing.sources import Source

from .scores import Score, Tally
from .world import RATES, Family, Fault, Quoted, Ticked, World

SETTINGS = PriceSettings()


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
    ok: float
    """Share of the scored moments at which ours was called ok."""
    disputed: float
    """And in dispute."""
    disputed_standing: float | None
    """And of those at which a source's latest quote was a faulty one; None where there is none."""


def class_of(rate: float) -> str:
    """The update class of a source that quotes so often."""
    if rate >= 1:
        return "high_frequency"
    return "normal" if rate >= 0.2 else "low_frequency"


def panel_of(rates: Sequence[float], sample: float = SAMPLE) -> tuple[Panel, list[Constituent]]:
    """A panel as the aggregator makes it, and its sources."""
    panel = Panel(
        calibrated,
        deviation(SETTINGS.max_deviation),
        SETTINGS.reliability_half_life,
        sample=sample,
    )
    members = [
        panel.add(Source(Venue(str(n)), "simulated", class_of(rate), SETTINGS.max_age), 0.0)
        for n, rate in enumerate(rates)
    ]
    return panel, members


def tell(panel: Panel, one: Constituent, value: float, time: float) -> None:
    """A source's quote, as the aggregator passes it on, in bp of log price."""
    one.value, one.time = value, time
    one.quotes += 1
    if time >= one.learn_at:
        panel.learn(one, time)


class Contest:
    """The rules' prices beside the truth."""

    def __init__(self, world: World, sample: float = SAMPLE) -> None:
        self.world = world
        self.panel, self.members = panel_of(world.rates, sample)
        self.held: dict[int, tuple[float, float, float]] = {}
        """By source: value, time, and what the price had moved by then."""
        self.median, self.pyth, self.ours = Tally(), Tally(), Tally()
        self.ok = self.disputed = self.standing = self.disputed_standing = 0

    def run(self) -> None:
        """All of it."""
        for event in self.world.run():
            if isinstance(event, Quoted):
                self._quoted(event)
            else:
                self._ticked(event)

    def _quoted(self, quote: Quoted) -> None:
        self.held[quote.source] = quote.value, quote.time, self.world.moved
        tell(self.panel, self.members[quote.source], quote.value, quote.time)

    def _ticked(self, tick: Ticked) -> None:
        estimate = self.panel.tick(tick.time).estimate
        if not tick.scored or estimate is None:
            return
        truth = tick.truth
        self.ours.add(estimate.middle - truth, estimate.half_width)
        disputed = estimate.status is PriceStatus.DISPUTED
        self.ok += estimate.status is PriceStatus.OK
        self.disputed += disputed
        self.standing += tick.standing
        self.disputed_standing += disputed and tick.standing
        values, errors = [], []
        for source, (value, time, moved) in self.held.items():
            if tick.time - time <= SETTINGS.max_age:
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
        run.ok / moments,
        run.disputed / moments,
        run.disputed_standing / run.standing if run.standing else None,
    )
