"""The rows of the table, and what our rule must reach in each.

The rule's constants were set with the normal family in view. It was not tuned on the others:
what happens there is reported, and judged by nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from .contest import Result, contest, name_of
from .world import EPISODES, WARM, Family, Fault

CLEAN = 40_000.0
"""Seconds without one."""
FAULTS: tuple[Fault, ...] = ("clean", "stuck", "one", "two", "restamped")
LASTING: tuple[Fault, ...] = ("frozen", "drifting", "creeping")


@attrs.frozen
class Row:
    """One simulation."""

    count: int
    fault: Fault
    family: Family = "normal"

    @property
    def name(self) -> str:
        """Such as ``n5-stuck`` or ``tails-n8-clean``."""
        return name_of(self.count, self.fault, self.family)

    @property
    def seconds(self) -> float:
        """For which it runs: of the other families half as many episodes."""
        if self.fault == "clean":
            return CLEAN
        episode = EPISODES[self.fault]
        episodes = episode.enough if self.family == "normal" else episode.enough // 2
        return WARM + episodes * episode.every

    def run(self, seed: int, seconds: float | None, sample: float) -> Result:
        """Its result."""
        length = self.seconds if seconds is None else seconds
        return contest(self.count, self.fault, self.family, length, seed, sample)


def _rows() -> Iterator[Row]:
    for count in (5, 8):
        for fault in FAULTS:
            yield Row(count, fault)
    for fault in FAULTS[:4]:
        yield Row(3, fault)
    for fault in FAULTS[:3]:
        yield Row(2, fault)
    for fault in LASTING:
        yield Row(5, fault)
        yield Row(3, fault)
    yield from _untuned()


def _untuned() -> Iterator[Row]:
    families: tuple[Family, ...] = ("tails", "regimes", "shared")
    for family in families:
        for fault in FAULTS[:4]:
            yield Row(5, fault, family)
        for count in (8, 3):
            yield Row(count, "clean", family)
            yield Row(count, "one", family)


ROWS = {row.name: row for row in _rows()}


@attrs.frozen
class Demand:
    """One thing that a row must reach."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        below = self.least is not None and self.value < self.least
        above = self.most is not None and self.value > self.most
        return not (below or above)

    def __str__(self) -> str:
        least = "" if self.least is None else f"{self.least:.3g} ≤ "
        most = "" if self.most is None else f" ≤ {self.most:.3g}"
        return f"{least}{self.what} {self.value:.3f}{most}"


def demands(result: Result) -> list[Demand]:
    """What is asked of a row; nothing of a family that the rule was not tuned on."""
    ours, pyth = result.ours, result.pyth
    assert ours.coverage is not None
    assert ours.half_width is not None
    assert pyth.half_width is not None
    if result.family != "normal":
        return []
    coverage = "coverage", ours.coverage
    if result.sources == 2:
        return [Demand(*coverage, least=0.95)]
    if result.fault in LASTING:
        return [Demand(*coverage, least=0.93), Demand("called ok", result.ok, most=0.25)]
    if result.sources == 3:
        if result.disputed_standing is None:
            return [Demand(*coverage, least=0.95)]
        return [
            Demand(*coverage, least=0.95),
            Demand("disputed while a faulty quote stands", result.disputed_standing, least=1.0),
        ]
    if result.fault == "restamped":
        return [Demand(*coverage, least=0.93, most=0.98)]
    best = min(result.median.rmse, pyth.rmse)
    furthest = min(result.median.p99, pyth.p99)
    return [
        Demand("RMSE", ours.rmse, most=0.85 * best),
        Demand("p99", ours.p99, most=1.05 * furthest),
        Demand(*coverage, least=0.93, most=0.97),
        Demand("half-width", ours.half_width, most=1.1 * pyth.half_width),
    ]
