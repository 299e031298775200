"""Liquidity that comes and goes among swaps."""

from __future__ import annotations

import attrs
import pytest
from msgspec.structs import replace

from tests.support.encoding import call
from tests.support.stays import (
    NOW,
    OTHER,
    OWNER,
    POOL,
    TRADER,
    USDC,
    act,
    deep,
    leave,
    leave_call,
    mint,
    mint_call,
    pool_of,
    several,
    swap,
    view_of,
)
from trio_mev.chain.effects import Terms
from trio_mev.chain.effects.stays import Act, Stay, stays
from trio_mev.chain.effects.walk import Steps
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.positions import most_at_a_tick
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.model.intents import WETH, Hop, OracleUpdate, PoolKind, SwapIntent

TERMS = Terms(time=NOW + 12)
VIEW = view_of()


def seen(*transactions, view=VIEW, terms=TERMS) -> list[Stay]:
    return stays([act(one) for one in transactions], view, terms)


def liquidity_of(*transactions, view=VIEW) -> int:
    """Of the last position that comes."""
    return seen(*transactions, view=view)[-1].liquidity


def test_a_stay_about_a_swap_takes_its_fees():
    liquidity = liquidity_of(mint(1))
    (stay,) = seen(mint(1), swap(2), leave(3, liquidity))
    assert stay.leave is not None
    assert stay.leave.transaction.hash == leave(3, 1).hash
    (crossing,) = stay.crossings
    assert (crossing.act.transaction.sender, crossing.fill.amount_in) == (TRADER, 10**17)
    assert crossing.sure
    assert stay.fees == crossing.paid
    assert stay.fees[1] == 0
    share = liquidity / (liquidity + 10**21)
    assert abs(stay.fees[0] - 10**17 * 3 // 1000 * share) < 2
    assert stay.taken[0] > stay.added[0]
    assert stay.taken[1] < stay.added[1]
    assert stay.gross == {
        USDC: stay.taken[0] + stay.fees[0] - stay.added[0],
        WETH: stay.taken[1] - stay.added[1],
    }


def test_fees_of_both_directions_add_up():
    liquidity = liquidity_of(mint(1))
    (stay,) = seen(mint(1), swap(2), swap(3, down=False), swap(4), leave(5, liquidity))
    assert all(stay.fees)
    assert len(stay.crossings) == 3
    assert sum(one.paid[0] for one in stay.crossings) in {stay.fees[0], stay.fees[0] - 1}


def test_a_range_that_a_swap_comes_into_is_paid_too():
    ends = (-120, -60)
    added = mint(1, ends, (0, 10**18))
    (stay,) = seen(added, swap(2, 10**19))
    assert stay.added[0] == 0
    assert stay.fees[0] > 0
    assert seen(added, swap(2, 10**17))[0].crossings == []


def test_what_nobody_takes_out_would_be_worth_so_much_after_the_last_swap():
    liquidity = liquidity_of(mint(1))
    (there,) = seen(mint(1), swap(2))
    (gone,) = seen(mint(1), swap(2), leave(3, liquidity))
    assert there.leave is None
    assert there.taken == gone.taken
    assert seen(mint(1))[0].taken == (0, 0)


def test_after_its_leave_a_position_is_paid_nothing():
    liquidity = liquidity_of(mint(1))
    (stay,) = seen(mint(1), leave(2, liquidity), swap(3))
    assert stay.leave is not None
    assert (stay.crossings, stay.fees) == ([], (0, 0))


@pytest.mark.parametrize(
    "other",
    [
        lambda size: leave(3, size - 1),
        lambda size: leave(3, size, sender=TRADER),
        lambda size: leave(3, size, least=(2**100, 0)),
        lambda size: leave(3, size, least=(0, 2**100)),
    ],
    ids=["another amount", "another owner", "too little of one", "too little of the other"],
)
def test_a_leave_that_is_not_its_own_or_is_refused_is_none(other):
    (stay,) = seen(mint(1), swap(2), other(liquidity_of(mint(1))))
    assert stay.leave is None


def test_whoever_gets_the_position_or_made_it_may_take_it_out():
    given = mint(1, owner=TRADER)
    size = liquidity_of(given)
    for sender in (OWNER, TRADER):
        (stay,) = seen(given, leave(2, size, sender=sender))
        assert stay.leave is not None


def test_of_two_alike_each_leave_takes_one():
    twice = several(1, mint_call(), mint_call())
    size = liquidity_of(twice)
    one, two = seen(twice, swap(2), leave(3, size))
    assert (one.leave is None, two.leave is None) == (False, True)
    both = several(3, leave_call(size), leave_call(size))
    assert all(stay.leave for stay in seen(twice, swap(2), both))
    three = several(3, *[leave_call(size)] * 3)
    assert all(stay.leave for stay in seen(twice, swap(2), three))


FULL = most_at_a_tick(60)
CROWDED = view_of(Entry(pool_of(), deep().with_liquidity(-60, 120, FULL - 10)))


@pytest.mark.parametrize(
    ("transaction", "view"),
    [
        (mint(1, tokens=(WETH, USDC)), VIEW),
        (mint(1, fee=500), VIEW),
        (mint(1, ends=(60, -60)), VIEW),
        (mint(1, ends=(-61, 60)), VIEW),
        (mint(1, ends=(-900_000, 60)), VIEW),
        (mint(1, desired=(0, 10**18)), VIEW),
        (mint(1, desired=(2**255, 1)), VIEW),
        (mint(1, least=(2 * 10**18, 0)), VIEW),
        (mint(1, least=(0, 2 * 10**18)), VIEW),
        (mint(1, deadline=NOW + 11), VIEW),
        (mint(1), CROWDED),
        (mint(1, ends=(0, 120)), CROWDED),
        (mint(1), view_of(Entry(pool_of(), deep(), "why not"))),
        (several(1, mint_call(), mint_call(fee=500)), VIEW),
    ],
    ids=[
        "the tokens the other way round",
        "another pool",
        "no range",
        "no tick of the pool",
        "no tick at all",
        "nothing of what is wanted",
        "more than 128 bits",
        "too little of one",
        "too little of the other",
        "too late",
        "a full tick below",
        "a full tick above",
        "a pool that cannot be trusted",
        "a second part that is not known",
    ],
)
def test_what_the_contracts_refuse_or_nobody_can_tell_does_not_come(transaction, view):
    assert seen(transaction, swap(2), view=view) == []


def test_without_a_time_deadlines_are_not_looked_at():
    assert seen(mint(1, deadline=5), terms=Terms())


def test_in_words_that_are_not_known_a_tick_is_not_known_to_be_full():
    state = deep()
    near = replace(state, ticks=tick_map(60, state.ticks.ticks))
    (stay,) = seen(mint(1, ends=(-60_000, 60)), swap(2), view=view_of(Entry(pool_of(), near)))
    assert len(stay.crossings) == 1


def test_a_swap_that_reverts_changes_nothing():
    (stay,) = seen(mint(1), swap(2, least=2**100))
    assert stay.crossings == []


def test_where_a_swap_is_in_doubt_so_is_the_stay_that_is_still_there():
    """A way through two pools, of which one is not known, may do anything to the other."""
    path = b"".join(
        bytes.fromhex(token[2:]) + fee.to_bytes(3, "big")
        for token, fee in ((USDC, 3000), (WETH, 500))
    ) + bytes.fromhex(OTHER[2:])
    data = call(
        "exactInput((bytes,address,uint256,uint256,uint256))", (path, TRADER, 2**63, 10**17, 0)
    )
    hidden = swap(4, tip=1)
    doubtful = type(hidden)(
        hidden.hash, TRADER, hidden.to, 4, 0, 600_000, data, 2, None, hidden.max_fee, 1
    )
    size = liquidity_of(mint(1))
    before = seen(mint(1), swap(2), leave(3, size), doubtful)
    assert len(before) == 1
    assert seen(mint(1), swap(2), doubtful, leave(5, size)) == []
    assert seen(doubtful, mint(1)) == []


def test_a_call_that_does_more_than_is_read_casts_doubt_on_what_it_touches():
    unknown = call("approve(address,uint256)", OTHER, 1)
    assert seen(several(1, mint_call(), unknown), swap(2)) == []
    size = liquidity_of(mint(1))
    assert seen(mint(1), swap(2), several(3, leave_call(size), unknown)) == []
    wrap = several(1, mint_call(), call("refundETH()"))
    assert len(seen(wrap)) == 1
    assert len(seen(several(1, call("refundETH()"), mint_call()), swap(2))) == 1


def test_collecting_and_burning_refuse_nothing():
    size = liquidity_of(mint(1))
    steps = (
        leave_call(size),
        call("collect((uint256,address,uint128,uint128))", (77, OWNER, 2**128 - 1, 2**128 - 1)),
        call("burn(uint256)", 77),
    )
    (stay,) = seen(mint(1), swap(2), several(3, *steps))
    assert stay.leave is not None


def through(read: Act, **changes) -> Act:
    """A transaction whose one swap is otherwise."""
    (intent,) = read.intents
    assert isinstance(intent, SwapIntent)
    return attrs.evolve(read, intents=(replace(intent, **changes),))


def test_fills_in_pairs_are_no_concern_of_positions():
    pair = Pool(OTHER, Protocol.UNISWAP_V2, (USDC, WETH), (6, 18), "0xf")
    view = view_of(Entry(pool_of(), deep()), Entry(pair, ProductPool(10**20, 10**20)))
    flat = through(act(swap(2)), hops=(Hop(PoolKind.V2, USDC, WETH, pool=OTHER),))
    (stay,) = stays([act(mint(1)), flat], view, TERMS)
    assert (stay.pool, stay.crossings) == (POOL, [])


def test_a_part_that_fails_pays_nothing_to_positions():
    failing = through(act(swap(2)), limit=2**100, may_fail=True, parts=(1,))
    (stay,) = stays([act(mint(1)), failing], VIEW, TERMS)
    assert stay.crossings == []


def test_a_swap_of_a_call_that_is_not_wholly_known_is_not_sure():
    (swapping,) = act(swap(2)).intents
    mixed = Act(swap(2), (swapping, OracleUpdate(OTHER, 5, 3)))
    (stay,) = stays([act(mint(1)), mixed], VIEW, TERMS)
    assert [one.sure for one in stay.crossings] == [False]


def test_a_swap_in_another_pool_crosses_nothing():
    view = view_of(Entry(pool_of(), deep()), Entry(pool_of(OTHER, 500), deep(fee=500)))
    one, two = seen(mint(1), mint(2, fee=500), swap(3, fee=500), view=view)
    assert (one.pool, one.crossings) == (POOL, [])
    assert (two.pool, len(two.crossings)) == (OTHER, 1)


def test_swaps_are_followed_together_so_far_and_no_further():
    liquidity = stays([act(mint(1))], VIEW, Terms())[0].liquidity
    acts = [act(body) for body in (mint(1), swap(2), leave(3, liquidity))]
    steps = Steps()
    (whole,) = stays(acts, VIEW, Terms(), steps)
    assert whole.leave is not None
    assert stays(acts, VIEW, Terms(), Steps(steps.taken))[0].fees == whole.fees
    assert stays(acts, VIEW, Terms(), Steps(steps.taken - 1)) == []
