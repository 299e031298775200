"""PriceDataProcessor: prices, spreads on the sides that trade, alerts."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import MarketFault, PriceStatus, Trade
from trio_mev.model.settings import AlertSettings, PriceSettings
from trio_mev.processors.prices import PriceDataProcessor

ETH_USD = Instrument("ETH", "USD")
FREE = {"alpha": Decimal(0), "beta": Decimal(0)}


def of_type(events, kind):
    return [event.data for event in events if event.event_type is kind]


@pytest.fixture
def spreads(feed, quote):
    """The spreads found when these quotes, as arguments of ``quote``, come one by one."""

    async def run(*quotes, **settings):
        processor = PriceDataProcessor(PriceSettings(**settings))
        found = []
        for one in quotes:
            found += await feed(processor, quote(*one))
        return [event for event in found if event.event_type is DataType.ARBITRAGE]

    return run


async def test_a_spread_is_taken_on_the_sides_that_trade_net_of_both_fees(feed, quote):
    found = await feed(
        PriceDataProcessor(),
        quote("binance", "1999", "2000", sizes=("9", "0.5")),
        quote("coinbase", "2030", "2031", at=1.0, sizes=("0.25", "9")),
    )
    (spread,) = of_type(found, DataType.ARBITRAGE)
    assert (spread.buy_venue, spread.sell_venue) == ("binance", "coinbase")
    assert (spread.buy_price, spread.sell_price) == (Decimal(2000), Decimal(2030))
    assert spread.net_per_unit == Decimal("15.82")  # 2030 · 0.994 − 2000 · 1.001
    assert spread.net_ratio == Decimal("15.82") / Decimal("2002")
    assert (spread.size, spread.net) == (Decimal("0.25"), Decimal("3.955"))


async def test_a_spread_that_the_newer_quotes_ask_opens_is_found_too(spreads):
    (event,) = await spreads(("beta", "1010", "1011"), ("alpha", "999", "1000", 1.0), fees=FREE)
    assert (event.data.buy_venue, event.data.sell_venue) == ("alpha", "beta")
    assert event.data.net_ratio == Decimal("0.01")
    assert event.data.size is None


@pytest.mark.parametrize(
    ("bid", "priority"),
    [
        ("1000.99", None),
        ("1001", EventPriority.NORMAL),
        ("1004.99", EventPriority.NORMAL),
        ("1005", EventPriority.HIGH),
    ],
)
async def test_a_spread_is_reported_and_urgent_exactly_from_its_limits(spreads, bid, priority):
    events = await spreads(("alpha", "999", "1000"), ("beta", bid, "1010", 1.0), fees=FREE)
    assert [event.priority for event in events] == ([] if priority is None else [priority])


async def test_a_spread_is_reported_once_until_it_has_fallen_below_half(spreads):
    quotes = [("alpha", "999", "1000", 0.0)]
    bids = ["1001", "1002", "1000.6", "1001", "1000.5", "1001", "1000.49", "1000.9", "1001"]
    quotes += [("beta", bid, "1010", 0.1 * n) for n, bid in enumerate(bids, 1)]
    events = await spreads(*quotes, fees=FREE)
    assert [round(event.received_at, 9) for event in events] == [0.1, 0.9]


async def test_there_is_no_spread_for_a_venue_without_a_fee(spreads):
    fees = {"alpha": Decimal(0)}
    assert await spreads(("alpha", "999", "1000"), ("beta", "1020", "1021"), fees=fees) == []
    assert await spreads(("beta", "1020", "1021"), ("alpha", "999", "1000"), fees=fees) == []


@pytest.mark.parametrize(("at", "count"), [(10.0, 1), (10.001, 0)])
async def test_there_is_no_spread_with_a_stale_quote(spreads, at, count):
    events = await spreads(("alpha", "999", "1000"), ("beta", "1020", "1021", at), fees=FREE)
    assert len(events) == count


async def test_a_spread_that_went_stale_is_reported_again_when_it_returns(spreads):
    rich, cheap = ("beta", "1020", "1021"), ("alpha", "999", "1000")
    quotes = [(*cheap, 0.0), (*rich, 1.0), (*rich, 20.0), (*cheap, 21.0)]
    events = await spreads(*quotes, fees=FREE)
    assert [event.received_at for event in events] == [1.0, 21.0]


async def test_two_instruments_have_no_spread_between_them(spreads):
    other = Instrument("ETH", "USDT")
    quotes = [("alpha", "999", "1000"), ("beta", "1020", "1021", 1.0, other)]
    assert await spreads(*quotes, fees=FREE) == []


async def test_a_price_is_published_when_it_changes_and_not_more_often_than_set(feed, quote):
    processor = PriceDataProcessor(PriceSettings(publish_interval=0.5))
    published = []
    for at, bid in [(0.0, "10"), (0.25, "11"), (0.5, "12"), (1.5, "12"), (2.5, "13")]:
        found = await feed(processor, quote("alpha", bid, bid, at))
        published += [(at, price.price) for price in of_type(found, DataType.PRICE)]
    assert published == [(0.0, Decimal(10)), (0.5, Decimal(12)), (2.5, Decimal(13))]


async def test_a_changed_status_is_told_with_the_next_price(feed, quote):
    found = await feed(
        PriceDataProcessor(),
        quote("alpha", "10", "10", 0.0),
        quote("beta", "10", "10", 0.1),
        quote("gamma", "10", "10", 0.2),
        quote("gamma", "20", "20", 0.25),
        quote("beta", "10", "10.00001", 0.4),
    )
    prices = of_type(found, DataType.PRICE)
    assert [(price.status, price.sources) for price in prices] == [
        (PriceStatus.DEGRADED, ("alpha",)),
        (PriceStatus.DEGRADED, ("alpha", "beta")),
        (PriceStatus.OK, ("alpha", "beta", "gamma")),
        (PriceStatus.DISPUTED, ("alpha", "beta")),
    ]


async def test_a_trifle_waits_for_the_next_second(feed, quote):
    processor = PriceDataProcessor()
    bids = {0.0: "10", 0.2: "10.00001", 0.4: "10.1", 0.6: "10.10001", 1.6: "10.10001"}
    published = []
    for at, bid in bids.items():
        found = await feed(processor, quote("alpha", bid, bid, at))
        published += [(at, price.price) for price in of_type(found, DataType.PRICE)]
    assert [at for at, _ in published] == [0.0, 0.4, 1.6]


async def test_two_dollars_are_two_currencies_until_their_basis_is_quoted(feed, quote):
    """ETH/USD follows from ETH/USDT × USDT/USD, and from nothing less."""
    processor = PriceDataProcessor()
    tether = Instrument("ETH", "USDT")
    found = await feed(processor, quote("alpha", "2000", "2000", 0.0, instrument=tether))
    assert [price.instrument for price in of_type(found, DataType.PRICE)] == [tether]
    basis = Instrument("USDT", "USD")
    found = await feed(processor, quote("beta", "0.999", "0.999", 0.5, instrument=basis))
    prices = {price.instrument: price for price in of_type(found, DataType.PRICE)}
    assert set(prices) == {basis, ETH_USD}
    joined = prices[ETH_USD]
    assert joined.price == Decimal(1998)
    assert joined.via == (tether, basis)
    assert joined.sources == ("alpha ETH/USDT", "beta USDT/USD")
    assert joined.confidence / joined.price > prices[basis].confidence / prices[basis].price
    found = await feed(processor, quote("alpha", "2100", "2100", 1.0, instrument=tether))
    prices = {price.instrument: price.price for price in of_type(found, DataType.PRICE)}
    assert prices[ETH_USD] == Decimal("2097.9")


async def test_a_venue_that_is_off_beyond_belief_makes_no_spread(feed, quote):
    """Buying at a tenth of the price would pay well, and be untrue."""
    processor = PriceDataProcessor(PriceSettings(fees=FREE))
    found = await feed(
        processor, quote("alpha", "1000", "1001"), quote("beta", "100", "100.1", 1.0)
    )
    assert of_type(found, DataType.ARBITRAGE) == []
    assert processor.spreads.implausible == 1


async def test_a_quote_of_yesterday_makes_no_price_and_no_spread(feed, quote):
    processor = PriceDataProcessor(PriceSettings(fees=FREE))
    old = msgspec.structs.replace(quote("beta", "1020", "1021", 1.0), lag=86_400.0)
    found = await feed(processor, quote("alpha", "999", "1000"), old)
    assert {price.sources for price in of_type(found, DataType.PRICE)} == {("alpha",)}
    assert of_type(found, DataType.ARBITRAGE) == []
    issues = {(issue.kind, issue.where) for issue in processor.health(1.0)}
    assert issues == {("quote_refused", "beta ETH/USD")}


async def test_quotes_are_put_in_order_by_the_venues_own_time(feed, quote):
    """Our own clock may be set while the venue's times rise."""
    processor = PriceDataProcessor()
    later = [(0.0, 100, 0.1), (1.0, 200, 2.1), (2.0, 300, -0.9), (3.0, 250, 0.1)]
    for at, stamp, lag in later:
        event = quote("alpha", "10", "10.1", at)
        await feed(processor, msgspec.structs.replace(event, occurred_at=stamp, lag=lag))
    (stats,) = processor.aggregator.get_source_stats(3.0)
    assert (stats.updates, dict(stats.refused)) == (3, {"time_backwards": 1})


