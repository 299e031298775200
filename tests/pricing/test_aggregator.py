"""What the aggregator takes, what it says, and what it keeps."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import PriceStatus, Trend
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing import intake
from trio_mev.pricing.aggregator import PriceFeedAggregator
from trio_mev.pricing.sources import KINDS
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter

ETH = Instrument("ETH", "USDT")
A, B, C, D, E, F = (Venue(name) for name in "abcdef")
VENUES = (A, B, C, D, E, F)
OK, DEGRADED = PriceStatus.OK, PriceStatus.DEGRADED
DISPUTED, STALE = PriceStatus.DISPUTED, PriceStatus.STALE


def aggregator(**settings) -> PriceFeedAggregator:
    return PriceFeedAggregator(PriceSettings(**settings))


def filled(prices, now: float = 0.0, **settings) -> PriceFeedAggregator:
    """An aggregator with a price from each of the sources a, b, c and so on."""
    prices_of = aggregator(**settings)
    for venue, price in zip(VENUES, prices, strict=False):
        assert prices_of.update_price(venue, ETH, Decimal(price), now) is None
    return prices_of


def stats_of(prices: PriceFeedAggregator, venue: Venue, now: float = 0.0):
    (found,) = (s for s in prices.get_source_stats(now) if s.source_id == venue)
    return found


# The price


def test_the_price_names_its_sources_and_how_far_they_are_apart():
    price = filled(["2000.2", "2000.0", "2000.1"]).get_price(ETH, 2.0)
    assert Decimal("2000.05") < price.price < Decimal("2000.15")
    assert (price.status, price.sources, price.rejected) == (OK, (A, B, C), ())
    assert (price.spread, price.age, price.via) == (Decimal("0.200"), 2.0, ())


def test_of_an_instrument_without_quotes_there_is_no_price():
    price = aggregator().get_price(ETH, 0.0)
    assert (price.price, price.confidence, price.spread, price.age) == (None,) * 4
    assert (price.status, price.sources) == (STALE, ())
    assert aggregator().tick(ETH, 0.0) == price


def test_one_source_alone_is_degraded_and_as_sure_as_its_errors_are():
    price = filled(["2000.50"]).get_price(ETH, 0.0)
    assert (price.price, price.status, price.spread) == (Decimal("2000.5"), DEGRADED, 0)
    assert price.confidence == Decimal("0.785")  # 1.96 times 2 bp, rounded up


def test_two_sources_are_never_more_than_degraded():
    assert filled([2000, 2000]).get_price(ETH, 0.0).status is DEGRADED


def test_half_a_spread_is_an_error_that_no_agreement_makes_smaller():
    prices = aggregator()
    for venue in VENUES:
        prices.update_quote(venue, ETH, Decimal(1990), Decimal(2010), 0.0)
    assert prices.get_price(ETH, 0.0).confidence > 5


def test_a_coarse_tick_is_an_error_too():
    fine, coarse = aggregator(), aggregator()
    for tick, prices in ((None, fine), (Decimal(10), coarse)):
        assert prices.update_quote(A, ETH, Decimal(2000), Decimal(2000), 0.0, tick=tick) is None
    assert coarse.get_price(ETH, 0.0).confidence > 2 * fine.get_price(ETH, 0.0).confidence


@pytest.mark.parametrize("price", ["0.000000000001", "0.00000000000123456", "123456789012.5"])
def test_cheap_and_dear_coins_have_prices_as_exact_as_others(price):
    found = filled([price] * 3).get_price(ETH, 0.0)
    assert found.status is OK
    assert abs(found.price / Decimal(price) - 1) < Decimal("1e-7")
    assert 0 < found.confidence < found.price / 1000


def test_looking_changes_nothing_and_makes_no_history():
    prices = filled([2000, 2000, 2000, 3000])
    before = prices.get_price(ETH, 0.0)
    assert prices.get_price(ETH, 0.0) == before
    assert prices.get_price_history(ETH) == []
    assert stats_of(prices, D).rejections == 0


def test_a_wrong_source_is_rejected_where_two_standard_deviations_could_not_tell():
    """Among n values no z-score is over the root of n - 1."""
    for honest in (3, 4, 5):
        price = filled([*[2000] * honest, 3000]).tick(ETH, 0.0)
        assert (price.price, price.status) == (2000, DEGRADED)
        assert price.rejected == (VENUES[honest],)


def test_a_wrong_source_may_not_hide_in_a_wide_gate():
    """Sources whose spreads are wide have wide gates; the limit is the limit."""
    found = []
    for limit in ("0.01", "0.10"):
        prices = aggregator(max_deviation=Decimal(limit))
        for venue, price in zip((A, B, C, D), (2000, 2000, 2000, 2100), strict=True):
            prices.update_quote(venue, ETH, Decimal(price - 200), Decimal(price + 200), 0.0)
        found.append(prices.get_price(ETH, 0.0).rejected)
    assert found == [(D,), ()]


@pytest.mark.parametrize(
    ("rule", "expected"), [("pyth", 2001), ("chainlink", 2002), ("median", 2001)]
)
def test_another_rule_is_chosen_by_name(rule, expected):
    price = filled([1999, 2000, 2002, 2900], rule=rule).tick(ETH, 0.0)
    assert price.price == pytest.approx(expected, rel=1e-6)
    assert (price.status, price.sources, price.rejected) == (DEGRADED, (A, B, C, D), (D,))


def test_pyths_rule_keeps_its_last_price_when_it_has_none():
    prices = filled([2000, 2001], rule="pyth", min_sources=2)
    last = prices.tick(ETH, 0.0)
    prices.update_price(A, ETH, Decimal(2500), 55.0)
    found = prices.tick(ETH, 55.0)
    assert (found.price, found.confidence, found.status) == (last.price, last.confidence, STALE)
    assert (found.sources, found.age) == ((), 0.0)
    assert prices.get_price(ETH, 56.0).price == last.price
    assert [price for _, price in prices.get_price_history(ETH)] == [last.price]


def test_fewer_sources_than_are_wanted_make_no_price():
    prices = filled([2000, 2000], min_sources=3)
    assert prices.get_price(ETH, 0.0).status is STALE
    prices.update_price(C, ETH, Decimal(2000), 1.0)
    assert prices.get_price(ETH, 1.0).status is OK


# What is refused


def test_a_quote_of_the_same_event_or_an_earlier_one_is_refused_and_counted():
    prices = aggregator()
    assert prices.update_price(A, ETH, Decimal(2000), 10.0, at=9.5) is None
    assert prices.update_price(A, ETH, Decimal(2000), 11.0, at=9.5) == "repeated"
    assert prices.update_price(A, ETH, Decimal(2100), 12.0, at=9.4) == "time_backwards"
    assert prices.update_price(A, ETH, Decimal(2001), 12.0, at=9.6) is None
    assert stats_of(prices, A).refused == {"repeated": 1, "time_backwards": 1}
    assert prices.get_price(ETH, 12.0).price == 2001


def test_without_an_event_time_the_receipt_counts_and_several_may_come_at_once():
    prices = aggregator()
    assert prices.update_price(A, ETH, Decimal(2000), 10.0) is None
    assert prices.update_price(A, ETH, Decimal(2001), 10.0) is None
    assert prices.update_price(A, ETH, Decimal(2002), 9.9) is None  # it came later all the same
    assert prices.get_price(ETH, 10.0).price == 2002


def test_the_event_time_decides_how_old_a_quote_is():
    prices = aggregator(max_age=20.0)
    assert prices.update_price(A, ETH, Decimal(2000), 100.0, at=79.9) == "too_old"
    assert prices.update_price(A, ETH, Decimal(2000), 100.0, at=85.0) is None
    assert prices.get_price(ETH, 100.0).age == 15.0
    assert prices.get_price(ETH, 105.1).status is STALE


def test_a_clock_may_be_ahead_by_the_slack_and_gains_nothing_by_it():
    prices = aggregator(clock_slack=0.5)
    for at in (10.6, float("inf"), float("nan")):
        assert prices.update_price(A, ETH, Decimal(2000), 10.0, at=at) == "future"
    assert prices.update_price(A, ETH, Decimal(2000), 10.0, at=10.5) is None
    assert prices.get_price(ETH, 12.0).age == 2.0


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        ("2001", "2000", "crossed"),
        ("0", "2000", "not_positive"),
        ("-2000", "-1999", "not_positive"),
        ("-2000", "2000", "not_positive"),
        ("NaN", "2000", "out_of_range"),
        ("2000", "sNaN", "out_of_range"),
        ("2000", "Infinity", "out_of_range"),
        ("1e-31", "1e-31", "out_of_range"),
        ("2e30", "2e30", "out_of_range"),
        ("1000", "2001", "too_wide"),
        ("1000", "2000", None),
        ("2000", "2000", None),
    ],
)
def test_a_bid_and_ask_that_cannot_be_are_refused(bid, ask, reason):
    prices = aggregator()
    assert prices.update_quote(A, ETH, Decimal(bid), Decimal(ask), 0.0) == reason
    status = STALE if reason else DEGRADED
    assert prices.get_price(ETH, 0.0).status is status
    assert stats_of(prices, A).refused == ({reason: 1} if reason else {})


@pytest.mark.parametrize("tick", ["0", "-1", "NaN", "sNaN", "Infinity"])
def test_a_tick_that_cannot_be_is_refused(tick):
    prices = aggregator()
    quote = Decimal(1), Decimal(1), 0.0
    assert prices.update_quote(A, ETH, *quote, tick=Decimal(tick)) == "out_of_range"
    assert prices.update_quote(A, ETH, *quote, tick=Decimal(2)) == "out_of_range"
    assert prices.update_quote(A, ETH, *quote, tick=Decimal(1)) is None
    assert prices.get_price(ETH, 0.0).price == 1


def test_what_is_refused_leaves_the_last_quote_in_place():
    prices = filled([2000])
    for bid, ask in (("3000", "2900"), ("-1", "-1"), ("NaN", "NaN")):
        assert prices.update_quote(A, ETH, Decimal(bid), Decimal(ask), 1.0) is not None
    found = prices.get_price(ETH, 1.0)
    assert (found.price, found.age) == (2000, 1.0)


def test_there_is_room_for_so_many_sources_and_instruments(monkeypatch):
    monkeypatch.setattr(intake, "MOST_SOURCES", 2)
    monkeypatch.setattr(intake, "MOST_NAMES", 3)
    monkeypatch.setattr(intake, "MOST_INSTRUMENTS", 1)
    prices = filled([1, 1])
    assert prices.update_price(C, ETH, Decimal(1), 0.0) == "too_many"
    assert prices.update_price(A, Instrument("BTC", "USDT"), Decimal(1), 0.0) == "too_many"
    assert prices.update_price(D, ETH, Decimal(1), 0.0) == "too_many"
    prices.note_fault(D, ETH, "malformed")
    with pytest.raises(ValueError, match="there are 3 sources; no more are taken"):
        prices.add_price_source(D)
    assert [s.source_id for s in prices.get_source_stats(0.0)] == [A, B, C]
    assert stats_of(prices, A).refused == {"too_many": 1}
    assert prices.instruments() == (ETH,)


# Sources


@pytest.mark.parametrize(
    ("update_class", "age"), [("high_frequency", 10.0), ("normal", 50.0), ("low_frequency", 60.0)]
)
def test_the_expected_interval_decides_how_long_a_quote_counts(update_class, age):
    prices = aggregator()
    prices.add_price_source(A, "venue", update_class)
    prices.update_price(A, ETH, Decimal(2000), 100.0)
    assert prices.max_age(A) == age
    assert prices.get_price(ETH, 100.0 + age).price == 2000
    assert prices.get_price(ETH, 100.5 + age).status is STALE


def test_the_age_limit_bounds_every_class():
    prices = aggregator(max_age=7.0)
    prices.update_price(A, ETH, Decimal(2000), 0.0)
    assert prices.get_price(ETH, 7.0).price == 2000
    stale = prices.get_price(ETH, 7.5)
    assert (stale.price, stale.confidence, stale.age) == (None, None, 7.5)


def test_a_known_source_changes_its_class_and_keeps_its_figures():
    prices = filled([2000])
    prices.add_price_source(A, "oracle", "high_frequency")
    found = stats_of(prices, A)
    assert (found.type, found.updates, prices.max_age(A)) == ("oracle", 1, 10.0)


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match="'hourly' is not one of high_frequency, normal, low_"):
        aggregator().add_price_source(A, "venue", "hourly")


def test_a_source_that_is_switched_off_does_not_count_until_it_is_on_again():
    prices = filled([2000, 2000, 2010])
    prices.set_active(C, False)
    assert prices.get_price(ETH, 0.0).sources == (A, B)
    prices.set_active(C, True)
    assert prices.get_price(ETH, 0.0).rejected == (C,)
    with pytest.raises(KeyError):
        prices.set_active(Venue("nowhere"), True)


def test_reliability_falls_while_a_source_is_wrong_and_recovers():
    prices = aggregator(reliability_half_life=10.0)
    for now, wrong in [(0, 9000), (5, 9000), (10, 9000), (15, 2000), (25, 2000)]:
        for venue in (A, B, C):
            prices.update_price(venue, ETH, Decimal(2000), float(now))
        prices.update_price(D, ETH, Decimal(wrong), float(now))
        prices.tick(ETH, float(now))
        if now == 10:
            assert stats_of(prices, D).reliability == pytest.approx(0.5)
    found = stats_of(prices, D)
    assert found.reliability == pytest.approx(1 - (1 - (1 - 0.5 * 0.5**0.5)) * 0.5, abs=0.01)
    assert (found.updates, found.rejections) == (5, 1)
    assert [stats_of(prices, venue).reliability for venue in (A, B, C)] == [1.0] * 3


def test_a_silent_source_loses_reliability_after_four_intervals():
    prices = filled([2000, 2000, 2000], reliability_half_life=10.0)
    prices.tick(ETH, 0.0)
    for now in (10.0, 20.0, 30.0):
        prices.update_price(A, ETH, Decimal(2000), now)
        prices.tick(ETH, now)
    assert stats_of(prices, A).reliability == 1.0
    assert stats_of(prices, B).reliability == pytest.approx(0.5)


@pytest.mark.parametrize("instrument", [ETH, None])
def test_faults_that_were_found_elsewhere_cost_reliability(instrument):
    prices = filled([2000, 2000, 2000])
    for _ in range(3):
        prices.note_fault(B, instrument, "malformed")
    prices.tick(ETH, 0.0)
    found = stats_of(prices, B)
    assert (found.refused, found.reliability) == ({"malformed": 3}, 0.4)
    assert stats_of(prices, A).reliability == 1.0


def test_two_quotes_of_one_time_may_differ_and_both_count():
    """A venue's clock has its steps."""
    prices = aggregator()
    assert prices.update_price(A, ETH, Decimal(2000), 10.0, at=9.5) is None
    assert prices.update_price(A, ETH, Decimal(2001), 10.1, at=9.5) is None
    assert prices.get_price(ETH, 10.1).price == 2001


