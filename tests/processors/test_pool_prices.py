"""Pools as sources of prices."""

from __future__ import annotations

from decimal import Decimal
from math import isqrt
from types import MappingProxyType
from typing import Any

import pytest

from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity, tick_map
from trio_mev.chain.pools.ticks import Q96, sqrt_at, tick_at
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.intents import ETHER
from trio_mev.model.market import PriceStatus
from trio_mev.model.settings import PoolSettings, PriceSettings
from trio_mev.processors.pool_prices import PoolPrices
from trio_mev.processors.prices import PriceDataProcessor

WETH, USDC, DAI, WBTC = (TOKENS[name] for name in ("WETH", "USDC", "DAI", "WBTC"))
DECIMALS = {WETH: 18, USDC: 6, DAI: 18, WBTC: 8, ETHER: 18}
V2, V3, V4 = Protocol.UNISWAP_V2, Protocol.UNISWAP_V3, Protocol.UNISWAP_V4
GWEI = 10**9
KEPT = Decimal("0.997")
ETH_USDC, ETH_USD = Instrument("ETH", "USDC"), Instrument("ETH", "USD")


def entry(
    name: str, first: str, second: str, state: PoolState, protocol: Protocol = V2, **more: Any
) -> Entry:
    decimals = DECIMALS.get(first, 18), DECIMALS.get(second, 18)
    return Entry(Pool(name, protocol, (first, second), decimals), state, **more)


def view_of(*entries: Entry, base_fee: int | None = 10 * GWEI) -> PoolsView:
    by_id = MappingProxyType({one.pool.id: one for one in entries})
    return PoolsView(7, "0x7", base_fee, by_id, frozenset(by_id))


def pair(ether: int, dollars: int) -> ProductPool:
    """Of USDC and WETH, in the order of their addresses."""
    return ProductPool(dollars * 10**6, ether * 10**18)


DEEP = entry("0xdeep", USDC, WETH, pair(10_000, 30_000_000))
SHALLOW = entry("0xshallow", USDC, WETH, pair(10, 31_000))


@pytest.fixture
def prices() -> PoolPrices:
    return PoolPrices(PoolSettings())


def test_a_pools_name_as_a_venue_is_its_protocol_and_its_whole_address(prices):
    (quote,) = prices.quotes(view_of(DEEP))
    assert (quote.venue, quote.instrument) == ("uniswap_v2:0xdeep", ETH_USDC)


def test_its_width_is_the_fee_and_what_the_gas_of_a_correction_is_worth(prices):
    """150,000 gas at 10 gwei and 3,000 dollars an ether are 4.50 dollars."""
    (quote,) = prices.quotes(view_of(DEEP))
    down, up = ((Decimal("4.5") * kept / 30_000_000).sqrt() for kept in (1, KEPT))
    assert abs(quote.bid - 3000 * KEPT * (1 - down) ** 2) < Decimal("1e-12")
    assert abs(quote.ask - 3000 / KEPT * (1 + up) ** 2) < Decimal("1e-12")


def test_of_a_shallow_pool_it_is_wider(prices):
    deep, shallow = prices.quotes(view_of(DEEP, SHALLOW))
    assert (shallow.ask - shallow.bid) / shallow.mid > 3 * (deep.ask - deep.bid) / deep.mid


def test_gas_is_valued_by_the_pool_in_the_middle_of_those_of_ether_and_the_quote(prices):
    dollar = entry("0xd", WBTC, USDC, ProductPool(100 * 10**8, 9_000_000 * 10**6))
    found = {quote.instrument: quote for quote in prices.quotes(view_of(SHALLOW, DEEP, dollar))}
    up = (Decimal("4.5") * KEPT / 9_000_000).sqrt()
    quote = found[Instrument("WBTC", "USDC")]
    assert abs(quote.ask - 90_000 / KEPT * (1 + up) ** 2) < Decimal("1e-9")


def test_where_it_cannot_be_valued_a_pool_says_nothing(prices):
    dai = entry("0xd", WBTC, DAI, ProductPool(100 * 10**8, 9_000_000 * 10**18))
    assert list(prices.quotes(view_of(dai, DEEP))) == list(prices.quotes(view_of(DEEP)))
    assert list(prices.quotes(view_of(DEEP, base_fee=None))) == []


