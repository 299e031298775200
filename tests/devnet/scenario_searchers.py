"""What searchers do again and again: swap at one pool, run their executor, pay the producer."""

from __future__ import annotations

from typing import Any

from tests.devnet.abi import Address
from tests.devnet.addresses import ROUTER_02, SUSHISWAP_ROUTER, UNIVERSAL_ROUTER, WETH
from tests.devnet.cast import EXECUTORS
from tests.devnet.markets import RUN, Market
from tests.devnet.routers import NEW_METHODS, UNIVERSAL_METHODS, V2_METHODS, V3_METHODS, Wish
from tests.devnet.rpc import Hex
from tests.devnet.scenario_swaps import fulfil, quote
from tests.devnet.stage import Round

ETHER = 10**18


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
) -> tuple[Hex, int]:
    """Somebody swaps an amount at a pool, by any router that goes there.

    Returns:
        The transaction, and what it would get if nothing came before it but what waits already.
    """
    router, method = round_.stage.random.choice(_methods(market, token_in))
    tokens = [token_in, market.other(token_in)]
    got = await quote(round_.stage, tokens, [market], paid, "pending")
    wish = Wish(round_.traders.pop(), tokens, [market], paid, got, room)
    plant = await fulfil(round_, router, method, wish, tip)
    return plant.transactions[0], got


async def execute(
    round_: Round,
    searcher: Address,
    legs: list[tuple[Any, ...]],
    least: int,
    tip: int,
    sent: int = 0,
) -> Hex:
    """Hand over a run of a searcher's executor."""
    to = EXECUTORS[searcher]
    return await round_.stage.send(searcher, to, RUN, legs, least, tip=tip, value=sent)


def bribe(round_: Round) -> int:
    """What a searcher sends along for the producer."""
    return round_.stage.random.randrange(1, 50) * ETHER // 1_000
