"""ArbitrageDetector: cycles on a block's state and after pending swaps, pools against exchanges."""

from __future__ import annotations

import random
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.chain.contracts.uniswap_v2 import SUSHISWAP_FACTORY, UNISWAP_FACTORY
from trio_mev.chain.effects.pending import PendingBook, PendingEffect
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.chain.pools.ticks import tick_at
from trio_mev.chain.pools.view import PoolsView
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.pools.worth import Worth
from trio_mev.chain.routes.finder import RouteFinder
from trio_mev.chain.routes.gas import gas_of
from trio_mev.model.chain import Life, PendingLife, Transaction
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.intents import ETHER
from trio_mev.model.market import OffChainPrice, Price, PriceStatus
from trio_mev.model.opportunity import CexDex, Grounds, Kind, Path, Status
from trio_mev.model.settings import ArbitrageSettings, PoolSettings, PriceSettings
from trio_mev.processors import cycles
from trio_mev.processors.arbitrage import ArbitrageDetector
from trio_mev.processors.cex_dex import CexDexWatch
from trio_mev.processors.cycles import CycleWatch
from trio_mev.processors.pool_prices import PoolPrices

WETH, USDC, WBTC, DAI = (TOKENS[name] for name in ("WETH", "USDC", "WBTC", "DAI"))
DECIMALS = {WETH: 18, USDC: 6, WBTC: 8, DAI: 18}
FACTORIES = {"0xone": UNISWAP_FACTORY, "0xtwo": SUSHISWAP_FACTORY}
ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
SENDER = "0x" + "5e" * 20
ETH_USD, ETH_USDC = Instrument("ETH", "USD"), Instrument("ETH", "USDC")
OK, STALE = PriceStatus.OK, PriceStatus.STALE
GWEI = 10**9


def pair(name: str, one: str, held: float, other: str, given: float, **more: Any) -> Entry:
    """A pair by whole tokens, in any order."""
    amounts = {one: int(held * 10 ** DECIMALS[one]), other: int(given * 10 ** DECIMALS[other])}
    tokens = tuple(sorted(amounts))
    pool = Pool(
        name, Protocol.UNISWAP_V2, tokens, tuple(map(DECIMALS.__getitem__, tokens)),
        FACTORIES.get(name),
    )  # fmt: skip
    return Entry(pool, ProductPool(*(amounts[token] for token in tokens)), **more)


def view_of(*entries: Entry, number: int = 10, fee: int | None = GWEI) -> PoolsView:
    by_id = {one.pool.id: one for one in entries}
    named = {key: one.pool.id for one in entries if (key := key_of(one.pool)) is not None}
    return PoolsView(
        number,
        f"0xh{number}",
        fee,
        MappingProxyType(by_id),
        frozenset(by_id),
        named=named,
        timestamp=1_700_000_000,
        next_base_fee=fee,
    )


CHEAP, DEAR = pair("0xone", USDC, 2_000_000, WETH, 1000), pair("0xtwo", USDC, 2_100_000, WETH, 1000)
EVEN = pair("0xtwo", USDC, 2_000_000, WETH, 1000)


def found_in(events: list[Any]) -> list[Any]:
    return [event.data for event in events]


