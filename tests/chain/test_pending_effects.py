"""Pending swaps on the head's pools: kept while they may still be in the next block."""

from __future__ import annotations

from types import MappingProxyType

import attrs
import msgspec
import pytest
from eth_abi import encode

from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.contracts.uniswap_v3 import FACTORY as V3_FACTORY
from trio_mev.chain.effects import PendingBook, Verdict, pending
from trio_mev.chain.effects.pending import SLOT
from trio_mev.chain.effects.walk import A_SWAP, MOST_STEPS
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity, tick_map
from trio_mev.chain.pools.ticks import sqrt_at
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.chain import Transaction

WETH, USDC, DAI = (TOKENS[name] for name in ("WETH", "USDC", "DAI"))
ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
ROUTER_02 = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
SENDER = "0x" + "5e" * 20
POOL = Pool("0xpair", Protocol.UNISWAP_V2, (USDC, WETH), (6, 18), UNISWAP_FACTORY)
NOW = 1_700_000_000


def view_of(reserves: tuple[int, int] = (2 * 10**12, 10**21), number: int = 1) -> PoolsView:
    entry = Entry(POOL, ProductPool(*reserves))
    return PoolsView(
        number,
        f"0x{number}",
        1,
        MappingProxyType({POOL.id: entry}),
        frozenset(),
        named={key_of(POOL): POOL.id},
        timestamp=NOW,
    )


def swap(name: str = "0x1", tokens=(WETH, USDC), amount: int = 10**18, deadline: int = NOW + 60):
    words = [amount, 1, 160, int(SENDER, 16), deadline, 2]
    data = bytes.fromhex("38ed1739") + b"".join(word.to_bytes(32, "big") for word in words)
    data += b"".join(bytes(12) + bytes.fromhex(token[2:]) for token in tokens)
    return Transaction(name, SENDER, ROUTER, 0, 0, 300_000, data)


@pytest.fixture
def book() -> PendingBook:
    return PendingBook(2)


def kept(book: PendingBook, view: PoolsView | None = None) -> list[str]:
    return [one.transaction.hash for one in book.look(view or view_of())]


def test_a_swap_is_carried_out_on_the_head(book: PendingBook):
    view = view_of()
    found = book.add(swap(), view)
    assert found is not None
    assert (found.again, found.view is view) == (False, True)
    assert found.effect.verdict is Verdict.SUCCEEDS
    assert found.effect.changed[POOL.id] == view.entries[POOL.id].state.swap(1, 0, 10**18).after
    assert len(book) == 1


def test_and_again_on_the_next_one(book: PendingBook):
    first = book.add(swap(), view_of())
    (again,) = book.look(view_of((3 * 10**12, 10**21), 2))
    assert again.again
    assert again.effect.swaps[0].amount_out > first.effect.swaps[0].amount_out
    assert again.intents is first.intents


@pytest.mark.parametrize(
    "body",
    [
        Transaction("0x1", SENDER, None, 0, 0, 1, b"\x38\xed\x17\x39"),
        Transaction("0x1", SENDER, "0x" + "11" * 20, 0, 0, 1, b"\x38\xed\x17\x39"),
        Transaction("0x1", SENDER, ROUTER, 0, 0, 1, b"\x38\xed\x17\x39"),
        swap(tokens=(WETH, DAI)),
    ],
    ids=["a creation", "no router", "cut short", "a pool that nobody watches"],
)
def test_what_does_nothing_to_these_pools_is_not_kept(book: PendingBook, body: Transaction):
    assert book.add(body, view_of()) is None
    assert len(book) == 0


def test_the_same_one_is_taken_once(book: PendingBook):
    assert book.add(swap(), view_of()) is not None
    assert book.add(swap(), view_of()) is None


def test_it_is_for_the_next_block(book: PendingBook):
    late = book.add(swap(deadline=NOW + SLOT - 1), view_of())
    assert late is None or late.effect.verdict is Verdict.REVERTS
    just = book.add(swap("0x2", deadline=NOW + SLOT), view_of())
    assert just.effect.verdict is Verdict.SUCCEEDS