def test_the_sources_own_time_orders_its_quotes_though_our_clock_is_set():
    prices = aggregator()
    stamped = [
        (10.0, 9.9, 100, None),
        (11.0, 8.9, 101, None),  # our clock was put back by two seconds
        (12.0, 9.9, 101, "repeated"),
        (13.0, 12.9, 99, "time_backwards"),
        (14.0, None, 102, None),
        (13.5, None, 103, None),
        (15.0, 14.0, None, None),  # no longer told
        (14.9, 14.8, None, None),
        (14.8, 14.7, None, "time_backwards"),
        (14.0, None, None, None),
        (14.1, 13.9, None, "superseded"),  # by what came without a time
        (14.2, 14.1, None, None),
    ]
    for now, at, stamp, reason in stamped:
        told = prices.update_quote(A, ETH, Decimal(1), Decimal(2), now, at, stamp=stamp)
        assert told == reason, (now, at, stamp)


def test_a_fault_of_an_unknown_instrument_or_a_repeat_is_only_counted():
    prices = filled([2000, 2000, 2000])
    prices.note_fault(B, Instrument("BTC", "USD"), "malformed")
    prices.note_fault(B, None, "repeated")
    prices.note_fault(F, ETH, "crossed")
    prices.update_price(B, ETH, Decimal(2000), 1.0, at=1.0)
    prices.update_price(B, ETH, Decimal(2000), 1.0, at=1.0)
    prices.tick(ETH, 1.0)
    assert stats_of(prices, B).refused == {"malformed": 1, "repeated": 2}
    assert stats_of(prices, B).reliability == 1.0
    assert stats_of(prices, F).refused == {"crossed": 1}


