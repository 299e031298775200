"""Arbitrage in one transaction: by a cycle of tokens, by net flow, and what only looks like it."""

from __future__ import annotations

from tests.inspect.blocks import (
    ANN,
    BEN,
    BOT,
    EVE,
    KNOWN,
    POSITIONS,
    ROUTER,
    SETTLEMENT,
    V2,
    V3_MINT,
    WETH,
    A,
    B,
    C,
    P,
    Q,
    R,
    S,
    act,
    block,
    found,
    inspect,
    only,
    sent,
    swapped,
)
from tests.support.encoding import address, log
from trio_mev.inspect import Known, inspect_block
from trio_mev.inspect.budget import Budget
from trio_mev.model.opportunity import Grounds, Kind, Path, Status

CYCLE = (swapped(P, 1000, 900), swapped(Q, 900, 1040, down=False))
GAS = {"gas_used": 100, "gas_price": 3}


def test_a_cycle_through_two_pools():
    one = only(act(EVE, BOT, *CYCLE, **GAS))
    assert (one.kind, one.status, one.grounds) == (
        Kind.ARBITRAGE,
        Status.LANDED,
        Grounds.HEURISTIC,
    )
    assert (one.gross, one.gas_wei, one.builder_wei) == ({A: 40}, 300, None)
    assert one.net == {A: 40, address(0): -300}
    assert (one.searcher, one.pools, one.block) == (EVE, (P, Q), 7)
    assert one.id == f"arbitrage:{one.transactions[0]}"
    assert isinstance(one.detail, Path)
    assert [swap.pool for swap in one.detail.path] == [P, Q]
    assert one.extra == {"rule": "cycle"}


def filled(paid, given, got, taken, who=BOT):
    """An order of 0x."""
    signature = "RfqOrderFilled(bytes32,address,address,address,address,uint128,uint128,bytes32)"
    values = (b"\1" * 32, ANN, who, got, paid, given, taken, b"\2" * 32)
    return log(signature, *values, emitter="0xdef1c0ded9bec7f1a1670819833240f027b25eff")


def test_two_orders_at_one_proxy_are_two_pools():
    one = only(act(EVE, BOT, filled(A, 1000, B, 900), filled(B, 900, A, 1040)))
    assert (one.gross, one.extra) == ({A: 40}, {"rule": "cycle"})


def test_an_order_cannot_be_sandwiched():
    """Whoever made it has said its price."""
    about = act(EVE, BOT, filled(A, 100, B, 90)), act(EVE, BOT, filled(B, 90, A, 110))
    assert found(about[0], act(BEN, C, filled(A, 50, B, 40, BEN)), about[1]) == ()


def test_ether_may_be_wrapped_on_the_way():
    """Bought at a pool that has ether itself, sold at one that has it wrapped."""
    known = Known(tokens_of={P: (address(0), B), Q: (B, WETH)}.get)
    one = only(act(EVE, BOT, swapped(P, 1000, 900), swapped(Q, 900, 1040)), known=known)
    assert (one.gross, one.extra) == ({WETH: 40}, {"rule": "cycle"})
    back = swapped(Q, 1000, 900, down=False), swapped(P, 900, 1040, down=False)
    assert only(act(EVE, BOT, *back), known=known).gross == {WETH: 40}


def test_what_the_builder_was_paid_is_taken_off_where_it_is_known():
    assert only(act(EVE, BOT, *CYCLE, **GAS, builder_wei=7)).net == {A: 40, address(0): -307}


def test_a_cycle_through_three_pools_in_any_order_of_logs():
    """A flash swap logs the pool that it began with last."""
    logs = (
        swapped(R, 900, 800),
        swapped(S, 800, 1010, down=False),
        swapped(P, 1000, 900),
    )
    one = only(act(EVE, BOT, *logs))
    assert one.gross == {A: 10}
    assert [swap.pool for swap in one.detail.path] == [P, R, S]


def test_a_cycle_that_ends_with_less_is_none():
    assert found(act(EVE, BOT, swapped(P, 1000, 900), swapped(Q, 900, 990, down=False))) == ()
    assert found(act(EVE, BOT, swapped(P, 1000, 900), swapped(Q, 900, 1000, down=False))) == ()


