"""Liquidations, by protocol; what each log says, and what bears it out."""

from __future__ import annotations

from tests.inspect.blocks import (
    ANN,
    BEN,
    BOT,
    EVE,
    KNOWN,
    A,
    B,
    C,
    P,
    act,
    block,
    inspect,
    only,
    sent,
    swapped,
)
from tests.support.encoding import address, log
from trio_mev.inspect import Known, inspect_block
from trio_mev.inspect.budget import Budget
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import Grounds, Kind, Liquidation

AAVE = "LiquidationCall(address*,address*,address*,uint256,uint256,address,bool)"
COMPOUND = "LiquidateBorrow(address,address,uint256,address,uint256)"
MORPHO = "Liquidate(bytes32*,address*,address*,uint256,uint256,uint256,uint256,uint256)"
AAVE_V3 = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
AAVE_V2 = "0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9"
COMET = "0xc3d688b66703497daa19211eedff47f25384cdc3"
MORPHO_BLUE = "0xbbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb"
CETH = "0x4ddc2d193948926d02f9b1fe9e1daa0718270ed5"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
MARKET, SHARES = address(0x4001), address(0x4002)
"""Of what is borrowed, and of the collateral."""


def aave(emitter=AAVE_V3, user=ANN, shares=False):
    """B is repaid, A is seized."""
    return log(AAVE, A, B, user, 50, 60, BOT, shares, emitter=emitter)


def compound(emitter=MARKET, user=ANN):
    return log(COMPOUND, BOT, user, 50, SHARES, 60, emitter=emitter)


def doubtful(*logs, known=KNOWN):
    found = inspect(act(EVE, BOT, *logs), known=known)
    assert found.opportunities == ()
    return found.left_out.get("doubtful", 0)


def test_aave_says_who_owed_what_and_what_was_seized():
    moved = sent(B, BOT, P, 50), sent(A, P, BOT, 60)
    one = only(act(EVE, BOT, *moved, aave(), gas_used=10, gas_price=2))
    assert one.detail == Liquidation("aave_v3", ANN, B, 50, A, 60, None)
    assert (one.kind, one.grounds, one.searcher) == (Kind.LIQUIDATION, Grounds.ARITHMETIC, EVE)
    assert (one.gross, one.net) == ({A: 60, B: -50}, {A: 60, B: -50, ETHER: -20})
    assert one.extra is None
    assert only(act(EVE, BOT, aave(AAVE_V2))).detail.protocol == "aave_v2"


def test_without_transfers_the_events_amounts_are_what_was_made():
    assert only(act(EVE, BOT, aave())).gross == {A: 60, B: -50}


def test_shares_that_are_taken_are_said():
    assert only(act(EVE, BOT, aave(shares=True))).extra == {"takes_shares": True}


def test_an_unknown_pool_must_be_borne_out_by_the_debts_transfer():
    assert doubtful(aave(P)) == 1
    assert doubtful(sent(B, BOT, P, 49), aave(P)) == 1
    assert doubtful(sent(B, EVE, P, 50), aave(P)) == 1
    assert only(act(EVE, BOT, sent(B, BOT, P, 50), aave(P))).detail.protocol == "aave"


def test_collateral_that_is_sold_at_once_is_seen_as_what_it_brought():
    flash = (
        sent(B, P, BOT, 50),
        sent(B, BOT, AAVE_V3, 50),
        sent(A, AAVE_V3, BOT, 60),
        aave(),
        sent(A, BOT, P, 55),
        swapped(P, 55, 50),
    )
    assert only(act(EVE, BOT, *flash)).gross == {A: 5}


def test_several_in_one_transaction_have_the_gas_of_it_once():
    logs = sent(B, BOT, P, 50), aave(), sent(B, BOT, P, 50), aave(user=BEN)
    found = inspect(act(EVE, BOT, *logs, gas_used=10, gas_price=2)).opportunities
    assert [one.detail.user for one in found] == [ANN, BEN]
    assert [one.gross for one in found] == [{A: 60, B: -50}] * 2
    assert [one.gas_wei for one in found] == [20, 0]
    assert [one.net for one in found] == [{A: 60, B: -50, ETHER: gas} for gas in (-20, 0)]
    assert len({one.id for one in found}) == 2


def test_a_compound_market_is_told_by_what_it_was_repaid():
    moved = sent(B, BOT, MARKET, 50), sent(SHARES, ANN, BOT, 60)
    one = only(act(EVE, BOT, *moved, compound()))
    assert one.detail == Liquidation("compound_v2", ANN, B, 50, SHARES, 60, None)
    assert one.gross == {SHARES: 60, B: -50}
    assert one.extra is None
    known = Known(tokens_of={MARKET: (C,)}.get)
    assert only(act(EVE, BOT, compound()), known=known).detail.debt_token == C
    assert only(act(EVE, BOT, compound(CETH))).detail.debt_token == ETHER


