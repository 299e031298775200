"""SandwichDetector: the reference figures, none where none pays, and what is told when."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from tests.chain.ticked_pools import crowded
from tests.processors.conftest import event_of
from tests.support.encoding import address, arguments, call
from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.contracts.uniswap_v3 import FACTORY
from trio_mev.chain.effects.apply import apply
from trio_mev.chain.effects.outcome import Terms, Verdict
from trio_mev.chain.effects.overlay import Overlay
from trio_mev.chain.effects.pending import PendingBook, PendingEffect
from trio_mev.chain.effects.places import _Leg, places
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.chain.pools.worth import Worth
from trio_mev.chain.routes.gas import gas_of
from trio_mev.chain.routes.victim import play
from trio_mev.model.chain import Life, PendingLife, Transaction
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument
from trio_mev.model.intents import ETHER, WETH, Basis, Hop, PoolKind, SwapIntent
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.opportunity import Exposure, Kind, Status
from trio_mev.model.settings import ExposureSettings
from trio_mev.processors import exposures
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
FACTS_DAI = ProductPool(2_000_000 * ETHERS, 1000 * ETHERS)


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


@pytest.mark.parametrize(
    ("to", "signature", "more"), [(ROUTER, OUT, (FAR,)), (NEWER, NEWER_OUT, ())]
)
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


def made(view: PoolsView, effect: PendingEffect, pool: str, side: int, paid: int) -> int | None:
    """What a sandwich in one pool leaves, with the whole transaction in its middle."""
    state = view.entries[pool].state
    front = state.swap(side, 1 - side, paid)
    pools = Overlay(view)
    pools.put({pool: front.after})
    middle = apply(effect.intents, pools, Terms(time=12, parent=view.hash))
    if front.stop is not None or middle.verdict is not Verdict.SUCCEEDS:
        return None
    back = middle.changed[pool].swap(1 - side, side, front.amount_out)
    return None if back.stop is not None else back.amount_out - paid


def finely(view: PoolsView, effect: PendingEffect, pool: str, side: int, most: int) -> int:
    """The best of a grid, and of finer ones about the best."""
    low, high, best = 1, most, 0
    for _ in range(5):
        grid = [low + (high - low) * n // 60 for n in range(61)]
        tried = {paid: made(view, effect, pool, side, paid) for paid in grid}
        good = {paid: profit for paid, profit in tried.items() if profit is not None}
        if not good:
            return best
        top = max(good, key=lambda paid: good[paid])
        best, step = max(best, good[top]), (high - low) // 60 + 1
        low, high = max(top - step, 1), top + step
    return best


def two_commands(amount: int) -> Any:
    """Dollars to ether in a pair, and all of that on through ranges, in two commands."""
    types = "address,uint256,uint256,address[],bool"
    there = arguments(types, address(2), amount, 0, (USDC, WETH), True)
    way = bytes.fromhex(WETH[2:]) + (3000).to_bytes(3, "big") + bytes.fromhex(DAI[2:])
    types = "address,uint256,uint256,bytes,bool"

    def make(limit: int) -> bytes:
        on = arguments(types, address(1), 1 << 255, limit, way, False)
        return call("execute(bytes,bytes[],uint256)", bytes([8, 0]), [there, on], FAR)

    return make


def test_no_front_run_of_a_fine_search_pays_more_on_a_way_of_several_pools():
    worst = Counter(pool for seed in range(25) for pool in searched(random.Random(seed)))
    assert min(worst[address(1)], worst[address(2)]) > 2


def searched(rng: random.Random) -> list[str]:
    """One transaction, its exposure held against a search; the pools where it is worst."""
    ranges = crowded(rng, magnitude=(19.5, 22))
    dollars = ProductPool(rng.randrange(10**11, 10**13), rng.randrange(10**20, 10**22))
    view = view_of(entry(1, USDC, WETH, dollars), entry(2, DAI, WETH, ranges))
    plan = two_commands(dollars.reserve0 * rng.randrange(5, 50) // 1000)
    alone = PendingBook(10).add(transaction(UNIVERSAL, plan(0)), view)
    assert alone is not None
    last = alone.effect.swaps[-1]
    if not last.amount_out or last.fills[-1].partial:
        return []
    limit = last.amount_out * rng.randrange(9500, 9990) // 10_000
    effect, watch = pending(view, UNIVERSAL, plan(limit)), ExposureWatch()
    watch.advance(view)
    found = watch.look(effect)
    assert watch.unknown.total() == 0
    worth, gas = Worth(view), 0
    best = 0
    for pool, side in ((address(1), 0), (address(2), 1)):
        held = dollars.reserve0 if pool == address(1) else 10**21
        token = view.entries[pool].pool.tokens[side]
        gas = 2 * gas_of([view.entries[pool].pool.protocol])
        best = max(best, (worth.in_wei(token, finely(view, effect, pool, side, held)) or 0) - gas)
    assert best <= (found[0].net_wei if found else 0)
    for one in found:
        (exposure,) = [one.exposure]
        side = 0 if one.pool == address(1) else 1
        ours = made(view, effect, one.pool, side, exposure.attacker_in)
        assert ours == exposure.attacker_profit
        prevents = exposure.limit_that_prevents
        if prevents is not None:
            assert opens(view, UNIVERSAL, plan(prevents)) == []
            assert len(opens(view, UNIVERSAL, plan(prevents - 1))) == 1
    return [one.pool for one in found]


@pytest.mark.parametrize("tight", [False, True])
def test_a_price_at_which_a_swap_shall_stop_is_kept(tight):
    found = 0
    for seed in range(20):
        ranges = crowded(random.Random(seed), magnitude=(20, 21))
        view = view_of(entry(2, DAI, WETH, ranges))
        amount = ranges.liquidity // 20
        done = ranges.swap(1, 0, amount)
        if done.stop is not None:
            continue
        end = done.after.root
        stop = end - (end - ranges.root) // 10 if tight else end + (end - ranges.root) // 2
        data = call(SINGLE, (WETH, DAI, 3000, ME, amount, 0, stop))
        alone = pending(view, NEWER, data)
        assert alone.effect.swaps[0].fills[0].partial is tight
        for exposure in opens(view, NEWER, data):
            found += 1
            ours = made(view, alone, address(2), 1, exposure.attacker_in)
            assert ours == exposure.attacker_profit
            most = max(finely(view, alone, address(2), 1, 10 * amount), 1)
            assert most <= exposure.attacker_profit * (1 + 1e-9)
            assert exposure.front_running > 0
    assert found > 5


async def test_an_exposure_is_told_again_only_when_its_amounts_change(feed):
    view = view_of(entry(1, USDC, WETH, FACTS))
    detector, data = SandwichDetector(), sale(10 * ETHERS, 19545729080)
    effect = event_of(DataType.EFFECT, pending(view, ROUTER, data))
    first = await feed(detector, event_of(DataType.POOLS, view), effect)
    same = view_of(entry(1, USDC, WETH, FACTS), number=8)
    again = event_of(DataType.EFFECT, pending(same, ROUTER, data))
    assert await feed(detector, event_of(DataType.POOLS, same), again) == []
    moved = ProductPool(FACTS.reserve0, FACTS.reserve1 * 9999 // 10_000)
    other = view_of(entry(1, USDC, WETH, moved), number=9)
    changed = event_of(DataType.EFFECT, pending(other, ROUTER, data))
    second = await feed(detector, event_of(DataType.POOLS, other), changed)
    assert first[0].data.id == second[0].data.id
    assert first[0].data.detail != second[0].data.detail


async def test_it_is_superseded_when_it_is_no_more(feed):
    view = view_of(entry(1, USDC, WETH, FACTS))
    detector, data = SandwichDetector(), sale(10 * ETHERS, 19545729080)
    effect = event_of(DataType.EFFECT, pending(view, ROUTER, data))
    await feed(detector, event_of(DataType.POOLS, view), effect)
    deep = ProductPool(FACTS.reserve0 * 1000, FACTS.reserve1 * 1000)
    later = view_of(entry(1, USDC, WETH, deep), number=8)
    gone = event_of(DataType.EFFECT, pending(later, ROUTER, data))
    (told,) = await feed(detector, event_of(DataType.POOLS, later), gone)
    assert told.data.status is Status.SUPERSEDED
    assert told.priority is EventPriority.HIGH
    assert await feed(detector, gone) == []


async def test_of_what_is_in_a_block_nothing_is_remembered(feed):
    view = view_of(entry(1, USDC, WETH, FACTS))
    detector, data = SandwichDetector(), sale(10 * ETHERS, 19545729080)
    effect = event_of(DataType.EFFECT, pending(view, ROUTER, data))
    pools = event_of(DataType.POOLS, view)
    (first,) = await feed(detector, pools, effect)
    for life in (Life.ANNOUNCED, Life.INCLUDED):
        step = event_of(DataType.MEMPOOL, PendingLife(first.data.cause, life))
        assert await feed(detector, step) == []
        assert len(await feed(detector, effect)) == (life is Life.INCLUDED)


async def test_before_the_pools_or_after_newer_ones_nothing_is_said(feed):
    view = view_of(entry(1, USDC, WETH, FACTS))
    effect = event_of(DataType.EFFECT, pending(view, ROUTER, sale(10 * ETHERS, 19545729080)))
    newer = event_of(DataType.POOLS, view_of(entry(1, USDC, WETH, FACTS), number=8))
    assert await feed(SandwichDetector(), effect, newer, effect) == []


async def test_what_is_left_is_valued_at_the_price_of_ether(feed):
    view = view_of(entry(1, USDC, WETH, FACTS))
    effect = event_of(DataType.EFFECT, pending(view, ROUTER, sale(10 * ETHERS, 19545729080)))
    price = Price(Instrument("ETH", "USD"), Decimal(2000), Decimal(1), PriceStatus.OK, ())
    (one,) = await feed(
        SandwichDetector(),
        event_of(DataType.POOLS, view),
        event_of(DataType.PRICE, price),
        effect,
    )
    net = one.data.net[WETH] + one.data.net[ETHER]
    assert one.data.usd == Decimal(net) / 10**18 * 2000


async def test_only_the_worst_swaps_of_one_transaction_are_told(feed):
    """Two commands, each with a limit of its own, through two pools."""
    pair, other = entry(1, USDC, WETH, FACTS), entry(2, DAI, WETH, FACTS_DAI)
    view = view_of(pair, other)
    types = "address,uint256,uint256,address[],bool"
    one = arguments(types, address(1), 10 * ETHERS, 19545729080, (WETH, USDC), True)
    two = arguments(types, address(1), 20 * ETHERS, 0, (WETH, DAI), True)
    data = call("execute(bytes,bytes[],uint256)", bytes([8, 8]), [one, two], FAR)
    effect = event_of(DataType.EFFECT, pending(view, UNIVERSAL, data))
    pools = event_of(DataType.POOLS, view)
    both = await feed(SandwichDetector(), pools, effect)
    assert [event.data.pools for event in both] == [(address(2),), (address(1),)]
    assert len({event.data.id for event in both}) == 2
    (worst,) = await feed(SandwichDetector(ExposureSettings(most=1)), pools, effect)
    assert worst.data == both[0].data


def test_swaps_that_only_together_have_a_limit_are_held_to_it_together():
    """Half by a pair and half by another one, and a sweep of what both must have given."""
    ranges = crowded(random.Random(3), magnitude=(22, 23.5))
    view = view_of(entry(1, DAI, WETH, FACTS_DAI), entry(2, DAI, WETH, ranges))
    pair = arguments(
        "address,uint256,uint256,address[],bool", address(2), 10 * ETHERS, 0, (WETH, DAI), True
    )
    way = bytes.fromhex(WETH[2:]) + (3000).to_bytes(3, "big") + bytes.fromhex(DAI[2:])
    types = "address,uint256,uint256,bytes,bool"
    deep = arguments(types, address(2), 10 * ETHERS, 0, way, True)

    def data(least: int) -> bytes:
        sweep = arguments("address,address,uint256", DAI, address(1), least)
        steps = [pair, deep, sweep]
        return call("execute(bytes,bytes[],uint256)", bytes([8, 0, 4]), steps, FAR)

    both = pending(view, UNIVERSAL, data(0)).effect.swaps
    alone = sum(one.amount_out or 0 for one in both)
    limit = alone * 99 // 100
    found = opens(view, UNIVERSAL, data(limit))
    assert found
    for one in found:
        assert one.limit == limit
        assert one.loss <= alone - limit
    highest = max(one.limit_that_prevents or 0 for one in found)
    assert limit < highest <= alone
    assert opens(view, UNIVERSAL, data(highest)) == []
    assert opens(view, UNIVERSAL, data(highest - 1)) != []


def plan(*steps: tuple[int, bytes]) -> bytes:
    codes = bytes(code for code, _ in steps)
    return call("execute(bytes,bytes[],uint256)", codes, [given for _, given in steps], FAR)


FLAT, DEEP = "address,uint256,uint256,address[],bool", "address,uint256,uint256,bytes,bool"
WAY = bytes.fromhex(WETH[2:]) + (3000).to_bytes(3, "big") + bytes.fromhex(DAI[2:])


def test_a_pair_that_the_swap_before_pays_is_held_to_the_limit_behind_it():
    ranges = crowded(random.Random(3), magnitude=(21, 22))
    pair = address(0xAA01)
    view = view_of(entry(0xAA01, DAI, USDC, LONG[1].state), entry(2, DAI, WETH, ranges))
    first = arguments(DEEP, pair, 10 * ETHERS, 0, WAY, True)

    def data(limit: int) -> bytes:
        return plan((0, first), (8, arguments(FLAT, address(1), 0, limit, (DAI, USDC), False)))

    alone = pending(view, UNIVERSAL, data(0)).effect.swaps[-1].amount_out
    assert alone is not None
    effect = pending(view, UNIVERSAL, data(alone * 99 // 100))
    found, unclear = places(effect.intents, effect.effect, view)
    assert [one.swap for one in found] == [1, 1]
    assert not unclear
    # One unit less into the pair, and the limit is missed.
    state, victim = found[0].fill.before, found[0].victim
    assert found[0].figure(victim.limit) >= alone * 99 // 100 > found[0].figure(victim.limit - 1)
    assert victim.accepts(state) is not None


def test_what_cannot_be_told_is_counted():
    view = view_of(entry(1, USDC, WETH, FACTS), entry(2, DAI, WETH, FACTS_DAI))
    half = arguments(FLAT, address(1), 10 * ETHERS, 0, (WETH, USDC), True)
    kept = arguments(FLAT, address(2), 10 * ETHERS, 0, (WETH, DAI), True)
    rest = arguments(FLAT, address(1), 1000 * ETHERS, 2**255, (DAI, WETH), False)
    twice = plan((8, half), (8, half))
    endless = call(OUT, 1000 * DOLLARS, 2**255, (WETH, USDC), ME, FAR)
    assert [count(view, ROUTER, endless), count(view, UNIVERSAL, twice)] == [(0, 1), (0, 2)]
    assert count(view, UNIVERSAL, plan((8, kept), (9, rest)))[1] > 0


def count(view: PoolsView, to: str, data: bytes) -> tuple[int, int]:
    effect = pending(view, to, data)
    found, unclear = places(effect.intents, effect.effect, view)
    return len(found), unclear


def test_ranges_that_are_not_enough_are_counted():
    shallow = crowded(random.Random(1), magnitude=(10, 12))
    view = view_of(entry(2, DAI, WETH, shallow))
    data = call(SINGLE, (WETH, DAI, 3000, ME, 10**20, 0, 0))
    assert pending(view, NEWER, data).effect.swaps[0].fills[0].partial
    assert count(view, NEWER, data) == (0, 1)


def by_hand(*more: dict[str, Any]) -> tuple[int, int]:
    """A swap of ether to dollars that a contract keeps, and others that live on these."""
    view = view_of(
        entry(1, USDC, WETH, FACTS),
        entry(2, DAI, USDC, LONG[1].state),
        entry(3, DAI, USDC, LONG[1].state),
    )

    def swap(pool: int, one: str, two: str, **fields: Any) -> SwapIntent:
        hop = Hop(PoolKind.V2, one, two, pool=address(pool))
        values = {"exact_out": False, "amount": None, "limit": 0} | fields
        return SwapIntent("Universal Router 2.0", (hop,), one, two, **values)

    intents = [swap(1, WETH, USDC, amount=10 * ETHERS)]
    intents += [swap(one.pop("pool"), USDC, DAI, **one) for one in more]
    effect = apply(intents, view)
    assert effect.verdict is Verdict.SUCCEEDS
    found, unclear = places(intents, effect, view)
    return len(found), unclear


def test_swaps_that_live_on_others_are_told_where_one_follows_on_one():
    follows = {"basis": Basis.BALANCE, "sources": (0,)}
    out = {"exact_out": True, "amount": 1000 * ETHERS, "limit": 2000 * DOLLARS}
    assert by_hand({"pool": 2, **follows}) == (2, 0)
    # What one gives is shared by two, or buys what is wanted exactly, or goes where others go.
    assert by_hand({"pool": 2, **follows}, {"pool": 3, **follows}) == (2, 1)
    assert by_hand({"pool": 2, "sources": (0,), **out}) == (1, 1)
    assert by_hand({"pool": 2, **follows}, {"pool": 2, "amount": DOLLARS}) == (0, 3)


def test_the_largest_output_for_which_no_more_is_asked():
    rng = random.Random(4)
    for _ in range(300):
        pair = ProductPool(rng.randrange(50, 10**4), rng.randrange(50, 10**6))
        for state in (pair, crowded(rng, magnitude=(5, 9))):
            leg, paid = _Leg(state, rng.randrange(2), 0), rng.randrange(5, 10_000)
            leg = _Leg(state, leg.one, 1 - leg.one)
            most = leg.most(paid)
            whole = state.swap(leg.one, leg.two, most + 1, True).stop is None
            assert leg.asked(most) <= paid
            assert not whole or paid < leg.asked(most + 1)
    round_ = _Leg(ProductPool(1000, 1000, Fee(1, 1)), 0, 1)
    assert round_.out(1000) == 500
    assert round_.most(1000) == 499


def test_what_gas_is_worth_in_a_token_of_next_to_no_worth_is_found_at_once():
    """The least amount that is worth so much, whatever the token's own unit is worth."""
    for held in (10**10, 10**20, 10**33):
        watch = ExposureWatch()
        watch.advance(view_of(entry(1, USDC, WETH, ProductPool(held, 1000 * ETHERS))))
        least = watch._worth_of(USDC, 10**16 + 7)
        assert watch.in_wei(USDC, least) >= 10**16 + 7 > watch.in_wei(USDC, least - 1)
    watch.advance(view_of(entry(1, USDC, WETH, ProductPool(2**111, 2))))
    assert watch._worth_of(USDC, 10**30) is None
    assert watch._worth_of(DAI, 1) is None


