"""Pools beside venues: one vote for all of them, which no price without pools depends on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.settings import MOST_SOURCES, PriceSettings
from trio_mev.pricing.aggregator import PriceFeedAggregator
from trio_mev.pricing.sources import POOL

OK, DEGRADED = PriceStatus.OK, PriceStatus.DEGRADED
DISPUTED, STALE = PriceStatus.DISPUTED, PriceStatus.STALE
ETH, ETH_USD, USDC_USD = (Instrument.parse(one) for one in ("ETH/USDC", "ETH/USD", "USDC/USD"))


def aggregator(**settings) -> PriceFeedAggregator:
    return PriceFeedAggregator(PriceSettings(**settings))


def pool(prices, name, price, depth=1e6, now=0.0, width="0.001", instrument=ETH):
    """A quote of a pool; the width is half of it, as a share."""
    if not prices.knows(Venue(name)):
        assert prices.admit(Venue(name), POOL)
    mid, half = Decimal(price), Decimal(price) * Decimal(width)
    return prices.update_quote(Venue(name), instrument, mid - half, mid + half, now, depth=depth)


def venues(prices, *mids, now=0.0, instrument=ETH):
    for place, mid in enumerate(mids):
        value = Decimal(mid)
        half = value / 5000
        name = Venue(f"venue{place}")
        assert prices.update_quote(name, instrument, value - half, value + half, now) is None


def same(one: Price, other: Price) -> bool:
    """Whether the price is the same, but for naming pools."""
    return (one.price, one.confidence, one.sources) == (
        other.price,
        other.confidence,
        other.sources,
    )


def alone(*mids) -> Price:
    prices = aggregator()
    venues(prices, *mids)
    return prices.get_price(ETH, 0.0)


def test_pools_are_one_source_beside_venues_and_confirm_them():
    prices = aggregator()
    venues(prices, 3000, 3001)
    for name in ("p1", "p2", "p3", "p4"):
        pool(prices, name, 3001)
    price = prices.tick(ETH, 0.0)
    assert price.status is OK
    assert price.on_chain == ("p1", "p2", "p3", "p4")
    assert price.sources == (*price.on_chain, "venue0", "venue1")
    assert (price.off_chain.sources, price.off_chain.status) == (("venue0", "venue1"), DEGRADED)
    assert price.off_chain.price == alone(3000, 3001).price != price.price


@pytest.mark.parametrize("wrong", [3030, 3060, 3150, 6000])
@pytest.mark.parametrize("count", [1, 3, 12])
@pytest.mark.parametrize("mids", [(3000, 3001), (3000, 3001, 3000), (2999, 3000, 3001, 3000, 3002)])
def test_however_many_pools_say_otherwise_the_price_is_the_venues(mids, count, wrong):
    prices = aggregator()
    venues(prices, *mids)
    for place in range(count):
        pool(prices, f"fake{place}", wrong)
    price, expected = prices.tick(ETH, 0.0), alone(*mids)
    assert same(price, expected)
    assert price.status is DEGRADED
    assert len(price.rejected) == count
    assert (price.off_chain.price, price.off_chain.status) == (expected.price, expected.status)


@pytest.mark.parametrize("mids", [(3000, 3001), (3000, 3001, 3000)])
def test_a_band_that_is_too_wide_says_nothing_and_changes_no_status(mids):
    prices = aggregator()
    venues(prices, *mids)
    pool(prices, "p", 3010, width="0.02")
    price = prices.tick(ETH, 0.0)
    assert same(price, alone(*mids))
    assert price.status is alone(*mids).status
    assert price.rejected == ("p",)
    assert price.off_chain is not None


def test_a_dispute_of_venues_is_ended_by_no_pool():
    prices = aggregator()
    venues(prices, 3000, 3100)
    pool(prices, "p", 3000)
    price = prices.tick(ETH, 0.0)
    assert same(price, alone(3000, 3100))
    assert price.status is price.off_chain.status is DISPUTED


def test_a_pool_takes_no_venues_place_in_the_majority():
    """Of five, three are near to each other; with the pool the others would be as many."""
    mids = (3000, 3000, 3001, 3009, 3009)
    prices = aggregator()
    venues(prices, *mids)
    pool(prices, "p", 3006, width="0.0025")
    price = prices.tick(ETH, 0.0)
    assert set(alone(*mids).sources) <= set(price.sources)
    assert abs(price.price - alone(*mids).price) < 1


def test_a_venue_that_was_rejected_stays_so_and_the_price_is_degraded():
    prices = aggregator()
    venues(prices, 3000, 3000, 3001, 3300)
    pool(prices, "p", 3001)
    price = prices.tick(ETH, 0.0)
    assert (price.status, price.rejected) == (DEGRADED, ("venue3",))
    assert price.on_chain == ("p",)


def test_many_shallow_pools_weigh_less_than_one_that_is_deep():
    prices = aggregator()
    pool(prices, "deep", 3000, depth=1e6)
    for place in range(20):
        pool(prices, f"fake{place}", 3100, depth=40.0, width="0.0001")
    price = prices.tick(ETH, 0.0)
    assert abs(price.price - 3000) < Decimal("0.01")
    assert price.sources == price.on_chain == ("deep",)
    assert len(price.rejected) == 20
    assert price.status is DEGRADED
    assert (price.off_chain.price, price.off_chain.status) == (None, STALE)


def test_pools_alone_are_a_single_source_and_count_as_one():
    prices = aggregator(min_sources=2)
    for name in ("p1", "p2", "p3"):
        pool(prices, name, 3000)
    price = prices.tick(ETH, 0.0)
    assert (price.price, price.status) == (None, STALE)
    assert price.rejected == ("p1", "p2", "p3")


def test_where_too_few_venues_are_fresh_pools_are_none_of_them():
    prices = aggregator(min_sources=2)
    venues(prices, 3000)
    pool(prices, "p", 3000)
    price = prices.tick(ETH, 0.0)
    assert (price.price, price.status) == (None, STALE)
    assert price.off_chain.status is STALE


@pytest.mark.parametrize("rule", ["pyth", "chainlink", "median"])
def test_in_other_rules_they_have_one_vote_as_well(rule):
    prices, without = aggregator(rule=rule), aggregator(rule=rule)
    for each in (prices, without):
        venues(each, 3000, 3002, 3004)
    for place in range(5):
        pool(prices, f"p{place}", 3000)
    price, expected = prices.tick(ETH, 0.0), without.tick(ETH, 0.0)
    assert price.off_chain.price == expected.price
    assert abs(price.price - 3001) <= 1
    assert price.status is OK


def test_a_vote_with_which_a_venue_would_be_rejected_does_not_count():
    """The third of them stands at the gate's edge, and the pool on the other side of the others."""
    mids = (3000, 3000, "3003.2")
    prices = aggregator()
    venues(prices, *mids)
    pool(prices, "p", "2999.1", width="0.0001")
    price = prices.tick(ETH, 0.0)
    assert price.price - price.confidence < Decimal("2999.1")
    assert same(price, alone(*mids))
    assert (price.status, price.rejected) == (DEGRADED, ("p",))


