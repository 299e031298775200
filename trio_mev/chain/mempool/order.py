"""The block that pending transactions would make, as a builder orders them.

The rule is that of go-ethereum's miner (miner/ordering.go, ``transactionsByPriceAndNonce``): the
best tip first, of the same tip the one that came first; of one sender in the order of the nonces,
so that the next one of a sender is looked at only when the one before is in. One that no longer
fits leaves its sender out.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

from ...model.chain import Transaction
from ...model.mempool import NextBlock
from .feebook import FeeBook

LEAST_GAS = 21_000
"""What every transaction takes."""
MOST_LOOKED_AT = 10_000
"""Transactions that are looked at for one block: several times what fits into it."""
_Ready: TypeAlias = tuple[int, int]


class PendingOrder:
    """Pending transactions, and which of them would make the next block."""

    def __init__(self) -> None:
        self.fees = FeeBook()
        self._bodies: dict[int, Transaction] = {}
        self._numbers: dict[str, int] = {}
        self._nonces: dict[str, list[int]] = {}
        """Of the pending ones of each sender, rising."""
        self._next: dict[str, int] = {}
        """Each sender's next nonce, as blocks have shown it."""
        self._count = 0

    def __len__(self) -> int:
        return len(self._bodies)

    def add(self, body: Transaction) -> None:
        """Take in one that is not pending yet."""
        self._count += 1
        self._numbers[body.hash] = self._count
        self._bodies[self._count] = body
        insort(self._nonces.setdefault(body.sender, []), body.nonce)
        self.fees.add(self._count, body)

    def remove(self, body: Transaction) -> None:
        """Take out one that is no longer pending."""
        number = self._numbers.pop(body.hash)
        del self._bodies[number]
        nonces = self._nonces[body.sender]
        del nonces[bisect_left(nonces, body.nonce)]
        if not nonces:
            del self._nonces[body.sender]
        self.fees.remove(number, body)

    def landed(self, body: Transaction) -> None:
        """A block has it: its sender's next one is the one after."""
        self._next[body.sender] = max(body.nonce + 1, self._next.get(body.sender, 0))

    def returned(self, body: Transaction) -> None:
        """The block that had it is no longer of the chain."""
        if self._next.get(body.sender, 0) > body.nonce:
            del self._next[body.sender]

    def forget(self, body: Transaction) -> None:
        """It landed, so long ago that its sender's nonce is no longer remembered for it."""
        if self._next.get(body.sender) == body.nonce + 1:
            del self._next[body.sender]

    def next_block(self, base_fee: int, gas_limit: int) -> NextBlock:
        """What would fill it.

        Args:
            base_fee: of that block.
            gas_limit: of it.
        """
        self.fees.move(base_fee)
        return _Filling(self, gas_limit).filled(base_fee, gas_limit)

    def body(self, number: int) -> Transaction:
        """One of the pending ones, by its number."""
        return self._bodies[number]

    def first_nonce(self, sender: str) -> int:
        """Which nonce of a sender can be next: by what blocks have shown, else the lowest that is
        pending, since nothing else is known."""
        known = self._next.get(sender)
        return self._nonces[sender][0] if known is None else known


class _Filling:
    """One block while it is filled.

    The fees are walked downwards once. One that comes before its turn is put aside; when the one
    before it is in, it competes again, with a tip that is at least that of the walk.
    """

    def __init__(self, order: PendingOrder, gas_limit: int) -> None:
        self._order = order
        self._left = gas_limit
        self._turns: dict[str, int] = {}
        """The next nonce of each sender that was met; under zero where it is left out."""
        self._aside: dict[str, dict[int, _Ready]] = {}
        self._ready: list[_Ready] = []
        self._in: list[str] = []
        self._tip: int | None = None

    def filled(self, base_fee: int, gas_limit: int) -> NextBlock:
        """The block."""
        for tip, number in islice(self._falling(), MOST_LOOKED_AT):
            self._offer(tip, number)
            if self._left < LEAST_GAS:
                break
        full = self._left < LEAST_GAS and self._tip is not None
        return NextBlock(
            base_fee,
            gas_limit,
            gas_limit - self._left,
            tuple(self._in),
            self._tip,
            self._tip + 1 if full and self._tip is not None else 0,
            self._order.fees.unable,
            sum(map(len, self._aside.values())),
        )

    def _falling(self) -> Iterator[_Ready]:
        """The best of those on the way down and those whose turn has come meanwhile."""
        ready = self._ready
        for tip, number in self._order.fees.descending():
            while ready and ready[0] < (-tip, number):
                minus, earlier = heapq.heappop(ready)
                yield -minus, earlier
            yield tip, number
        while ready:
            minus, earlier = heapq.heappop(ready)
            yield -minus, earlier

    def _offer(self, tip: int, number: int) -> None:
        body = self._order.body(number)
        sender, nonce = body.sender, body.nonce
        turn = self._turns.get(sender)
        if turn is None:
            turn = self._turns[sender] = self._order.first_nonce(sender)
        if nonce > turn >= 0:
            # Of several with one nonce the best is met first.
            self._aside.setdefault(sender, {}).setdefault(nonce, (-tip, number))
        elif nonce == turn:
            self._take(body, tip)

    def _take(self, body: Transaction, tip: int) -> None:
        sender = body.sender
        if body.gas > self._left:
            self._turns[sender] = -1
            return
        self._left -= body.gas
        self._in.append(body.hash)
        self._tip = tip if self._tip is None else min(tip, self._tip)
        turn = self._turns[sender] = body.nonce + 1
        following = self._aside.get(sender, {}).pop(turn, None)
        if following is not None:
            heapq.heappush(self._ready, following)
