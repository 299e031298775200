"""Sandwiches, cyclic arbitrage, backruns, and liquidity for one swap only."""

from __future__ import annotations

from typing import Any

from tests.devnet.abi import Address, call_data, raw
from tests.devnet.addresses import (
    POSITIONS,
    ROUTER_02,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    USDC,
    WBTC,
    WETH,
)
from tests.devnet.cast import EXECUTORS, QUICK_PROVIDER
from tests.devnet.deploy import GWEI
from tests.devnet.markets import RUN, Market
from tests.devnet.rpc import Hex
from tests.devnet.scenario_swaps import (
    NEW_METHODS,
    UNIVERSAL_METHODS,
    V2_METHODS,
    V3_METHODS,
    Wish,
    fulfil,
    quote,
)
from tests.devnet.stage import Round, Stage
from tests.devnet.truth import Plant
from tests.devnet.uniswap import MINT, NEVER, SPACING, around, current_tick

ETHER = 10**18
MOST = 2_000 * ETHER
"""What an arbitrage begins with, at most."""
LOOPS = {
    "v2_v2": ((UNISWAP_V2_ROUTER, WETH, USDC), (SUSHISWAP_ROUTER, USDC, WETH)),
    "v2_v3": ((UNISWAP_V2_ROUTER, WETH, USDC), (500, USDC, WETH)),
    "three_legs": (
        (UNISWAP_V2_ROUTER, WETH, USDC),
        (3000, USDC, WBTC),
        (SUSHISWAP_ROUTER, WBTC, WETH),
    ),
}
"""Cycles from ether to ether, by the venue's router or the fee of a pool of Uniswap V3."""


def market_at(
    markets: list[Market], venue: str | int, one: Address, other: Address
) -> Market | None:
    """The pool of a venue with two tokens."""
    return next(
        (
            market
            for market in markets
            if {one, other} == set(market.tokens)
            and venue == (market.fee if market.concentrated else market.router)
        ),
        None,
    )


def _methods(market: Market, token_in: Address) -> list[tuple[str, str]]:
    """Routers and methods by which somebody may swap at one pool."""
    if market.concentrated:
        found = [(market.router, V3_METHODS[0]), (ROUTER_02, NEW_METHODS[0])]
        universal = UNIVERSAL_METHODS[2]
    else:
        found = [(market.router, V2_METHODS[0])]
        universal = UNIVERSAL_METHODS[0]
        if market.router == SUSHISWAP_ROUTER:
            return found
        found.append((ROUTER_02, NEW_METHODS[4]))
    return [*found, (UNIVERSAL_ROUTER, universal)] if token_in == WETH else found


async def swap_at(
    round_: Round, market: Market, token_in: Address, paid: int, tip: int, room: int = 500
) -> Hex:
    """Somebody swaps an amount at a pool, by any router that goes there."""
    router, method = round_.stage.random.choice(_methods(market, token_in))
    tokens = [token_in, market.other(token_in)]
    got = await quote(round_.stage, tokens, [market], paid)
    wish = Wish(round_.traders.pop(), tokens, [market], paid, got, room)
    return (await fulfil(round_, router, method, wish, tip)).transactions[0]


async def _run(
    round_: Round,
    searcher: Address,
    legs: list[tuple[Any, ...]],
    least: int,
    tip: int,
    bribe: int = 0,
) -> Hex:
    to = EXECUTORS[searcher]
    return await round_.stage.send(searcher, to, RUN, legs, least, tip=tip, value=bribe)


def _bribe(round_: Round) -> int:
    return round_.stage.random.randrange(1, 50) * ETHER // 1_000


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
    hashes = [
        await swap_at(
            round_,
            market,
            token_in,
            depth * share * stage.random.randrange(12, 16) // (10_000 * victims),
            tip + 3 * GWEI - number * GWEI // 2,
        )
        for number in range(victims)
    ]
    front = await _run(round_, searcher, [market.leg(token_in, paid)], 0, tip + 4 * GWEI)
    if variant == "front_first":
        back_leg, least = market.leg(market.other(token_in), got), paid + 1
    else:
        back_leg, least = market.leg(market.other(token_in), wanted=paid), paid
    back = await _run(round_, searcher, [back_leg], least, tip, _bribe(round_))
    return Plant(
        "sandwich",
        variant,
        [front, back],
        victims=hashes,
        searcher=searcher,
        accounts=(EXECUTORS[searcher],),
        tokens=market.tokens,
        cause=hashes[0],
    )


async def dislocate(round_: Round, variant: str) -> Plant | None:
    """A large swap at the first pool of a cycle, which leaves an arbitrage behind."""
    venue, one, other = LOOPS[variant][0]
    market = market_at(round_.markets, venue, one, other)
    if market is None:
        return None
    round_.claim(market)
    hash_ = await _large(round_, variant, market, round_.next_small())
    return Plant("swap", "large", [hash_])