def test_with_their_age_they_say_less():
    fresh, old = (aggregator() for _ in range(2))
    pool(fresh, "p", 3000, now=0.0)
    pool(old, "p", 3000, now=0.0)
    assert old.get_price(ETH, 30.0).confidence > fresh.get_price(ETH, 0.0).confidence


def test_a_price_of_pools_grows_stale_and_says_since_when():
    prices = aggregator()
    pool(prices, "p", 3000)
    price = prices.get_price(ETH, 55.0)
    assert (price.status, price.age, price.off_chain) == (STALE, 55.0, None)
    venues(prices, 3000, now=50.0)
    assert prices.get_price(ETH, 105.0).age == 55.0


def test_a_pool_is_withdrawn_and_leaves_its_place_to_others():
    prices = aggregator()
    for place in range(MOST_SOURCES):
        assert pool(prices, f"p{place}", 3000) is None
    assert pool(prices, "more", 3000) == "too_many"
    prices.withdraw(Venue("p0"), ETH)
    prices.withdraw(Venue("p0"), ETH)
    assert pool(prices, "more", 3000) is None


def test_pools_take_no_venues_room(monkeypatch):
    monkeypatch.setattr("trio_mev.pricing.intake.MOST_NAMES", 2)
    monkeypatch.setattr("trio_mev.pricing.intake.MOST_INSTRUMENTS", 1)
    prices = aggregator()
    assert pool(prices, "p0", 3000) is None
    assert pool(prices, "p1", 3000) is None
    assert not prices.admit(Venue("p2"), POOL)
    assert pool(prices, "p1", 3000, instrument=ETH_USD) == "too_many"
    venues(prices, 3000, 3001)
    assert prices.update_price(Venue("one more"), ETH, Decimal(3000), 0.0) == "too_many"
    assert list(prices.instruments()) == [ETH]