def test_a_compound_market_that_was_repaid_nothing_is_doubtful():
    assert doubtful(compound()) == 1
    two = sent(B, BOT, MARKET, 50), sent(C, BOT, MARKET, 50)
    assert doubtful(*two, compound()) == 1


def test_what_compound_keeps_of_the_shares_is_not_the_liquidators():
    moved = sent(B, BOT, MARKET, 50), sent(SHARES, ANN, BOT, 58), sent(SHARES, ANN, SHARES, 2)
    one = only(act(EVE, BOT, *moved, compound()))
    assert one.detail.collateral_amount == 58
    assert one.extra == {"seized": 60}


def test_shares_that_are_redeemed_at_once_tell_what_is_underneath():
    def redeemed(shares=60, account=BOT, emitter=SHARES):
        signature = "Redeem(address,uint256,uint256)"
        return log(signature, account, 1234, shares, emitter=emitter)

    moved = sent(B, BOT, MARKET, 50), sent(SHARES, ANN, BOT, 60), compound()
    one = only(act(EVE, BOT, *moved, redeemed()))
    assert one.extra == {"collateral_underlying": 1234}
    others = redeemed(59), redeemed(account=ANN), redeemed(emitter=MARKET)
    assert only(act(EVE, BOT, *moved, *others)).extra is None


def absorbed(user=ANN, emitter=COMET):
    debt = log("AbsorbDebt(address*,address*,uint256,uint256)", BOT, user, 70, 7, emitter=emitter)
    signature = "AbsorbCollateral(address*,address*,address*,uint256,uint256)"
    taken = [
        log(signature, BOT, user, token, amount, value, emitter=emitter)
        for token, amount, value in ((A, 5, 3), (C, 6, 8))
    ]
    return *taken, debt


def test_comet_takes_over_and_the_caller_gets_nothing():
    one = only(act(EVE, BOT, *absorbed(), gas_used=10, gas_price=2))
    assert one.detail == Liquidation("comet", ANN, USDC, 70, C, 6, None)
    assert one.extra == {"absorbed": True, "collateral": {A: 5, C: 6}}
    assert (one.gross, one.net) == ({}, {ETHER: -20})


def test_what_is_bought_of_it_at_once_is_made_once():
    bought = sent(USDC, BOT, COMET, 60), sent(C, COMET, BOT, 6)
    found = inspect(act(EVE, BOT, *absorbed(), *absorbed(BEN), *bought)).opportunities
    assert [one.gross for one in found] == [{USDC: -60, C: 6}, {}]


def test_an_unknown_comet_or_nothing_absorbed_is_doubtful():
    assert doubtful(*absorbed(emitter=P)) == 1
    assert doubtful(absorbed()[-1]) == 1


MARKET_ID = b"\5" * 32


def morpho(emitter=MORPHO_BLUE, bad=0):
    return log(MORPHO, MARKET_ID, BOT, ANN, 50, 49, 60, bad, bad, emitter=emitter)


def test_morpho_names_a_market_whose_tokens_are_known_or_told_by_transfers():
    known = Known(tokens_of={"0x" + "05" * 32: (B, A)}.get)
    one = only(act(EVE, BOT, morpho()), known=known)
    assert one.detail == Liquidation("morpho_blue", ANN, B, 50, A, 60, None)
    moved = sent(B, BOT, MORPHO_BLUE, 50), sent(A, MORPHO_BLUE, BOT, 60)
    told = only(act(EVE, BOT, *moved, morpho()))
    assert (told.detail, told.extra) == (one.detail, None)
    assert only(act(EVE, BOT, *moved, morpho(bad=4))).extra == {"bad_debt": 4}


def test_a_morpho_market_that_nothing_tells_is_doubtful():
    moved = sent(B, BOT, MORPHO_BLUE, 50), sent(A, MORPHO_BLUE, BOT, 60)
    known = Known(tokens_of={"0x" + "05" * 32: (B,)}.get)
    assert doubtful(morpho()) == 1
    assert doubtful(moved[0], morpho()) == 1
    assert doubtful(moved[1], morpho()) == 1
    assert doubtful(*moved, morpho(P)) == 1
    assert doubtful(morpho(), known=known) == 1


def test_transfers_are_looked_through_within_bounds():
    found = inspect_block(block(act(EVE, BOT, aave())), KNOWN, Budget(0, 0))
    assert found.cut
    assert (found.opportunities, found.left_out) == ((), {"doubtful": 1})
