"""The sources of one instrument, what is known of their errors, and the price that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import exp, inf, log

import attrs

from ..model.market import PriceStatus
from .calibration import Calibration, Constituent, attribute
from .consensus import Estimate, Vector, calibrated

_DISPUTED = PriceStatus.DISPUTED
SAMPLE = 1.0
"""Seconds between two quotes of a source that are learned from."""

class Panel:
    def __init__(self, limit=1e9, sample=SAMPLE, half_life=60.0, max_age=60.0):
        self.cal = Calibration()
        self.cs: list[Constituent] = []
        self.limit = limit
        self.sample = sample
        self.half_life = half_life
        self.max_age=max_age
        self.next = {}
        self.next_attr = -inf
        self.ticked = None

    def fresh(self, now, without=None):
        return [c for c in self.cs if c is not without and now - c.time <= self.max_age]

    def estimate(self, fresh, now):
        if not fresh: return None
        cal = self.cal
        return calibrated(Vector([c.value for c in fresh],[cal.error(c,now) for c in fresh],[c.reliability for c in fresh],[c.rejected for c in fresh]), cal.kappa, self.limit)

    def quote(self, c, value, time, now):
        known = c.time > -inf
        if now < self.next.get(c.source, -inf):
            c.value, c.time = value, time
            return
        self.next[c.source] = now + self.sample
        others = self.fresh(now, c)
        c.value, c.time = value, time
        if not known: return
        est = self.estimate(others, now) if others else None
        if len(others)+1 >= 3 and est.status is not _DISPUTED:
            self.cal.test_interval(est, c, self.cal.error(c, now))
        present = self.fresh(now)
        disputed = self.estimate(present, now).status is _DISPUTED
        if not c.rejected and not (len(present)==2 and disputed):
            self.cal.compare(c, [o for o in others if not o.rejected])
        if now >= self.next_attr:
            self.next_attr = now + self.sample
            attribute(present, disputed=disputed)

    def tick(self, now):
        fresh = self.fresh(now)
        est = self.estimate(fresh, now)
        if est is None: return None
        if len(fresh) >= 3:
            for c, k in zip(fresh, est.kept): c.rejected = not k
        if self.ticked is not None:
            w = 1 - 2.0 ** (-(now - self.ticked) / self.half_life)
            for c in fresh:
                c.reliability = max(.05, c.reliability + w * ((not c.rejected) - c.reliability))
        self.ticked = now
        if est.status is _DISPUTED: self.cal.mark = None
        else: self.cal.learn_drift(est.middle, now)
        return est