async def test_faults_cost_their_venue_its_reliability_and_are_reported(feed, quote, make_event):
    processor = PriceDataProcessor()
    await feed(processor, quote("alpha", "10", "10.1"))
    fault = MarketFault(Venue("alpha"), ETH_USD, "crossed_book")
    await feed(processor, *(make_event(DataType.FAULT, fault, n / 10) for n in range(9)))
    await feed(processor, quote("alpha", "10", "10.1", 1.0))
    (stats,) = processor.aggregator.get_source_stats(1.0)
    assert stats.reliability < 0.9
    assert [(i.kind, i.where, i.detail) for i in processor.health(1.0)] == [
        ("quote_crossed", "alpha ETH/USD", "so far 9 crossed_book")
    ]
    assert [issue.kind for issue in processor.health(62.0)] == ["quote_late"]


async def test_trades_tell_the_lag_of_a_venue_whose_quotes_have_no_time(feed, quote, make_event):
    processor = PriceDataProcessor()
    await feed(processor, quote("alpha", "10", "10.1"))
    trade = Trade(Venue("alpha"), ETH_USD, Decimal(10), Decimal(1), None)
    late = [make_event(DataType.TRADE, trade, 1.0 + n, lag=7.0) for n in range(10)]
    await feed(processor, *late[:9])
    assert list(processor.health(10.0)) == []  # too few to be sure
    await feed(processor, late[9])
    (figures,) = processor.get_quality(12.0)
    assert (figures.updates, figures.age, figures.worst_lag) == (11, 2.0, 7.0)
    assert figures.lag == pytest.approx(7.0)
    assert [issue.kind for issue in processor.health(12.0)] == ["quote_lag"]


