"""A bound on the work that one block may cause, whatever is in it."""

from __future__ import annotations

STEPS = 2_000_000
"""A busy block takes some ten thousand; all of them take about a second."""


class Budget:
    """Steps that are left.

    Args:
        steps: how many there are.
    """

    __slots__ = ("_left", "cut")

    def __init__(self, steps: int = STEPS) -> None:
        self._left = steps
        self.cut = False
        """Whether something was left out for want of steps."""

    def spend(self, steps: int = 1) -> bool:
        """Take steps; False where there are not as many left, and from then on there are none."""
        self._left -= steps
        if self._left < 0:
            self._left = 0
            self.cut = True
            return False
        return True