async def test_a_cycle_has_its_exact_size_and_what_is_left_after_gas(feed, make_event):
    """The figures of two pools: 500k/250 against 4000/8.4M, whose best is 220.685480 USDC."""
    detector = ArbitrageDetector(ArbitrageSettings(bases=("USDC", "WETH")))
    pools = pair("0xone", USDC, 500_000, WETH, 250), pair("0xtwo", USDC, 8_400_000, WETH, 4000)
    (event,) = await feed(detector, make_event(DataType.POOLS, view_of(*pools)))
    one = event.data
    assert (event.event_type, event.priority) == (DataType.ARBITRAGE, EventPriority.HIGH)
    assert (one.kind, one.status, one.grounds) == (
        Kind.ARBITRAGE,
        Status.PREDICTED,
        Grounds.ARITHMETIC,
    )
    assert one.gross == {USDC: 220_685_480}
    assert isinstance(one.detail, Path)
    assert [(swap.pool, swap.token_in, swap.token_out) for swap in one.detail.path] == [
        ("0xone", USDC, WETH),
        ("0xtwo", WETH, USDC),
    ]
    assert abs(one.detail.path[0].amount_in - 10_207_001_007) < 70_000  # the profit is flat there
    assert (one.cause, one.block, one.expires_block, one.on_state) == ("0xh10", 10, 11, True)
    assert one.gas_wei == 160_000 * GWEI
    assert one.net == {USDC: 220_685_480, ETHER: -160_000 * GWEI}
    assert one.usd is None


async def test_it_is_worth_dollars_where_the_price_is_known(feed, make_event):
    detector = ArbitrageDetector()
    price = Price(ETH_USD, Decimal(2000), Decimal(1), OK, (Venue("v"),))
    events = await feed(
        detector,
        make_event(DataType.PRICE, price, at=1.0),
        make_event(DataType.POOLS, view_of(CHEAP, DEAR), at=2.0),
        make_event(DataType.PRICE, attrs_price(price, STALE), at=3.0),
        make_event(DataType.POOLS, view_of(CHEAP, EVEN, number=11), at=4.0),
        make_event(DataType.POOLS, view_of(CHEAP, DEAR, number=12), at=5.0),
    )
    first, second = found_in(events)
    net = first.net[WETH] + first.net[ETHER]
    assert first.usd == Decimal(net) / 10**18 * 2000
    assert second.usd is None


def attrs_price(price: Price, status: PriceStatus) -> Price:
    return Price(price.instrument, None, None, status, ())


async def test_what_does_not_pay_its_gas_is_nothing(feed, make_event):
    small = pair("0xtwo", USDC, 2_016_000, WETH, 1000)
    detector = ArbitrageDetector()
    assert found_in(await feed(detector, make_event(DataType.POOLS, view_of(CHEAP, small)))) != []
    for view in (view_of(CHEAP, small, fee=10**6 * GWEI), view_of(CHEAP, small, fee=None)):
        assert await feed(ArbitrageDetector(), make_event(DataType.POOLS, view)) == []
    asks = ArbitrageDetector(ArbitrageSettings(least_wei=10**20))
    assert await feed(asks, make_event(DataType.POOLS, view_of(CHEAP, DEAR))) == []


async def test_what_is_made_in_a_token_that_no_pool_values_is_nothing(feed, make_event):
    pools = pair("0xone", USDC, 500_000, DAI, 250), pair("0xtwo", USDC, 8_400_000, DAI, 4000)
    assert await feed(ArbitrageDetector(), make_event(DataType.POOLS, view_of(*pools))) == []


async def test_only_changed_pools_are_looked_at_again(feed, make_event):
    detector = ArbitrageDetector()
    assert len(await feed(detector, make_event(DataType.POOLS, view_of(CHEAP, DEAR)))) == 1
    again = view_of(CHEAP, DEAR, number=11)
    assert await feed(detector, make_event(DataType.POOLS, again)) == []
    moved = pair("0xtwo", USDC, 2_100_001, WETH, 1000)
    assert len(await feed(detector, make_event(DataType.POOLS, view_of(CHEAP, moved)))) == 1


async def test_a_quarantined_pool_makes_no_cycle(feed, make_event):
    bad = Entry(DEAR.pool, DEAR.state, "blocks are missing")
    detector = ArbitrageDetector()
    assert await feed(detector, make_event(DataType.POOLS, view_of(CHEAP, bad))) == []
    healed = view_of(CHEAP, DEAR, number=11)
    assert len(await feed(detector, make_event(DataType.POOLS, healed))) == 1