def test_refused_quotes_cost_reliability():
    prices = filled([2000, 2000, 2000])
    prices.update_quote(C, ETH, Decimal(2), Decimal(1), 0.0)
    prices.tick(ETH, 0.0)
    assert stats_of(prices, C).reliability == pytest.approx(2 / 3)


def test_kinds_of_faults_are_told_apart_up_to_a_bound():
    prices = aggregator()
    for number in range(KINDS + 10):
        prices.note_fault(A, None, f"kind {number}")
    refused = stats_of(prices, A).refused
    assert len(refused) == KINDS + 1
    assert refused["other"] == 10
    prices.note_fault(A, None, "kind 0")
    assert stats_of(prices, A).refused["kind 0"] == 2


def test_the_figures_of_a_source_begin_unknown():
    prices = aggregator()
    prices.add_price_source(A)
    found = stats_of(prices, A, 5.0)
    assert (found.is_active, found.updates, found.reliability) == (True, 0, 1.0)
    assert (found.age, found.update_frequency, found.noise) == (None, None, {})
    prices.update_price(A, ETH, Decimal(1), 10.0)
    found = stats_of(prices, A, 12.0)
    assert (found.age, found.update_frequency, found.noise) == (2.0, None, {"ETH/USDT": 2.0})
    for now in (12.0, 14.0):
        prices.update_price(A, ETH, Decimal(1), now)
    found = stats_of(prices, A, 14.5)
    assert (found.age, found.update_frequency) == (0.5, 0.5)


