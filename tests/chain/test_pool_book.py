"""The book of pools: blocks, reorganisations, quarantine, repair."""

from __future__ import annotations

import pytest
from eth_abi import encode

from tests.chain.ticked_pools import empty
from trio_mev.chain.pools import changes
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.model.chain import Block, Log, Reorg

PAIRS = [f"0x{n:040x}" for n in range(1, 4)]


def pool(pair: str) -> Pool:
    return Pool(pair, Protocol.UNISWAP_V2, ("0xa", "0xb"), (18, 6))


def sync(pair: str, *reserves: int) -> Log:
    data = encode(("uint112",) * len(reserves), reserves)
    return Log("", 0, 0, "", 0, pair, (changes.SYNC,), data)


def block(number: int, *logs: Log, fork: str = "", parent: str | None = None, **more) -> Block:
    before = f"{number - 1}{fork}" if parent is None else parent
    whole = {"complete": True, "logs": logs} | more
    return Block(number, f"{number}{fork}", before, 0, 0, 0, **whole)


@pytest.fixture
def book() -> PoolBook:
    """Three pairs at block 10."""
    found = PoolBook(blocks=5)
    found.begin(10, "10")
    for pair in PAIRS:
        assert found.load(pool(pair), ProductPool(100, 200), "10")
    return found


def held(book: PoolBook, pair: str) -> tuple[int, int]:
    state = book[pair].state
    assert isinstance(state, ProductPool)
    return state.reserve0, state.reserve1


def test_blocks_change_the_pools_that_they_name(book: PoolBook):
    assert book.advance(block(11, sync(PAIRS[0], 110, 190), sync(PAIRS[0], 120, 180))) == {PAIRS[0]}
    assert held(book, PAIRS[0]) == (120, 180)
    assert held(book, PAIRS[1]) == (100, 200)
    other = Log("", 0, 0, "", 0, PAIRS[0], ("0x" + "11" * 32,), b"")
    assert book.advance(block(12, sync("0xelse", 1, 1), other)) == set()
    assert book.head == (12, "12")
    assert (book.counts.blocks, book.counts.logs) == (2, 2)


def test_a_reorganisation_undoes_them(book: PoolBook):
    book.advance(block(11, sync(PAIRS[0], 110, 190)))
    gone = [block(12, sync(PAIRS[0], 1, 1), sync(PAIRS[1], 2, 2)), block(13, sync(PAIRS[1], 3, 3))]
    for one in gone:
        book.advance(one)
    touched = book.undo(Reorg(11, "11", tuple(gone[::-1]), ("12x",)))
    assert touched == {PAIRS[0], PAIRS[1]}
    assert held(book, PAIRS[0]) == (110, 190)
    assert held(book, PAIRS[1]) == (100, 200)
    assert book.head == (11, "11")
    assert book.counts.undone == 2
    book.advance(block(12, sync(PAIRS[1], 7, 7), fork="x", parent="11"))
    assert held(book, PAIRS[1]) == (7, 7)
    assert not book.quarantined


def test_a_pool_that_was_read_since_is_not_trusted_after_a_reorganisation(book: PoolBook):
    book.advance(block(11))
    late = "0x" + "99" * 20
    assert book.load(pool(late), ProductPool(5, 5), "11")
    book.undo(Reorg(10, "10", (block(11),), ()))
    assert book.quarantined == {late: "it was read from a block that was retracted"}
    assert [entry.pool.id for entry in book.usable()] == PAIRS
    assert len(book) == 4
    assert late in book


def test_a_reorganisation_further_back_than_is_remembered_casts_doubt_on_all(book: PoolBook):
    for number in range(11, 20):
        book.advance(block(number))
    assert book.undo(Reorg(12, "12", (), ())) == set(PAIRS)
    assert set(book.quarantined) == set(PAIRS)
    assert book.head == (12, "12")


