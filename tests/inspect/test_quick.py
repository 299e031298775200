"""Liquidity about somebody else's swaps."""

from __future__ import annotations

import pytest

from tests.inspect.blocks import (
    ANN,
    BEN,
    BOT,
    EVE,
    KNOWN,
    POSITIONS,
    ROUTER,
    V3_BURN,
    V3_COLLECT,
    V3_MINT,
    A,
    B,
    P,
    Q,
    act,
    block,
    found,
    hash_of,
    only,
    swapped,
)
from tests.support.encoding import log
from trio_mev.inspect import inspect_block
from trio_mev.inspect.budget import Budget
from trio_mev.model.opportunity import JustInTime, Kind, Liquidity

NAMED = "(uint256*,uint128,uint256,uint256)"


def mint(owner=BOT, low=-60, high=60, liquidity=500, pool=P, amounts=(70, 80)):
    return log(V3_MINT, owner, owner, low, high, liquidity, *amounts, emitter=pool)


def burn(owner=BOT, low=-60, high=60, liquidity=500, pool=P):
    return log(V3_BURN, owner, low, high, liquidity, 60, 95, emitter=pool)


def collect(owner=BOT, low=-60, high=60, pool=P):
    return log(V3_COLLECT, owner, owner, low, high, 61, 96, emitter=pool)


VICTIM = act(ANN, ROUTER, swapped(P, 50, 40, who=ROUTER))


def test_a_mint_before_and_a_burn_after():
    gas = {"gas_used": 10, "gas_price": 2}
    one = only(act(EVE, BOT, mint(), **gas), VICTIM, act(EVE, BOT, burn(), collect(), **gas))
    assert (one.kind, one.searcher, one.pools) == (Kind.JIT, EVE, (P,))
    assert one.gross == {A: -9, B: 16}
    assert one.gas_wei == 40
    assert one.transactions == (hash_of(0), hash_of(2))
    assert one.victims == (hash_of(1),)
    assert isinstance(one.detail, JustInTime)
    assert one.detail.mint == Liquidity(P, BOT, -60, 60, 500, 70, 80, hash_of(0), 0)
    assert one.detail.burn == Liquidity(P, BOT, -60, 60, 500, 60, 95, hash_of(2), 2)
    assert [swap.amount_in for swap in one.detail.swaps] == [50]


def test_two_ranges_in_the_same_transactions_paid_for_them_once():
    gas = {"gas_used": 10, "gas_price": 2}
    wide = {"low": -120, "high": 120}
    first = act(EVE, BOT, mint(), mint(**wide), **gas)
    last = act(EVE, BOT, burn(), collect(), burn(**wide), collect(**wide), **gas)
    assert [one.gas_wei for one in found(first, VICTIM, last)] == [40, 0]
    apart = act(EVE, BOT, burn(), collect(), **gas), act(EVE, BOT, burn(**wide), **gas)
    assert [one.gas_wei for one in found(first, VICTIM, *apart)] == [40, 20]


@pytest.mark.parametrize(
    "leave",
    [
        burn(owner=EVE),
        burn(low=-120),
        burn(high=120),
        burn(pool=Q),
        burn(liquidity=0),
    ],
)
def test_another_owner_range_or_pool_or_nothing_taken_out_is_none(leave):
    assert found(act(EVE, BOT, mint()), VICTIM, act(EVE, BOT, leave)) == ()


def test_nothing_between_is_none():
    enter, leave = act(EVE, BOT, mint()), act(EVE, BOT, burn(), collect())
    elsewhere = act(ANN, ROUTER, swapped(Q, 50, 40, who=ROUTER))
    assert found(VICTIM, enter, elsewhere, leave, VICTIM) == ()
    assert found(enter, elsewhere, leave) == ()
    assert found(leave, VICTIM, enter) == ()
    assert found(act(EVE, BOT, mint(), swapped(P, 9, 8), burn(), collect())) == ()


def test_one_s_own_swaps_are_not_somebody_elses():
    own = act(EVE, ROUTER, swapped(P, 50, 40, who=ROUTER))
    assert found(act(EVE, BOT, mint()), own, act(EVE, BOT, burn(), collect())) == ()
    inside = act(EVE, BOT, mint(), swapped(P, 9, 8)), act(EVE, BOT, burn())
    assert found(*inside) == ()


def test_what_is_not_collected_is_not_known_to_be_made():
    enter = act(EVE, BOT, mint())
    assert only(enter, VICTIM, act(EVE, BOT, burn())).gross is None
    # Of another range, another pool, or from before.
    others = (collect(), burn(), collect(low=-120), collect(pool=Q))
    assert only(enter, VICTIM, act(EVE, BOT, *others)).gross is None


def test_what_was_there_before_is_not_made_now():
    more = act(EVE, BOT, burn(liquidity=900), collect())
    assert only(act(EVE, BOT, mint()), VICTIM, more).gross is None


def managed(sender, number, *logs, leave=False):
    """Through the position manager, which owns everything in the pools."""
    name = "DecreaseLiquidity" if leave else "IncreaseLiquidity"
    named = () if number is None else (log(name + NAMED, number, 1, 2, 3, emitter=POSITIONS),)
    return act(sender, POSITIONS, *logs[:1], *named, *logs[1:])


def test_the_position_managers_positions_are_told_by_their_number():
    enter = managed(EVE, 7, mint(owner=POSITIONS))
    leave = managed(EVE, 7, burn(owner=POSITIONS), collect(owner=POSITIONS), leave=True)
    other = managed(BEN, 8, burn(owner=POSITIONS), collect(owner=POSITIONS), leave=True)
    assert only(enter, VICTIM, leave).gross == {A: -9, B: 16}
    assert found(enter, VICTIM, other) == ()
    nobody = [{**one, "sender": None} for one in (enter, VICTIM, leave)]
    assert only(*nobody).searcher is None


def test_a_position_that_the_manager_does_not_name_is_nobodys():
    enter = managed(EVE, None, mint(owner=POSITIONS))
    leave = managed(EVE, None, burn(owner=POSITIONS), collect(owner=POSITIONS))
    assert found(enter, VICTIM, leave) == ()
    two = managed(EVE, 7, mint(owner=POSITIONS), mint(owner=POSITIONS, low=-120))
    numbered = managed(EVE, 7, burn(owner=POSITIONS, low=-120), leave=True)
    assert found(two, VICTIM, numbered) == ()
    swapped_logs = act(EVE, POSITIONS, mint(owner=POSITIONS), mint(owner=POSITIONS, low=-120))
    assert found(swapped_logs, VICTIM, leave) == ()


def test_without_a_sender_the_owner_is_the_searcher():
    acts = act(None, None, mint()), VICTIM, act(None, None, burn(), collect())
    one = only(*acts)
    assert (one.searcher, one.gross) == (BOT, {A: -9, B: 16})


def test_what_lies_between_is_looked_through_within_bounds():
    made = block(act(EVE, BOT, mint()), VICTIM, act(EVE, BOT, burn(), collect()))
    short, long = inspect_block(made, KNOWN, Budget(2, 0)), inspect_block(made, KNOWN)
    assert (short.cut, short.opportunities) == (True, ())
    assert not long.cut
    assert len(long.opportunities) == 1