# History and analysis


def test_history_is_of_prices_that_can_be_believed():
    prices = aggregator(history=2)
    for now, (one, other) in enumerate([(2000, 2000), (2000, 2200), (2001, 2001), (2002, 2002)]):
        prices.update_price(A, ETH, Decimal(one), float(now))
        prices.update_price(B, ETH, Decimal(other), float(now))
        prices.tick(ETH, float(now))
    prices.tick(ETH, 1000.0)
    assert prices.get_price_history(ETH) == [(2.0, 2001), (3.0, 2002)]
    assert prices.get_price_history(ETH, 1) == [(3.0, 2002)]
    assert prices.get_price_history(Instrument("BTC", "USD")) == []


def test_history_is_kept_for_as_long_as_is_set():
    prices = aggregator(retention=15.0)
    for now, price in ((0.0, 2000), (10.0, 2001), (20.0, 2002)):
        prices.update_price(A, ETH, Decimal(price), now)
        prices.tick(ETH, now)
    assert prices.get_price_history(ETH) == [(10.0, 2001), (20.0, 2002)]


def test_the_analysis_tells_price_volatility_trend_and_sources():
    prices = aggregator()
    for now in range(21):
        prices.update_price(A, ETH, Decimal(100 + now), float(now))
        prices.tick(ETH, float(now))
    found = prices.get_price_analysis(ETH, 22.0)
    assert (found.history, found.age, found.trend) == (21, 2.0, Trend.BULLISH)
    assert found.price == prices.get_price(ETH, 22.0)
    assert found.volatility > 10  # from 100 to 120 in 20 s
    assert found.sources == prices.get_source_stats(22.0)


