"""The keeper: what is to be read, and how it is taken in though the chain goes on."""

from __future__ import annotations

import attrs
import msgspec
import pytest
from eth_abi import encode

from tests.chain.ticked_pools import empty
from tests.support.encoding import log
from trio_mev.chain.pools import changes
from trio_mev.chain.pools.keeper import MOST_RECENT, PoolKeeper
from trio_mev.chain.pools.learning import (
    NO_HOOKS,
    PAIR_CREATED,
    V4_INITIALIZE,
    Factory,
    Learner,
)
from trio_mev.chain.pools.loading import Loaded
from trio_mev.chain.pools.pool import Pool, Protocol, Unusable
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.ticks import Q96
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.pools.weighted_changes import SWAP_FEE
from trio_mev.chain.pools.words import argument
from trio_mev.model.chain import Block, Log, Reorg

ONE, OTHER, THIRD = (f"0x{n:040x}" for n in range(1, 4))


def sync(pair: str, *reserves: int) -> Log:
    data = encode(("uint112",) * len(reserves), reserves)
    return Log("", 0, 0, "", 0, pair, (changes.SYNC,), data)


def block(number: int, *logs: Log, fork: str = "", parent: str | None = None, **more) -> Block:
    before = f"{number - 1}{fork}" if parent is None else parent
    whole = {"complete": True, "logs": logs, "base_fee": 7} | more
    return Block(number, f"{number}{fork}", before, 0, 0, 0, **whole)


def read(pair: str, *reserves: int) -> Loaded:
    pool = Pool(pair, Protocol.UNISWAP_V2, ("0xa", "0xb"), (18, 6))
    return Loaded(pool, ProductPool(*reserves))


@pytest.fixture
def keeper() -> PoolKeeper:
    """Two pairs that are wanted, at block 10; one of them was read."""
    found = PoolKeeper(Learner([]), most=3)
    for pair in (ONE, OTHER):
        assert found.want(pair, found.learner.named(pair))
    found.advance(block(10))
    assert found.take(ONE, read(ONE, 100, 200), "10")
    return found


def reserves(keeper: PoolKeeper, pair: str) -> tuple[int, int]:
    state = keeper.book[pair].state
    assert isinstance(state, ProductPool)
    return state.reserve0, state.reserve1


def test_what_is_wanted_is_missing_until_it_is_read(keeper: PoolKeeper):
    assert keeper.missing == (OTHER,)
    assert keeper.waiting == 1
    assert keeper.take(OTHER, read(OTHER, 1, 2), "10")
    assert keeper.missing == ()


def test_one_that_cannot_be_read_does_not_come_first_again(keeper: PoolKeeper):
    keeper.want(THIRD, keeper.learner.named(THIRD))
    assert keeper.missing == (OTHER, THIRD)
    keeper.postpone(OTHER)
    keeper.postpone(ONE)  # it is not missing
    assert keeper.missing == (THIRD, OTHER)


def test_there_is_room_for_so_many(keeper: PoolKeeper):
    assert keeper.want(THIRD, keeper.learner.named(THIRD))
    assert keeper.want(ONE, keeper.learner.named(ONE))
    assert not keeper.want("0xmore", keeper.learner.named("0xmore"))
    assert keeper.left_out == 1
    assert keeper.advance(block(11)).left_out == 1


def test_a_view_is_of_its_block_for_ever(keeper: PoolKeeper):
    first = keeper.advance(block(11))
    second = keeper.advance(block(12, sync(ONE, 110, 190)))
    assert (first.number, first.hash, first.base_fee) == (11, "11", 7)
    assert first.changed == {ONE}  # it was read since the view before
    assert second.changed == {ONE}
    assert keeper.advance(block(13)).changed == frozenset()
    assert first.state(ONE) == ProductPool(100, 200)
    assert second.state(ONE) == ProductPool(110, 190)
    assert second.state(OTHER) is None
    assert [entry.pool.id for entry in second.usable()] == [ONE]
    with pytest.raises(TypeError):
        second.entries["0x"] = None


