"""Sandwiches, and liquidity for one swap only."""

from __future__ import annotations

from tests.devnet.abi import Address, call_data, raw
from tests.devnet.addresses import POSITIONS, WETH
from tests.devnet.cast import EXECUTORS, QUICK_PROVIDER
from tests.devnet.deploy import GWEI
from tests.devnet.scenario_searchers import bribe, execute, swap_at
from tests.devnet.stage import Round
from tests.devnet.truth import Plant
from tests.devnet.uniswap import MINT, NEVER, SPACING, around, current_tick


async def sandwich(round_: Round, variant: str, victims: int) -> Plant | None:
    """One or several victims between a searcher's two swaps.

    Args:
        round_: the block.
        variant: ``front_first`` buys ahead of the victims and sells all of it after them;
            ``sell_first`` sells ahead of them and buys all of it back.
        victims: how many.
    """
    stage = round_.stage
    market = stage.random.choice([m for m in round_.markets if WETH in m.tokens])
    round_.claim(market)
    token_in = stage.random.choice(market.tokens)
    depth = await market.depth(stage.chain, token_in)
    share = 4 if market.concentrated else 10
    paid = depth * share // 1_000
    searcher, tip = round_.searchers.pop(), round_.next_band()
    answer = await stage.run(searcher, [market.leg(token_in, paid)])
    assert answer is not None
    got = answer[1]
    # The victims are there first; the searcher has seen them before it acts.
    hurt = [
        await swap_at(
            round_,
            market,
            token_in,
            depth * share * stage.random.randrange(12, 16) // (10_000 * victims),
            tip + 3 * GWEI - number * GWEI // 2,
        )
        for number in range(victims)
    ]
    front = await execute(round_, searcher, [market.leg(token_in, paid)], 0, tip + 4 * GWEI)
    if variant == "front_first":
        back_leg, least = market.leg(market.other(token_in), got), paid + 1
    else:
        back_leg, least = market.leg(market.other(token_in), wanted=paid), paid
    back = await execute(round_, searcher, [back_leg], least, tip, bribe(round_))
    return Plant(
        "sandwich",
        variant,
        [front, back],
        victims=[hash_ for hash_, _ in hurt],
        searcher=searcher,
        accounts=(EXECUTORS[searcher],),
        tokens=market.tokens,
        cause=hurt[0][0],
        notes={"fair": [fair for _, fair in hurt]},
    )


async def quick_liquidity(round_: Round) -> Plant | None:
    """Liquidity in a narrow range just before a large swap, and out again just after it."""
    stage, owner = round_.stage, QUICK_PROVIDER
    market = stage.random.choice([m for m in round_.markets if m.concentrated and m.fee == 3000])
    round_.claim(market)
    token_in = stage.random.choice(market.tokens)
    depths = [await market.depth(stage.chain, token) for token in market.tokens]
    paid = depths[market.tokens.index(token_in)] * stage.random.randrange(3, 6) // 1_000
    tick, spacing = await current_tick(stage.chain, market.address), SPACING[market.fee]
    position = (
        *market.tokens,
        market.fee,
        *around(tick, 2 * spacing, spacing),
        *(depth // 50 for depth in depths),
        0,
        0,
        owner,
        NEVER,
    )
    minted = await stage.call(
        owner, POSITIONS, MINT, position, returns="(uint256,uint128,uint256,uint256)"
    )
    assert minted is not None
    tip = round_.next_band()
    victim, _ = await swap_at(round_, market, token_in, paid, tip + 2 * GWEI)
    entry = await stage.send(owner, POSITIONS, MINT, position, tip=tip + 4 * GWEI)
    leave = [raw(data) for data in _withdrawal(minted[0], minted[1], owner)]
    exit_ = await stage.send(owner, POSITIONS, "multicall(bytes[])", leave, tip=tip)
    return Plant(
        "jit",
        "jit",
        [entry, exit_],
        victims=[victim],
        searcher=owner,
        accounts=(owner,),
        tokens=market.tokens,
        cause=victim,
    )


def _withdrawal(position: int, liquidity: int, owner: Address) -> list[str]:
    """Calls that take everything out of a position and destroy it."""
    decrease = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
    collect = "collect((uint256,address,uint128,uint128))"
    return [
        call_data(decrease, (position, liquidity, 0, 0, NEVER)),
        call_data(collect, (position, owner, 2**128 - 1, 2**128 - 1)),
        call_data("burn(uint256)", position),
    ]