async def test_trades_do_not_hide_that_there_are_no_quotes(feed, quote, make_event):
    processor = PriceDataProcessor(expected=[(Venue("beta"), ETH_USD)])
    await feed(processor, quote("alpha", "10", "10.1"))
    trade = Trade(Venue("alpha"), ETH_USD, Decimal(10), Decimal(1), None)
    assert list(processor.health(0.0)) == []
    for second in range(100):
        await feed(processor, make_event(DataType.TRADE, trade, float(second)))
    issues = [(issue.kind, issue.where) for issue in processor.health(100.0)]
    assert issues == [("quote_late", "alpha ETH/USD"), ("quote_late", "beta ETH/USD")]


async def test_the_old_first_ticker_of_a_quiet_product_is_no_lag(feed, quote):
    processor = PriceDataProcessor()
    first = msgspec.structs.replace(quote("alpha", "10", "10.1"), lag=107.0)
    then = [
        msgspec.structs.replace(quote("alpha", "10", f"10.{n}", float(n)), lag=0.1)
        for n in range(1, 40)
    ]
    kinds = set()
    for event in (first, *then):
        await feed(processor, event)
        kinds |= {issue.kind for issue in processor.health(event.received_at)}
    assert kinds == {"quote_refused"}  # the first is too old to count


async def test_sizes_that_change_at_one_time_are_news_and_no_fault(feed, quote):
    processor = PriceDataProcessor(PriceSettings(fees=FREE))
    for n, size in enumerate(("1", "2", "3")):
        event = quote("alpha", "999", "1000", float(n), sizes=("9", size))
        await feed(processor, msgspec.structs.replace(event, occurred_at=5))
    found = await feed(processor, quote("beta", "1010", "1011", 3.0, sizes=("8", "8")))
    (spread,) = of_type(found, DataType.ARBITRAGE)
    assert spread.size == 3
    assert list(processor.health(3.0)) == []


async def test_a_book_that_is_crossed_or_empty_ends_the_quote_before(feed, quote, make_event):
    for reason in ("crossed_book", "one_sided"):
        processor = PriceDataProcessor(PriceSettings(fees=FREE))
        await feed(processor, quote("alpha", "999", "1000"), quote("beta", "990", "991", 0.1))
        fault = MarketFault(Venue("alpha"), ETH_USD, reason)
        found = await feed(
            processor,
            make_event(DataType.FAULT, fault, 1.0),
            quote("beta", "1010", "1011", 2.0),
        )
        assert of_type(found, DataType.ARBITRAGE) == []
        assert of_type(found, DataType.PRICE)[-1].sources == ("beta",)
        found = await feed(processor, quote("alpha", "999", "1000", 3.0))
        assert len(of_type(found, DataType.ARBITRAGE)) == 1


