"""Transactions in the order of what they would pay, at a base fee that changes.

With a base fee b, a cap c and a most of the tip p, a transaction pays min(c, b + p) a gas
(EIP-1559). Those with c - p >= b pay all of their tip: among them the order is that of p, whatever
the base fee. The others pay their cap: among them the order is that of c. So two sorted lists
need no sorting when the base fee moves; only those change lists whose c - p it has passed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, TypeAlias

from ...model.chain import Transaction
from ...model.ranks import rank_of

FEW = 128
"""Up to so many are moved one by one: of more, it is cheaper to write the lists anew."""
CHUNK = 512
"""Transactions that are put in order at a time."""
_Pair: TypeAlias = tuple[int, int]
_Four: TypeAlias = tuple[int, int, int, int]


class FeeBook:
    """Transactions by fee, each under a number of its own, which rises with their arrival."""

    __slots__ = ("_caps", "_tips", "_turning", "base_fee")

    def __init__(self) -> None:
        self.base_fee = 0
        self._tips: list[_Pair] = []
        """Most of the tip and the negative number, of those that pay all of it."""
        self._caps: list[_Pair] = []
        """Cap and the negative number, of the others."""
        self._turning: list[_Four] = []
        """Cap less tip, the negative number, cap and tip, of all that name a tip."""

    def __len__(self) -> int:
        return len(self._tips) + len(self._caps)

    def add(self, number: int, body: Transaction) -> None:
        """Take a transaction in, if it names a price at all."""
        self._change(number, body, adding=True)

    def remove(self, number: int, body: Transaction) -> None:
        """Take it out again, by the same number."""
        self._change(number, body, adding=False)

    def _change(self, number: int, body: Transaction, *, adding: bool) -> None:
        change = insort if adding else _take_out
        if body.max_fee is None:
            if body.gas_price is not None:
                change(self._caps, (body.gas_price, -number))
            return
        cap, tip = body.max_fee, body.max_priority_fee or 0
        change(self._turning, (cap - tip, -number, cap, tip))
        if cap - tip >= self.base_fee:
            change(self._tips, (tip, -number))
        else:
            change(self._caps, (cap, -number))

    def move(self, base_fee: int) -> None:
        """Another base fee from now on."""
        before, self.base_fee = self.base_fee, base_fee
        low, high = min(before, base_fee), max(before, base_fee)
        turning = self._turning
        passed = turning[bisect_left(turning, (low,)) : bisect_left(turning, (high,))]
        tips = [(tip, minus) for _, minus, _, tip in passed]
        caps = [(cap, minus) for _, minus, cap, _ in passed]
        if base_fee > before:
            self._tips, self._caps = _without(self._tips, tips), _with(self._caps, caps)
        else:
            self._tips, self._caps = _with(self._tips, tips), _without(self._caps, caps)

    @property
    def unable(self) -> int:
        """How many have a cap under the base fee."""
        return bisect_left(self._caps, (self.base_fee,))

    def nearest_rank(self, share: float) -> int:
        """The least fee a gas with at least a share of all fees at or below it.

        Args:
            share: over 0 and up to 1.

        Raises:
            IndexError: there is none.
        """
        base, tips, caps = self.base_fee, self._tips, self._caps
        rank = rank_of(share, len(self))
        # So many of the lower ones pay all of their tip; the rest of them their cap.
        low, high = max(0, rank - len(caps)), min(rank, len(tips))
        while low < high:
            middle = (low + high) // 2
            if base + tips[middle][0] < caps[rank - middle - 1][0]:
                low = middle + 1
            else:
                high = middle
        ends = [base + tip for tip, _ in tips[low : low + 1]]
        ends += [cap for cap, _ in caps[rank - low : rank - low + 1]]
        if not ends:
            raise IndexError("there is no fee")
        return min(ends)

    def descending(self) -> Iterator[_Pair]:
        """Tips over the base fee, the highest first, with the numbers; of the same the earliest
        first. Those that cannot pay the base fee are left out."""
        for chunk in self._chunks():
            for tip, minus in chunk:
                yield tip, -minus

    def _chunks(self) -> Iterator[list[_Pair]]:
        """Tips with the negative numbers, falling: most of those who ask need only the first."""
        base, tips, caps = self.base_fee, self._tips, self._caps
        end, top, least = len(tips), len(caps), self.unable
        while end:
            start = max(0, end - CHUNK)
            tip, minus = tips[start]
            low = max(least, bisect_left(caps, (base + tip, minus)))
            paid = [(cap - base, one) for cap, one in caps[low:top]]
            yield sorted([*tips[start:end], *paid], reverse=True)
            end, top = start, max(low, least)
        while top > least:
            low = max(least, top - CHUNK)
            yield [(cap - base, one) for cap, one in reversed(caps[low:top])]
            top = low


def _take_out(ordered: list[Any], one: tuple[int, ...]) -> None:
    del ordered[bisect_left(ordered, one)]


def _without(ordered: list[_Pair], gone: Sequence[_Pair]) -> list[_Pair]:
    """The list without those."""
    if len(gone) <= FEW:
        for one in gone:
            _take_out(ordered, one)
        return ordered
    out = frozenset(gone)
    return [one for one in ordered if one not in out]


def _with(ordered: list[_Pair], new: Sequence[_Pair]) -> list[_Pair]:
    """The list and those."""
    if len(new) <= FEW:
        for one in new:
            insort(ordered, one)
        return ordered
    return sorted(chain(ordered, new))