def test_the_analysis_of_an_unknown_instrument_is_empty():
    found = aggregator().get_price_analysis(ETH, 0.0)
    assert (found.age, found.history, found.volatility) == (None, 0, None)
    assert (found.trend, found.sources) == (Trend.INSUFFICIENT_DATA, ())


def test_an_instrument_of_which_all_was_refused_has_no_age():
    prices = aggregator()
    prices.update_quote(A, ETH, Decimal(2), Decimal(1), 0.0)
    assert prices.get_price(ETH, 5.0).age is None
    assert prices.get_price_analysis(ETH, 5.0).age is None


# Instruments


def test_spellings_of_one_instrument_meet_and_another_currency_does_not():
    dollar = Instrument("ETH", "USD")
    binance = BinanceAdapter("b", [ETH], ["bookTicker"])
    coinbase = CoinbaseAdapter("c", [ETH, dollar], ["ticker"])
    frames = [
        (binance, b'{"u":1,"s":"ETHUSDT","b":"1999","B":"1","a":"2001","A":"1"}'),
        (coinbase, ticker("ETH-USDT", "1999", "2001")),
        (coinbase, ticker("ETH-USD", "1990", "1992")),
    ]
    prices = aggregator()
    for adapter, frame in frames:
        (event,) = adapter.receive(frame, 0.0, 1)
        quote = event.data
        prices.update_quote(quote.venue, quote.instrument, quote.bid, quote.ask, 0.0)
    assert prices.instruments() == (ETH, dollar)
    assert prices.get_price(ETH, 0.0).sources == ("binance", "coinbase")
    assert prices.get_price(ETH, 0.0).price == 2000
    assert prices.get_price(dollar, 0.0).sources == ("coinbase",)