async def test_of_cycles_with_a_pool_in_common_the_best_is_told(feed, make_event):
    best = pair("0xbest", USDC, 2_200_000, WETH, 1000)
    apart = pair("0xa", WBTC, 100, WETH, 3000), pair("0xb", WBTC, 100, WETH, 3300)
    view = view_of(CHEAP, DEAR, best, *apart)
    found = found_in(await feed(ArbitrageDetector(), make_event(DataType.POOLS, view)))
    assert sorted(sorted(one.pools) for one in found) == [["0xa", "0xb"], ["0xbest", "0xone"]]
    fewer = ArbitrageDetector(ArbitrageSettings(most=1))
    assert len(await feed(fewer, make_event(DataType.POOLS, view))) == 1


def pending(
    book: PendingBook, view: PoolsView, amount: float, least: int = 1, name: str = "0xcause"
) -> PendingEffect:
    """Somebody sells ether at the first pair."""
    words = [int(amount * 10**18), least, 160, int(SENDER, 16), 2_000_000_000, 2]
    data = bytes.fromhex("38ed1739") + b"".join(word.to_bytes(32, "big") for word in words)
    data += b"".join(bytes(12) + bytes.fromhex(token[2:]) for token in (WETH, USDC))
    body = Transaction(name, SENDER, ROUTER, 0, 0, 300_000, data)
    found = book.add(body, view)
    assert found is not None
    return found


@pytest.fixture
def book() -> PendingBook:
    return PendingBook(10)


async def test_a_pending_swap_opens_a_cycle(feed, make_event, book):
    view, detector = view_of(CHEAP, EVEN), ArbitrageDetector()
    assert await feed(detector, make_event(DataType.POOLS, view)) == []
    effect = pending(book, view, 30)
    (event,) = await feed(detector, make_event(DataType.EFFECT, effect))
    one = event.data
    assert (one.cause, one.on_state, one.expires_block) == ("0xcause", False, 11)
    (after,) = effect.effect.changed.values()
    first, second = one.detail.path
    assert (first.token_in, first.token_out) == (WETH, USDC)
    assert second.amount_in == first.amount_out
    assert first.pool == "0xtwo"
    swapped = after.swap(0, 1, second.amount_in)
    assert swapped.amount_out == second.amount_out
    # The head's own state is as it was.
    assert (
        await feed(detector, make_event(DataType.EFFECT, pending(book, view, 0.1, name="2"))) == []
    )


async def test_most_of_what_it_pays_must_be_the_swaps_making(feed, make_event, book):
    view, detector = view_of(CHEAP, DEAR), ArbitrageDetector()
    assert len(await feed(detector, make_event(DataType.POOLS, view))) == 1
    small = pending(book, view, 1, name="small")
    assert await feed(detector, make_event(DataType.EFFECT, small)) == []
    large = pending(book, view, 60, name="large")
    assert len(await feed(detector, make_event(DataType.EFFECT, large))) == 1


async def test_a_swap_that_reverts_opens_nothing(feed, make_event, book):
    view, detector = view_of(CHEAP, EVEN), ArbitrageDetector()
    await feed(detector, make_event(DataType.POOLS, view))
    effect = pending(book, view, 30, least=10**15)
    assert await feed(detector, make_event(DataType.EFFECT, effect)) == []


async def test_an_effect_on_another_view_is_left_to_the_next_one(feed, make_event, book):
    detector, effect = ArbitrageDetector(), pending(book, view_of(CHEAP, EVEN), 30)
    assert await feed(detector, make_event(DataType.EFFECT, effect)) == []
    await feed(detector, make_event(DataType.POOLS, view_of(CHEAP, EVEN, number=11)))
    assert await feed(detector, make_event(DataType.EFFECT, effect)) == []