async def _large(round_: Round, variant: str, market: Market, tip: int) -> Hex:
    """A swap at the first pool of a cycle that widens what is between it and the others."""
    stage = round_.stage
    there, back = _directions(stage, variant)
    searcher = next(iter(EXECUTORS))
    gains = [await _made(stage, searcher, way, ETHER // 10, "latest") for way in (there, back)]
    # Who sells ether at the first pool wants it dear there, and a buyer makes it so.
    token = market.other(WETH) if gains[0] > gains[1] else WETH
    depth = await market.depth(stage.chain, token)
    paid = depth * stage.random.randrange(15, 25) // 1_000
    return await swap_at(round_, market, token, paid, tip, room=900)


Cycle = list[tuple[Market, Address]]


def _directions(stage: Stage, variant: str) -> tuple[Cycle, Cycle]:
    """A cycle there and back: pools, and the token that is paid into each."""
    markets = list(stage.reader.markets.values())
    found = [(market_at(markets, *leg), leg[1]) for leg in LOOPS[variant]]
    there = [(market, token) for market, token in found if market is not None]
    return there, [(market, market.other(token)) for market, token in reversed(there)]


async def _made(stage: Stage, searcher: Address, cycle: Cycle, paid: int, block: str) -> int:
    """What a cycle gives more than it takes, as the node says."""
    legs = [m.leg(token, 0 if number else paid) for number, (m, token) in enumerate(cycle)]
    answer = await stage.run(searcher, legs, block)
    return answer[1] - answer[0] if answer else -MOST


async def _best(stage: Stage, searcher: Address, cycle: Cycle, block: str) -> tuple[int, int]:
    """The input with which a cycle makes the most, and what it makes."""
    low, high = ETHER // 100, MOST
    for _ in range(24):
        third = (high - low) // 3
        below = await _made(stage, searcher, cycle, low + third, block)
        if below < await _made(stage, searcher, cycle, high - third, block):
            low += third
        else:
            high -= third
    return low, await _made(stage, searcher, cycle, low, block)


async def _cycle(
    round_: Round, searcher: Address, variant: str, block: str
) -> tuple[Cycle, int, int] | None:
    """The better direction of a cycle, its input and what it makes; None where it does not pay."""
    stage = round_.stage
    found = [
        (way, *await _best(stage, searcher, way, block)) for way in _directions(stage, variant)
    ]
    best = max(found, key=lambda each: each[2])
    return best if best[2] > ETHER // 100 else None


async def arbitrage(round_: Round, variant: str, race: bool = False) -> list[Plant]:
    """A cycle that pays at the state of the last block; with a race, somebody else is too late."""
    searcher = round_.searchers.pop()
    found = await _cycle(round_, searcher, variant, "latest")
    if found is None:
        return []
    cycle, paid, _ = found
    free = [market for market, _ in cycle if market in round_.markets]
    if len(free) < len(cycle):
        return []
    round_.claim(*free)
    tip = round_.next_band()
    plants = [await _take(round_, searcher, variant, cycle, paid, tip + 2 * GWEI, None)]
    if race:
        late = round_.searchers.pop()
        plants.append(await _take(round_, late, "too_late", cycle, paid, tip, None))
    return plants


async def backrun(round_: Round, variant: str) -> list[Plant]:
    """A pending swap, and the cycle that pays once it is in."""
    venue, one, other = LOOPS[variant][0]
    market = market_at(round_.markets, venue, one, other)
    if market is None:
        return []
    tip, searcher = round_.next_band(), round_.searchers.pop()
    cause = await _large(round_, variant, market, tip + 2 * GWEI)
    found = await _cycle(round_, searcher, variant, "pending")
    assert found is not None
    cycle, paid, _ = found
    round_.claim(*(market for market, _ in cycle if market in round_.markets))
    return [
        Plant("swap", "large", [cause]),
        await _take(round_, searcher, f"backrun_{variant}", cycle, paid, tip, cause),
    ]


async def _take(
    round_: Round,
    searcher: Address,
    variant: str,
    cycle: Cycle,
    paid: int,
    tip: int,
    cause: Hex | None,
) -> Plant:
    legs = [m.leg(token, 0 if number else paid) for number, (m, token) in enumerate(cycle)]
    hash_ = await _run(round_, searcher, legs, paid + 1, tip, _bribe(round_))
    return Plant(
        "arbitrage",
        variant,
        [hash_],
        searcher=searcher,
        accounts=(EXECUTORS[searcher],),
        tokens=tuple({token: None for market, _ in cycle for token in market.tokens}),
        cause=cause,
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
    victim = await swap_at(round_, market, token_in, paid, tip + 2 * GWEI)
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
