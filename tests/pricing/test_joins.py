"""Prices that are had from two others."""

from __future__ import annotations

import random
from decimal import Decimal
from math import exp, log

import pytest

from trio_mev.model.identity import Instrument, InstrumentKind, Venue
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing.aggregator import PriceFeedAggregator
from trio_mev.pricing.joins import Joinable, better, join, legs

OK, DEGRADED = PriceStatus.OK, PriceStatus.DEGRADED
DISPUTED, STALE = PriceStatus.DISPUTED, PriceStatus.STALE
ETH_USDT, ETH_USDC, ETH_USD = (Instrument("ETH", quote) for quote in ("USDT", "USDC", "USD"))
USDT_USD, USDC_USD = Instrument("USDT", "USD"), Instrument("USDC", "USD")
BASES = ("USDT", "USDC")
VENUES = [Venue(name) for name in ("alpha", "beta", "gamma")]


def price(instrument, value="2000", width="1", status=OK, **fields) -> Price:
    return Price(instrument, Decimal(value), Decimal(width), status, (Venue("alpha"),), **fields)


def test_the_price_is_the_product_and_its_sources_are_named_with_their_legs():
    joined = join(
        ETH_USD,
        price(ETH_USDT, "2000", age=0.5),
        price(USDT_USD, "0.999", "0.0001", DEGRADED, rejected=(Venue("beta"),), age=3.0),
    )
    assert joined.price == 1998
    assert (joined.instrument, joined.status, joined.age) == (ETH_USD, DEGRADED, 3.0)
    assert joined.sources == ("alpha ETH/USDT", "alpha USDT/USD")
    assert joined.rejected == ("beta USDT/USD",)
    assert joined.via == (ETH_USDT, USDT_USD)


def test_the_interval_reaches_as_far_as_both_together():
    """(2000 + 10) times (1 + 0.01) is 2030.1."""
    joined = join(ETH_USD, price(ETH_USDT, "2000", "10"), price(USDT_USD, "1", "0.01"))
    assert Decimal("30.1") <= joined.confidence <= Decimal("30.2")


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.5, 0.9])
def test_the_interval_holds_whatever_the_legs_errors_have_in_common(correlation):
    dice = random.Random(f"{correlation}")
    held = 0
    for _ in range(2000):
        one, other = dice.gauss(0.0, 1.0), dice.gauss(0.0, 1.0)
        other = correlation * one + (1 - correlation**2) ** 0.5 * other
        legs_of = [
            price(instrument, f"{truth * exp(error / 1e4):.12f}", f"{truth * 1.96e-4:.12f}")
            for instrument, truth, error in ((ETH_USDT, 2000, one), (USDT_USD, 1, other))
        ]
        joined = join(ETH_USD, *legs_of)
        held += abs(joined.price - 2000) <= joined.confidence
    assert held / 2000 >= 0.94


def test_a_stale_leg_makes_no_price():
    stale = Price(USDT_USD, None, None, STALE, ())
    assert join(ETH_USD, price(ETH_USDT), stale) is None
    assert (
        join(ETH_USD, Price(ETH_USDT, Decimal(1), Decimal(1), STALE, ()), price(USDT_USD)) is None
    )


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [(OK, OK, OK), (OK, DEGRADED, DEGRADED), (DISPUTED, OK, DISPUTED)],
)
def test_the_status_is_the_worse_of_the_two(one, other, status):
    joined = join(ETH_USD, price(ETH_USDT, status=one), price(USDT_USD, "1", "0.1", other))
    assert joined.status is status


def test_a_price_is_better_by_its_status_and_of_two_joined_by_its_interval():
    own = price(ETH_USD, width="100", status=DEGRADED)
    joined = price(ETH_USD, width="2", status=DEGRADED, via=(ETH_USDT, USDT_USD))
    narrow = price(ETH_USD, width="1", status=DEGRADED, via=(ETH_USDC, USDC_USD))
    assert not better(joined, own)
    assert better(price(ETH_USD, via=(ETH_USDT, USDT_USD)), own)
    assert better(narrow, joined)
    assert not better(joined, narrow)
    assert better(joined, Price(ETH_USD, None, None, STALE, ()))


def test_legs_are_spot_and_go_through_a_base_that_is_neither_side():
    assert list(legs(ETH_USD, BASES)) == [(ETH_USDT, USDT_USD), (ETH_USDC, USDC_USD)]
    usdc_usdt = Instrument("USDC", "USDT")
    assert list(legs(ETH_USDT, BASES)) == [(ETH_USDC, usdc_usdt)]
    assert list(legs(USDT_USD, BASES)) == [(Instrument("USDT", "USDC"), USDC_USD)]
    assert list(legs(Instrument("ETH", "USD", InstrumentKind.PERPETUAL), BASES)) == []


