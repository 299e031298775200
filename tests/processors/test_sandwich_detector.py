"""SandwichDetector: the reference figures, none where none pays, and what is told when."""

from __future__ import annotations

import random
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chain.ticked_pools import crowded
from tests.processors.conftest import event_of
from tests.support.encoding import address, call
from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.contracts.uniswap_v3 import FACTORY
from trio_mev.chain.effects.pending import PendingBook, PendingEffect
from trio_mev.chain.effects.places import places
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.chain.routes.gas import gas_of
from trio_mev.chain.routes.sandwich import play
from trio_mev.model.chain import Life, PendingLife, Transaction
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.intents import ETHER, WETH
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.opportunity import Exposure, Kind, Opportunity, Status
from trio_mev.model.settings import ExposureSettings
from trio_mev.processors.exposures import ExposureWatch
from trio_mev.processors.sandwich import SandwichDetector

USDC, DAI = TOKENS["USDC"], TOKENS["DAI"]
ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
NEWER = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
UNIVERSAL = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af"
ME = address(0x3E)
ETHERS, DOLLARS = 10**18, 10**6
DECIMALS = {WETH: 18, USDC: 6, DAI: 18}
IN = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
OUT = "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)"
NEWER_OUT = "swapTokensForExactTokens(uint256,uint256,address[],address)"
SINGLE = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
FAR = 2**40
FACTS = ProductPool(2_000_000 * DOLLARS, 1000 * ETHERS)
"""In the order of the tokens' addresses."""


def entry(name: int, one: str, two: str, state: PoolState) -> Entry:
    ranges = isinstance(state, TickedPool)
    kind = Protocol.UNISWAP_V3 if ranges else Protocol.UNISWAP_V2
    factory = FACTORY if ranges else UNISWAP_FACTORY
    fee = state.fee if isinstance(state, TickedPool) else None
    tokens, decimals = (one, two), (DECIMALS[one], DECIMALS[two])
    return Entry(Pool(address(name), kind, tokens, decimals, factory, fee), state)


def view_of(*entries: Entry, number: int = 7, fee: int | None = 1) -> PoolsView:
    by_id = MappingProxyType({one.pool.id: one for one in entries})
    named = {key: pool for pool, one in by_id.items() if (key := key_of(one.pool)) is not None}
    return PoolsView(
        number, f"0x{number:064x}", fee, by_id, frozenset(by_id), 0, named, 0, next_base_fee=fee
    )


def transaction(to: str, data: bytes, number: int = 1, value: int = 0) -> Transaction:
    return Transaction(f"0x{number:064x}", ME, to, 0, value, 300_000, data, 10**9)


def pending(view: PoolsView, to: str, data: bytes, value: int = 0) -> PendingEffect:
    found = PendingBook(10).add(transaction(to, data, value=value), view)
    assert found is not None
    return found


def sale(amount: int, limit: int, *path: str) -> bytes:
    return call(IN, amount, limit, path or (WETH, USDC), ME, FAR)


def opens(view: PoolsView, to: str, data: bytes, value: int = 0) -> list[Exposure]:
    watch = ExposureWatch()
    watch.advance(view)
    return [one.exposure for one in watch.look(pending(view, to, data, value))]


ROWS = [
    (10, 100, 19545729080, 5070447775577681341, 70162485644094622),
    (10, 50, 19644444883, 2525668985765353581, 35101765802473960),
    (50, 100, 94016288040, 5168276831073164254, 490773479811432521),
    (10, 300, 19150865866, 15445571009098832147, 209989224982935582),
]


