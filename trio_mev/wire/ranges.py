"""How logs are asked for so that every answer fits: ranges that are halved, one at a time.

One question is under way at a time, so that a reply which is too large for the socket has one
culprit. What was too large is never asked again unchanged: a range is halved, then the emitters
are, then the alternatives of the first topic. A single block that is still too large is given up
by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from ..model.settings import LogFilter
from .limits import Answer, pause

ATTEMPTS = 6
"""Of one question that is refused for now; the pauses add up to about half a minute."""


@attrs.frozen
class LogQuery:
    """One ``eth_getLogs``: a filter, over a range of blocks or for one block by its hash."""

    wanted: LogFilter
    first: int
    last: int
    block: str | None = None
    """Its hash; then ``first`` and ``last`` are its number."""

    def params(self) -> list[dict[str, Any]]:
        """The request's parameters."""
        made: dict[str, Any] = {}
        if self.wanted.address:
            made["address"] = list(self.wanted.address)
        if self.wanted.topics:
            made["topics"] = [list(t) if isinstance(t, tuple) else t for t in self.wanted.topics]
        if self.block is not None:
            return [made | {"blockHash": self.block}]
        return [made | {"fromBlock": hex(self.first), "toBlock": hex(self.last)}]

    def halves(self) -> tuple[LogQuery, LogQuery] | None:
        """Two that together ask the same; None where it cannot be less."""
        if self.block is None and self.first < self.last:
            middle = (self.first + self.last) // 2
            return attrs.evolve(self, last=middle), attrs.evolve(self, first=middle + 1)
        several = self.wanted.address
        if len(several) > 1:
            return self._with(address=several[: len(several) // 2]), self._with(
                address=several[len(several) // 2 :]
            )
        first, *rest = self.wanted.topics or (None,)
        if isinstance(first, tuple) and len(first) > 1:
            middle = len(first) // 2
            one, other = (first[:middle], *rest), (first[middle:], *rest)
            return self._with(topics=one), self._with(topics=other)
        return None

    def _with(self, **changes: Any) -> LogQuery:
        return attrs.evolve(self, wanted=attrs.evolve(self.wanted, **changes))

    def __str__(self) -> str:
        one = f"block {self.first}"
        return one if self.first == self.last else f"blocks {self.first} to {self.last}"


L = TypeVar("L")


class LogPlan(Generic[L]):
    """The questions that together ask for the logs of a range or of a block.

    Args:
        queries: what to ask, in the order of blocks.
    """

    def __init__(self, queries: Iterable[LogQuery]) -> None:
        self._left = list(queries)[::-1]
        self._last = max((query.last for query in self._left), default=-1)
        self.asking: LogQuery | None = None
        """Under way."""
        self.logs: list[L] = []
        self.problem: str | None = None
        """Why it is given up, where it is."""
        self.not_before = float("-inf")
        """When the next question may be asked."""
        self.asked = 0
        self._failures = 0

    @classmethod
    def over(cls, filters: Sequence[LogFilter], first: int, last: int) -> LogPlan[L]:
        """For every block of a range."""
        return cls(LogQuery(wanted, first, last) for wanted in filters)

    @classmethod
    def of_block(cls, filters: Sequence[LogFilter], number: int, block: str) -> LogPlan[L]:
        """For one block by its hash."""
        return cls(LogQuery(wanted, number, number, block) for wanted in filters)

    @property
    def done(self) -> bool:
        """Whether everything was answered."""
        return not self._left and self.asking is None and self.problem is None

    @property
    def cursor(self) -> int:
        """The last block up to which everything was answered; for all filters, and both halves
        of whatever was halved."""
        left = [*self._left, *([self.asking] if self.asking else ())]
        return min((query.first - 1 for query in left), default=self._last)

    def ask(self, now: float) -> LogQuery | None:
        """The next question, if it is time for one; it is under way from now on."""
        if self.asking is not None or self.problem is not None or now < self.not_before:
            return None
        if not self._left:
            return None
        self.asking = self._left.pop()
        self.asked += 1
        return self.asking

    def answered(self, logs: Iterable[L]) -> None:
        """The question under way has its answer."""
        assert self.asking is not None
        self.asking = None
        self.logs += logs
        self._failures = 0

    def refused(self, answer: Answer, why: str, now: float, jitter: float) -> None:
        """The question under way was answered with an error.

        Args:
            answer: what is to be done about it.
            why: the node's words.
            now: seconds of the clock that ``ask`` is given.
            jitter: from 0 to below 1.
        """
        if answer is Answer.SPLIT:
            self.too_large(why)
            return
        query = self._back()
        self._failures += 1
        if answer is Answer.GIVE_UP or self._failures >= ATTEMPTS:
            self.problem = f"{query}: {why}"
        else:
            self.not_before = now + pause(self._failures, jitter)

    def too_large(self, why: str) -> None:
        """The answer to the question under way is too large for the node or for the socket."""
        query = self._back()
        halves = query.halves()
        if halves is None:
            self.problem = f"{query}: its logs do not fit into one reply: {why}"
            return
        self._left[-1:] = halves[::-1]
        self._failures = 0

    def interrupted(self) -> None:
        """The connection was lost, and not for the size of the answer: it is asked again."""
        if self.asking is not None:
            self._back()

    def _back(self) -> LogQuery:
        assert self.asking is not None
        query, self.asking = self.asking, None
        self._left.append(query)
        return query
