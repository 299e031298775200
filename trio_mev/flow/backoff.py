"""How long to wait before the next try."""

from __future__ import annotations

import random

import attrs


@attrs.define(eq=False)
class Backoff:
    """Exponential delays with jitter, up to a cap.

    The n-th delay is ``first * factor**n`` or the cap, times a random number between a half and
    one, so that many clients of a restarted server do not come back as one.
    """

    first: float
    factor: float
    cap: float
    rng: random.Random
    attempts: int = 0
    """Tries since the last reset."""

    def next_delay(self) -> float:
        """Seconds to wait now; the next one will be longer."""
        # Past the cap the exponent stops growing, or it would overflow a float in the end.
        whole = self.first
        for _ in range(self.attempts):
            whole *= self.factor
            if whole >= self.cap:
                break
        self.attempts += 1
        return min(whole, self.cap) * self.rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin with the first delay again."""
        self.attempts = 0
