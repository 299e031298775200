"""One price from many sources: what a wrong, a late or a lone one can do to it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import PriceStatus, Trend
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing.aggregator import PriceFeedAggregator
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter

ETH = Instrument("ETH", "USDT")
A, B, C, D, E, F = (Venue(name) for name in "abcdef")
HONEST = st.decimals(1990, 2010, places=2)


def aggregator(**settings) -> PriceFeedAggregator:
    return PriceFeedAggregator(PriceSettings(**settings))


def filled(prices, now: float = 0.0, **settings) -> PriceFeedAggregator:
    """An aggregator with a price from each of the sources a, b, c and so on."""
    prices_of = aggregator(**settings)
    for venue, price in zip((A, B, C, D, E, F), prices, strict=False):
        prices_of.update_price(venue, ETH, Decimal(price), now)
    return prices_of


def test_the_price_is_the_median_and_names_its_sources():
    price = filled([2002, 2000, 2001]).get_price(ETH, 0.0)
    assert (price.price, price.status) == (2001, PriceStatus.OK)
    assert (price.sources, price.rejected) == ((A, B, C), ())


def test_of_an_instrument_without_quotes_there_is_no_price():
    price = aggregator().get_price(ETH, 0.0)
    assert (price.price, price.confidence, price.sources) == (None, None, ())
    assert price.status is PriceStatus.STALE


def test_one_source_alone_is_degraded_and_its_error_unknown():
    price = filled([2000]).get_price(ETH, 0.0)
    assert (price.price, price.confidence) == (2000, None)
    assert price.status is PriceStatus.DEGRADED


def test_the_confidence_interval_holds_every_admitted_bid_and_ask():
    prices = aggregator()
    prices.update_quote(A, ETH, Decimal(1998), Decimal(2000), 0.0)
    price = prices.update_quote(B, ETH, Decimal(2000), Decimal(2010), 0.0)
    assert price.price == 2002
    assert price.confidence == 8


@given(st.lists(st.tuples(HONEST, st.decimals(0, 5, places=2)), min_size=2, max_size=6))
def test_the_confidence_interval_is_as_wide_as_it_has_to_be(quotes):
    prices = aggregator()
    for venue, (bid, width) in zip("abcdef", quotes, strict=False):
        prices.update_quote(Venue(venue), ETH, bid, bid + width, 0.0)
    price = prices.get_price(ETH, 0.0)
    lowest = min(bid for bid, _ in quotes)
    highest = max(bid + width for bid, width in quotes)
    assert price.confidence == max(highest - price.price, price.price - lowest)


@given(st.lists(HONEST, min_size=2, max_size=5), st.decimals("0.01", 10**9, places=2), st.data())
def test_one_bad_source_of_three_or_more_cannot_move_the_price_out_of_the_others(honest, bad, data):
    place = data.draw(st.integers(0, len(honest)))
    price = filled([*honest[:place], bad, *honest[place:]]).get_price(ETH, 0.0)
    assert min(honest) <= price.price <= max(honest)


@pytest.mark.parametrize("others", [3, 4, 5])
def test_a_wrong_source_is_rejected_even_where_two_standard_deviations_could_not_tell(others):
    """Among n values no z-score is over the root of n - 1."""
    price = filled([*[2000] * others, 3000]).get_price(ETH, 0.0)
    assert (price.price, price.status) == (2000, PriceStatus.DEGRADED)
    assert price.rejected == (Venue("abcdef"[others]),)


def test_of_three_sources_a_wrong_one_is_a_dispute_that_does_not_move_the_price():
    price = filled([2000, 2001, 4000]).get_price(ETH, 0.0)
    assert (price.price, price.status) == (2001, PriceStatus.DISPUTED)
    assert (price.sources, price.rejected) == ((A, B, C), ())


def test_two_sources_that_contradict_each_other_are_a_dispute():
    assert filled([2000, 2100]).get_price(ETH, 0.0).status is PriceStatus.OK
    price = filled([2000, "2100.01"]).get_price(ETH, 0.0)
    assert (price.price, price.status) == (Decimal("2050.005"), PriceStatus.DISPUTED)


def test_two_camps_of_two_are_a_dispute():
    price = filled([2000, 2000, 3000, 3000]).get_price(ETH, 0.0)
    assert (price.price, price.status) == (2500, PriceStatus.DISPUTED)
    assert price.sources == (A, B, C, D)


def test_a_median_without_a_majority_behind_it_is_a_dispute():
    assert filled([1000, 2000, 2000, 3000]).get_price(ETH, 0.0).status is PriceStatus.DISPUTED
    assert filled([1000, 2000, 2000, 2000, 3000]).get_price(ETH, 0.0).status is PriceStatus.DEGRADED


@pytest.mark.parametrize(
    ("limit", "rejected"), [("0.05", (D,)), ("0.10", ()), ("0.0999", (D,)), ("0", (D,))]
)
def test_the_deviation_limit_decides_who_is_rejected(limit, rejected):
    price = filled([2000, 2000, 2000, 2200], max_deviation=Decimal(limit)).get_price(ETH, 0.0)
    assert price.rejected == rejected


@pytest.mark.parametrize(
    ("update_class", "age"), [("high_frequency", 10.0), ("normal", 50.0), ("low_frequency", 60.0)]
)
def test_the_expected_interval_decides_how_long_a_quote_counts(update_class, age):
    prices = aggregator()
    prices.add_price_source(A, "venue", update_class)
    prices.update_price(A, ETH, Decimal(2000), 100.0)
    assert prices.max_age(A) == age
    assert prices.get_price(ETH, 100.0 + age).price == 2000
    assert prices.get_price(ETH, 100.5 + age).status is PriceStatus.STALE


def test_the_age_limit_bounds_every_class():
    prices = aggregator(max_age=7.0)
    prices.update_price(A, ETH, Decimal(2000), 0.0)
    assert prices.get_price(ETH, 7.0).price == 2000
    assert prices.get_price(ETH, 7.1).price is None


def test_a_source_that_falls_silent_no_longer_counts_against_the_others():
    prices = filled([3000], now=0.0)
    prices.update_price(B, ETH, Decimal(2000), 51.0)
    assert prices.get_price(ETH, 51.0).sources == (B,)


def test_a_known_source_changes_its_class_and_keeps_its_figures():
    prices = filled([2000])
    prices.add_price_source(A, "oracle", "high_frequency")
    (stats,) = prices.get_source_stats(1.0)
    assert (stats.type, stats.updates, prices.max_age(A)) == ("oracle", 1, 10.0)


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match="'hourly' is not one of high_frequency, normal, low_"):
        aggregator().add_price_source(A, "venue", "hourly")


def test_a_source_that_is_switched_off_does_not_count_until_it_is_on_again():
    prices = filled([2000, 2000, 2010])
    prices.set_active(C, False)
    assert prices.get_price(ETH, 0.0).sources == (A, B)
    prices.set_active(C, True)
    assert prices.get_price(ETH, 0.0).sources == (A, B, C)
    with pytest.raises(KeyError):
        prices.set_active(Venue("nowhere"), True)


def test_reliability_falls_with_every_wrong_price_and_recovers_with_right_ones():
    prices = filled([2000, 2000, 2000])
    for _ in range(3):
        prices.update_price(D, ETH, Decimal(9000), 0.0)
    *_, wrong = prices.get_source_stats(0.0)
    assert (wrong.updates, wrong.rejections) == (3, 3)
    assert wrong.reliability == pytest.approx(0.98**3)
    prices.update_price(D, ETH, Decimal(2000), 0.0)
    *others, mended = prices.get_source_stats(0.0)
    assert mended.reliability == pytest.approx(0.98**3 * 0.98 + 0.02)
    assert (mended.updates, mended.rejections) == (4, 3)
    assert [s.reliability for s in others] == [1.0, 1.0, 1.0]


def test_a_wrong_price_costs_reliability_even_where_it_cannot_be_rejected():
    prices = filled([2000, 2000, 9000])
    assert [s.rejections for s in prices.get_source_stats(0.0)] == [0, 0, 1]


def test_spellings_of_one_instrument_meet_and_another_currency_does_not():
    dollar = Instrument("ETH", "USD")
    binance = BinanceAdapter("b", [ETH], ["bookTicker"])
    coinbase = CoinbaseAdapter("c", [ETH, dollar], ["ticker"])
    frames = [
        (binance, b'{"u":1,"s":"ETHUSDT","b":"1999","B":"1","a":"2001","A":"1"}'),
        (coinbase, ticker("ETH-USDT", "2001", "2003")),
        (coinbase, ticker("ETH-USD", "1990", "1992")),
    ]
    prices = aggregator()
    for adapter, frame in frames:
        (event,) = adapter.receive(frame, 0.0, 1)
        quote = event.data
        prices.update_quote(quote.venue, quote.instrument, quote.bid, quote.ask, 0.0)
    assert prices.instruments() == (ETH, dollar)
    assert prices.get_price(ETH, 0.0).sources == ("binance", "coinbase")
    assert prices.get_price(ETH, 0.0).price == 2001
    assert prices.get_price(dollar, 0.0).sources == ("coinbase",)


def ticker(product: str, bid: str, ask: str) -> bytes:
    text = (
        f'{{"type":"ticker","sequence":1,"product_id":"{product}","price":"{bid}",'
        f'"best_bid":"{bid}","best_ask":"{ask}","time":"2023-03-04T03:37:20.799258Z"}}'
    )
    return text.encode()


def test_the_history_holds_changes_only_and_at_most_its_length():
    prices = aggregator(history=3)
    for now, price in enumerate([10, 10, 11, 12, 12, 13]):
        prices.update_price(A, ETH, Decimal(price), float(now))
    assert prices.get_price_history(ETH) == [(2.0, 11), (3.0, 12), (5.0, 13)]
    assert prices.get_price_history(ETH, 2) == [(3.0, 12), (5.0, 13)]
    assert prices.get_price_history(ETH, 0) == []
    assert prices.get_price_history(Instrument("BTC", "USD")) == []


def test_a_disputed_price_is_not_history():
    prices = filled([2000, 3000])
    assert prices.get_price_history(ETH) == [(0.0, 2000)]


def test_a_source_that_is_off_makes_no_history():
    prices = aggregator()
    prices.add_price_source(A)
    prices.set_active(A, False)
    assert prices.update_price(A, ETH, Decimal(2000), 0.0).status is PriceStatus.STALE
    assert prices.get_price_history(ETH) == []


def test_the_figures_of_a_source_begin_unknown():
    prices = aggregator()
    prices.add_price_source(A)
    (stats,) = prices.get_source_stats(5.0)
    assert (stats.is_active, stats.updates, stats.age, stats.update_frequency) == (
        True,
        0,
        None,
        None,
    )
    prices.update_price(A, ETH, Decimal(1), 10.0)
    (stats,) = prices.get_source_stats(12.0)
    assert (stats.age, stats.update_frequency) == (2.0, None)
    for now in (12.0, 14.0):
        prices.update_price(A, ETH, Decimal(1), now)
    (stats,) = prices.get_source_stats(14.5)
    assert (stats.age, stats.update_frequency) == (0.5, 0.5)


def test_the_analysis_is_of_the_configured_window():
    prices = aggregator(volatility_window=2)
    for now, price in enumerate([1, 100, 300]):
        prices.update_price(A, ETH, Decimal(price), float(now))
    analysis = prices.get_price_analysis(ETH, 5.0)
    assert (analysis.history, analysis.volatility, analysis.age) == (2, 0.5, 3.0)
    assert analysis.trend is Trend.INSUFFICIENT_DATA
    assert analysis.price.price == 300


@pytest.mark.parametrize(
    ("count", "expected"), [(19, Trend.INSUFFICIENT_DATA), (20, Trend.BULLISH)]
)
def test_a_rising_price_has_no_trend_before_twenty_changes(count, expected):
    prices = aggregator()
    for now in range(count):
        prices.update_price(A, ETH, Decimal(100 + now), float(now))
    assert prices.get_price_analysis(ETH, float(count)).trend is expected


def test_the_analysis_of_an_unknown_instrument_is_empty():
    analysis = aggregator().get_price_analysis(ETH, 0.0)
    assert (analysis.age, analysis.history, analysis.volatility) == (None, 0, None)
    assert (analysis.trend, analysis.sources) == (Trend.INSUFFICIENT_DATA, ())
