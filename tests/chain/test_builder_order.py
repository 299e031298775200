"""Pending transactions in a builder's order, and by fee at a base fee that moves: against models
that are as plain as the rules."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trio_mev.chain.mempool import feebook
from trio_mev.chain.mempool.feebook import FeeBook
from trio_mev.chain.mempool.order import LEAST_GAS, PendingOrder
from trio_mev.model.chain import Transaction
from trio_mev.model.mempool import NextBlock

ALICE, BOB = "0xa11ce", "0xb0b"


def body(
    name: int, sender: str = ALICE, nonce: int = 0, gas: int = LEAST_GAS, **fees
) -> Transaction:
    return Transaction(f"0x{name}", sender, "0xto", nonce, 0, gas, b"", **fees)


def capped(cap: int, tip: int | None) -> dict[str, int | None]:
    return {"type": 2, "max_fee": cap, "max_priority_fee": tip}


FEES = st.one_of(
    st.builds(lambda price: {"gas_price": price}, st.none() | st.integers(0, 40)),
    st.builds(capped, st.integers(0, 40), st.none() | st.integers(0, 12)),
)
BODIES = st.lists(
    st.builds(
        lambda sender, nonce, gas, fees: (f"0x{sender}", nonce, gas, fees),
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from([LEAST_GAS, 2 * LEAST_GAS, 5 * LEAST_GAS]),
        FEES,
    ),
    max_size=14,
).map(lambda rows: [body(n, s, nonce, gas, **f) for n, (s, nonce, gas, f) in enumerate(rows)])


def modelled(bodies: list[Transaction], base_fee: int, gas_limit: int) -> list[str]:
    """Time and again the best of all whose turn it is; a sender whose best no longer fits is left
    out. Of those that pay the same the earliest."""
    able = {}
    for place, one in enumerate(bodies):
        fee = one.fee_per_gas(base_fee)
        if fee is not None and fee >= base_fee:
            able[one.hash] = (fee - base_fee, -place, one)
    turns: dict[str, int] = {}
    for one in bodies:
        turns[one.sender] = min(turns.get(one.sender, one.nonce), one.nonce)
    found, left = [], gas_limit
    while left >= LEAST_GAS:
        heads = [row for row in able.values() if row[2].nonce == turns[row[2].sender]]
        if not heads:
            break
        best = max(heads)[2]
        if best.gas > left:
            turns[best.sender] = -1
            continue
        left -= best.gas
        found.append(best.hash)
        turns[best.sender] += 1
    return found


@settings(max_examples=400, deadline=None)
@given(BODIES, st.integers(0, 30), st.integers(0, 12))
def test_the_order_is_a_builders(bodies: list[Transaction], base_fee: int, room: int):
    order = PendingOrder()
    for one in bodies:
        order.add(one)
    block = order.next_block(base_fee, room * LEAST_GAS)
    assert list(block.transactions) == modelled(bodies, base_fee, room * LEAST_GAS)
    by_name = {one.hash: one for one in bodies}
    inside = [by_name[name] for name in block.transactions]
    tips = [(one.fee_per_gas(base_fee) or 0) - base_fee for one in inside]
    assert block.gas == sum(one.gas for one in inside) <= block.gas_limit
    assert block.least_tip == min(tips, default=None)
    able = [fee for one in bodies if (fee := one.fee_per_gas(base_fee)) is not None]
    assert block.unable == sum(fee < base_fee for fee in able)


@settings(max_examples=200, deadline=None)
@given(BODIES, st.integers(0, 30), st.integers(1, 8))
def test_with_the_tip_that_is_needed_a_transfer_is_in_and_with_less_it_is_not(
    bodies: list[Transaction], base_fee: int, room: int
):
    limit = room * LEAST_GAS
    order = PendingOrder()
    for one in bodies:
        order.add(one)
    needed = order.next_block(base_fee, limit).tip_needed
    for tip, within in ((needed, True), (needed - 1, False)):
        if tip < 0:
            continue
        new = body(99, BOB, **capped(base_fee + tip, tip))
        order.add(new)
        assert (new.hash in order.next_block(base_fee, limit).transactions) is within
        order.remove(new)


def test_of_one_sender_the_second_waits_for_the_first_however_much_it_pays():
    order = PendingOrder()
    order.add(body(1, ALICE, 8, gas_price=90))
    order.add(body(2, BOB, 3, gas_price=50))
    order.add(body(3, ALICE, 7, gas_price=40))
    block = order.next_block(10, 10 * LEAST_GAS)
    assert block.transactions == ("0x2", "0x3", "0x1")
    assert (block.least_tip, block.tip_needed, block.waiting) == (30, 0, 0)


def test_what_blocks_have_shown_of_a_sender_tells_who_is_next():
    order = PendingOrder()
    order.add(body(1, ALICE, 8, gas_price=9))
    order.add(body(2, ALICE, 6, gas_price=9))
    landed = body(3, ALICE, 6, gas_price=9)
    order.landed(landed)
    block = order.next_block(1, 10 * LEAST_GAS)
    assert (block.transactions, block.waiting) == ((), 1)  # 7 is not here, and 6 is used
    order.add(body(4, ALICE, 7, gas_price=5))
    assert order.next_block(1, 10 * LEAST_GAS).transactions == ("0x4", "0x1")
    order.forget(body(5, ALICE, 5))  # an older one says nothing
    assert order.next_block(1, 10 * LEAST_GAS).transactions == ("0x4", "0x1")
    order.returned(body(5, ALICE, 9))  # nor one that is later than all that landed
    assert order.next_block(1, 10 * LEAST_GAS).transactions == ("0x4", "0x1")
    order.returned(landed)
    assert order.next_block(1, 10 * LEAST_GAS).transactions == ("0x2", "0x4", "0x1")
    order.landed(landed)
    order.forget(landed)
    assert order.first_nonce(ALICE) == 6


def test_of_two_with_one_nonce_the_better_is_in():
    order = PendingOrder()
    for name, price in ((1, 5), (2, 7), (3, 6)):
        order.add(body(name, ALICE, 4, gas_price=price))
    assert len(order) == 3
    assert order.next_block(1, 10 * LEAST_GAS).transactions == ("0x2",)
    order.remove(body(2, ALICE, 4, gas_price=7))
    assert order.next_block(1, 10 * LEAST_GAS).transactions == ("0x3",)


def test_nothing_pending_is_an_empty_block():
    block = PendingOrder().next_block(7, 30_000_000)
    assert block == NextBlock(7, 30_000_000, 0, (), None, 0, 0, 0)


class Book(RuleBasedStateMachine):
    """Fees as they come and go while the base fee moves, beside a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.book = FeeBook()
        self.bodies: dict[int, Transaction] = {}
        self.count = 0

    @rule(fees=st.lists(FEES, max_size=5))
    def add(self, fees) -> None:
        for one in fees:
            self.count += 1
            self.bodies[self.count] = body(self.count, **one)
            self.book.add(self.count, self.bodies[self.count])

    @rule(pick=st.integers(0, 50))
    def remove(self, pick: int) -> None:
        if self.bodies:
            number = sorted(self.bodies)[pick % len(self.bodies)]
            self.book.remove(number, self.bodies.pop(number))

    @rule(base_fee=st.integers(0, 45))
    def move(self, base_fee: int) -> None:
        self.book.move(base_fee)

    @invariant()
    def agrees(self) -> None:
        base = self.book.base_fee
        paid = {n: one.fee_per_gas(base) for n, one in self.bodies.items()}
        known = sorted((fee - base, -n) for n, fee in paid.items() if fee is not None)
        assert len(self.book) == len(known)
        able = [(tip, -minus) for tip, minus in reversed(known) if tip >= 0]
        assert list(self.book.descending()) == able
        assert self.book.unable == len(known) - len(able)
        for share in (0.01, 0.5, 0.9, 0.99, 1.0) if known else ():
            rank = max(0, math.ceil(round(share * len(known), 9)) - 1)
            assert self.book.nearest_rank(share) == known[rank][0] + base


class SmallChunks(Book):
    """The same with lists that are written anew at once, and walked in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(feebook, "FEW", 1)
        self.patch.setattr(feebook, "CHUNK", 2)

    def teardown(self) -> None:
        self.patch.undo()


TestBook = Book.TestCase
TestSmallChunks = SmallChunks.TestCase


def test_without_fees_there_is_no_rank():
    with pytest.raises(IndexError, match="there is no fee"):
        FeeBook().nearest_rank(0.5)
