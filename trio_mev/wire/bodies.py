"""Pending transactions that are known by their hashes, and whose bodies are fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

BODY = "eth_getTransactionByHash"


@attrs.define(eq=False)
class Bodies:
    """The fetches of one connection: so many at once, and so many that wait.

    Args:
        fetches: at once.
        backlog: that may wait; more are counted as refused.
        timeout: seconds that a body may take.
    """

    fetches: int
    backlog: int
    timeout: float
    refused: Counter[str] = attrs.Factory(Counter)
    _queue: dict[str, None] = attrs.Factory(dict)  # a set in the order of arrival
    _due: dict[str, float] = attrs.Factory(dict)
    _to_send: list[str] = attrs.Factory(list)

    def __contains__(self, transaction: object) -> bool:
        return transaction in self._due or transaction in self._queue

    @property
    def busy(self) -> bool:
        """Whether any is under way."""
        return bool(self._due)

    @property
    def room(self) -> int:
        """How many more may wait."""
        return self.backlog - len(self._queue)

    def want(self, transactions: Iterable[str], now: float) -> None:
        """Fetch these, now or when others have come in."""
        for transaction in transactions:
            if transaction in self:
                continue
            if len(self._due) < self.fetches:
                self._fetch(transaction, now)
            elif len(self._queue) < self.backlog:
                self._queue[transaction] = None
            else:
                self.refused["body_backlog_full"] += 1

    def _fetch(self, transaction: str, now: float) -> None:
        self._due[transaction] = now + self.timeout
        self._to_send.append(transaction)

    def arrived(self, transaction: str, now: float) -> bool:
        """Whether it was being fetched; its place is now another's."""
        if self._due.pop(transaction, None) is None:
            return False
        self._fetch_next(now)
        return True

    def _fetch_next(self, now: float) -> None:
        while self._queue and len(self._due) < self.fetches:
            following = next(iter(self._queue))
            del self._queue[following]
            self._fetch(following, now)

    def next_due(self) -> float | None:
        """When the oldest fetch is given up."""
        return next(iter(self._due.values()), None)

    def expire(self, now: float) -> list[str]:
        """Give up those that did not come in time."""
        gone: list[str] = []
        while (due := self.next_due()) is not None and due <= now:
            transaction = next(iter(self._due))
            del self._due[transaction]
            self.refused["fetch_timeout"] += 1
            gone.append(transaction)
            self._fetch_next(now)
        return gone

    def to_send(self) -> list[str]:
        """Whose bodies are to be asked for now; each once."""
        sending, self._to_send = self._to_send, []
        return sending

    def finish(self) -> list[str]:
        """The connection is over: those that will not come."""
        left = [*self._due, *self._queue]
        self._due.clear()
        self._queue.clear()
        self._to_send.clear()
        return left