def joinable(known, bases, wanted=("USD",)):
    found = Joinable(bases, wanted)
    for instrument in known:
        found.learn(instrument)
    return found


def test_only_what_is_not_quoted_itself_and_has_both_legs_can_be_joined():
    perpetual = Instrument("BTC", "USDT", InstrumentKind.PERPETUAL)
    usd_usdt = Instrument("ETH", "BTC")
    known = [ETH_USDT, ETH_USDC, USDT_USD, USDC_USD, perpetual, usd_usdt]
    for order in (known, known[::-1], [*known, *known]):
        found = joinable(order, BASES)
        assert found.instruments() == [ETH_USD]
        assert set(found.of) == {ETH_USDT, ETH_USDC, USDT_USD, USDC_USD}
        assert all(joined == [ETH_USD] for joined in found.of.values())
    assert joinable([*known, ETH_USD], BASES).instruments() == []
    assert joinable(known, ()).instruments() == []
    assert joinable(known, BASES, ()).instruments() == []
    back = [ETH_USDT, Instrument("USDT", "ETH")]
    assert joinable(back, BASES, ("ETH",)).instruments() == []


def test_prices_are_joined_in_the_currencies_that_are_wanted_only():
    """Four hundred coins and fifteen currencies make four hundred prices, not six thousand."""
    coins = [Instrument(f"C{n}", "USDT") for n in range(400)]
    currencies = [Instrument("USDT", f"Y{n}") for n in range(15)]
    found = joinable([*currencies, *coins, USDT_USD], BASES)
    assert [str(one) for one in found.instruments()] == [f"C{n}/USD" for n in range(400)]


@pytest.fixture
def prices():
    """Three venues' quotes of ETH/USDT at 2000 and of USDT/USD at 0.999."""
    aggregator = PriceFeedAggregator(PriceSettings())
    for venue in VENUES:
        aggregator.update_price(venue, ETH_USDT, Decimal(2000), 0.0)
        aggregator.update_price(venue, USDT_USD, Decimal("0.999"), 0.0)
    return aggregator


def test_an_instrument_that_nobody_quotes_has_the_joined_price(prices):
    for _ in range(2):
        assert list(prices.instruments()) == [ETH_USDT, USDT_USD, ETH_USD]
    found = prices.get_price(ETH_USD, 1.0)
    assert (found.price, found.status, found.via) == (1998, OK, (ETH_USDT, USDT_USD))
    assert prices.tick(ETH_USD, 1.0) == found
    assert prices.get_price_history(ETH_USD) == [(1.0, 1998)]


def test_quotes_in_two_currencies_never_meet_in_one_vote(prices):
    assert prices.get_price(ETH_USDT, 1.0).price == 2000
    assert all("USD" not in source for source in prices.get_price(ETH_USDT, 1.0).sources)


def test_the_own_price_goes_before_unless_the_joined_one_can_be_believed_further(prices):
    for venue in VENUES[:2]:
        prices.update_price(venue, ETH_USD, Decimal(1990), 0.0)
    assert prices.get_price(ETH_USD, 0.0).via == (ETH_USDT, USDT_USD)
    prices.update_price(VENUES[2], ETH_USD, Decimal(1990), 0.0)
    found = prices.get_price(ETH_USD, 0.0)
    assert (found.price, found.status, found.via) == (1990, OK, ())
    assert list(prices.instruments()) == [ETH_USDT, USDT_USD, ETH_USD]


def test_without_a_base_nothing_is_joined():
    aggregator = PriceFeedAggregator(PriceSettings(bases=()))
    aggregator.update_price(VENUES[0], ETH_USDT, Decimal(2000), 0.0)
    aggregator.update_price(VENUES[0], USDT_USD, Decimal(1), 0.0)
    assert aggregator.get_price(ETH_USD, 0.0).status is STALE
    assert list(aggregator.instruments()) == [ETH_USDT, USDT_USD]


def test_a_joined_price_goes_stale_with_either_leg(prices):
    prices.update_price(VENUES[0], ETH_USDT, Decimal(2000), 45.0)
    assert prices.get_price(ETH_USD, 50.0).status is OK
    assert prices.get_price(ETH_USDT, 51.0).status is DEGRADED
    assert prices.get_price(ETH_USD, 51.0).status is STALE


def test_the_log_of_a_joined_price_is_the_sum_of_its_legs(prices):
    found = prices.get_price(ETH_USD, 0.0)
    one, other = (prices.get_price(leg, 0.0) for leg in found.via)
    reach = [log(1 + each.confidence / each.price) for each in (found, one, other)]
    assert reach[0] == pytest.approx(reach[1] + reach[2], rel=0.01)
