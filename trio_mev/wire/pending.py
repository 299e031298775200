"""The life of pending transactions: announced, body, replaced, included, dropped, expired.

Bounded by count and by age. What a node forgets it does not announce, so that a transaction which
has waited for long is asked for by its hash: where the node knows it no more, it was dropped.
What was replaced or dropped is remembered: another node may have it still, and a block include it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

import msgspec

from ..model.chain import Life, PendingLife, Transaction


class _Entry(msgspec.Struct, gc=False):
    seen: float
    place: tuple[str, int] | None = None
    """Sender and nonce, where the body is known."""
    fee: int = 0
    block: str | None = None
    """The block that has it; None while it is pending."""
    number: int = 0
    check: float = 0.0
    """When the node is to be asked for it."""
    asked: bool = False
    ended: Life | None = None
    """Replaced or dropped, as far as is known."""

    @property
    def waits(self) -> bool:
        """Whether it is pending."""
        return self.block is None and self.ended is None


class PendingPool:
    """Everything seen pending and not long settled.

    Args:
        most: transactions that are remembered; the oldest goes first.
        max_age: seconds after which one is no longer watched.
        ask_after: seconds without news after which the node is asked whether it still knows one.
    """

    def __init__(self, most: int, max_age: float, ask_after: float) -> None:
        self._most = most
        self._max_age = max_age
        self._ask_after = ask_after
        self._index: OrderedDict[str, _Entry] = OrderedDict()
        self._fresh: list[tuple[str, tuple[str, int], int, float]] = []
        """Hash, place, fee and time of bodies that are not in the index yet: in a flood they come
        much faster than anybody asks for one by its hash."""
        self._places: dict[tuple[str, int], str] = {}
        self._checks: deque[tuple[float, str]] = deque()
        """When to ask for which, in the order of time; of those that are no longer to be asked
        for it is found out then."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, transaction: object) -> bool:
        return transaction in self._entries

    def has_body(self, transaction: str) -> bool:
        """Whether a transaction's body is known."""
        entry = self._entries.get(transaction)
        return entry is not None and entry.place is not None

    @property
    def pending(self) -> int:
        """How many no block has, as far as is known."""
        return sum(entry.waits for entry in self._entries.values())

    def announced(self, transaction: str, now: float) -> list[PendingLife]:
        """A hash was announced: what follows, beginning with its own first step if it is new."""
        entry = self._entries.get(transaction)
        if entry is None:
            return [PendingLife(transaction, Life.ANNOUNCED), *self._enter(transaction, now)[1]]
        if entry.ended is not Life.DROPPED:
            return []
        self._revive(transaction, entry, now)
        steps = [PendingLife(transaction, Life.ANNOUNCED)]
        return steps if entry.place is None else steps + self._contend(transaction, entry, now)

    def _revive(self, transaction: str, entry: _Entry, now: float) -> None:
        """A node has one again, or still, that another had forgotten."""
        entry.ended = None
        self._schedule(transaction, entry, now)

    def _enter(self, transaction: str, now: float) -> tuple[_Entry, list[PendingLife]]:
        entry = self._entries[transaction] = _Entry(now)
        self._schedule(transaction, entry, now)
        gone = [self._forget(next(iter(self._entries)), now)] if self._is_full else []
        return entry, [step for step in gone if step is not None]

    def _doubt(self, transaction: str, now: float) -> None:
        """Ask for one at the next opportunity."""
        entry = self._entries[transaction]
        if not entry.asked:
            entry.check = now
            self._checks.appendleft((now, transaction))

    def _schedule(self, transaction: str, entry: _Entry, now: float) -> None:
        entry.check = now + self._ask_after
        self._checks.append((entry.check, transaction))
        if len(self._checks) > 2 * self._most:
            self._checks.popleft()

    @property
    def _is_full(self) -> bool:
        return len(self._entries) > self._most

    def admit(self, body: Transaction, now: float) -> bool:
        """Take a body in from which nothing else follows; whether it is one.

        By far the most of them are, thousands a second at times; ``body`` takes the others.
        """
        transaction, place = body.hash, (body.sender, body.nonce)
        # What is new since the last look into the index has its place at least.
        if place in self._places or transaction in self._index:
            return False
        if len(self._index) + len(self._fresh) >= self._most:
            return False
        fee = body.gas_price or 0 if body.max_fee is None else body.max_fee
        self._places[place] = transaction
        self._fresh.append((transaction, place, fee, now))
        return True

    @property
    def _entries(self) -> OrderedDict[str, _Entry]:
        """The index by hash, with all that is new in it."""
        if self._fresh:
            for transaction, place, fee, now in self._fresh:
                check = now + self._ask_after
                self._index[transaction] = _Entry(now, place, fee, None, 0, check)
                self._checks.append((check, transaction))
            self._fresh.clear()
        return self._index

    def body(self, body: Transaction, now: float) -> tuple[bool, list[PendingLife]]:
        """A body has come: whether it is the first time, and what follows.

        Of two with the same sender and nonce the one that pays more replaces the other. Where it
        came first, either what comes is late, or a node which takes the cheaper one has forgotten
        the other: it is asked for both.
        """
        steps: list[PendingLife] = []
        entry = self._entries.get(body.hash)
        place = body.sender, body.nonce
        fee = body.gas_price or 0 if body.max_fee is None else body.max_fee
        if entry is None:
            entry, steps = self._enter(body.hash, now)
        if entry.place is not None and entry.ended is not Life.DROPPED:
            return False, steps
        if entry.ended is not None:
            self._revive(body.hash, entry, now)
        entry.place, entry.fee = place, fee
        return True, steps + self._contend(body.hash, entry, now)

    def _contend(self, transaction: str, entry: _Entry, now: float) -> list[PendingLife]:
        """One has come to its place, where another one may be."""
        assert entry.place is not None
        name = self._places.setdefault(entry.place, transaction)
        if name == transaction:
            return []
        rival = self._entries[name]
        if entry.block is not None:
            return []
        if rival.block is not None:
            return [self._replace(transaction, name, now)]
        if entry.fee <= rival.fee:
            self._doubt(name, now)
            self._doubt(transaction, now)
            return []
        self._places[entry.place] = transaction
        return [self._replace(name, transaction, now)]

    def _replace(self, loser: str, winner: str, now: float) -> PendingLife:
        entry = self._entries[loser]
        entry.ended = Life.REPLACED
        return PendingLife(loser, Life.REPLACED, winner, waited=now - entry.seen)

    def included(
        self, block: str, number: int, transactions: Iterable[str], now: float
    ) -> list[PendingLife]:
        """A block of the chain has these."""
        steps: list[PendingLife] = []
        for transaction in transactions:
            entry = self._entries.get(transaction)
            if entry is None or entry.block == block:
                continue
            entry.block, entry.number, entry.ended = block, number, None
            steps.append(
                PendingLife(
                    transaction,
                    Life.INCLUDED,
                    block=block,
                    number=number,
                    waited=now - entry.seen,
                )
            )
            steps += self._outlive(transaction, entry, now)
        return steps

    def _outlive(self, transaction: str, entry: _Entry, now: float) -> list[PendingLife]:
        """What else had its place can never be included any more. Where it is included already,
        one of the two blocks is of the chain no longer, or never was, which is still to be told:
        until then it stays in its block."""
        if entry.place is None:
            return []
        rival = self._places.get(entry.place, transaction)
        self._places[entry.place] = transaction
        if rival == transaction or self._entries[rival].block is not None:
            return []
        return [self._replace(rival, transaction, now)]

    def retracted(
        self, block: str, number: int, transactions: Iterable[str], now: float
    ) -> list[PendingLife]:
        """A block is no longer of the chain: what it had is pending again."""
        steps: list[PendingLife] = []
        for transaction in transactions:
            entry = self._entries.get(transaction)
            if entry is None or entry.block != block:
                continue
            entry.block = None
            self._schedule(transaction, entry, now)
            steps.append(PendingLife(transaction, Life.RETURNED, block=block, number=number))
        return steps

    def retracted_unseen(self, now: float) -> list[PendingLife]:
        """Blocks below those that are remembered may be of the chain no longer: what is in one is
        pending again until the node has said where it is."""
        steps: list[PendingLife] = []
        for transaction, entry in self._entries.items():
            if entry.block is not None:
                block, entry.block = entry.block, None
                steps.append(
                    PendingLife(transaction, Life.RETURNED, block=block, number=entry.number)
                )
                self._doubt(transaction, now)
        return steps

    def answered(self, transaction: str, known: bool, now: float) -> list[PendingLife]:
        """Whether the node still knows a transaction that it was asked for."""
        entry = self._entries.get(transaction)
        if entry is None or not entry.asked:
            return []
        entry.asked = False
        if not entry.waits:
            return []
        if known:
            self._schedule(transaction, entry, now)
            return []
        if entry.place is not None:
            winner = self._places.get(entry.place, transaction)
            if winner != transaction:
                return [self._replace(transaction, winner, now)]
            self._leave_place(transaction, entry)
        entry.ended = Life.DROPPED
        return [PendingLife(transaction, Life.DROPPED, waited=now - entry.seen)]

    def next_due(self) -> float | None:
        """When ``expire`` has something to do, if at all."""
        oldest = next(iter(self._entries.values()), None)
        if oldest is None:
            return None
        due = oldest.seen + self._max_age
        return min(due, self._checks[0][0]) if self._checks else due

    def expire(self, now: float, room: int) -> tuple[list[PendingLife], list[str]]:
        """What is no longer watched, and whom to ask for now.

        Args:
            now: the time.
            room: how many may be asked for; the others are asked for ``ask_after`` later.
        """
        steps: list[PendingLife] = []
        while self._entries:
            transaction, entry = next(iter(self._entries.items()))
            if entry.seen + self._max_age > now:
                break
            step = self._forget(transaction, now)
            steps += [step] if step is not None else []
        asks: list[str] = []
        later: list[str] = []
        while self._checks and self._checks[0][0] <= now:
            due, transaction = self._checks.popleft()
            known = self._entries.get(transaction)
            if known is None or not known.waits or known.check != due:
                continue
            if len(asks) < room:
                asks.append(transaction)
                known.asked = True
            else:
                later.append(transaction)
        for transaction in later:
            self._schedule(transaction, self._entries[transaction], now)
        return steps, asks

    def unanswered(self, transaction: str, now: float) -> None:
        """The node was asked for one and did not answer; it is asked again later."""
        entry = self._entries.get(transaction)
        if entry is not None and entry.asked:
            entry.asked = False
            if entry.waits:
                self._schedule(transaction, entry, now)

    def _forget(self, transaction: str, now: float) -> PendingLife | None:
        entry = self._entries[transaction]
        self._remove(transaction, entry)
        if not entry.waits:
            return None
        return PendingLife(transaction, Life.EXPIRED, waited=now - entry.seen)

    def _remove(self, transaction: str, entry: _Entry) -> None:
        del self._entries[transaction]
        self._leave_place(transaction, entry)

    def _leave_place(self, transaction: str, entry: _Entry) -> None:
        if entry.place is not None and self._places.get(entry.place) == transaction:
            del self._places[entry.place]