def test_a_pool_stays_one_and_so_does_a_venue():
    prices = aggregator()
    prices.add_price_source(Venue("p"), POOL)
    prices.add_price_source(Venue("p"), POOL, "low_frequency")
    prices.add_price_source(Venue("v"))
    for name, source_type in (("p", "venue"), ("v", POOL)):
        with pytest.raises(ValueError, match="stays what it is"):
            prices.add_price_source(Venue(name), source_type)


def test_their_figures_are_told_with_the_others():
    prices = aggregator()
    venues(prices, 3000, 3001)
    pool(prices, "p", 3300)
    prices.tick(ETH, 0.0)
    prices.tick(ETH, 1.0)
    (stats,) = (one for one in prices.get_source_stats(1.0) if one.source_id == "p")
    assert (stats.type, stats.updates, stats.rejections) == (POOL, 1, 1)
    assert stats.noise[str(ETH)] == pytest.approx(10 / 3**0.5)


def test_one_that_is_switched_off_has_no_say():
    prices = aggregator()
    pool(prices, "p", 3000)
    prices.set_active(Venue("p"), False)
    assert prices.get_price(ETH, 0.0).status is STALE


def test_a_joined_price_is_told_as_it_is_without_pools_even_where_that_is_another():
    """The own price is ok with pools; without them the joined one is better than it."""
    prices, without = aggregator(), aggregator()
    for each in (prices, without):
        venues(each, 3000, 3001, instrument=ETH_USD)
        venues(each, 3000, 3000, 3001)
        venues(each, "1.0", "1.0", "1.0001", instrument=USDC_USD)
    pool(prices, "p", 3001, instrument=ETH_USD)
    price, expected = prices.get_price(ETH_USD, 0.0), without.get_price(ETH_USD, 0.0)
    assert price.via == ()
    assert expected.via == (ETH, USDC_USD)
    assert (price.off_chain.price, price.off_chain.sources) == (expected.price, expected.sources)


STEPS = st.tuples(
    st.sampled_from(["a", "b", "c", "d", "p0", "p1", "p2"]),
    st.sampled_from([ETH, ETH_USD, USDC_USD]),
    st.integers(-400, 400),
    st.floats(0.0, 15.0),
    st.sampled_from(["quote", "quote", "quote", "withdraw", "fault"]),
    st.booleans(),
)


@given(steps=st.lists(STEPS, max_size=60), rule=st.sampled_from(["calibrated", "pyth"]))
def test_the_price_without_pools_is_what_it_would_be_had_none_ever_quoted(steps, rule):
    """Bit for bit: prices, what was learned, and who was rejected."""
    mixed, plain = aggregator(rule=rule), aggregator(rule=rule)
    now = 0.0
    for name, instrument, shift, later, what, tick in steps:
        now += later
        mid = Decimal(3000 if instrument != USDC_USD else 1) * (1 + Decimal(shift) / 100_000)
        on_chain = name.startswith("p")
        for each in (mixed,) if on_chain else (mixed, plain):
            if what == "withdraw":
                each.withdraw(Venue(name), instrument)
            elif what == "fault" and not on_chain:
                each.note_fault(Venue(name), instrument, "malformed")
            elif on_chain:
                pool(each, name, mid, depth=float(abs(shift)), now=now, instrument=instrument)
            else:
                each.update_quote(Venue(name), instrument, mid * Decimal("0.9999"), mid, now)
        for one in (ETH, ETH_USD, USDC_USD):
            if tick and on_chain:
                mixed.tick(one, now, learn=False)
            with_pools = (
                mixed.tick(one, now) if tick and not on_chain else mixed.get_price(one, now)
            )
            other = plain.tick(one, now) if tick and not on_chain else plain.get_price(one, now)
            found = with_pools.off_chain or with_pools
            assert (found.price, found.confidence, found.status, found.sources) == (
                other.price,
                other.confidence,
                other.status,
                other.sources,
            )
    learned = [
        {one.source_id: one for one in each.get_source_stats(now) if one.type != POOL}
        for each in (mixed, plain)
    ]
    assert learned[0] == learned[1]