async def test_what_was_received_before_a_handover_still_counts_after_it(feed, quote):
    """The quotes of a new connection wait for those of the old one, and are older by then."""
    processor = PriceDataProcessor()
    await feed(processor, quote("alpha", "10", "10.1", 5.0), quote("alpha", "11", "11.1", 4.0))
    (stats,) = processor.aggregator.get_source_stats(5.0)
    assert (stats.updates, dict(stats.refused)) == (2, {})
    assert processor.aggregator.get_price(ETH_USD, 5.0).price == Decimal("11.05")


async def test_a_channel_that_tells_its_time_does_not_overtake_one_that_tells_none(feed, quote):
    processor = PriceDataProcessor()
    old = msgspec.structs.replace(quote("alpha", "90", "90.1", 1.0), lag=3.0, occurred_at=7)
    await feed(processor, quote("alpha", "100", "100.1", 0.9), old)
    (stats,) = processor.aggregator.get_source_stats(1.0)
    assert dict(stats.refused) == {"superseded": 1}
    assert list(processor.health(1.0)) == []


async def test_very_many_instruments_are_looked_at_by_and_by(feed, quote, block):
    processor = PriceDataProcessor()
    every = [Instrument(f"C{n}", "USD") for n in range(100)]
    await feed(processor, *(quote("alpha", "10", "10", instrument=one) for one in every))
    made = []
    for n in range(10):
        found = await feed(processor, block(at=100.0 + n))
        made.append(len(of_type(found, DataType.PRICE)))
    assert made == [20, 20, 20, 20, 20, 0, 0, 0, 0, 0]


async def test_each_instrument_is_published_by_itself(feed, quote):
    other = Instrument("BTC", "USD")
    found = await feed(
        PriceDataProcessor(),
        quote("alpha", "10", "10"),
        quote("alpha", "10", "10", instrument=other),
    )
    assert [price.instrument for price in of_type(found, DataType.PRICE)] == [ETH_USD, other]


@pytest.fixture
def alerts(feed, quote):
    """The processor's alerts, as (place, alert), when a venue's price takes these values."""

    async def run(kind, prices, **settings):
        one = AlertSettings("mine", ETH_USD, kind, Decimal(2000))
        processor = PriceDataProcessor(PriceSettings(alerts=(one,), **settings))
        found = []
        for place, price in enumerate(prices):
            events = await feed(processor, quote("alpha", price, price, float(place)))
            found += [(place, event) for event in events if event.event_type is DataType.ALERT]
        return found

    return run


@pytest.mark.parametrize(
    ("kind", "prices"),
    [
        ("above", ["2000", "2000.01", "2100", "1999", "2001", "1998", "2001", "1997.99", "2001"]),
        ("below", ["2000", "1999.99", "1900", "2001", "1999", "2002", "1999", "2002.01", "1999"]),
    ],
)
async def test_an_alert_is_reported_once_a_crossing(alerts, kind, prices):
    assert [place for place, _ in await alerts(kind, prices)] == [1, 8]


async def test_an_alert_says_what_was_crossed(alerts):
    ((_, event),) = await alerts("above", ["2000.50"])
    assert event.priority is EventPriority.HIGH
    assert event.data.alert_id == "mine"
    assert event.data.type == "price_above"
    assert (event.data.threshold, event.data.current_price) == (Decimal(2000), Decimal("2000.5"))
    assert event.data.message == "ETH/USD is above 2000: 2000.5000"


async def test_a_disputed_price_raises_no_alert(feed, quote):
    processor = PriceDataProcessor()
    await feed(processor, quote("alpha", "1000", "1000"))
    processor.add_alert(AlertSettings("a", ETH_USD, "above", Decimal(1200)))
    found = await feed(processor, quote("beta", "2000", "2000", 1.0))
    assert of_type(found, DataType.ALERT) == []
    found = await feed(processor, quote("alpha", "2000", "2000", 2.0))
    assert len(of_type(found, DataType.ALERT)) == 1


async def test_no_price_raises_no_alert(feed, quote):
    processor = PriceDataProcessor()
    processor.add_alert(AlertSettings("a", ETH_USD, "above", Decimal(1)))
    processor.aggregator.add_price_source(Venue("alpha"))
    processor.aggregator.set_active(Venue("alpha"), False)
    found = await feed(processor, quote("alpha", "2000", "2000"))
    assert of_type(found, DataType.ALERT) == []
    assert [price.status for price in of_type(found, DataType.PRICE)] == [PriceStatus.STALE]


