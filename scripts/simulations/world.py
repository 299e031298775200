"""A true price, sources that quote it late and with errors, and what goes wrong with them.

One price path: sources share it, so what one of them has missed another that is as old has
missed too. Lengths are basis points of log price, times seconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Literal

import attrs

RATES = {
    2: (5.0, 1.0),
    3: (5.0, 1.0, 0.3),
    5: (5.0, 2.0, 1.0, 0.5, 0.1),
    8: (5.0, 5.0, 2.0, 2.0, 1.0, 1.0, 0.5, 0.2),
}
"""Quotes a second of each source, by number of sources; their times are Poisson's."""
NOISE = {
    2: (0.5, 1.0),
    3: (0.5, 1.0, 2.0),
    5: (0.5, 1.0, 1.0, 2.0, 3.0),
    8: (0.5, 0.7, 1.0, 1.0, 1.0, 2.0, 2.0, 3.0),
}
"""Standard deviations of their errors."""
TICK = 0.1
WARM = 900.0
"""Seconds before anything is scored or goes wrong."""
REGIME = 600.0
"""Mean seconds for which the price moves as fast, where that changes."""
SPEEDS = (1.0, 10**0.5, 10.0)
"""Of the price, in bp a root second."""
SHARED, SHARED_FOR = 1.5, 30.0
"""Standard deviation and time constant of the error that two sources have in common."""

Family = Literal["normal", "tails", "regimes", "shared"]
"""How errors and the price are distributed: normally at constant speed; as Student's t with three
degrees of freedom; normally at changing speed; with an error that two sources share."""
Fault = Literal["clean", "stuck", "one", "two", "restamped", "frozen", "drifting", "creeping"]


@attrs.frozen
class Episode:
    """When a fault comes, how long it lasts, and at how much of its end it is scored."""

    every: float
    lasts: float
    scored: float
    enough: int = 2000
    """Of them for a figure; of the long ones every moment is scored, so that fewer do."""


EPISODES: dict[Fault, Episode] = {
    "stuck": Episode(every=75.0, lasts=55.0, scored=5.0),
    "one": Episode(every=60.0, lasts=20.0, scored=20.0),
    "two": Episode(every=60.0, lasts=20.0, scored=20.0),
    "restamped": Episode(every=60.0, lasts=30.0, scored=10.0),
    "frozen": Episode(every=5400.0, lasts=3600.0, scored=3600.0, enough=20),
    "drifting": Episode(every=2700.0, lasts=900.0, scored=900.0, enough=40),
    "creeping": Episode(every=7200.0, lasts=5000.0, scored=5000.0, enough=20),
}
APART = 50.0
"""How far a bad source is off, in bp."""
AWAY: dict[Fault, float] = {"drifting": 0.2, "creeping": 0.02}
"""By how much a source that moves away is further off every second, in bp."""
FAR = 100.0
"""And at most."""
REPEATING: tuple[Fault, ...] = ("restamped", "frozen")


@attrs.frozen
class Quoted:
    """A source has quoted."""

    time: float
    source: int
    value: float


@attrs.frozen
class Ticked:
    """A moment at which the price is asked for."""

    time: float
    truth: float
    scored: bool
    standing: bool
    """Whether a quote that a fault made is the latest of its source."""


class World:
    """Everything that happens, in order, until ``seconds`` are over; the same for one seed."""

    def __init__(self, count: int, fault: Fault, family: Family, seconds: float, seed: int) -> None:
        self.rates, self.noise = RATES[count], NOISE[count]
        self.fault: Fault = fault
        self.family: Family = family
        self.seconds = seconds
        self.random = random.Random(f"{seed} {count} {fault} {family}")
        self.truth = 0.0
        self.moved = 0.0
        """Variance that the price has had so far."""
        self.episodes = 0
        self._time = 0.0
        self._speed = 1.0
        self._regime_until = 0.0
        self._shared = 0.0
        self._latest: list[float | None] = [None] * count
        self._faulty: dict[int, float] = {}
        """Bad sources, to how far each is off or the price that it repeats."""
        self._marked = [False] * count
        self._begins = WARM if fault in EPISODES else math.inf
        self._began, self._ends = 0.0, math.inf

    def error_of(self, source: int) -> float:
        """Standard deviation of what a source quotes less the price of that moment."""
        own = self.noise[source]
        return math.hypot(own, SHARED) if self._shares(source) else own

    def _shares(self, source: int) -> bool:
        return self.family == "shared" and source in (0, 1)

    def _draw(self) -> float:
        """Of mean 0 and variance 1."""
        if self.family != "tails":
            return self.random.gauss(0.0, 1.0)
        squares = sum(self.random.gauss(0.0, 1.0) ** 2 for _ in range(3))
        return self.random.gauss(0.0, 1.0) / math.sqrt(squares)

    def _advance(self, time: float) -> None:
        step = time - self._time
        self._time = time
        if self.family == "regimes" and time >= self._regime_until:
            self._regime_until = time + self.random.expovariate(1 / REGIME)
            self._speed = self.random.choice(SPEEDS)
        variance = self._speed * self._speed * step
        self.truth += math.sqrt(variance) * self._draw()
        self.moved += variance
        if self.family == "shared":
            kept = math.exp(-step / SHARED_FOR)
            spread = SHARED * math.sqrt(1 - kept * kept)
            self._shared = kept * self._shared + spread * self.random.gauss(0.0, 1.0)

    def run(self) -> Iterator[Quoted | Ticked]:
        """Quotes and ticks in the order of their times."""
        draw = self.random.expovariate
        due = [draw(rate) for rate in self.rates]
        for number in range(1, int(self.seconds / TICK) + 1):
            tick = number * TICK
            while (time := min(due)) < tick:
                source = due.index(time)
                due[source] = time + draw(self.rates[source])
                self._advance(time)
                value = self._quote(source)
                if value is not None:
                    self._latest[source] = value
                    yield Quoted(time, source, value)
            self._advance(tick)
            self._begin_or_end(tick)
            yield Ticked(tick, self.truth, self._scored(tick), any(self._marked))

    def _quote(self, source: int) -> float | None:
        value = self.truth + self.noise[source] * self._draw()
        if self._shares(source):
            value += self._shared
        if source not in self._faulty:
            self._marked[source] = False
            return value
        if self.fault == "stuck":
            return None
        self._marked[source] = True
        off = self._faulty[source]
        if self.fault in REPEATING:
            return off
        if self.fault in AWAY:
            far = min(AWAY[self.fault] * (self._time - self._began), FAR)
            off = math.copysign(far, off)
        return value + off

    def _begin_or_end(self, now: float) -> None:
        if now >= self._ends:
            self._faulty = {}
            self._ends = math.inf
        if now < self._begins:
            return
        episode = EPISODES[self.fault]
        self._begins += episode.every
        self._began, self._ends = now, now + episode.lasts
        self.episodes += 1
        count = len(self.rates)
        if self.fault == "two":
            self._faulty = dict.fromkeys(self.random.sample(range(count), 2), APART)
            return
        bad = self.random.randrange(count)
        off = self.random.choice((-APART, APART))
        latest = self._latest[bad]
        repeated = self.truth if latest is None else latest
        self._faulty = {bad: repeated if self.fault in REPEATING else off}

    def _scored(self, now: float) -> bool:
        if self.fault not in EPISODES:
            return now >= WARM
        return bool(self._faulty) and now >= self._ends - EPISODES[self.fault].scored