def test_there_and_back_in_one_pool_is_none():
    assert found(act(EVE, BOT, swapped(P, 1000, 900), swapped(P, 900, 1040, down=False))) == ()


def test_a_hundredth_may_be_missing_on_the_way():
    logs = swapped(P, 1_000_000, 900_000), swapped(Q, 909_000, 1_050_000, down=False)
    assert only(act(EVE, BOT, *logs)).gross == {A: 50_000, B: -9_000}
    apart = swapped(P, 1_000_000, 900_000), swapped(Q, 910_000, 1_050_000, down=False)
    assert found(act(EVE, BOT, *apart)) == ()


def test_what_is_left_over_on_the_way_is_gained_as_well():
    logs = swapped(P, 1_000_000, 900_000), swapped(Q, 850_000, 1_010_000, down=False)
    assert only(act(EVE, BOT, *logs)).gross == {A: 10_000, B: 50_000}


def test_what_was_brought_along_must_be_worth_less_than_what_was_gained():
    dear = swapped(P, 1_000_000, 900_000), swapped(Q, 908_000, 1_005_000, down=False)
    fair = swapped(P, 1_000_000, 900_000), swapped(Q, 904_000, 1_005_000, down=False)
    assert found(act(EVE, BOT, *dear)) == ()
    assert only(act(EVE, BOT, *fair)).gross == {A: 5_000, B: -4_000}


def test_less_than_a_millionth_is_dust():
    whole = 10**18
    logs = swapped(P, whole, whole), swapped(Q, whole, whole + 3_991, down=False)
    assert found(act(EVE, BOT, *logs)) == ()
    logs = swapped(P, whole, whole), swapped(Q, whole, whole + 10**12, down=False)
    assert only(act(EVE, BOT, *logs)).gross == {A: 10**12}


def test_several_cycles_in_one_transaction_are_one_arbitrage():
    again = (swapped(P, 2000, 1700), swapped(Q, 1700, 2050, down=False))
    one = only(act(EVE, BOT, *CYCLE, *again))
    assert one.gross == {A: 90}
    assert len(one.detail.path) == 4


def test_the_cycle_that_fits_best_is_taken():
    """The first way back that is found does not link as well as the second."""
    logs = (
        swapped(P, 1000, 900),
        swapped(S, 999, 2000),
        swapped(Q, 899, 1030, down=False),
        swapped(address(0x1009), 900, 1031, down=False),
    )
    known = Known(tokens_of={P: (A, B), Q: (A, B), S: (A, C), address(0x1009): (A, B)}.get)
    one = only(act(EVE, BOT, *logs), known=known)
    assert [swap.amount_in for swap in one.detail.path] == [1000, 900]
    assert one.gross == {A: 31}


def test_through_a_router_a_cycle_must_be_all_that_is_done():
    other = swapped(S, 50, 40)
    assert only(act(EVE, ROUTER, *CYCLE)).gross == {A: 40}
    assert found(act(EVE, ROUTER, *CYCLE, other)) == ()
    assert only(act(EVE, BOT, *CYCLE, other)).gross == {A: 40}


def test_a_settlement_of_many_orders_is_none():
    trade = log("Settlement(address*)", EVE, emitter=SETTLEMENT)
    assert found(act(EVE, SETTLEMENT, *CYCLE)) == ()
    assert found(act(EVE, BOT, *CYCLE, trade)) == ()


def test_one_swap_is_no_cycle():
    assert found(act(EVE, BOT, swapped(P, 1000, 900))) == ()


# By net flow

UNLINKED = (
    sent(A, BOT, P, 1000),
    sent(B, P, BOT, 900),
    swapped(P, 1000, 900),
    sent(B, BOT, address(0x3001), 900),  # somebody's order is filled
    sent(C, address(0x3001), BOT, 700),
    sent(C, BOT, S, 700),
    sent(A, S, BOT, 1040),
    swapped(S, 700, 1040, down=False),
)


def test_what_the_searchers_addresses_have_more_of():
    one = only(act(EVE, BOT, *UNLINKED))
    assert one.gross == {A: 40}
    assert one.extra == {"rule": "net_flow"}
    assert [swap.pool for swap in one.detail.path] == [P, S]


def test_the_sender_is_one_of_them():
    logs = (*UNLINKED, sent(A, BOT, EVE, 1040))
    assert only(act(EVE, BOT, *logs)).gross == {A: 40}
    away = (*UNLINKED, sent(A, BOT, ANN, 41))
    assert found(act(EVE, BOT, *away)) == ()