def test_what_was_read_at_an_earlier_block_is_brought_to_the_head(keeper: PoolKeeper):
    keeper.advance(block(11, sync(OTHER, 3, 4), sync(ONE, 9, 9)))
    keeper.advance(block(12, sync(OTHER, 5, 6), Log("", 0, 0, "", 0, OTHER, ("0x1",), b"")))
    assert keeper.take(OTHER, read(OTHER, 1, 2), "10")
    assert reserves(keeper, OTHER) == (5, 6)
    assert keeper.advance(block(13)).changed == {OTHER}


def test_what_a_read_block_itself_did_is_in_what_was_read_and_not_done_again(keeper: PoolKeeper):
    """Of liquidity that is added twice would be twice as much."""
    ends = -60, 60
    signature = "Mint(address,address*,int24*,int24*,uint128,uint256,uint256)"
    minted = log(signature, THIRD, THIRD, *ends, 500, 1, 1, emitter=OTHER)
    pool = Pool(OTHER, Protocol.UNISWAP_V3, ("0xa", "0xb"), (18, 6), None, 3000, 60)
    as_of_11 = empty().with_liquidity(*ends, 500)
    keeper.advance(block(11, minted))
    keeper.advance(block(12, minted))
    assert keeper.take(OTHER, Loaded(pool, as_of_11), "11")
    assert keeper.book[OTHER].state == empty().with_liquidity(*ends, 1000)


