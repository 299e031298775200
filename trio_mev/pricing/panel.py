"""The sources of one instrument together: their calibration and the price that follows."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, inf, sqrt

import attrs
from msgspec.structs import replace

from ..model.identity import Venue
from ..model.market import PriceStatus
from ..model.noun import Noun
from .calibration import Calibration, attribute
from .consensus import GATE, Z95, Estimate, Rule, Vector, calibrated
from .constituent import Constituent
from .sources import Source

SAMPLE = 1.0
"""Seconds between two quotes of a source that are learned from."""
LONGEST_STEP = 60.0
"""Seconds between two ticks that weigh in a source's reliability; of more, these."""

_DISPUTED = PriceStatus.DISPUTED


class Seen(Noun, frozen=True):
    """A price, and the sources that it was made from."""

    estimate: Estimate | None
    """None where too few sources are fresh, or the rule has no price."""
    fresh: Sequence[Constituent]
    """In the order of the estimate's ``kept``."""
    left_out: Sequence[Constituent] = ()
    """Fresh ones that it was made without."""


@attrs.define(eq=False)
class Panel:
    """The sources of one instrument."""

    rule: Rule
    limit: float
    """No source further than this from the others is admitted, in bp."""
    half_life: float
    """Seconds after which an outcome weighs half in a source's reliability."""
    least: int = 1
    """Fresh sources without which there is no price."""
    sample: float = SAMPLE
    constituents: dict[Venue, Constituent] = attrs.Factory(dict)
    calibration: Calibration = attrs.Factory(Calibration)
    attribute_at: float = 0.0
    ticked: float | None = None

    def add(self, source: Source, now: float) -> Constituent:
        """Take in another source, which is learned from a while after its first quote."""
        one = self.constituents[source.source_id] = Constituent(source)
        one.learn_at = now + self.sample
        return one

    @property
    def latest(self) -> float | None:
        """Time of the latest quote of any source; None before the first."""
        latest = max((one.time for one in self.constituents.values()), default=-inf)
        return latest if latest > -inf else None

    def fresh(self, now: float) -> list[Constituent]:
        """Those whose quotes count, read."""
        found = []
        for one in self.constituents.values():
            source = one.source
            if source.is_active and now - one.time <= source.max_age:
                if one.unread:
                    one.read()
                found.append(one)
        return found

    def look(self, now: float) -> Seen:
        """The price as of now. Nothing changes."""
        return self._seen(self.fresh(now), now)

    def _seen(self, fresh: list[Constituent], now: float) -> Seen:
        left_out = _discounted(fresh) if self.rule is calibrated else []
        if not left_out:
            return self._seen_of(fresh, now)
        seen = self._seen_of([one for one in fresh if one not in left_out], now)
        estimate = seen.estimate
        if estimate is not None and estimate.status is _DISPUTED and len(seen.fresh) > 2:
            # With them there may be a majority: who is noisy or slow to move is not alone wrong.
            whole = self._seen_of(fresh, now)
            if whole.estimate is not None and whole.estimate.status is not _DISPUTED:
                return _degraded(whole)
        return replace(_degraded(seen), left_out=[*left_out, *seen.left_out])

    def _seen_of(self, fresh: list[Constituent], now: float) -> Seen:
        """The price that these make; of three, an odd one is left out."""
        odd = self._screened(fresh, now)
        if odd is not None:
            fresh = [one for one in fresh if one is not odd]
        left_out = [] if odd is None else [odd]
        if not fresh or len(fresh) < self.least:
            return Seen(None, fresh, left_out)
        estimate = self.rule(self.vector(fresh, now), self.calibration.kappa, self.limit)
        seen = Seen(estimate, fresh, left_out)
        return _degraded(seen) if left_out else seen

    def vector(self, fresh: Sequence[Constituent], now: float) -> Vector:
        """What a rule sees of these."""
        error = self.calibration.error
        return Vector(
            [one.value for one in fresh],
            [error(one, now) for one in fresh],
            [one.reliability for one in fresh],
            [one.rejected for one in fresh],
        )

    def tick(self, now: float) -> Seen:
        """The price as of now; who was admitted and how far it moved are learned from it."""
        fresh = self.fresh(now)
        self._note_stuck(fresh, now)
        self._note_astray(fresh, now)
        seen = self._seen(fresh, now)
        estimate = seen.estimate
        for one in seen.left_out:
            one.reject(rejected=True)
        if estimate is not None:
            for one, kept in zip(seen.fresh, estimate.kept, strict=True):
                if one.rejected is kept:
                    one.reject(rejected=not kept)
            self._judge(now)
            self.calibration.learn_drift(
                None if estimate.status is _DISPUTED else estimate.middle, now
            )
        self.ticked = now
        return seen

    def _judge(self, now: float) -> None:
        step = 0.0 if self.ticked is None else min(max(now - self.ticked, 0.0), LONGEST_STEP)
        weight = 1 - 2.0 ** (-step / self.half_life)
        for one in self.constituents.values():
            if one.source.is_active:
                one.judge(now, weight)

    def learn(self, one: Constituent, now: float) -> None:
        """Learn from a source's new quote, which the others' price is held against."""
        one.learn_at = now + self.sample
        present = self.fresh(now)
        others = [other for other in present if other is not one]
        if len(others) == len(present) or not others:  # it is too old, or alone
            return
        one.note_value()
        counted = [other for other in others if not (other.stuck or other.noisy)] or others
        if len(counted) == 1 and self._apart(one, counted[0], now):
            return
        if len(counted) > 1 and not (one.stuck or one.noisy):
            seen = self.vector(counted, now)
            estimate = calibrated(seen, self.calibration.kappa, self.limit, votes_only=True)
            self.calibration.test_interval(estimate, one, now)
        if one.noisy or not one.rejected:
            self.calibration.compare(one, [other for other in others if not other.rejected])
        if now >= self.attribute_at:
            self.attribute_at = now + self.sample
            attribute([other for other in present if not other.stuck])

    def _apart(self, one: Constituent, other: Constituent, now: float) -> bool:
        """Whether two are too far from each other to be of one price."""
        error = hypot(self.calibration.error(one, now), self.calibration.error(other, now))
        return abs(one.value - other.value) > min(self.limit, GATE * error)

    def _odd(self, fresh: Sequence[Constituent], now: float) -> Constituent | None:
        """Of three, the one that is further from both others than any may be, who agree."""
        if len(fresh) != 3:
            return None
        first, second, third = sorted(fresh, key=lambda one: one.value)
        if third.value - second.value > self.limit and not self._apart(first, second, now):
            return third
        if second.value - first.value > self.limit and not self._apart(second, third, now):
            return first
        return None

    def _screened(self, fresh: Sequence[Constituent], now: float) -> Constituent | None:
        """An odd one, once both others have said again what they said.

        When all move, the first to do so is odd as well, until one of the others has quoted.
        """
        odd = self._odd(fresh, now)
        if odd is None or odd.astray_since is None:
            return None
        since = odd.astray_since
        confirmed = all(one.time > since for one in fresh if one is not odd)
        return odd if confirmed else None

    def _note_astray(self, fresh: Sequence[Constituent], now: float) -> None:
        odd = self._odd(fresh, now)
        for one in self.constituents.values():
            if one is not odd:
                one.astray_since = None
            elif one.astray_since is None:
                one.astray_since = now

    def _note_stuck(self, fresh: Sequence[Constituent], now: float) -> None:
        """Find who repeats, for longer than a quote counts, what the others have left behind.

        These must be a majority who agree and have said something new since; and what it says
        must be outside the gate that it would have without its age.
        """
        still = [one for one in fresh if now - one.said_at > one.source.max_age and not one.stuck]
        if not still:
            return
        moving = [one for one in fresh if not (one.stuck or one.noisy or one in still)]
        if len(moving) < len(fresh) // 2 + 1:
            return
        seen = self.vector(moving, now)
        others = calibrated(seen, self.calibration.kappa, self.limit, votes_only=True)
        for one in still:
            error = hypot(others.half_width / Z95, sqrt(one.noise))
            apart = abs(one.value - others.middle) > GATE * error
            one.stuck = apart and others.status is not _DISPUTED


def _degraded(seen: Seen) -> Seen:
    """As it is, but not to be called ok: somebody was left out, or had to be taken all the same."""
    estimate = seen.estimate
    if estimate is None or estimate.status is not PriceStatus.OK:
        return seen
    return replace(seen, estimate=replace(estimate, status=PriceStatus.DEGRADED))


def _discounted(fresh: Sequence[Constituent]) -> list[Constituent]:
    """Those that are stuck or too noisy to count, where two others are there."""
    found = [one for one in fresh if one.stuck or one.noisy]
    return found if len(fresh) - len(found) > 1 else []