def test_without_a_sender_nobody_knows_whose_addresses_these_are():
    assert found(act(None, BOT, *UNLINKED)) == ()


def test_through_a_router_the_flow_says_nothing():
    logs = [sent(A, ROUTER, P, 1000), *UNLINKED[1:6], sent(A, S, ROUTER, 1040), UNLINKED[7]]
    assert found(act(EVE, ROUTER, *logs)) == ()


def test_what_somebody_gave_is_not_gained():
    """A contract hands on a part of what it gets, and sells a part of the rest."""
    given = (
        sent(A, ANN, BOT, 2000),
        sent(A, BOT, BEN, 900),
        sent(A, BOT, P, 1000),
        sent(B, P, BOT, 900),
        swapped(P, 1000, 900),
        sent(B, BOT, S, 900),
        sent(C, S, BOT, 700),
        swapped(S, 900, 700),
    )
    assert found(act(EVE, BOT, *given)) == ()
    # Beside what is gained it takes nothing away.
    more = sent(A, ANN, BOT, 5)
    assert only(act(EVE, BOT, *UNLINKED, more)).gross == {A: 40}


def test_what_is_minted_is_given_by_nobody():
    minted = sent(C, address(0), BOT, 700)
    logs = (*UNLINKED[:4], minted, *UNLINKED[5:])
    assert only(act(EVE, BOT, *logs)).gross == {A: 40}


def test_what_only_came_in_was_swapped_for_and_not_gained():
    """Ether that is paid is in no log."""
    logs = (sent(C, S, ANN, 900), swapped(S, 1000, 900), swapped(R, 7, 5))
    assert found(act(ANN, BEN, *logs)) == ()


def test_aggregator_dust_is_none():
    whole = 10**18
    logs = (
        sent(WETH, ANN, BOT, whole),
        sent(WETH, BOT, P, whole - 3_991),
        sent(WETH, EVE, BOT, whole),
        sent(WETH, BOT, EVE, whole),
        sent(WETH, address(0x3001), BOT, 3_991),
        sent(B, P, BOT, 5),
        sent(B, BOT, address(0x3001), 5),
        sent(WETH, P, ANN, whole),
        *CYCLE[:1],
        swapped(S, 3, 2),
    )
    assert found(act(ANN, BOT, *logs)) == ()


def test_flow_within_one_pool_is_none():
    logs = (
        sent(A, BOT, P, 1000),
        sent(A, P, BOT, 1040),
        swapped(P, 1000, 900),
        swapped(P, 700, 1040, down=False),
    )
    assert found(act(EVE, BOT, *logs)) == ()
    assert found(act(EVE, BOT, swapped(P, 1000, 900), swapped(S, 1000, 900))) == ()


def test_who_moves_liquidity_or_debt_may_have_had_it_before():
    mint = log(V3_MINT, BOT, BOT, -60, 60, 5, 6, 7, emitter=address(0x1005))
    borrow = log("Borrow(address,uint256,uint256,uint256)", BOT, 5, 5, 5, emitter=POSITIONS)
    assert found(act(EVE, BOT, *UNLINKED, mint)) == ()
    assert found(act(EVE, BOT, *UNLINKED, borrow)) == ()


# Bounds


def test_too_many_swaps_in_one_transaction_are_not_looked_at():
    found_ = inspect(act(EVE, BOT, *CYCLE * 101))
    assert found_.opportunities == ()
    assert found_.cut


def test_the_search_ends_where_its_steps_do():
    many = act(EVE, BOT, *CYCLE * 30)
    small, large = Budget(10, 0), Budget()
    assert inspect_block(block(many), KNOWN, small).cut
    found_ = inspect_block(block(many), KNOWN, large)
    assert not found_.cut
    assert found_.opportunities[0].gross == {A: 40 * 30}


def test_a_swap_whose_tokens_are_not_known_is_of_no_cycle():
    assert found(act(EVE, BOT, *CYCLE), known=Known()) == ()
    unnamed = log(V2, BOT, 5, 0, 0, 5, BOT, emitter=address(0x100A))
    assert only(act(EVE, BOT, *CYCLE, unnamed)).gross == {A: 40}
