"""Liquidations, quick liquidity, attempts and net flow from calls; and what calls add to logs."""

from __future__ import annotations

import attrs
import msgspec
import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.inspect.blocks import (
    ANN,
    BEN,
    BOT,
    EVE,
    HASH,
    POSITIONS,
    WETH,
    A,
    B,
    C,
    P,
    Q,
    hash_of,
)
from tests.inspect.calling import MINER, Made, asked, block_answer, inspected, paid, pulled
from tests.inspect.test_traced_swaps import LIMIT, PROXY, SIGNED, pair_call, pair_swap, tick_swap
from tests.support.encoding import address, log
from trio_mev.inspect import Inspection, Known, inspect_block, read_trace_block
from trio_mev.inspect.fills import FILLS
from trio_mev.inspect.seizures import MANAGER, SEIZURES
from trio_mev.inspect.seizures import POSITIONS as POOL_POSITIONS
from trio_mev.inspect.swapping import POOLS
from trio_mev.model.chain import Block, Log
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import JustInTime, Kind, Liquidation, Opportunity

AAVE = "0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9"
AAVE_V1 = "0x398ec7346dcd622edc5ae82352f02be94c62d119"
MORPHO = "0xbbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb"
EEEE = "0x" + "e" * 40
MARKET, OTHER, COMPTROLLER = address(0x4001), address(0x4002), address(0x4003)


def found(*calls: Made, known: Known | None = None) -> Inspection:
    return inspected(Made(EVE, BOT).holding(*calls), known=known)


def only(*calls: Made, known: Known | None = None) -> Opportunity:
    (one,) = found(*calls, known=known).opportunities
    return one


def seized(one: Opportunity) -> tuple:
    assert isinstance(one.detail, Liquidation)
    detail = one.detail
    return (
        detail.protocol,
        detail.user,
        (detail.debt_token, detail.debt_amount),
        (detail.collateral_token, detail.collateral_amount),
    )


# Liquidations


def at_aave(pool: str, collateral: str, debt: str, shares: bool = False, value: int = 0) -> Made:
    return asked(
        BOT, pool, SEIZURES["0x00a718a9"][0], collateral, debt, ANN, 2**256 - 1, shares, value=value
    )


def test_aave_by_what_moved():
    """What was asked for is all there is; what was paid is less."""
    call = at_aave(AAVE, A, B).holding(pulled(B, AAVE, BOT, C, 50), paid(A, C, BOT, 60))
    one = only(call)
    assert seized(one) == ("aave_v2", ANN, (B, 50), (A, 60))
    assert (one.gross, one.searcher) == ({A: 60, B: -50}, EVE)


def test_aave_in_shares_names_what_they_stand_for():
    call = at_aave(AAVE, A, B, shares=True).holding(
        asked(AAVE, C, "transferOnLiquidation(address,address,uint256)", ANN, BOT, 60),
        pulled(B, AAVE, BOT, C, 50),
    )
    one = only(call)
    assert (seized(one)[3], one.extra) == ((A, 60), {"takes_shares": True})
    assert one.gross == {C: 60, B: -50}


def test_ether_at_aaves_first_version_less_what_came_back():
    call = at_aave(AAVE_V1, A, EEEE, value=70).holding(
        paid(A, C, BOT, 60), Made(AAVE_V1, BOT, value=20)
    )
    assert seized(only(call)) == ("aave_v1", ANN, (ETHER, 50), (A, 60))


def test_a_liquidation_that_moved_nothing_is_none():
    assert found(at_aave(AAVE, A, B)).opportunities == ()
    assert found(at_aave(AAVE, A, B).holding(paid(A, C, BOT, 60))).opportunities == ()


def at_compound(market: str = MARKET, code: int = 0, seizes: bool = True) -> Made:
    """Where both markets are the same one, it seizes without a call."""
    told = asked(
        market,
        COMPTROLLER,
        "liquidateCalculateSeizeTokens(address,address,uint256)",
        market,
        OTHER,
        50,
        answers=("uint256,uint256", (0, 60)),
        kind="staticcall",
    ).holding(
        asked(
            COMPTROLLER,
            OTHER,
            "exchangeRateStored()",
            answers=("uint256", [2 * 10**17]),
            kind="staticcall",
        )
    )
    call = asked(
        BOT, market, SEIZURES["0xf5e3c462"][0], ANN, 50, OTHER, answers=("uint256", [code])
    ).holding(pulled(B, market, BOT, market, 50), told)
    return call.holding(seize(market)) if seizes else call


def seize(market: str, code: int = 0) -> Made:
    return asked(
        market,
        OTHER,
        "seize(address,address,uint256)",
        BOT,
        ANN,
        60,
        answers=("uint256", [code]),
    )


