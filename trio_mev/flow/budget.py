"""How many calls a second: whoever wants to make one gets the time of its turn, or none."""

from __future__ import annotations

import math
from collections import deque


class CallBudget:
    """At most so many calls in any second; those that come together may be made together.

    Args:
        per_second: how many, of which a fraction over a whole number is left out; below one, one
            call in the inverse of it.
    """

    def __init__(self, per_second: float) -> None:
        most = max(1, math.floor(per_second))
        self._turns: deque[float] = deque(maxlen=most)
        self._window = max(1.0, 1 / per_second)
        self._held = -math.inf

    def turn(self, now: float, before: float) -> float | None:
        """When a call may be made; None where that is not before its time is over.

        A turn that is given is taken, whether or not the call is made then.

        Args:
            now: seconds of any clock that only rises.
            before: when the call would be of no use any more.
        """
        at = max(now, self._held)
        if len(self._turns) == self._turns.maxlen:
            at = max(at, self._turns[0] + self._window)
        if at >= before:
            return None
        self._turns.append(at)
        return at

    def hold(self, until: float) -> None:
        """Give no turn that is earlier: whoever is called has had too many."""
        self._held = max(self._held, until)
