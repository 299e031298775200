"""TransactionAnalyzer: what a pending transaction is, is worth, and how urgent it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.processors.test_arbitrage_detector import USDC, WBTC, WETH, pair, view_of
from tests.processors.test_sandwich_detector import FLAT, UNIVERSAL, plan
from tests.support.encoding import address, arguments
from trio_mev.model.chain import Urgency, ValueClass
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.settings import TransactionSettings
from trio_mev.processors.transactions import TransactionAnalyzer

ETH = 10**18
V2_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
ETH_USD = Instrument("ETH", "USD")
SWAP = bytes.fromhex("38ed1739") + bytes(32)


@pytest.fixture
def price(make_event):
    def make(amount="2000", status=PriceStatus.OK, at=0.0, instrument=ETH_USD):
        value = None if amount is None else Decimal(amount)
        return make_event(DataType.PRICE, Price(instrument, value, None, status, ()), at)

    return make


@pytest.fixture
def seen(feed, transaction):
    """An analyzer that has seen transactions with these fees."""

    async def make(fees, **settings):
        analyzer = TransactionAnalyzer(TransactionSettings(**settings))
        for number, fee in enumerate(fees):
            assert await feed(analyzer, transaction(number, gas_price=fee)) == []
        return analyzer

    return make


@pytest.mark.parametrize(
    ("wei", "value_class", "priority"),
    [
        (ETH // 2 - 1, None, None),
        (ETH // 2, ValueClass.LARGE, EventPriority.NORMAL),
        (5 * ETH - 1, ValueClass.LARGE, EventPriority.NORMAL),
        (5 * ETH, ValueClass.VERY_LARGE, EventPriority.HIGH),
        (50 * ETH - 1, ValueClass.VERY_LARGE, EventPriority.HIGH),
        (50 * ETH, ValueClass.MEGA, EventPriority.HIGH),
    ],
)
async def test_the_value_classes_begin_exactly_at_their_thresholds(
    feed, price, transaction, wei, value_class, priority
):
    found = await feed(TransactionAnalyzer(), price("2000"), transaction(value=wei))
    assert [(one.data.value_class, one.priority) for one in found] == (
        [] if value_class is None else [(value_class, priority)]
    )


async def test_ether_is_valued_at_the_aggregated_price(feed, price, transaction):
    event = transaction(value=3 * ETH // 2, at=1.0)
    (found,) = await feed(TransactionAnalyzer(), price("2345.67"), event)
    assert found.data.value_usd == Decimal("3518.505")
    assert found.event_type is DataType.FINDING
    assert event.priority is EventPriority.NORMAL


@pytest.mark.parametrize("status", [PriceStatus.OK, PriceStatus.DEGRADED])
async def test_a_degraded_price_still_counts(feed, price, transaction, status):
    event = transaction(value=ETH)
    assert len(await feed(TransactionAnalyzer(), price(status=status), event)) == 1


async def test_without_a_price_there_is_no_value_in_dollars(transaction):
    analysis = TransactionAnalyzer().analyse(transaction(value=1000 * ETH).data, 0.0)
    assert analysis.value_usd is None
    assert analysis.value_class is None
    assert analysis.value == 1000 * ETH


@pytest.mark.parametrize(
    ("amount", "status"), [("2000", PriceStatus.DISPUTED), (None, PriceStatus.STALE)]
)
async def test_a_price_that_is_disputed_or_stale_is_no_price(
    feed, price, transaction, amount, status
):
    analyzer = TransactionAnalyzer()
    event = transaction(value=1000 * ETH)
    assert await feed(analyzer, price("2000"), price(amount, status), event) == []


@pytest.mark.parametrize(("at", "usd"), [(60.0, Decimal(2000)), (60.001, None)])
async def test_a_price_counts_for_a_minute(feed, price, transaction, at, usd):
    analyzer = TransactionAnalyzer()
    await feed(analyzer, price("2000", at=0.0))
    assert analyzer.analyse(transaction(value=ETH).data, at).value_usd == usd


async def test_only_the_configured_instrument_values_ether(feed, price, transaction):
    analyzer = TransactionAnalyzer(TransactionSettings(native=Instrument("ETH", "USDT")))
    await feed(analyzer, price("2000"))
    assert analyzer.analyse(transaction(value=ETH).data, 0.0).value_usd is None
    await feed(analyzer, price("2001", instrument=Instrument("ETH", "USDT")))
    assert analyzer.analyse(transaction(value=ETH).data, 0.0).value_usd == 2001


@pytest.mark.parametrize(
    ("fee", "urgency"),
    [
        (90, Urgency.NORMAL),
        (91, Urgency.HIGH),
        (99, Urgency.HIGH),
        (100, Urgency.CRITICAL),
    ],
)
async def test_urgency_is_measured_against_the_fees_seen_before(seen, transaction, fee, urgency):
    analyzer = await seen(range(1, 101))
    assert analyzer.analyse(transaction(gas_price=fee).data, 0.0).urgency is urgency


async def test_below_ten_fees_nothing_is_urgent(seen, transaction):
    analyzer = await seen(range(1, 10))
    assert analyzer.analyse(transaction(gas_price=10**12).data, 0.0).urgency is Urgency.NORMAL
    assert analyzer.analyse(transaction(gas_price=10**13).data, 0.0).urgency is Urgency.CRITICAL


async def test_the_distribution_is_that_of_the_last_transactions(seen, transaction):
    analyzer = await seen([*[1000] * 10, *range(1, 11)], gas_window=10)
    assert analyzer.analyse(transaction(gas_price=11).data, 0.0).urgency is Urgency.CRITICAL


async def test_a_transaction_without_a_fee_is_not_urgent_and_does_not_count(seen, transaction):
    analyzer = await seen([5] * 10, gas_window=10)
    analysis = analyzer.analyse(transaction(gas_price=None).data, 0.0)
    assert (analysis.fee_per_gas, analysis.urgency) == (None, Urgency.NORMAL)
    assert analyzer.analyse(transaction(gas_price=6).data, 0.0).urgency is Urgency.CRITICAL


async def test_the_fee_is_what_a_block_with_the_last_base_fee_would_take(feed, block, transaction):
    analyzer = TransactionAnalyzer()
    body = transaction(gas_price=100, max_fee=100, max_priority_fee=2, type=2).data
    assert analyzer.analyse(body, 0.0).fee_per_gas == 100
    assert await feed(analyzer, block(base_fee=10)) == []
    assert analyzer.analyse(body, 0.0).fee_per_gas == 12


@pytest.mark.parametrize(
    ("to", "data", "router", "method", "selector"),
    [
        (
            V2_ROUTER,
            SWAP,
            "Uniswap V2 Router02",
            "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
            "0x38ed1739",
        ),
        (V2_ROUTER, bytes.fromhex("deadbeef"), "Uniswap V2 Router02", None, "0xdeadbeef"),
        (V2_ROUTER, b"\x38\xed\x17", "Uniswap V2 Router02", None, None),
        (
            "0xe592427a0aece92de3edee1f18e0157c05861564",
            b"",
            "Uniswap V3 SwapRouter",
            None,
            None,
        ),
        ("0x" + "22" * 20, SWAP, None, None, "0x38ed1739"),
    ],
)
def test_routers_and_their_methods_are_recognised_by_address_and_selector(
    transaction, to, data, router, method, selector
):
    analysis = TransactionAnalyzer().analyse(transaction(to=to, input=data).data, 0.0)
    assert (analysis.router, analysis.method, analysis.selector) == (router, method, selector)


async def test_a_contract_creation_is_analysed_like_any_other(feed, price, transaction):
    event = transaction(to=None, value=5 * ETH, input=SWAP)
    (found,) = await feed(TransactionAnalyzer(), price("2000"), event)
    assert (found.data.to, found.data.router, found.data.method) == (None, None, None)
    assert found.data.value_class is ValueClass.VERY_LARGE


@pytest.mark.parametrize(
    ("to", "fee", "reported"),
    [(V2_ROUTER, 11, True), (V2_ROUTER, 9, False), ("0x" + "22" * 20, 11, False)],
)
async def test_an_urgent_call_of_a_router_is_reported_as_a_new_urgent_event(
    seen, feed, transaction, to, fee, reported
):
    analyzer = await seen(range(1, 11))
    event = transaction(77, to=to, gas_price=fee, input=SWAP)
    found = await feed(analyzer, event)
    assert [one.priority for one in found] == ([EventPriority.HIGH] if reported else [])
    assert [one.data.transaction for one in found] == ([event.data.hash] if reported else [])
    assert event.priority is EventPriority.NORMAL


# Tips


@pytest.mark.parametrize(
    ("tip", "urgency"),
    [(90, Urgency.NORMAL), (91, Urgency.HIGH), (100, Urgency.CRITICAL)],
)
async def test_a_tip_is_urgent_though_the_whole_fee_is_not(feed, block, transaction, tip, urgency):
    """The fees of before are over a base fee that has fallen since."""
    analyzer = TransactionAnalyzer()
    await feed(analyzer, block(base_fee=10_000))
    for number in range(1, 101):
        body = transaction(number, max_fee=20_000, max_priority_fee=number, type=2)
        assert await feed(analyzer, body) == []
    await feed(analyzer, block(2, base_fee=1_000))
    body = transaction(101, max_fee=20_000, max_priority_fee=tip, type=2).data
    found = analyzer.analyse(body, 0.0)
    assert (found.fee_per_gas, found.tip_per_gas, found.urgency) == (1_000 + tip, tip, urgency)


async def test_the_base_fee_is_that_of_the_block_to_come(feed, block, transaction):
    analyzer = TransactionAnalyzer()
    body = transaction(max_fee=5_000, max_priority_fee=7, type=2).data
    assert analyzer.analyse(body, 0.0).tip_per_gas is None
    await feed(analyzer, block(base_fee=1_000, gas_used=30_000_000))
    found = analyzer.analyse(body, 0.0)
    assert (found.fee_per_gas, found.tip_per_gas) == (1_132, 7)


async def test_who_cannot_pay_the_base_fee_has_a_tip_below_zero(feed, block, transaction):
    analyzer = TransactionAnalyzer()
    await feed(analyzer, block(base_fee=1_000))
    assert analyzer.analyse(transaction(gas_price=990).data, 0.0).tip_per_gas == -10
    assert analyzer.analyse(transaction(gas_price=None).data, 0.0).tip_per_gas is None
    analyzer.note(transaction(gas_price=5).data)
    analyzer.note(transaction(gas_price=None).data)
    assert len(analyzer._tips) == len(analyzer._fees) == 2


# Pools


POOLS = (
    pair("0xone", USDC, 2_000_000, WETH, 1000),
    pair("0xtwo", WBTC, 100, USDC, 6_000_000),
)


def call(amount: int, least: int, path: list[str], selector: str = "38ed1739") -> bytes:
    words = [amount, least, 160, 0x5E, 2_000_000_000, len(path), *(int(one, 16) for one in path)]
    return bytes.fromhex(selector) + b"".join(word.to_bytes(32, "big") for word in words)


@pytest.fixture
def pools(make_event):
    return make_event(DataType.POOLS, view_of(*POOLS))


async def test_other_tokens_are_valued_by_their_pools(feed, price, pools, transaction):
    event = transaction(to=V2_ROUTER, input=call(9_000 * 10**6, 1, [USDC, WETH]))
    analyzer = TransactionAnalyzer()
    assert await feed(analyzer, price("2500"), event) == []  # nobody tells what it is worth
    (found,) = await feed(analyzer, pools, event)
    assert found.data.value_usd == Decimal("11250")  # 2000 USDC an ether, which costs 2500 USD
    assert found.data.value_class is ValueClass.VERY_LARGE
    again = transaction(2, to=V2_ROUTER, input=call(10**8, 1, [WBTC, USDC]))
    assert await feed(analyzer, again) == []  # it has no pool with ether
    # Of an exact output it is the output that counts.
    back = call(4_000 * 10**6, 10**30, [WBTC, USDC], "8803dbee")
    (found,) = await feed(analyzer, transaction(3, to=V2_ROUTER, input=back))
    assert found.data.value_usd == 5000


async def test_a_swap_of_all_that_a_router_has_by_then_adds_nothing_to_the_value(
    feed, price, pools, transaction
):
    """Nobody knows how much that is."""
    known = (USDC, 9_000 * 10**6), (WETH, 10**18 // 2)
    everything = (USDC, 2**255), (WETH, 2**255)

    async def value(*sold: tuple[str, int]) -> list[Decimal | None]:
        swaps = [
            (8, arguments(FLAT, address(1), amount, 0, (one, USDC if one == WETH else WETH), True))
            for one, amount in sold
        ]
        event = transaction(to=UNIVERSAL, input=plan(*swaps))
        found = await feed(TransactionAnalyzer(), price("2500"), pools, event)
        return [one.data.value_usd for one in found]

    assert await value(*known) == await value(*known, *everything) == [Decimal("12500")]
    assert await value(*everything) == []


async def test_a_swap_is_told_once_with_what_it_would_come_to(feed, price, pools, transaction):
    sold, least = 10 * 10**18, 19_500 * 10**6
    event = transaction(to=V2_ROUTER, input=call(sold, least, [WETH, USDC]))
    found = await feed(TransactionAnalyzer(), price("2000"), pools, event, pools)
    (outlook,) = [one.data.outlook for one in found]
    (swap,) = outlook.swaps
    got = sold * 997 * 2_000_000 * 10**6 // (1000 * 10**18 * 1000 + sold * 997)
    assert (outlook.block, outlook.verdict) == (10, "succeeds")
    assert (swap.amount_in, swap.amount_out) == (sold, got)
    assert swap.price_impact == pytest.approx(1 - got / (20_000 * 10**6))
    assert swap.slippage_left == pytest.approx(1 - least / got)


async def test_without_pools_that_are_known_a_swap_is_told_as_ever(feed, price, pools, transaction):
    event = transaction(to=V2_ROUTER, input=call(10**18, 1, [WETH, WBTC]))
    (one,) = await feed(TransactionAnalyzer(), price("2000"), event)
    (two,) = await feed(TransactionAnalyzer(), price("2000"), pools, event)
    assert one.data == two.data
    assert one.data.outlook is None
