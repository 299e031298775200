"""The pending transactions of a window of time, and what they come to together.

Everything that is told of them is kept up to date as they come and go, so that a block costs
little however many they are.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict

import attrs

from ...model.chain import GasPercentiles, Transaction
from .feebook import FeeBook
from .order import PendingOrder
from .rivals import RivalGroups

LEAST_GAS_SAMPLE = 10


@attrs.define(eq=False)
class _Entry:
    seen_at: float
    number: int
    body: Transaction | None = None
    included_at: float | None = None


class PendingWindow:
    """Transactions from their first sight on, pending and included.

    Args:
        length: seconds that one is kept for.
        most: that are kept; of more, the oldest are forgotten and counted.
    """

    def __init__(self, length: float, most: int) -> None:
        self._length = length
        self._most = most
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        """In the order of first sight."""
        self._seen = 0
        self._bodies = 0
        """Of those that are pending."""
        self._waits: list[float] = []
        """Seconds that those which are included have waited, rising."""
        self.fees = FeeBook()
        """Of every body, pending or included."""
        self.order = PendingOrder()
        self.rivals = RivalGroups()
        self.value = 0
        """Wei that the pending ones carry."""
        self.forgotten = 0

    def see(self, transaction: str, now: float, landed: bool) -> None:
        """A hash was seen, for the first time or again.

        Args:
            transaction: it.
            now: seconds on the stream's clock.
            landed: whether a block had it already.
        """
        if transaction in self._entries:
            return
        if len(self._entries) >= self._most:
            self._drop(next(iter(self._entries)))
            self.forgotten += 1
        self._seen += 1
        self._entries[transaction] = _Entry(now, self._seen)
        if landed:
            self.include(transaction, now)

    def take(self, body: Transaction) -> None:
        """The body of one that was seen."""
        entry = self._entries[body.hash]
        if entry.body is not None:
            return
        entry.body = body
        self.fees.add(entry.number, body)
        if entry.included_at is None:
            self._begin(body)
        else:
            self.order.landed(body)

    def _begin(self, body: Transaction) -> None:
        """A body is pending from now on."""
        self._bodies += 1
        self.value += body.value
        self.order.add(body)
        self.rivals.add(body)

    def _end(self, body: Transaction) -> None:
        self._bodies -= 1
        self.value -= body.value
        self.order.remove(body)
        self.rivals.remove(body)

    def include(self, transaction: str, now: float) -> None:
        """A block has it."""
        entry = self._entries.get(transaction)
        if entry is None or entry.included_at is not None:
            return
        entry.included_at = now
        insort(self._waits, now - entry.seen_at)
        if entry.body is not None:
            self._end(entry.body)
            self.order.landed(entry.body)

    def restore(self, transaction: str) -> None:
        """The block that had it is no longer of the chain."""
        entry = self._entries.get(transaction)
        if entry is None or entry.included_at is None:
            return
        self._forget_wait(entry)
        entry.included_at = None
        if entry.body is not None:
            self.order.returned(entry.body)
            self._begin(entry.body)

    def remove(self, transaction: str) -> None:
        """It is replaced, dropped, or no longer watched."""
        if transaction in self._entries:
            self._drop(transaction)

    def forget_before(self, now: float) -> None:
        """Drop what was first seen before the window."""
        entries = self._entries
        while entries:
            oldest = next(iter(entries))
            if now - entries[oldest].seen_at <= self._length:
                return
            self._drop(oldest)

    def _drop(self, transaction: str) -> None:
        entry = self._entries.pop(transaction)
        if entry.included_at is not None:
            self._forget_wait(entry)
        if entry.body is None:
            return
        self.fees.remove(entry.number, entry.body)
        if entry.included_at is None:
            self._end(entry.body)
        else:
            self.order.forget(entry.body)

    def _forget_wait(self, entry: _Entry) -> None:
        assert entry.included_at is not None
        del self._waits[bisect_left(self._waits, entry.included_at - entry.seen_at)]

    @property
    def pending(self) -> int:
        """How many no block has."""
        return len(self._entries) - len(self._waits)

    @property
    def without_body(self) -> int:
        """Of those, how many are announced only."""
        return self.pending - self._bodies

    @property
    def included(self) -> int:
        """How many a block has."""
        return len(self._waits)

    @property
    def median_wait(self) -> float | None:
        """Seconds from first sight to inclusion; None where none is included."""
        waits, middle = self._waits, len(self._waits) // 2
        if not waits:
            return None
        return waits[middle] if len(waits) % 2 else (waits[middle - 1] + waits[middle]) / 2

    @property
    def oldest(self) -> float | None:
        """When the oldest pending one was first seen; None where none is pending."""
        times = (e.seen_at for e in self._entries.values() if e.included_at is None)
        return next(times, None)

    def percentiles(self, base_fee: int | None) -> GasPercentiles | None:
        """Fees in a block of a base fee; None below ten bodies.

        Args:
            base_fee: None before the London fork, and where none is known: then it is the caps.
        """
        fees = self.fees
        if len(fees) < LEAST_GAS_SAMPLE:
            return None
        fees.move(NO_BASE_FEE if base_fee is None else base_fee)
        return GasPercentiles(len(fees), *map(fees.nearest_rank, (0.5, 0.9, 0.99)))


NO_BASE_FEE = 2**256
"""Above every cap: whoever names one pays it."""
