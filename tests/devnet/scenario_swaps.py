"""Ordinary swaps, by every router and method."""

from __future__ import annotations

from tests.devnet.abi import Address
from tests.devnet.addresses import (
    QUOTER,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    V3_ROUTER,
    WETH,
)
from tests.devnet.markets import Market
from tests.devnet.routers import NEW_METHODS, V2_METHODS, Wish, call_of, variant_of
from tests.devnet.stage import Round, Stage
from tests.devnet.truth import Plant
from tests.devnet.uniswap import units


def _way(round_: Round, router: Address, method: str) -> tuple[list[Address], list[Market]] | None:
    """Tokens and pools that a method can go through, of those that are free."""
    rng = round_.stage.random
    flat = router in (UNISWAP_V2_ROUTER, SUSHISWAP_ROUTER) or "v2" in method
    flat = flat or method in NEW_METHODS[4:6]
    venue = SUSHISWAP_ROUTER if router == SUSHISWAP_ROUTER else UNISWAP_V2_ROUTER
    free = [m for m in round_.markets if m.router == (venue if flat else V3_ROUTER)]
    from_ether = "ETHFor" in method or router == UNIVERSAL_ROUTER
    to_ether = "ForETH" in method or "ForExactETH" in method or method.startswith("multicall")
    ends = [m for m in free if WETH in m.tokens]
    if not (from_ether or to_ether) and rng.random() < 0.5:
        ends = free
    if not ends:
        return None
    first = rng.choice(ends)
    start = WETH if from_ether else first.other(WETH) if to_ether else rng.choice(first.tokens)
    tokens, markets = [start, first.other(start)], [first]
    longer = [m for m in free if m != first and tokens[-1] in m.tokens and start not in m.tokens]
    if longer and not (from_ether or to_ether) and ("Single" not in method):
        markets.append(rng.choice(longer))
        tokens.append(markets[-1].other(tokens[-1]))
    return tokens, markets


async def quote(
    stage: Stage,
    tokens: list[Address],
    markets: list[Market],
    paid: int,
    block: str = "latest",
) -> int:
    """What the chain says a way gives for an amount; ``pending`` is after what waits already."""
    if not markets[0].concentrated:
        signature = "getAmountsOut(uint256,address[])"
        (amounts,) = await stage.chain.read(
            markets[0].router, signature, paid, tokens, returns="(uint256[])", block=block
        )
        return amounts[-1]
    path = Wish(tokens[0], tokens, markets, paid, 0, 0).path()
    signature = "quoteExactInput(bytes,uint256)"
    answer = await stage.chain.read(QUOTER, signature, path, paid, returns="(uint256)", block=block)
    return answer[0]


async def swap(
    round_: Round,
    router: Address,
    method: str,
    dollars: float,
    room: int = 300,
    tip: int | None = None,
    gas: int | None = None,
) -> Plant | None:
    """Hand over an ordinary swap; None where no pool is left for it.

    With another limit of gas it may have to wait for a block with room.
    """
    way = _way(round_, router, method)
    if way is None or not round_.traders:
        return None
    tokens, markets = way
    paid = units(tokens[0], dollars)
    got = await quote(round_.stage, tokens, markets, paid)
    wish = Wish(round_.traders.pop(), tokens, markets, paid, got, room)
    if gas is None:
        return await fulfil(round_, router, method, wish, tip)
    plant = await fulfil(round_, router, method, wish, tip, gas=gas)
    round_.claim(*markets)
    round_.stage.waiting[plant.transactions[0]] = (wish.trader, markets)
    return plant


async def fulfil(
    round_: Round, router: Address, method: str, wish: Wish, tip: int | None = None, **fields: int
) -> Plant:
    """Hand over the transaction that fulfils a wish."""
    signature, values, value = call_of(router, method, wish)
    offered = round_.next_small() if tip is None else tip
    hash_ = await round_.stage.send(
        wish.trader, router, signature, *values, tip=offered, value=value, **fields
    )
    return Plant("swap", variant_of(method), [hash_], router=router)


async def reverted(round_: Round) -> Plant | None:
    """A swap that asks for more than it can get."""
    return await swap(round_, UNISWAP_V2_ROUTER, V2_METHODS[0], 5_000, room=-2_000)
