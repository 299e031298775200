"""How far a rule's prices were from the truth, and how often its intervals held it."""

from __future__ import annotations

import math
from array import array

import attrs


def quantile(values: array[float], share: float) -> float:
    """The value that this share of them is not above."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


@attrs.frozen
class Score:
    """A rule's figures on one row, in bp."""

    rmse: float
    p99: float
    coverage: float | None = None
    """Share of moments at which the truth was inside the interval."""
    half_width: float | None = None
    """Median."""


@attrs.define
class Tally:
    """What a score is made from."""

    errors: array[float] = attrs.Factory(lambda: array("d"))
    half_widths: array[float] = attrs.Factory(lambda: array("d"))
    held: int = 0

    def add(self, error: float, half_width: float | None = None) -> None:
        """One moment: price less truth, and the interval's half-width."""
        self.errors.append(abs(error))
        if half_width is not None:
            self.half_widths.append(half_width)
            self.held += abs(error) <= half_width

    def score(self) -> Score:
        """The figures of at least one moment."""
        count = len(self.errors)
        rmse = math.sqrt(sum(error * error for error in self.errors) / count)
        p99 = quantile(self.errors, 0.99)
        if not self.half_widths:
            return Score(rmse, p99)
        return Score(rmse, p99, self.held / count, quantile(self.half_widths, 0.5))