def test_compound_with_what_the_shares_are_worth():
    one = only(at_compound())
    assert seized(one) == ("compound_v2", ANN, (B, 50), (OTHER, 60))
    assert one.extra == {"collateral_underlying": 12}
    assert one.gross == {OTHER: 60, B: -50}


def test_compound_where_nothing_is_called_to_seize():
    assert seized(only(at_compound(seizes=False)))[3] == (OTHER, 60)


def test_compound_that_answers_an_error_did_nothing():
    assert found(at_compound(code=3)).opportunities == ()
    refused = at_compound(seizes=False).holding(seize(MARKET, code=3))
    assert OTHER not in (found(refused).opportunities[0].gross or {})


def test_what_was_reverted_within_a_liquidation_says_nothing():
    failed = attrs.evolve(seize(MARKET), data=seize(MARKET).data[:-2] + "63").failing()
    assert seized(only(at_compound().holding(failed)))[3] == (OTHER, 60)


def test_a_market_that_does_not_say_its_rate_does_not_say_what_shares_are_worth():
    call = at_compound()
    (told,) = [one for one in call.inner if one.target == COMPTROLLER]
    told.inner.clear()
    assert only(call).extra is None


def test_a_fork_is_told_by_what_its_market_asks():
    known = Known(comptrollers={COMPTROLLER: "cream"})
    assert seized(only(at_compound(), known=known))[0] == "cream"


def test_ether_is_repaid_by_the_calls_value():
    call = asked(BOT, MARKET, SEIZURES["0xaae40a2a"][0], ANN, OTHER, value=50).holding(
        seize(MARKET)
    )
    one = only(call)
    assert seized(one) == ("compound_v2", ANN, (ETHER, 50), (OTHER, 60))
    assert one.gross == {OTHER: 60, ETHER: -50}


def test_shares_that_are_redeemed_at_once_are_what_they_brought():
    redeem = asked(BOT, OTHER, POOL_POSITIONS["0xdb006a75"][0], 60, answers=("uint256", [0]))
    one = only(at_compound(), redeem.holding(paid(A, OTHER, BOT, 13)))
    assert one.extra == {"collateral_underlying": 13}
    assert one.gross == {A: 13, B: -50}


def test_shares_whose_redemption_failed_or_paid_somebody_else_are_still_shares():
    redeem = asked(BOT, OTHER, POOL_POSITIONS["0xdb006a75"][0], 60, answers=("uint256", [9]))
    assert only(at_compound(), redeem).gross == {OTHER: 60, B: -50}
    redeem = asked(BOT, OTHER, POOL_POSITIONS["0xdb006a75"][0], 60, answers=("uint256", [0]))
    one = only(at_compound(), redeem.holding(paid(A, C, BOT, 3)))
    assert (one.extra, one.gross) == ({"collateral_underlying": 12}, {A: 3, B: -50})


def test_morpho_by_its_answer():
    market = (B, A, C, C, 9 * 10**17)
    call = asked(
        BOT, MORPHO, SEIZURES["0xd8eabcb8"][0], market, ANN, 60, 0, b"",
        answers=("uint256,uint256", (60, 50)),
    ).holding(paid(A, MORPHO, BOT, 60), pulled(B, MORPHO, BOT, MORPHO, 50))  # fmt: skip
    assert seized(only(call)) == ("morpho_blue", ANN, (B, 50), (A, 60))
    name = "0x" + keccak(encode(["(address,address,address,address,uint256)"], [market])).hex()
    call.inner.clear()
    assert found(call).left_out == {"doubtful": 1}
    assert seized(only(call, known=Known(tokens_of={name: (B, A)}.get)))[2] == (B, 50)


# Liquidity for one swap


def added(who: str, owner: str, number: int = 5, more: bool = False) -> Made:
    """Into a pool, by its position manager, where it may be more of what is there, or by a contract
    itself."""
    pool = asked(
        owner,
        P,
        POOL_POSITIONS["0x3c8a7d8d"][0],
        owner,
        -60,
        60,
        1000,
        b"",
        answers=("uint256,uint256", (100, 200)),
    )
    if owner != POSITIONS:
        return pool
    if more:
        return asked(
            who,
            POSITIONS,
            MANAGER["0x219f5d17"][0],
            (number, 100, 200, 1, 1, 9),
            answers=("uint128,uint256,uint256", (1000, 100, 200)),
        ).holding(pool)
    return asked(
        who,
        POSITIONS,
        MANAGER["0x88316456"][0],
        (A, B, 500, -60, 60, 1, 1, 0, 0, who, 9),
        answers=("uint256,uint128,uint256,uint256", (number, 1000, 100, 200)),
    ).holding(pool)