def test_what_a_pool_of_balancer_logs_itself_is_its_own(keeper: PoolKeeper):
    """Its id begins with its address; before it is in the book only that tells."""
    name = OTHER + "00" * 12
    keeper.want(name, keeper.learner.named(name))
    charged = Log("", 0, 0, "", 0, OTHER, (SWAP_FEE,), encode(("uint256",), (10**16,)))
    elsewhere = msgspec.structs.replace(charged, address=THIRD, data=encode(("uint256",), (7,)))
    keeper.advance(block(11, charged, elsewhere))
    state = WeightedPool((1, 1), (10**18 // 2, 10**18 // 2), (1, 1), 10**15)
    pool = Pool(name, Protocol.BALANCER_WEIGHTED, ("0xa", "0xb"), (18, 6))
    assert keeper.take(name, Loaded(pool, state), "10")
    assert keeper.book[name].state == msgspec.structs.replace(state, fee=10**16)


@pytest.mark.parametrize(
    "since",
    [
        [block(11, sync(OTHER, 1))],
        [block(11, complete=False)],
        [block(11, logs=None)],
        [block(12)],
        [block(n) for n in range(11, 11 + MOST_RECENT)],
    ],
    ids=["a bad log", "incomplete", "no logs", "a gap", "too far back"],
)
def test_what_cannot_be_brought_there_is_read_again(keeper: PoolKeeper, since: list[Block]):
    for one in since:
        keeper.advance(one)
    assert not keeper.take(OTHER, read(OTHER, 1, 2), "10")
    assert OTHER in keeper.missing
    assert OTHER not in keeper.book


def test_nothing_is_taken_of_a_block_that_was_retracted(keeper: PoolKeeper):
    gone = block(11)
    keeper.advance(gone)
    keeper.undo(Reorg(10, "10", (gone,), ("11x",)))
    keeper.advance(block(11, fork="x", parent="10"))
    assert not keeper.take(OTHER, read(OTHER, 1, 2), "11")
    assert keeper.take(OTHER, read(OTHER, 1, 2), "10")


def test_nothing_is_taken_before_the_first_block():
    keeper = PoolKeeper(Learner([], view=THIRD), most=3)
    keeper.use_manager(OTHER)
    assert keeper.book.manager == keeper.learner.manager == OTHER
    keeper.want(ONE, keeper.learner.named(ONE))
    assert not keeper.take(ONE, read(ONE, 1, 2), "10")
    assert keeper.check(ONE, read(ONE, 1, 2), "10") is None
    assert keeper.head is None


def test_what_was_read_from_a_retracted_block_is_read_again(keeper: PoolKeeper):
    gone = block(11)
    keeper.advance(gone)
    keeper.take(OTHER, read(OTHER, 1, 2), "11")
    keeper.undo(Reorg(10, "10", (gone,), ("11x",)))
    view = keeper.advance(block(11, fork="x", parent="10"))
    assert keeper.missing == (OTHER,)
    assert OTHER in view.changed
    assert view.state(OTHER) is None


def test_everything_is_read_again_where_blocks_are_missing(keeper: PoolKeeper):
    view = keeper.advance(block(15))
    assert set(keeper.missing) == {ONE, OTHER}
    assert view.changed == {ONE}
    assert list(view.usable()) == []


def test_a_pool_that_cannot_be_used_is_not_asked_for_again(keeper: PoolKeeper):
    assert keeper.take(OTHER, Unusable(OTHER, "it does not answer as a pair"), "10")
    assert keeper.missing == ()
    assert keeper.unusable == {OTHER: "it does not answer as a pair"}


def test_a_pool_that_was_not_initialised_is_read_when_it_is(keeper: PoolKeeper):
    keeper.take(OTHER, Unusable(OTHER, "it is not initialised"), "10")
    data = encode(("uint160", "int24"), (Q96, 0))
    made = Log("", 0, 0, "", 0, OTHER, (changes.V3_INITIALIZE,), data)
    elsewhere = Log("", 0, 0, "", 0, THIRD, (changes.V3_INITIALIZE,), data)
    keeper.advance(block(11, made, elsewhere, Log("", 0, 0, "", 0, OTHER, (), b"")))
    assert keeper.missing == (OTHER,)


def test_pools_are_checked_in_turn(keeper: PoolKeeper):
    assert keeper.to_check() == ONE
    keeper.take(OTHER, read(OTHER, 1, 2), "10")
    assert {keeper.to_check(), keeper.to_check()} == {ONE, OTHER}
    assert PoolKeeper(Learner([]), 3).to_check() is None


def test_a_check_believes_the_node(keeper: PoolKeeper):
    assert keeper.check(ONE, read(ONE, 100, 200), "10") is True
    keeper.advance(block(11, sync(ONE, 110, 190)))
    assert keeper.check(ONE, read(ONE, 100, 200), "10") is True  # with the log since
    assert keeper.advance(block(12)).changed == frozenset()
    assert keeper.check(ONE, read(ONE, 1, 1), "12") is False
    assert reserves(keeper, ONE) == (1, 1)
    assert keeper.advance(block(13)).changed == {ONE}
    assert keeper.check(ONE, read(ONE, 1, 1), "elsewhere") is None


def test_a_pool_that_answers_no_more_is_not_used(keeper: PoolKeeper):
    assert keeper.check(ONE, Unusable(ONE, "it does not answer as a pair"), "10") is False
    assert keeper.book.quarantined == {ONE: "it does not answer as a pair"}
    assert keeper.book.counts.quarantined["it does not answer as a pair"] == 1
    assert keeper.advance(block(11)).changed == {ONE}
    assert keeper.to_check() is None


def test_a_pool_that_answers_again_is_usable_again(keeper: PoolKeeper):
    keeper.check(ONE, Unusable(ONE, "it does not answer as a pair"), "10")
    assert keeper.unusable == {ONE: "it does not answer as a pair"}
    keeper.advance(block(12))  # blocks are missing: everything is read again
    assert keeper.take(ONE, read(ONE, 3, 4), "12")
    assert keeper.unusable == {}
    assert not keeper.book.quarantined


def test_a_view_has_the_base_fee_of_the_block_to_come(keeper: PoolKeeper):
    full = attrs.evolve(block(11, base_fee=1000), gas_used=20_000_000, gas_limit=30_000_000)
    view = keeper.advance(full)
    assert (view.base_fee, view.next_base_fee) == (1000, 1041)  # a third over the target


def test_a_pool_that_a_log_tells_of_is_wanted():
    factory = Factory(THIRD, "v2", (3000,))
    keeper = PoolKeeper(Learner([ONE, OTHER], [factory]), most=3)
    topics = PAIR_CREATED, *("0x" + argument(token).hex() for token in (ONE, OTHER))
    told = Log("", 0, 0, "", 0, THIRD, topics, encode(("address", "uint256"), ("0x" + "9" * 40, 1)))
    keeper.advance(block(10, told))
    assert keeper.missing == ("0x" + "9" * 40,)
    assert next(keeper.plan("0x" + "9" * 40)())[0].to == "0x" + "9" * 40


def created(pair: str, factory: str, one: str = ONE, other: str = OTHER) -> Log:
    topics = PAIR_CREATED, *("0x" + argument(token).hex() for token in (one, other))
    return Log("", 0, 0, "", 0, factory, topics, encode(("address", "uint256"), (pair, 1)))


NEW, FACTORY = "0x" + "9" * 40, "0x" + "f" * 40


@pytest.fixture
def learning() -> PoolKeeper:
    """Pairs of two tokens at a factory, and pools of V4, from block 10 on."""
    learner = Learner([ONE, OTHER], [Factory(FACTORY, "v2", (3000,))], view=THIRD)
    found = PoolKeeper(learner, most=3)
    found.use_manager(OTHER)
    found.advance(block(10))
    return found


def test_a_wrong_state_does_not_come_back_by_a_reorganisation_after_its_repair(keeper: PoolKeeper):
    gone = [block(11, sync(ONE, 110, 190)), block(12)]
    for one in gone:
        keeper.advance(one)
    assert keeper.check(ONE, read(ONE, 555, 555), "12") is False
    keeper.undo(Reorg(10, "10", tuple(gone[::-1]), ("11x",)))
    assert ONE in keeper.book.quarantined
    assert ONE in keeper.missing


def test_a_pool_that_was_no_pool_on_a_retracted_block_is_tried_again(learning: PoolKeeper):
    gone = block(11, created(NEW, FACTORY))
    learning.advance(gone)
    assert learning.missing == (NEW,)
    learning.undo(Reorg(10, "10", (gone,), ("11x",)))
    learning.advance(block(11, fork="x", parent="10"))
    assert learning.take(NEW, Unusable(NEW, "it does not answer as a pair"), "11x")
    assert learning.missing == ()
    learning.advance(block(12, created(NEW, FACTORY), fork="x"))
    assert learning.missing == (NEW,)


def test_what_was_found_out_on_a_retracted_block_is_asked_again(keeper: PoolKeeper):
    gone = block(11)
    keeper.advance(gone)
    keeper.take(OTHER, Unusable(OTHER, "it does not answer as a pair"), "11")
    keeper.undo(Reorg(10, "10", (gone,), ("11x",)))
    assert keeper.missing == (OTHER,)
    keeper.advance(block(11, fork="x", parent="10"))
    assert not keeper.take(OTHER, Unusable(OTHER, "it does not answer as a pair"), "11")
    assert keeper.missing == (OTHER,)
    assert keeper.check(ONE, Unusable(ONE, "it does not answer as a pair"), "11") is None


def test_a_pool_that_cannot_be_used_is_tried_again_with_longer_and_longer_pauses(keeper):
    keeper.take(OTHER, Unusable(OTHER, "it does not answer as a pair"), "10")
    tried = []
    for number in range(11, 100):
        keeper.advance(block(number))
        if OTHER in keeper.missing:
            tried.append(number)
            keeper.take(OTHER, Unusable(OTHER, "it does not answer as a pair"), str(number))
    assert tried == [20, 40, 80]
    keeper.want(OTHER, keeper.learner.named(OTHER))
    assert keeper.missing == (OTHER,)
    assert keeper.take(OTHER, read(OTHER, 1, 2), "99")
    assert not keeper.unusable


def test_pools_with_hooks_take_no_room(learning: PoolKeeper):
    types = "uint24", "int24", "address", "uint160", "int24"

    def initialised(name: str, hooks: str) -> Log:
        topics = V4_INITIALIZE, name, *("0x" + argument(token).hex() for token in (ONE, OTHER))
        return Log("", 11, 0, "", 0, OTHER, topics, encode(types, (3000, 60, hooks, Q96, 0)))

    hooked = [initialised(f"0x{number:064x}", "0x" + "99" * 20) for number in range(5)]
    learning.advance(block(11, *hooked, initialised("0x" + "7" * 64, NO_HOOKS)))
    assert learning.missing == ("0x" + "7" * 64,)
    assert learning.left_out == 0
    assert len(learning.unusable) == 5
    for number in range(12, 40):
        learning.advance(block(number))
    assert learning.missing == ("0x" + "7" * 64,)  # it is of no use to try the others again


@pytest.mark.parametrize(
    "late", [block(12), block(11, complete=False), block(11, logs=None), block(11, parent="x")]
)
def test_where_a_block_is_missing_new_pools_may_be_as_well(learning: PoolKeeper, late: Block):
    assert learning.incomplete  # before the first search
    learning.incomplete = False
    learning.advance(late)
    assert learning.incomplete


def test_blocks_in_order_hide_no_pool(learning: PoolKeeper):
    learning.incomplete = False
    learning.advance(block(11))
    assert not learning.incomplete


def test_a_pool_may_be_known_by_another_name_than_it_was_wanted_by(keeper: PoolKeeper):
    """Those of Balancer are named by their address, and known by an id that begins with it."""
    name = OTHER + "0" * 24
    assert keeper.take(OTHER, read(name, 1, 2), "10")
    assert keeper.missing == ()
    assert {keeper.to_check(), keeper.to_check()} == {ONE, name}
    assert next(keeper.plan(name)())[0].to == OTHER
    assert keeper.advance(block(11)).state(name) == ProductPool(1, 2)


@pytest.mark.parametrize(
    "since",
    [[block(11, sync(ONE, 1))], [block(11, complete=False)], [block(11), block(13)]],
    ids=["a bad log", "incomplete", "a gap"],
)
def test_what_cannot_be_brought_to_the_head_says_nothing_about_a_pool(keeper: PoolKeeper, since):
    for one in since:
        keeper.advance(one)
    wrong = read(ONE, 5, 5)
    assert keeper.agrees(ONE, wrong, "10") is keeper.check(ONE, wrong, "10") is None
    assert keeper.book.counts.checked == 0
    assert reserves(keeper, ONE) == (100, 200)


def test_whether_a_pool_agrees_is_told_and_changes_nothing(keeper: PoolKeeper):
    keeper.advance(block(11, sync(ONE, 110, 190)))
    assert keeper.agrees(ONE, read(ONE, 100, 200), "10") is True  # with the log since
    assert keeper.agrees(ONE, read(ONE, 100, 200), "11") is False
    assert keeper.agrees(ONE, Unusable(ONE, "why"), "11") is False
    assert keeper.agrees(ONE, Unusable(ONE, "why"), "elsewhere") is None
    assert keeper.agrees(ONE, read(ONE, 110, 190), "elsewhere") is None
    assert reserves(keeper, ONE) == (110, 190)
    assert not keeper.unusable
    assert (keeper.book.counts.checked, keeper.book.counts.repaired) == (0, 0)


def test_the_fee_of_the_block_to_come_is_not_known_where_that_of_its_parent_is_not(keeper):
    assert keeper.advance(block(11)).next_base_fee is not None
    view = keeper.advance(block(12, base_fee=None))
    assert (view.base_fee, view.next_base_fee) == (None, None)


def test_a_reorganisation_asks_for_no_pool_that_is_not_watched(learning: PoolKeeper):
    """As for one with hooks, which is known to be of no use without being read."""
    topics = V4_INITIALIZE, "0x" + "6" * 64, *("0x" + argument(t).hex() for t in (ONE, OTHER))
    types = "uint24", "int24", "address", "uint160", "int24"
    data = encode(types, (3000, 60, "0x" + "99" * 20, Q96, 0))
    gone = block(11, Log("", 11, 0, "", 0, OTHER, topics, data))
    learning.advance(gone)
    assert list(learning.unusable) == ["0x" + "6" * 64]
    learning.undo(Reorg(10, "10", (gone,), ("11x",)))
    assert learning.missing == ()


def test_a_reorganisation_leaves_what_was_found_out_before_it(keeper: PoolKeeper):
    keeper.take(OTHER, Unusable(OTHER, "it does not answer as a pair"), "10")
    gone = block(11)
    keeper.advance(gone)
    keeper.undo(Reorg(10, "10", (gone,), ("11x",)))
    assert keeper.missing == ()
    assert OTHER in keeper.unusable