async def test_it_is_told_again_when_it_changes_and_taken_back_when_it_pays_no_more(
    feed, make_event, book
):
    detector = ArbitrageDetector()
    effect = pending(book, view_of(CHEAP, EVEN), 30)

    async def at(number: int, *entries: Entry) -> list[Any]:
        view = view_of(*entries, number=number)
        (again,) = book.look(view)
        assert again.again
        await feed(detector, make_event(DataType.POOLS, view))
        return found_in(await feed(detector, make_event(DataType.EFFECT, again)))

    await feed(detector, make_event(DataType.POOLS, effect.view))
    (first,) = found_in(await feed(detector, make_event(DataType.EFFECT, effect)))
    assert await at(11, CHEAP, EVEN) == []
    deeper = pair("0xtwo", USDC, 4_000_000, WETH, 2000)
    (second,) = await at(12, CHEAP, deeper)
    assert (second.id, second.status) == (first.id, Status.PREDICTED)
    assert second.gross[WETH] > first.gross[WETH]
    (third,) = await at(13, CHEAP, pair("0xtwo", USDC, 2_000_000, WETH, 1100))
    assert (third.id, third.status) == (first.id, Status.SUPERSEDED)
    assert await at(14, CHEAP, pair("0xtwo", USDC, 2_000_000, WETH, 1100)) == []


async def test_it_is_forgotten_with_its_cause(feed, make_event, book):
    view, detector = view_of(CHEAP, EVEN), ArbitrageDetector()
    await feed(detector, make_event(DataType.POOLS, view))
    effect = make_event(DataType.EFFECT, pending(book, view, 30))
    assert len(await feed(detector, effect)) == 1
    assert await feed(detector, effect) == []
    assert (
        await feed(detector, make_event(DataType.MEMPOOL, PendingLife("0xcause", Life.ANNOUNCED)))
        == []
    )
    assert await feed(detector, effect) == []
    await feed(detector, make_event(DataType.MEMPOOL, PendingLife("0xcause", Life.DROPPED)))
    assert len(await feed(detector, effect)) == 1


async def test_only_so_many_causes_are_remembered(feed, make_event, book, monkeypatch):
    monkeypatch.setattr("trio_mev.processors.arbitrage.MOST_CAUSES", 1)
    view, detector = view_of(CHEAP, EVEN), ArbitrageDetector()
    await feed(detector, make_event(DataType.POOLS, view))
    one, other = (make_event(DataType.EFFECT, pending(book, view, 30, name=n)) for n in ("1", "2"))
    assert [len(await feed(detector, each)) for each in (one, other, one)] == [1, 1, 1]


def swapping(watch: CycleWatch, view: PoolsView, amount: float) -> list[Any]:
    """The cycles that somebody's sale opens at the second pair."""
    return watch.after(pending(PendingBook(10), view, amount), 10)


def test_what_a_cycle_paid_before_its_pools_moved_does_not_count():
    watch = CycleWatch((WETH, USDC))
    (paid,) = watch.advance(view_of(CHEAP, DEAR))
    even = view_of(CHEAP, EVEN, number=11)
    assert watch.advance(even) == []
    (opened,) = swapping(watch, even, 30)
    assert opened.route == paid.route
    assert opened.gross < 2 * paid.gross


def test_a_cycle_leaves_at_least_so_much_and_not_less():
    (found,) = CycleWatch((WETH, USDC)).advance(view_of(CHEAP, DEAR))
    assert CycleWatch((WETH, USDC), found.net_wei).advance(view_of(CHEAP, DEAR)) == [found]
    assert CycleWatch((WETH, USDC), found.net_wei + 1).advance(view_of(CHEAP, DEAR)) == []


def test_of_cycles_that_leave_the_same_it_is_the_same_in_whatever_order_pools_come():
    one, other = (pair(name, USDC, 2_100_000, WETH, 1000) for name in ("0xa", "0xb"))
    (first,) = CycleWatch((WETH,)).advance(view_of(CHEAP, one, other))
    (second,) = CycleWatch((WETH,)).advance(view_of(other, one, CHEAP))
    assert first == second