def test_of_too_many_the_oldest_is_forgotten(book: PendingBook):
    for name in ("0x1", "0x2", "0x3"):
        book.add(swap(name), view_of())
    assert kept(book) == ["0x2", "0x3"]
    assert book.forgotten == 1


def test_what_is_over_is_forgotten(book: PendingBook):
    book.add(swap(), view_of())
    book.forget("0x1")
    book.forget("unknown")
    assert kept(book) == []


def test_what_is_in_a_block_may_come_back(book: PendingBook):
    for name in ("0x1", "0x2", "0x3", "0x4"):
        book.add(swap(name), view_of())
        book.include(name)
    book.include("unknown")
    assert kept(book) == []
    for name in ("0x1", "0x4", "0x3", "0x4"):
        book.restore(name)
    assert kept(book) == ["0x4", "0x3"]  # of those in blocks the oldest were forgotten too
    book.include("0x4")
    book.forget("0x4")
    book.restore("0x4")
    assert kept(book) == ["0x3"]


def test_of_too_many_in_blocks_the_oldest_cannot_come_back(book: PendingBook):
    for name in ("0x1", "0x2", "0x3"):
        book.add(swap(name), view_of())
        book.include(name)
    book.restore("0x1")
    assert kept(book) == []
    book.restore("0x2")
    assert kept(book) == ["0x2"]


def test_a_pool_that_is_no_longer_there_is_passed_over(book: PendingBook):
    book.add(swap(), view_of())
    gone = PoolsView(2, "0x2", 1, MappingProxyType({}), frozenset())
    assert kept(book, gone) == []
    assert kept(book) == ["0x1"]


FAR = Pool("0xfar", Protocol.UNISWAP_V3, (DAI, WETH), (18, 18), V3_FACTORY, 500, 1)
"""Almost empty, and its ticks are near each other."""


def far_view(number: int = 1) -> PoolsView:
    near, ends = view_of(number=number), {-887272: (1, 1), 887272: (1, -1)}
    known = tick_map(1, {tick: Liquidity(*one) for tick, one in ends.items()}, complete=True)
    entries = {**near.entries, FAR.id: Entry(FAR, TickedPool(sqrt_at(0), 0, 1, 500, known))}
    named = {**near.named, key_of(FAR): FAR.id}
    return attrs.evolve(near, entries=MappingProxyType(entries), named=named)


def hostile(name: str, swaps: int = 2, gas: int = 2**24) -> Transaction:
    """To the end of the pool and back, as often as it says."""
    calls = []
    for number in range(swaps):
        tokens = (WETH, DAI) if number % 2 else (DAI, WETH)
        numbers = 500, int(SENDER, 16), 2**200, 0, 0
        words = [*(int(token, 16) for token in tokens), *numbers]
        calls.append(bytes.fromhex("04e45aaf") + b"".join(w.to_bytes(32, "big") for w in words))
    data = bytes.fromhex("ac9650d8") + encode(["bytes[]"], [calls])
    return Transaction(name, SENDER, ROUTER_02, 0, 0, gas, data)


def test_a_transaction_is_followed_as_far_as_it_has_gas(book: PendingBook):
    view = far_view()
    assert book.add(hostile("0x1", 1, 10**6), view) is None
    assert book.unfollowed == 1
    assert book.add(hostile("0x2", 1), view).effect.verdict is Verdict.SUCCEEDS
    poor = msgspec.structs.replace(swap("0x3"), gas=3000 * A_SWAP)
    assert book.add(poor, view) is not None
    poorer = msgspec.structs.replace(swap("0x4"), gas=3000 * A_SWAP - 1)
    assert book.add(poorer, view) is None