async def test_an_alert_concerns_its_own_instrument(feed, quote):
    processor = PriceDataProcessor()
    processor.add_alert(AlertSettings("a", Instrument("BTC", "USD"), "above", Decimal(1)))
    found = await feed(processor, quote("alpha", "2000", "2000"))
    assert of_type(found, DataType.ALERT) == []


async def test_alerts_can_be_replaced_and_removed(feed, quote):
    processor = PriceDataProcessor()
    processor.add_alert(AlertSettings("a", ETH_USD, "above", Decimal(1)))
    processor.add_alert(AlertSettings("a", ETH_USD, "above", Decimal(3000)))
    assert of_type(await feed(processor, quote("alpha", "2000", "2000")), DataType.ALERT) == []
    processor.remove_alert("a")
    found = await feed(processor, quote("alpha", "4000", "4000", 1.0))
    assert of_type(found, DataType.ALERT) == []
    with pytest.raises(KeyError):
        processor.remove_alert("a")


async def test_the_classes_of_the_venues_say_for_how_long_their_quotes_count(feed, quote):
    processor = PriceDataProcessor(classes={Venue("alpha"): "high_frequency"})
    assert processor.aggregator.max_age(Venue("alpha")) == 10.0
    found = await feed(processor, quote("alpha", "10", "10", 0.0), quote("beta", "10", "10", 10.5))
    assert [price.sources for price in of_type(found, DataType.PRICE)] == [("alpha",), ("beta",)]


async def test_a_price_that_nobody_quotes_any_more_goes_stale(feed, quote, block):
    processor = PriceDataProcessor(PriceSettings(fees=FREE))
    quiet, other = Instrument("QUIET", "USD"), Instrument("OTHER", "USD")
    events = [quote("alpha", "1", "2", 0.0, instrument=quiet)]
    events += [quote("alpha", "1", "2", float(at), instrument=other) for at in range(1, 52)]
    found = of_type(await feed(processor, *events), DataType.PRICE)
    told = [(p.instrument, p.status, p.price) for p in found]
    assert told == [
        (quiet, PriceStatus.DEGRADED, Decimal("1.5")),
        (other, PriceStatus.DEGRADED, Decimal("1.5")),
        (quiet, PriceStatus.STALE, None),
    ]
    (last,) = of_type(await feed(processor, block(at=200.0)), DataType.PRICE)
    assert (last.instrument, last.status) == (other, PriceStatus.STALE)
    assert await feed(processor, block(at=200.5), block(at=300.0)) == []


async def test_a_spread_that_cannot_be_compared_is_over(feed, quote, block):
    one = AlertSettings("wide", ETH_USD, "spread", ratio=Decimal("0.002"))
    processor = PriceDataProcessor(PriceSettings(fees=FREE, alerts=(one,)))
    wide = [("alpha", "999", "1000"), ("beta", "1010", "1011")]
    told = 0
    for at in (0.0, 1000.0):
        quotes = [quote(*sides, at + n) for n, sides in enumerate(wide)]
        found = await feed(processor, *quotes)
        told += len(of_type(found, DataType.ALERT))
        await feed(processor, block(at=at + 500))
    assert told == 2


async def test_an_absurd_venue_hides_no_true_spread_from_an_alert(feed, quote):
    one = AlertSettings("wide", ETH_USD, "spread", ratio=Decimal("0.002"))
    fees = {**FREE, "gamma": Decimal(0)}
    processor = PriceDataProcessor(PriceSettings(fees=fees, alerts=(one,)))
    found = await feed(
        processor,
        quote("gamma", "10000", "10010", 0.0),
        quote("alpha", "999", "1000", 0.1),
        quote("beta", "1010", "1011", 0.2),
    )
    (alert,) = of_type(found, DataType.ALERT)
    assert alert.ratio == Decimal("0.01")


async def test_an_alert_on_a_spread_looks_at_the_best_one(feed, quote):
    one = AlertSettings("wide", ETH_USD, "spread", ratio=Decimal("0.002"))
    processor = PriceDataProcessor(PriceSettings(fees=FREE, alerts=(one,)))
    found = await feed(
        processor,
        quote("alpha", "999", "1000", 0.0),
        quote("beta", "1001", "1002", 0.5),
        quote("beta", "1003", "1004", 1.0),
        quote("beta", "1004", "1005", 1.5),
    )
    (alert,) = of_type(found, DataType.ALERT)
    assert (alert.type, alert.ratio, alert.current_price) == (
        "price_spread",
        Decimal("0.003"),
        None,
    )
    assert alert.message == ("ETH/USD: buying at alpha and selling at beta pays +0.300% after fees")