@pytest.mark.parametrize(("most", "opens"), [(60, 0), (3_000, 1)])
def test_what_would_take_too_long_is_counted(monkeypatch, most: int, opens: int):
    """Without a limit there is much to look for."""
    view = view_of(entry(2, DAI, WETH, FACTS_DAI))
    data = arguments(FLAT, address(2), 10 * ETHERS, 0, (WETH, DAI), True)
    monkeypatch.setattr(exposures, "MOST_EFFORT", most)
    watch = ExposureWatch()
    watch.advance(view)
    assert len(watch.look(pending(view, UNIVERSAL, plan((8, data))))) == opens
    assert watch.unknown["effort"] == 1 - opens


def test_only_so_many_pools_of_a_transaction_are_looked_at(monkeypatch):
    view = view_of(entry(1, USDC, WETH, FACTS), entry(2, DAI, WETH, FACTS_DAI))
    first = arguments(FLAT, address(1), 10 * ETHERS, 0, (WETH, USDC), True)
    second = arguments(FLAT, address(2), 10 * ETHERS, 0, (WETH, DAI), True)
    monkeypatch.setattr(exposures, "MOST_PLACES", 1)
    watch = ExposureWatch()
    watch.advance(view)
    (found,) = watch.look(pending(view, UNIVERSAL, plan((8, first), (8, second))))
    assert found.pool == address(1)
    assert watch.unknown["too_many"] == 1