def test_gas_is_paid_in_ether_itself(prices):
    bitcoin = entry("0xb", WBTC, WETH, ProductPool(100 * 10**8, 3_000 * 10**18))
    (quote,) = prices.quotes(view_of(bitcoin))
    assert quote.instrument == Instrument("WBTC", "ETH")
    up = (Decimal("0.0015") * KEPT / 3000).sqrt()
    assert abs(quote.ask - 30 / KEPT * (1 + up) ** 2) < Decimal("1e-12")


def one_tick(dollars_an_ether: int, dollars: int, fee: int, spacing: int) -> TickedPool:
    """A pool of USDC and WETH with a position of one tick, worth so many dollars."""
    root = isqrt(10**12 * 2**192 // dollars_an_ether)
    low = tick_at(root) // spacing * spacing
    below, above = sqrt_at(low), sqrt_at(low + spacing)
    root = (below + above) // 2
    liquidity = dollars * 10**6 * root * above // ((above - root) * Q96 * 2)
    ends = {low: Liquidity(liquidity, liquidity), low + spacing: Liquidity(liquidity, -liquidity)}
    return TickedPool(root, tick_at(root), liquidity, fee, tick_map(spacing, ends, complete=True))


TIERS = ((100, 1), (500, 10), (3000, 60), (10_000, 200))


def fakes(dollars_an_ether: int, dollars: int) -> list[Entry]:
    return [
        entry(f"0xfake{fee}", USDC, WETH, one_tick(dollars_an_ether, dollars, fee, spacing), V3)
        for fee, spacing in TIERS
    ]


def test_a_small_position_in_one_tick_says_as_little_as_it_is_worth(prices):
    deep, *found = prices.quotes(view_of(DEEP, *fakes(3150, 80)))
    assert len(found) == 4
    assert all((one.ask - one.bid) / one.mid > Decimal("0.2") for one in found)
    assert all(one.depth < 41 for one in found)
    assert (deep.ask - deep.bid) / deep.mid < Decimal("0.01")


def test_gas_is_not_valued_by_a_small_position_far_off_or_a_pool_that_keeps_much(prices):
    wrong = [*fakes(3, 10_000), entry("0xodd", USDC, WETH, one_tick(3, 10**7, 20_000, 60), V3)]
    (usual,) = prices.quotes(view_of(DEEP))
    (same, *_) = prices.quotes(view_of(DEEP, *wrong))
    assert same == usual


@pytest.mark.parametrize(
    "other",
    [
        entry("0x1", USDC, "0xunknown", pair(1, 1)),
        entry("0x2", WETH, "0xweth", pair(1, 1)),
        entry("0x3", USDC, WETH, pair(10, 30_000), V4),
        entry("0x4", USDC, WETH, pair(10, 30_000), quarantine="blocks are missing"),
        entry("0x5", USDC, WETH, pair(0, 0)),
        entry("0x6", USDC, WETH, TickedPool(2**96, 0, 0, 500, tick_map(10, {})), V3),
        Entry(Pool("0x7", V2, (WETH, USDC, DAI), (18, 6, 18)), pair(1, 1)),
    ],
    ids=["unknown", "itself", "v4", "quarantined", "empty", "no liquidity", "three"],
)
def test_what_is_no_pool_of_two_assets_that_can_be_used_says_nothing(other):
    prices = PoolPrices(PoolSettings(assets={}))
    prices._assets = {**prices._assets, "0xweth": "ETH"}
    assert [quote.venue for quote in prices.quotes(view_of(other, DEEP))] == ["uniswap_v2:0xdeep"]


def test_a_token_is_worth_what_the_settings_say():
    token = "0x" + "AB" * 20
    prices = PoolPrices(PoolSettings(assets={token: "ETH"}))
    one = entry("0x1", token.lower(), USDC, ProductPool(10**21, 3 * 10**12))
    (quote,) = prices.quotes(view_of(one))
    assert quote.instrument == ETH_USDC


def test_assets_that_nothing_is_priced_in_are_priced_in_the_other():
    tokens = {"0x" + "1" * 40: "BBB", "0x" + "2" * 40: "AAA"}
    prices = PoolPrices(PoolSettings(assets=tokens, correction_gas=1))
    first, second = tokens
    one = entry("0x1", first, second, ProductPool(10**21, 10**21))
    assert list(prices.quotes(view_of(one, DEEP))) == list(prices.quotes(view_of(DEEP)))


@pytest.fixture
def processor() -> PriceDataProcessor:
    return PriceDataProcessor(PriceSettings(publish_interval=0.0), pools=PoolPrices(PoolSettings()))


def told(events, instrument=ETH_USDC):
    prices = [event.data for event in events if event.event_type is DataType.PRICE]
    return [price for price in prices if price.instrument == instrument]


async def test_a_pool_is_one_more_source_and_the_price_without_it_is_told(
    processor, feed, quote, make_event
):
    events = await feed(
        processor,
        quote("alpha", "2999", "3001", instrument=ETH_USDC),
        quote("beta", "2999", "3001", instrument=ETH_USDC),
        make_event(DataType.POOLS, view_of(DEEP), at=1.0),
    )
    price = told(events)[-1]
    assert price.sources == ("alpha", "beta", "uniswap_v2:0xdeep")
    assert price.on_chain == ("uniswap_v2:0xdeep",)
    assert price.status is PriceStatus.OK
    assert price.off_chain.sources == ("alpha", "beta")
    assert price.off_chain.status is PriceStatus.DEGRADED
    assert price.off_chain.price is not None
    assert told(events)[0].off_chain is None


async def test_the_price_without_pools_moves_with_no_pool(processor, feed, quote, make_event):
    async def after(*more):
        given = [quote(name, "2999", "3001", instrument=ETH_USDC) for name in ("a",)]
        mine = PriceDataProcessor(processor.settings, pools=PoolPrices(PoolSettings()))
        return told(await feed(mine, *given, *more))[-1]

    alone = await after()
    moved = entry("0xdeep", USDC, WETH, pair(10_000_000, 30_030_000_000))
    with_pool = await after(make_event(DataType.POOLS, view_of(moved), at=0.5))
    assert with_pool.off_chain.price == alone.price
    assert with_pool.price != alone.price


async def test_a_pool_that_is_no_longer_there_says_no_more(processor, feed, make_event):
    both = view_of(DEEP, entry("0xshallow", USDC, WETH, pair(10, 30_100)))
    first = told(await feed(processor, make_event(DataType.POOLS, both)))[-1]
    assert first.sources == ("uniswap_v2:0xdeep", "uniswap_v2:0xshallow")
    later = told(await feed(processor, make_event(DataType.POOLS, view_of(DEEP), at=2.0)))[-1]
    assert later.sources == ("uniswap_v2:0xdeep",)
    await feed(processor, make_event(DataType.POOLS, view_of(), at=4.0))
    assert processor.aggregator.get_price(ETH_USDC, 4.0).status is PriceStatus.STALE


async def test_pools_make_no_spread(processor, feed, quote, make_event):
    events = await feed(
        processor,
        quote("alpha", "3500", "3501", instrument=ETH_USDC),
        make_event(DataType.POOLS, view_of(DEEP), at=0.5),
    )
    assert [event.event_type for event in events] == [DataType.PRICE] * len(events)


async def test_a_quote_that_is_too_wide_is_no_quote(processor, feed, make_event):
    tiny = entry("0xtiny", USDC, WETH, ProductPool(30, 10**16))
    assert told(await feed(processor, make_event(DataType.POOLS, view_of(tiny, DEEP))))[
        -1
    ].sources == ("uniswap_v2:0xdeep",)


async def test_without_settings_of_pools_they_say_nothing(feed, make_event):
    events = await feed(PriceDataProcessor(), make_event(DataType.POOLS, view_of(DEEP)))
    assert events == []


async def test_there_is_room_for_so_many_sources(processor, feed, make_event, monkeypatch):
    monkeypatch.setattr("trio_mev.pricing.intake.MOST_NAMES", 1)
    events = await feed(processor, make_event(DataType.POOLS, view_of(DEEP, SHALLOW)))
    assert told(events)[-1].sources == ("uniswap_v2:0xdeep",)


async def test_a_joined_price_is_told_without_pools_too(feed, quote, make_event):
    settings = PriceSettings(publish_interval=0.0)
    processor = PriceDataProcessor(settings, pools=PoolPrices(PoolSettings()))
    dollar = Instrument("USDC", "USD")
    events = await feed(
        processor,
        quote("alpha", "0.9999", "1.0001", instrument=dollar),
        quote("beta", "2990", "2991", instrument=ETH_USDC),
        make_event(DataType.POOLS, view_of(DEEP), at=0.5),
        quote("alpha", "0.9999", "1.0001", at=2.0, instrument=dollar),
    )
    price = told(events, ETH_USD)[-1]
    assert price.on_chain == ("uniswap_v2:0xdeep ETH/USDC",)
    assert price.off_chain.sources == ("beta ETH/USDC", "alpha USDC/USD")
    assert abs(price.off_chain.price - Decimal("2990.5")) < 1


async def test_where_only_pools_make_a_leg_there_is_no_price_without_them(feed, quote, make_event):
    settings = PriceSettings(publish_interval=0.0)
    processor = PriceDataProcessor(settings, pools=PoolPrices(PoolSettings()))
    dollar = Instrument("USDC", "USD")
    events = await feed(
        processor,
        make_event(DataType.POOLS, view_of(DEEP)),
        quote("alpha", "0.9999", "1.0001", at=0.5, instrument=dollar),
    )
    price = told(events, ETH_USD)[-1]
    assert price.price is not None
    assert (price.off_chain.price, price.off_chain.status) == (None, PriceStatus.STALE)


async def test_a_pool_whose_quote_is_refused_is_withdrawn(processor, feed, make_event):
    await feed(processor, make_event(DataType.POOLS, view_of(DEEP)))
    drained = entry("0xdeep", USDC, WETH, ProductPool(30, 10**16))
    await feed(processor, make_event(DataType.POOLS, view_of(drained), at=1.0))
    assert processor.aggregator.get_price(ETH_USDC, 1.0).status is PriceStatus.STALE


@pytest.mark.parametrize("wrong", [3030, 3060, 3150])
async def test_small_pools_however_many_move_no_price_of_venues(
    processor, feed, quote, make_event, wrong
):
    """Two venues and three of these once made 3,150.96 of 3,000, give or take 9."""
    names = ("alpha", "beta")
    quotes = [quote(name, "2999.5", "3000.5", instrument=ETH_USDC) for name in names]
    alone = told(await feed(PriceDataProcessor(processor.settings), *quotes))[-1]
    view = make_event(DataType.POOLS, view_of(*fakes(wrong, 80)), at=1.0)
    price = told(await feed(processor, *quotes, view))[-1]
    assert price.sources == names
    assert (price.price, price.status) == (alone.price, alone.status)
    assert price.off_chain.price == alone.price
    assert len(price.rejected) == 4


async def test_that_pools_were_left_out_is_told_at_once(processor, feed, quote, make_event):
    events = await feed(
        processor,
        *[quote(name, "2999.5", "3000.5", instrument=ETH_USDC) for name in ("alpha", "beta")],
        make_event(DataType.POOLS, view_of(*fakes(3150, 80)), at=0.01),
    )
    assert [price.off_chain is None for price in told(events)] == [True, True, False]


async def test_when_there_are_views_changes_nothing_that_is_learned_of_venues(
    feed, quote, make_event
):
    """They tell no time, and no price is learned from for their sake."""
    events = [
        quote(name, f"{2999 + step % 5}", "3004", at=0.7 * step, instrument=ETH_USDC)
        for step in range(40)
        for name in ("alpha", "beta", "gamma")
    ]
    views = [
        make_event(DataType.POOLS, view_of(DEEP, *fakes(3001, 10**6)), at=0.7 * step + 0.35)
        for step in range(40)
    ]
    with_pools = PriceDataProcessor(PriceSettings(), pools=PoolPrices(PoolSettings()))
    without = PriceDataProcessor(PriceSettings(), pools=None)
    await feed(without, *events)
    await feed(with_pools, *sorted([*events, *views], key=lambda event: event.received_at))
    one, other = (each.aggregator.get_price(ETH_USDC, 28.0) for each in (with_pools, without))
    assert one.on_chain != ()
    assert (one.off_chain.price, one.off_chain.confidence) == (other.price, other.confidence)
    stats = [
        [one for one in each.aggregator.get_source_stats(28.0) if one.type == "venue"]
        for each in (with_pools, without)
    ]
    assert stats[0] == stats[1]