@pytest.mark.parametrize("row", ROWS)
async def test_the_reference_figures(feed, row):
    sold, slippage, limit, front, gross = row
    view = view_of(entry(1, USDC, WETH, FACTS))
    effect = pending(view, ROUTER, sale(sold * ETHERS, limit))
    found = await feed(
        SandwichDetector(), event_of(DataType.POOLS, view), event_of(DataType.EFFECT, effect)
    )
    (one,) = [event.data for event in found]
    detail = one.detail
    alone = effect.effect.swaps[0].amount_out
    assert alone * (10_000 - slippage) // 10_000 == limit == detail.limit
    # The largest front run, at which the figures are, leaves the limit and nothing more.
    place = places(effect.intents, effect.effect, view)[0][0]
    played = play(FACTS, place.victim, front)
    assert played.profit == gross
    assert alone - detail.loss == played.victim_out >= limit
    assert play(FACTS, place.victim, front + 1) is None
    # The smallest payment that buys as much, or somewhat less, leaves up to 6e8 wei more.
    assert gross < detail.attacker_profit < gross + 6 * 10**8
    assert front - 10**12 < detail.attacker_in < front
    assert 0 <= detail.loss - detail.front_running < 100
    assert one.gross == {WETH: detail.attacker_profit}
    gas = 2 * gas_of([Protocol.UNISWAP_V2])
    assert (one.gas_wei, one.net) == (gas, {WETH: detail.attacker_profit, ETHER: -gas})
    assert (one.kind, one.victims, one.expires_block) == (Kind.SANDWICH, (one.cause,), 8)


def test_the_first_figure_to_the_wei():
    (one,) = opens(view_of(entry(1, USDC, WETH, FACTS)), ROUTER, sale(10 * ETHERS, 19545729080))
    assert (one.attacker_in, one.attacker_profit) == (5070447775337052016, 70162485883505330)


def test_none_where_none_pays():
    view = view_of(entry(1, USDC, WETH, FACTS))
    assert opens(view, ROUTER, sale(ETHERS, 1982053892)) == []
    assert opens(view, ROUTER, sale(int(3.0135 * ETHERS), 0)) == []
    (one,) = opens(view, ROUTER, sale(int(3.015 * ETHERS), 0))
    assert 6.96e-7 < one.attacker_profit / ETHERS < 6.98e-7


def test_none_where_it_does_not_pay_the_gas():
    data = sale(10 * ETHERS, 19545729080)
    gas = 2 * gas_of([Protocol.UNISWAP_V2])
    fee = 70162485883505330 // gas
    assert len(opens(view_of(entry(1, USDC, WETH, FACTS), fee=fee), ROUTER, data)) == 1
    assert opens(view_of(entry(1, USDC, WETH, FACTS), fee=fee + 1), ROUTER, data) == []


def test_where_the_fee_or_the_worth_is_not_known_nothing_is_said():
    data = sale(10 * ETHERS, 19545729080)
    assert opens(view_of(entry(1, USDC, WETH, FACTS), fee=None), ROUTER, data) == []
    dollars = entry(1, DAI, USDC, ProductPool(10**24, 10**12))
    assert opens(view_of(dollars), ROUTER, sale(10**22, 0, DAI, USDC)) == []


def test_a_swap_that_reverts_is_not_exposed():
    view = view_of(entry(1, USDC, WETH, FACTS))
    assert opens(view, ROUTER, sale(10 * ETHERS, 2_000_000 * DOLLARS)) == []


LONG = (
    entry(1, USDC, WETH, FACTS),
    entry(2, DAI, USDC, ProductPool(3_000_000 * ETHERS, 3_000_000 * DOLLARS)),
)