def test_a_log_that_cannot_be_casts_doubt_on_its_pool_until_it_is_loaded_again(book: PoolBook):
    assert book.advance(block(11, sync(PAIRS[0], 1))) == {PAIRS[0]}
    assert book.quarantined == {PAIRS[0]: "the log is cut short"}
    assert book.counts.quarantined["the log is cut short"] == 1
    assert book.advance(block(12, sync(PAIRS[0], 5, 5))) == set()
    assert held(book, PAIRS[0]) == (100, 200)
    assert book.load(pool(PAIRS[0]), ProductPool(5, 5), "12")
    assert not book.quarantined


def test_a_retracted_log_is_no_reason_for_doubt(book: PoolBook):
    bad = block(11, sync(PAIRS[0], 1))
    book.advance(bad)
    book.undo(Reorg(10, "10", (bad,), ()))
    assert not book.quarantined


@pytest.mark.parametrize(
    "one",
    [
        block(12),
        block(11, parent="other"),
        block(11, complete=False),
        block(11, logs=None),
    ],
    ids=["a gap", "another parent", "incomplete", "without logs"],
)
def test_a_block_that_does_not_follow_casts_doubt_on_all(book: PoolBook, one: Block):
    assert book.advance(one) == set(PAIRS)
    assert set(book.quarantined.values()) == {"blocks are missing"}
    assert book.head == (one.number, one.hash)


def test_the_first_block_begins_the_book():
    book = PoolBook()
    assert not book.load(pool(PAIRS[0]), ProductPool(1, 1), "1")
    assert book.advance(block(1)) == set()
    assert book.head == (1, "1")


def test_only_what_was_read_at_the_head_is_taken(book: PoolBook):
    assert not book.load(pool(PAIRS[0]), ProductPool(9, 9), "9")
    assert book.check(PAIRS[0], ProductPool(9, 9), "9") is None
    assert held(book, PAIRS[0]) == (100, 200)


def test_a_check_repairs_and_counts(book: PoolBook):
    assert book.check(PAIRS[0], ProductPool(100, 200), "10") is True
    assert book.check(PAIRS[1], ProductPool(101, 200), "10") is False
    assert held(book, PAIRS[1]) == (101, 200)
    assert (book.counts.checked, book.counts.repaired) == (2, 1)


def test_what_was_wrong_before_a_check_does_not_come_back(book: PoolBook):
    book.advance(block(11))
    book.check(PAIRS[1], ProductPool(101, 200), "11")
    book.undo(Reorg(10, "10", (block(11),), ()))
    assert list(book.quarantined) == [PAIRS[1]]


def test_a_check_that_knows_other_ticks_is_taken_in_and_repairs_nothing(book: PoolBook):
    """What was known of the others is as old as the pool's last reading, which was not wrong."""
    name, whole = "0x" + "33" * 20, empty().with_liquidity(-60, 600, 5)
    partly = TickedPool(whole.root, 0, 5, 3000, tick_map(60, {-60: whole.ticks.ticks[-60]}))
    ranges = Pool(name, Protocol.UNISWAP_V3, ("0xa", "0xb"), (18, 6), None, 3000, 60)
    assert book.load(ranges, partly, "10")
    assert book.agrees(name, whole)
    assert book[name].state is partly
    assert book.check(name, whole, "10") is True
    assert book[name].state is whole
    assert (book.counts.checked, book.counts.repaired) == (1, 0)
    book.advance(block(11))
    book.check(name, partly, "11")
    book.undo(Reorg(10, "10", (block(11),), ()))
    assert list(book.quarantined) == [name]  # nobody knows any more what was read at 10


def test_a_pool_that_is_not_used_agrees_with_nothing(book: PoolBook):
    assert book.agrees(PAIRS[0], ProductPool(100, 200))
    assert not book.agrees(PAIRS[0], ProductPool(100, 201))
    book.distrust(PAIRS[0], "why")
    assert not book.agrees(PAIRS[0], ProductPool(100, 200))
