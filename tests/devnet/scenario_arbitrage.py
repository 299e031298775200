"""Cyclic arbitrage: what a large swap leaves behind, and what follows one that is pending."""

from __future__ import annotations

from tests.devnet.abi import Address
from tests.devnet.addresses import SUSHISWAP_ROUTER, UNISWAP_V2_ROUTER, USDC, WBTC, WETH
from tests.devnet.cast import EXECUTORS
from tests.devnet.deploy import GWEI
from tests.devnet.markets import Market
from tests.devnet.rpc import Hex
from tests.devnet.scenario_searchers import ETHER, bribe, execute, swap_at
from tests.devnet.stage import Round, Stage
from tests.devnet.truth import Plant

MOST = 2_000 * ETHER
"""What an arbitrage begins with, at most."""
LOOPS: dict[str, tuple[tuple[str | int, Address, Address], ...]] = {
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
    hash_, _ = await swap_at(round_, market, token, paid, tip, room=900)
    return hash_


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
    hash_ = await execute(round_, searcher, legs, paid + 1, tip, bribe(round_))
    return Plant(
        "arbitrage",
        variant,
        [hash_],
        searcher=searcher,
        accounts=(EXECUTORS[searcher],),
        tokens=tuple({token: None for market, _ in cycle for token in market.tokens}),
        cause=cause,
    )
