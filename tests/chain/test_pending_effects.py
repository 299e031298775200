"""Pending swaps on the head's pools: kept while they may still be in the next block."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.effects import PendingBook, Verdict
from trio_mev.chain.effects.pending import SLOT
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.chain import Transaction

WETH, USDC, DAI = (TOKENS[name] for name in ("WETH", "USDC", "DAI"))
ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
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