def removed(who: str, owner: str, number: int = 5) -> Made:
    burn = asked(
        owner, P, POOL_POSITIONS["0xa34123a7"][0], -60, 60, 1000,
        answers=("uint256,uint256", (90, 220)),
    )  # fmt: skip
    collect = asked(
        owner, P, POOL_POSITIONS["0x4f1eb3d8"][0], who, -60, 60, 10**9, 10**9,
        answers=("uint128,uint128", (91, 221)),
    )  # fmt: skip
    if owner != POSITIONS:
        return Made(who, owner).holding(burn, collect)
    asking = asked(
        POSITIONS,
        address(0x77),
        MANAGER["0x0c49ccbe"][0],
        (number, 1000, 0, 0, 9),
        answers=("uint256,uint256", (90, 220)),
        kind="delegatecall",
    ).holding(burn)
    return asked(who, POSITIONS, "multicall(bytes[])", []).holding(asking, collect)


@pytest.mark.parametrize("owner", [BOT, POSITIONS])
def test_liquidity_just_in_time(owner: str):
    known = Known(tokens_of={P: (A, B)}.get)
    victim = Made(ANN, BEN).holding(attrs.evolve(tick_swap(P, 10, 9), source=BEN))
    blocks = [
        Made(EVE, BOT).holding(added(BOT, owner)),
        victim,
        Made(EVE, BOT).holding(removed(BOT, owner)),
    ]
    (one,) = inspected(*blocks, known=known).opportunities
    assert (one.kind, one.gross) == (Kind.JIT, {A: -9, B: 21})
    assert one.victims == (hash_of(1),)
    assert isinstance(one.detail, JustInTime)
    assert (one.detail.mint.liquidity, one.detail.burn.amount1) == (1000, 220)
    assert one.transactions == (hash_of(0), hash_of(2))
    # Of another number it is another's.
    if owner == POSITIONS:
        blocks[2] = Made(EVE, BOT).holding(removed(BOT, owner, 6))
        assert inspected(*blocks, known=known).opportunities == ()
        blocks[0] = Made(EVE, BOT).holding(added(BOT, owner, 6, more=True))
        assert len(inspected(*blocks, known=known).opportunities) == 1


# Arbitrage


def test_a_cycle_that_pays_the_builder():
    calls = [*pair_swap(P, 10, 9), *pair_swap(Q, 9, 13, down=False), Made(BOT, MINER, value=2)]
    one = only(*calls)
    assert (one.gross, one.builder_wei, one.gas_wei) == ({A: 3}, 2, 10**14)
    assert one.net == {A: 3, ETHER: -2 - 10**14}


def test_net_flow_counts_ether_and_its_wrapping_as_one():
    """WETH is sold for ether in a way that nobody knows, and more comes back than was paid."""
    orders = asked(BOT, C, "sell(uint256)", 900).holding(
        paid(WETH, BOT, C, 900), Made(C, BOT, value=1_000)
    )
    assert found(orders, *pair_swap(P, 10, 9), *pair_swap(Q, 9, 9, down=False)).opportunities == ()
    one = only(orders, *pair_swap(P, 10, 9), *pair_swap(Q, 9, 10, down=False))
    assert one.extra == {"rule": "net_flow"}
    assert one.gross == {WETH: 100}


def test_a_searcher_that_moves_liquidity_proves_nothing():
    orders = asked(BOT, C, "sell(uint256)", 900).holding(
        paid(WETH, BOT, C, 900), Made(C, BOT, value=1_000)
    )
    swaps = [*pair_swap(P, 10, 9), *pair_swap(Q, 9, 10, down=False)]
    moved = asked(BOT, C, "withdraw(address,uint256)", A, 5)
    assert found(orders, *swaps, moved).opportunities == ()


def test_an_attempt_is_marked_whether_it_would_have_paid_or_not():
    for back in (13, 8):
        cycle = [*pair_swap(P, 10, 9), *pair_swap(Q, 9, back, down=False)]
        one = only(Made(BOT, C).failing().holding(*cycle))
        assert (one.kind, one.reverted, one.gross) == (Kind.ARBITRAGE, True, {})
        assert one.net == {ETHER: -(10**14)}