def test_where_a_better_size_cannot_be_ruled_out_the_cycle_is_not_exact():
    """As through a pool whose curve is not known in closed form."""
    (plain,) = CycleWatch((WETH,)).advance(view_of(CHEAP, DEAR))
    balances = 2_100_000 * 10**6, 1000 * 10**18
    state = WeightedPool(balances, (10**18 // 2, 10**18 // 2), (10**12, 1), 3 * 10**15)
    weighted = Entry(Pool("0xtwo", Protocol.BALANCER_WEIGHTED, (USDC, WETH), (6, 18)), state)
    (other,) = CycleWatch((WETH,)).advance(view_of(CHEAP, weighted))
    assert (plain.exact, other.exact) == (True, False)


def test_an_effect_on_pools_of_another_block_opens_nothing():
    watch, view = CycleWatch((WETH, USDC)), view_of(CHEAP, EVEN)
    effect = pending(PendingBook(10), view, 30)
    assert watch.after(effect, 10) == []
    watch.advance(view_of(CHEAP, EVEN, number=11))
    assert watch.after(effect, 10) == []
    watch.advance(view)
    assert len(watch.after(effect, 10)) == 1


# Pools against exchanges

FREE = PriceSettings(fees={"v": Decimal(0), "w": Decimal("0.001")})


def price_of(value: str, width: str = "1", sources: tuple[str, ...] = ("v",), **more: Any) -> Price:
    names = tuple(map(Venue, sources))
    return Price(ETH_USDC, Decimal(value), Decimal(width), more.pop("status", OK), names, **more)


async def told(feed, make_event, *data: Any, prices: PriceSettings = FREE) -> list[Any]:
    detector = ArbitrageDetector(prices=prices)
    kinds = {PoolsView: DataType.POOLS, Price: DataType.PRICE}
    return found_in(await feed(detector, *(make_event(kinds[type(one)], one) for one in data)))


async def test_a_pool_outside_the_interval_by_more_than_fees_and_gas_is_told(feed, make_event):
    (one,) = await told(feed, make_event, view_of(CHEAP), price_of("2100"))
    assert (one.kind, one.grounds, one.status) == (
        Kind.CEX_DEX,
        Grounds.HEURISTIC,
        Status.PREDICTED,
    )
    assert isinstance(one.detail, CexDex)
    assert (one.detail.venue_price, one.detail.pool_price, one.detail.interval) == (2100, 2000, 1)
    paid, got = -one.gross[USDC], one.gross[WETH]
    state = CHEAP.state
    assert state.swap(0, 1, paid).amount_out == got
    assert one.detail.size == Decimal(got).scaleb(-18)
    # The next unit would cost what the exchange gives for it.
    more = state.swap(0, 1, paid + 10**6).amount_out - got
    assert abs(Decimal(10**6) / more * 10**12 - 2099) < Decimal("0.01")
    assert one.net[ETHER] == -one.gas_wei


async def test_it_is_sold_to_the_pool_where_that_is_dear(feed, make_event):
    (one,) = await told(feed, make_event, view_of(CHEAP), price_of("1900"))
    assert one.detail.size < 0
    assert one.gross[WETH] == int(one.detail.size.scaleb(18))
    more = CHEAP.state.swap(1, 0, 10**15 - one.gross[WETH]).amount_out - one.gross[USDC]
    assert abs(Decimal(more) / 10**3 - 1901) < Decimal("0.01")


@pytest.mark.parametrize(
    "price",
    [
        price_of("2005"),  # within the fee
        price_of("2100", width="101"),  # within the interval
        price_of("2100", sources=("unknown",)),
        price_of("2100", sources=("v", "unknown")),
        price_of("2100", sources=()),
        price_of("2100", status=PriceStatus.DISPUTED),
        Price(ETH_USDC, None, None, STALE, ()),
        price_of("2100", via=(ETH_USDC, ETH_USD)),
        Price(ETH_USD, Decimal(2100), Decimal(1), OK, (Venue("v"),)),
        price_of("2100", off_chain=OffChainPrice(Decimal(2000), Decimal(1), OK, (Venue("v"),))),
        price_of("2100", off_chain=OffChainPrice(None, None, STALE, ())),
    ],
)
async def test_where_it_is_not_known_or_not_outside_there_is_nothing(feed, make_event, price):
    assert await told(feed, make_event, view_of(CHEAP), price) == []
    assert await told(feed, make_event, price) == []


async def test_a_price_that_is_joined_with_pools_is_compared_as_it_is_without(feed, make_event):
    own = OffChainPrice(Decimal(2100), Decimal(1), OK, (Venue("v"),))
    price = price_of("2000", via=(ETH_USDC, ETH_USD), off_chain=own)
    assert len(await told(feed, make_event, view_of(CHEAP), price)) == 1


async def test_the_exchanges_fee_counts_the_highest_of_the_sources(feed, make_event):
    (cheap,) = await told(feed, make_event, view_of(CHEAP), price_of("2100"))
    (dear,) = await told(feed, make_event, view_of(CHEAP), price_of("2100", sources=("v", "w")))
    assert dear.detail.size < cheap.detail.size


async def test_gas_counts_and_must_be_known(feed, make_event):
    for fee in (None, 10**6 * GWEI):
        assert await told(feed, make_event, view_of(CHEAP, fee=fee), price_of("2100")) == []
    other = pair("0xone", USDC, 90_000_000, WBTC, 1000)
    price = Price(Instrument("WBTC", "USDC"), Decimal(95_000), Decimal(1), OK, (Venue("v"),))
    assert await told(feed, make_event, view_of(other), price) == []


async def test_while_it_lasts_it_is_told_once(feed, make_event):
    same = price_of("2100")
    found = await told(feed, make_event, view_of(CHEAP), same, same, price_of("2000"), same)
    assert [one.status for one in found] == [
        Status.PREDICTED,
        Status.SUPERSEDED,
        Status.PREDICTED,
    ]


def ticked(price: float, base: int, fee: int = 500) -> Entry:
    """A pool of WETH and USDC with the same liquidity everywhere."""
    tokens = (USDC, WETH) if base else (WETH, USDC)
    raw = 1 / (price * 1e-12) if base else price * 1e-12
    root = int(raw**0.5 * 2**96)
    state = TickedPool(root, tick_at(root), 10**17, fee, tick_map(10, {}, complete=True))
    decimals = tuple(map(DECIMALS.__getitem__, tokens))
    return Entry(Pool("0xone", Protocol.UNISWAP_V3, tokens, decimals), state)


@given(
    price=st.floats(1500, 2500),
    off=st.floats(-0.05, 0.05),
    base=st.sampled_from([0, 1]),
    concentrated=st.booleans(),
    part=st.floats(0.5, 1.5),
)
def test_no_other_size_leaves_more(price, off, base, concentrated, part):
    """At the exchange's own terms: the bid for what is bought, the ask for what is sold."""
    entry = ticked(price, base) if concentrated else pair("0xone", USDC, price * 1000, WETH, 1000)
    places = PoolPrices(PoolSettings())
    watch = CexDexWatch(places, {Venue("v"): Decimal("0.001")}, 1)
    values = pair("0xtwo", USDC, price * 10**6, WETH, 10**6)
    watch.advance(view_of(entry, values, fee=1))
    venue = Decimal(price * (1 + off))
    deals = [d for d in watch.look(price_of(str(venue), "0.5")) if d.swap.pool == "0xone"]
    place = places.place(entry)
    assert place is not None
    token = place[2]

    def left(paid: int, amount: int) -> Decimal:
        swap = entry.state.swap(paid, 1 - paid, amount)
        if paid != token:
            worth = (venue - Decimal("0.5")) * Decimal("0.999") / 10**12
            return swap.amount_out * worth - amount
        worth = (venue + Decimal("0.5")) * Decimal("1.001") / 10**12
        return swap.amount_out - amount * worth

    for deal in deals:
        paid = entry.pool.tokens.index(deal.swap.token_in)
        ours = left(paid, deal.swap.amount_in)
        assert left(paid, int(deal.swap.amount_in * part)) <= ours + Decimal(1)
    if not deals:
        for paid in (0, 1):
            for amount in (10**6, 10**9, 10**15, 10**18):
                gain = left(paid, amount)
                assert gain <= 10**4  # a cent, which is not more than gas


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize(("venue", "reached"), [("2100", 2099), ("1900", 1901)])
def test_through_ranges_too_the_next_unit_would_cost_what_the_exchange_says(base, venue, reached):
    entry = ticked(2000, base)
    (deal,) = [d for d in dealt(entry, EVEN, price=price_of(venue)) if d.swap.pool == "0xone"]
    paid = entry.pool.tokens.index(deal.swap.token_in)
    amount = 10**6 if paid != base else 10**15
    more = entry.state.swap(paid, 1 - paid, deal.swap.amount_in + amount).amount_out
    ratio = Decimal(amount) / (more - deal.swap.amount_out)
    cost = ratio * 10**12 if paid != base else 10**12 / ratio
    assert abs(cost - reached) < Decimal("0.01")
    assert deal.buys is (paid != base)


def dealt(
    *entries: Entry, price: Price, fee: int = GWEI, least: int = 1, times: int = 1
) -> list[Any]:
    """What pays at a price, at an exchange without fees."""
    watch = CexDexWatch(PoolPrices(PoolSettings()), {Venue("v"): Decimal(0)}, least)
    for number in range(times):
        watch.advance(view_of(*entries, fee=fee, number=10 + number))
    return list(watch.look(price))


def test_a_deal_leaves_at_least_so_much_and_not_less():
    (deal,) = dealt(CHEAP, price=price_of("2100"))
    assert deal.net_wei == deal_value(deal) - deal.gas_wei
    assert dealt(CHEAP, price=price_of("2100"), least=deal.net_wei) == [deal]
    assert dealt(CHEAP, price=price_of("2100"), least=deal.net_wei + 1) == []


def deal_value(deal: Any) -> int:
    """In wei, at the pool's own price: what is sold at the exchange, less what was paid."""
    gained = deal.swap.amount_out * 2099 // 10**12 - deal.swap.amount_in
    return gained * 1000 * 10**18 // (2_000_000 * 10**6)


def test_ticks_that_a_deal_crosses_cost_gas():
    plain, crossing = ticked(2000, 0), ticked(2000, 0)
    state = crossing.state
    for ends in ((state.tick + 100, state.tick + 300), (state.tick + 200, state.tick + 400)):
        state = state.with_liquidity(*(end // 10 * 10 for end in ends), 10**12)
    dear = Entry(crossing.pool, state)
    gas = []
    for entry in (plain, dear):
        (deal,) = [d for d in dealt(entry, EVEN, price=price_of("2100")) if d.swap.pool == "0xone"]
        gas.append(deal.gas_wei)
    assert gas == [gas_of([Protocol.UNISWAP_V3], n) * GWEI for n in (0, 4)]


def test_only_pools_whose_price_is_followed_are_compared():
    entry = ticked(2000, 0)
    four = Entry(msgspec.structs.replace(entry.pool, protocol=Protocol.UNISWAP_V4), entry.state)
    assert [d.swap.pool for d in dealt(four, EVEN, price=price_of("2100"))] == ["0xtwo"]


def test_each_pool_is_compared_once_however_many_blocks_there_were():
    assert len(dealt(CHEAP, price=price_of("2100"), times=3)) == 1
    watch = CexDexWatch(PoolPrices(PoolSettings()), {Venue("v"): Decimal(0)}, 1)
    watch.advance(view_of(CHEAP))
    watch.advance(view_of(Entry(CHEAP.pool, CHEAP.state, "blocks are missing"), number=11))
    assert list(watch.look(price_of("2100"))) == []


def test_a_price_of_fewer_sources_is_sound_too():
    assert len(dealt(CHEAP, price=price_of("2100", status=PriceStatus.DEGRADED))) == 1


def test_a_pool_that_takes_all_is_no_deal():
    entry = ticked(2000, 0, fee=10**6)
    watch = CexDexWatch(PoolPrices(PoolSettings()), {Venue("v"): Decimal(0)}, 1)
    watch.advance(view_of(entry, EVEN))
    assert [d.swap.pool for d in watch.look(price_of("2100"))] == ["0xtwo"]


def test_an_empty_pool_is_no_deal():
    empty = Entry(CHEAP.pool, ProductPool(0, 0, Fee(997, 1000)))
    watch = CexDexWatch(PoolPrices(PoolSettings()), {Venue("v"): Decimal(0)}, 1)
    watch.advance(view_of(empty))
    assert list(watch.look(price_of("2100"))) == []


def crowd(seed: int) -> list[Entry]:
    """Pairs of four tokens, whose prices differ a little."""
    rng, worth = random.Random(seed), {WETH: 2000.0, USDC: 1.0, WBTC: 60_000.0, DAI: 1.0}
    found = []
    for number in range(14):
        one, other = rng.sample(sorted(worth), 2) if number > 1 else (WETH, USDC)
        dollars, off = 10 ** rng.uniform(5.5, 7), 1 + rng.gauss(0, 0.01)
        name = ("0xone", "0xtwo")[number] if number < 2 else f"0x{number}"
        held, given = dollars / worth[one], dollars / worth[other] * off
        found.append(pair(name, one, held, other, given))
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_told_is_the_best_of_all_that_pay(book, seed):
    """Against every cycle sized, though only a few are."""
    view, most = view_of(*crowd(seed)), 5
    watch = CycleWatch((WETH, USDC), 1)
    watch.advance(view)
    effect = pending(book, view, 60)
    states = {name: one.state for name, one in view.entries.items()} | effect.effect.changed
    finder = RouteFinder((WETH, USDC))
    before = RouteFinder((WETH, USDC))
    for name, one in view.entries.items():
        finder.learn(one.pool, states[name])
        before.learn(one.pool, one.state)
    paying = {one.route: one.sized.profit for one in before.look(["0xone"]).found}
    worth, rows = Worth(view), []
    for one in finder.look(["0xone"]).found:
        wei = worth.in_wei(one.token, one.sized.profit)
        pools = tuple(edge.pool for edge in one.route)
        net = wei - gas_of([Protocol.UNISWAP_V2] * len(pools)) * GWEI
        if net >= 1 and one.sized.profit > 2 * paying.get(one.route, 0):
            rows.append((-net, pools, one.sized.amounts))
    best = min(rows)
    (told,) = watch.after(effect, most)
    amounts = (*(swap.amount_in for swap in told.path), told.path[-1].amount_out)
    assert (-told.net_wei, told.pools, amounts) == best
    assert len(rows) > 3


async def test_of_one_swap_only_so_many_cycles_are_sized(book, monkeypatch):
    view, watch = view_of(*crowd(1)), CycleWatch((WETH, USDC), 1)
    watch.advance(view)
    effect = pending(book, view, 60)
    assert len(watch.after(effect, 5)) == 1
    assert watch.left_out == 0
    monkeypatch.setattr(cycles, "MOST_SIZED", 0)
    assert watch.after(effect, 5) == []
    assert watch.left_out > 3