def ticker(product: str, bid: str, ask: str) -> bytes:
    text = (
        f'{{"type":"ticker","sequence":1,"product_id":"{product}","price":"{bid}",'
        f'"best_bid":"{bid}","best_ask":"{ask}","time":"2023-03-04T03:37:20.799258Z"}}'
    )
    return text.encode()


# What holds whatever comes


PRICE = st.decimals("0.0001", "1e9", places=4)
QUOTES = st.lists(st.tuples(st.sampled_from(VENUES), PRICE, PRICE, st.floats(0, 3)), max_size=40)


@given(QUOTES)
def test_whatever_comes_there_is_never_a_price_of_zero_or_one_that_is_more_than_its_sources(quotes):
    prices = aggregator()
    now = 0.0
    for venue, bid, ask, step in quotes:
        now += step
        prices.update_quote(venue, ETH, bid, ask, now)
        found = prices.tick(ETH, now)
        assert (found.price is None) == (found.confidence is None) == (found.status is STALE)
        if found.price is not None:
            assert found.price > 0
            assert found.confidence > 0
            assert found.status is not OK or len(found.sources) >= 3
            assert found.age >= 0


@given(st.lists(PRICE, min_size=1, max_size=6), st.permutations(range(6)))
def test_it_does_not_matter_which_source_says_what(values, order):
    one, other = aggregator(), aggregator()
    for place, value in zip(order, values, strict=False):
        one.update_price(VENUES[place], ETH, value, 0.0)
    for place, value in enumerate(values):
        other.update_price(VENUES[place], ETH, value, 0.0)
    first, second = one.get_price(ETH, 1.0), other.get_price(ETH, 1.0)
    assert (first.price, first.confidence, first.status) == (
        second.price,
        second.confidence,
        second.status,
    )


def test_nothing_that_is_kept_grows_with_time():
    """Six sources that quote, and are refused, every second. What is bounded is full at first."""
    prices = aggregator(history=100)

    def run(begin: int, seconds: int) -> None:
        for second in range(begin, begin + seconds):
            for place, venue in enumerate(VENUES):
                cents = 200_000 + (second * 7919 + place * 104_729) % 23
                price = Decimal(cents) / 100
                now = second + place / 10
                prices.update_quote(venue, ETH, price, price + 1, now, now - 0.05)
                prices.update_quote(venue, ETH, price, price - 1, now, now - 0.04)
            prices.tick(ETH, second + 0.9)

    tracemalloc.start()
    run(0, 150)
    sizes = []
    for begin in range(150, 750, 150):
        run(begin, 150)
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes[1:]) - sizes[0] < 2048
    assert len(prices.get_price_history(ETH, 10**6)) == 100


def test_a_quote_that_is_withdrawn_makes_no_price_until_the_next():
    prices = filled([2000, 2000, 2000])
    prices.withdraw(A, ETH)
    assert prices.get_price(ETH, 0.0).sources == ("b", "c")
    prices.withdraw(F, ETH)  # of whom nothing is known
    prices.withdraw(A, Instrument("BTC", "USD"))
    prices.update_price(A, ETH, Decimal(2000), 1.0)
    assert prices.get_price(ETH, 1.0).sources == ("a", "b", "c")