@pytest.mark.parametrize("path", [(WETH, USDC), (WETH, USDC, DAI), (DAI, USDC, WETH)])
@pytest.mark.parametrize("fee", [1, 10**9])
def test_the_limit_that_prevents_does_and_one_unit_less_does_not(path, fee):
    view = view_of(*LONG, fee=fee)
    amount = 30 * ETHERS if path[0] == WETH else 60_000 * ETHERS
    alone = pending(view, ROUTER, sale(amount, 0, *path)).effect.swaps[0].amount_out
    assert alone is not None
    (one,) = opens(view, ROUTER, sale(amount, alone * 98 // 100, *path))
    prevents = one.limit_that_prevents
    assert one.limit is not None
    if prevents is None:  # what is rounded away is more than the gas, at a fee of one wei
        assert fee == 1
        assert len(opens(view, ROUTER, sale(amount, alone, *path))) == 1
        return
    assert one.limit < prevents <= alone
    assert opens(view, ROUTER, sale(amount, prevents, *path)) == []
    assert len(opens(view, ROUTER, sale(amount, prevents - 1, *path))) == 1
    assert one.loss <= alone - one.limit


@pytest.mark.parametrize(("to", "signature", "more"), [(ROUTER, OUT, (FAR,)), (NEWER, NEWER_OUT, ())])
@pytest.mark.parametrize("path", [(WETH, USDC), (USDC, WETH), (WETH, USDC, DAI), (DAI, USDC, WETH)])
def test_of_an_exact_output_it_is_the_most_that_is_paid(to, signature, more, path):
    view = view_of(*LONG, fee=1)
    amount = {WETH: 30 * ETHERS, USDC: 60_000 * DOLLARS, DAI: 60_000 * ETHERS}[path[-1]]

    def order(limit: int) -> bytes:
        return call(signature, amount, limit, path, ME, *more)

    alone = pending(view, to, order(2**127)).effect.swaps[0].amount_in
    assert alone is not None
    (one,) = opens(view, to, order(alone * 102 // 100))
    prevents = one.limit_that_prevents
    assert prevents is not None
    assert alone <= prevents < alone * 102 // 100
    assert opens(view, to, order(prevents)) == []
    assert len(opens(view, to, order(prevents + 1))) == 1
    assert one.front_running <= one.loss <= alone * 2 // 100


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32).map(random.Random))
def test_no_front_run_of_a_fine_search_pays_more_on_a_way_of_several_pools(rng):
    """Each is tried with the whole transaction, after a swap before it and before one after it."""
    ranges = crowded(rng, magnitude=(22, 24), spacing=60, fee=3000)
    dollars = ProductPool(rng.randrange(10**11, 10**13), rng.randrange(10**20, 10**21))
    first, second = entry(1, USDC, WETH, dollars), entry(2, DAI, WETH, ranges)
    view = view_of(first, second)
    amount = dollars.reserve0 * rng.randrange(5, 50) // 1000
    plan = universal(rng, amount)
    if plan is None:
        return
    alone = pending(view, UNIVERSAL, plan(0)).effect.swaps[-1].amount_out
    if not alone:
        return
    limit = alone * rng.randrange(9500, 9990) // 10_000
    watch = ExposureWatch()
    watch.advance(view)
    effect = pending(view, UNIVERSAL, plan(limit))
    found = watch.look(effect)
    assert watch.unknown.total() == 0
    for one in (first, second):
        side = 0
        token = one.pool.tokens[side]
        best = best_of(one, side, view, plan(limit))
        worth = [o.net_wei for o in found]
        made = watch._in_wei(token, best) - 2 * gas_of([one.pool.protocol])
        assert made <= max(worth, default=0)


def universal(rng: random.Random, amount: int) -> Any:
    """A plan of two commands: dollars to ether in a pair, and on in ranges, by the balance."""
    from tests.support.encoding import arguments

    types = "address,uint256,uint256,address[],bool"
    there = arguments(types, address(2), amount, 0, (USDC, WETH), True)
    way = bytes.fromhex(WETH[2:]) + (3000).to_bytes(3, "big") + bytes.fromhex(DAI[2:])

    def make(limit: int) -> bytes:
        on = arguments("address,uint256,uint256,bytes,bool", address(1), 1 << 255, limit, way, False)
        return call("execute(bytes,bytes[],uint256)", bytes([8, 0]), [there, on], FAR)

    return make
