"""A bound on the work that a block may cause, whatever is in it: so much for each transaction, and
for each pool, by how much there is. So junk in one place leaves the others their share."""

from __future__ import annotations


class Budget:
    """Steps by size.

    Args:
        least: steps that there always are.
        each: steps for each thing that is to be looked at, such as a log.
    """

    __slots__ = ("_each", "_least", "cut")

    def __init__(self, least: int = 2_000, each: int = 20) -> None:
        self._least = least
        self._each = each
        self.cut = False
        """Whether something was left out for want of steps."""

    def share(self, size: int) -> Share:
        """The steps for so many things."""
        return Share(self, self._least + self._each * size)


class Share:
    """Steps that are left.

    Args:
        budget: is told when they run out.
        steps: how many there are.
    """

    __slots__ = ("_budget", "_left")

    def __init__(self, budget: Budget, steps: int) -> None:
        self._budget = budget
        self._left = steps

    def spend(self, steps: int = 1) -> bool:
        """Take steps; False where there are not as many left, and from then on there are none."""
        if steps > self._left:
            self._left = 0
            self._budget.cut = True
            return False
        self._left -= steps
        return True