def test_a_look_is_bounded_and_what_is_beyond_has_its_turn(monkeypatch):
    """Nothing that takes much keeps what takes little waiting."""
    followed = []
    real = pending.apply

    def counted(intents, pools, terms, steps):
        effect = real(intents, pools, terms, steps)
        followed.append(steps.taken)
        return effect

    monkeypatch.setattr(pending, "apply", counted)
    book = PendingBook(100)
    heavy, light = [f"0xa{n}" for n in range(6)], [f"0xb{n}" for n in range(20)]
    for name in heavy:
        assert book.add(hostile(name, 1), far_view()) is not None
    for name in light:
        assert book.add(swap(name), far_view()) is not None
    turns: list[str] = []
    for number in range(2, 8):
        followed.clear()
        told = kept(book, far_view(number))
        assert sum(followed) <= pending.MOST_OF_A_LOOK + MOST_STEPS // 100
        assert told[-20:] == light
        assert len(told) + book.left_out == 26
        turns += told[:-20]
    few = len(turns) // 6
    assert 0 < few < 6
    assert turns[:6] == heavy
    assert max(turns.count(name) for name in heavy) - min(map(turns.count, heavy)) <= 1


def test_one_that_takes_more_than_is_left_waits_for_its_turn(monkeypatch):
    book = PendingBook(10)
    near = far_view()
    deep = TickedPool(sqrt_at(0), 0, 10**60, 500, near.entries[FAR.id].state.ticks)
    entries = MappingProxyType({**near.entries, FAR.id: Entry(FAR, deep)})
    for name in ("0x1", "0x2", "0x3"):
        assert book.add(hostile(name, 1), attrs.evolve(near, entries=entries)) is not None
    monkeypatch.setattr(pending, "MOST_OF_A_LOOK", MOST_STEPS + 100)
    told = [kept(book, far_view(number)) for number in range(2, 5)]
    assert told == [["0x1"], ["0x2"], ["0x3"]]


def test_what_comes_before_the_pools_waits_for_them(book: PendingBook):
    for name in ("0x1", "0x2", "0x3"):
        assert book.add(swap(name), None) is None
    assert book.add(swap("0x3"), None) is None
    assert (len(book), book.waiting, book.forgotten) == (0, 2, 1)
    first, second = book.look(view_of())
    assert (first.transaction.hash, first.again) == ("0x2", False)
    assert second.transaction.hash == "0x3"
    assert (len(book), book.waiting, book.left_out) == (2, 0, 1)
    assert [one.again for one in book.look(view_of(number=2))] == [True, True]
    assert book.left_out == 0


def test_what_waits_for_a_pool_that_nobody_reads_is_let_go(book: PendingBook):
    nothing = PoolsView(1, "0x1", 1, MappingProxyType({}), frozenset())
    book.add(swap("0x1"), nothing, reading=True)
    book.add(swap("0x2"), nothing)
    assert book.waiting == 1
    assert list(book.look(nothing, reading=True)) == []
    assert book.waiting == 1
    assert list(book.look(nothing)) == []
    assert book.waiting == 0


def test_a_pool_in_quarantine_is_waited_for(book: PendingBook):
    view = view_of()
    entry = attrs.evolve(view.entries[POOL.id], quarantine="it cannot be trusted")
    shut = attrs.evolve(view, entries=MappingProxyType({POOL.id: entry}))
    assert book.add(swap(), shut) is None
    assert kept(book, shut) == []
    assert kept(book) == ["0x1"]
    assert kept(book, shut) == []
    assert kept(book) == ["0x1"]


def test_what_waits_may_end_too(book: PendingBook):
    book.add(swap("0x1"), None)
    book.add(swap("0x2"), None)
    book.forget("0x1")
    book.include("0x2")
    assert book.waiting == 0
    book.restore("0x2")
    assert kept(book) == ["0x2"]


def test_a_body_that_comes_after_its_block_is_not_pending(book: PendingBook, monkeypatch):
    book.include("0x1")
    assert book.add(swap("0x1"), view_of()) is None
    assert book.add(swap("0x1"), view_of()) is None
    assert kept(book) == []
    book.restore("0x1")
    assert kept(book) == ["0x1"]
    monkeypatch.setattr(pending, "MOST_GONE", 2)
    for name in ("0x2", "0x3", "0x4"):
        book.include(name)
    assert book.add(swap("0x3"), view_of()) is None
    assert book.add(swap("0x2"), view_of()) is not None