def test_an_attempt_of_which_one_swap_failed_is_one():
    cycle = [paid(B, BOT, Q, 9), attrs.evolve(pair_call(Q, 13, down=False), error="K")]
    assert only(Made(BOT, C).failing().holding(*pair_swap(P, 10, 9), *cycle)).reverted
    tick = attrs.evolve(tick_swap(Q, 9, 13, down=False), error="STF")
    one = only(Made(BOT, C).failing().holding(*pair_swap(P, 10, 9), tick))
    assert one.reverted
    tick.inner.clear()
    assert found(Made(BOT, C).failing().holding(*pair_swap(P, 10, 9), tick)).opportunities == ()


def test_a_route_of_somebody_who_swaps_is_no_attempt():
    route = [*pair_swap(P, 10, 9), paid(B, BOT, Q, 9)]
    assert found(Made(BOT, C).failing().holding(*route)).opportunities == ()
    curve = asked(BOT, Q, POOLS["0x3df02124"][0], 0, 1, 9, 8).failing()
    assert found(Made(BOT, C).failing().holding(*route, curve)).opportunities == ()


def test_what_was_made_beside_an_attempt_is_what_counts():
    cycle = [*pair_swap(P, 10, 9), *pair_swap(Q, 9, 13, down=False)]
    one = only(Made(BOT, C).failing().holding(*cycle), *cycle)
    assert (one.reverted, one.gross) == (False, {A: 3})


# Logs and calls together


def whole(calls: list[Made], logs: list[Log]) -> Inspection:
    """A block of one transaction by its traces, and by receipts with logs."""
    raw = msgspec.json.encode(block_answer(Made(EVE, BOT).holding(*calls)))
    receipt = {
        "transactionHash": hash_of(0),
        "transactionIndex": "0x0",
        "blockHash": HASH,
        "blockNumber": "0x7",
        "from": EVE,
        "to": BOT,
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x1",
        "status": "0x1",
        "logs": [
            {
                "blockHash": HASH,
                "blockNumber": "0x7",
                "logIndex": hex(number),
                "transactionHash": hash_of(0),
                "transactionIndex": "0x0",
                "address": one.address,
                "topics": one.topics,
                "data": "0x" + one.data.hex(),
            }
            for number, one in enumerate(logs)
        ],
    }
    head = Block(7, HASH, HASH, 0, 0, 0, 10, MINER)
    return inspect_block(read_trace_block(raw, msgspec.json.encode([receipt]), head))


def moved(token: str, source: str, target: str, amount: int) -> Log:
    return log("Transfer(address*,address*,uint256)", source, target, amount, emitter=token)


V2_SWAP = "Swap(address*,uint256,uint256,uint256,uint256,address*)"


def test_logs_say_amounts_and_calls_say_where():
    """A token that takes a fee: ten were sent, nine came."""
    logs = [
        moved(A, BOT, P, 9),
        moved(B, P, BOT, 8),
        log(V2_SWAP, BOT, 9, 0, 0, 8, BOT, emitter=P),
    ]
    (one,) = whole(pair_swap(P, 9, 8), logs).swaps
    assert (one.log_index, one.trace_address, one.amount_in) == (2, (1,), 9)
    (one,) = whole(pair_swap(P, 10, 8), logs).swaps
    assert (one.log_index, one.trace_address, one.amount_in) == (2, None, 9)


def test_calls_tell_the_ether_of_a_curve_pool_whose_log_does_not():
    text = POOLS["0x3df02124"][0]
    call = asked(BOT, P, text, 0, 1, 10, 8, answers=("uint256", [9]), value=10)
    exchange = log(
        "TokenExchange(address*,int128,uint256,int128,uint256)", BOT, 0, 10, 1, 9, emitter=P
    )
    found = whole([call.holding(paid(B, P, BOT, 9))], [moved(B, P, BOT, 9), exchange])
    (one,) = found.swaps
    assert (one.token_in, one.amount_in, one.log_index) == (ETHER, 10, 1)
    assert not found.left_out


def test_calls_add_what_no_log_is_read_for():
    """An order that is filled and a pair that is sold to: an arbitrage, and only with the calls."""
    fill = asked(
        BOT, PROXY, FILLS["0xf6274f66"][0], LIMIT, SIGNED, 10, answers=("uint128,uint128", (10, 9))
    )
    logs = [
        moved(B, Q, BOT, 1),
        moved(B, BOT, Q, 9),
        moved(A, Q, BOT, 13),
        log(V2_SWAP, BOT, 0, 9, 13, 0, BOT, emitter=Q),
    ]
    found = whole([fill, *pair_swap(Q, 9, 13, down=False)], logs)
    assert {swap.protocol for swap in found.swaps} == {"0x", "uniswap_v2"}
    (one,) = found.opportunities
    assert (one.kind, one.gross, one.builder_wei) == (Kind.ARBITRAGE, {A: 3}, 0)
