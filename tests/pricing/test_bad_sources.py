"""One bad source of three, and of five: it neither halts the price nor carries it away.

The good ones quote every second around a price that moves by 1 bp a root second; their errors
are 0.5 and 1 bp. The bad one has been as good for five minutes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from math import exp

import attrs
import pytest

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing.aggregator import PriceFeedAggregator

ETH = Instrument("ETH", "USD")
GOOD, BAD = [Venue(name) for name in "abcd"], Venue("bad")
OK, DEGRADED = PriceStatus.OK, PriceStatus.DEGRADED
DISPUTED, STALE = PriceStatus.DISPUTED, PriceStatus.STALE
WARM = 300
FALSE = 120
"""Seconds for which the bad one is bad."""

Quote = tuple[Decimal, Decimal, float]
"""Bid, ask, time of the event."""
Wrong = Callable[[float, Quote, random.Random], Quote | None]
"""Time, what a good source would say, and chance, to what the bad one says."""


def stuck(now: float, right: Quote, dice: random.Random) -> Quote | None:
    """The connection stands; nothing comes."""
    return None


def restamped(now: float, right: Quote, dice: random.Random) -> Quote | None:
    """The same prices for ever, each time with a new time."""
    return Decimal(2000), Decimal(2001), now


def scaled(now: float, right: Quote, dice: random.Random) -> Quote | None:
    return right[0] * 10, right[1] * 10, now


def flipped(now: float, right: Quote, dice: random.Random) -> Quote | None:
    return -right[1], -right[0], now


def jumping(now: float, right: Quote, dice: random.Random) -> Quote | None:
    factor = Decimal(dice.choice(["0.9", "0.97", "1.005", "1.03", "1.2"]))
    return right[0] * factor, right[1] * factor, now


def crossed(now: float, right: Quote, dice: random.Random) -> Quote | None:
    return right[1] + 5, right[0] - 5, now


def yesterdays(now: float, right: Quote, dice: random.Random) -> Quote | None:
    return right[0] * 2, right[1] * 2, now - 86_400


def near(now: float, right: Quote, dice: random.Random) -> Quote | None:
    return right[0] * Decimal("1.005"), right[1] * Decimal("1.005"), now


@attrs.define
class Run:
    """What came out while one source was bad, and after it."""

    truths: list[Decimal]
    prices: list[Price]
    after: Price
    prices_of: PriceFeedAggregator


def run(wrong: Wrong, good: int, seed: int = 3) -> Run:
    dice = random.Random(seed)
    prices = PriceFeedAggregator(PriceSettings())
    for venue in (*GOOD[:good], BAD):
        prices.add_price_source(venue, "venue", "high_frequency")
    truth, truths, found, last = 0.0, [], [], None
    for second in range(WARM + FALSE + 60):
        truth += dice.gauss(0.0, 1.0)
        false = WARM <= second < WARM + FALSE
        for place, venue in enumerate((*GOOD[:good], BAD)):
            now = second + 0.1 * place
            mid = 2000 * exp((truth + dice.gauss(0.0, 0.5 + 0.5 * (place % 2))) / 1e4)
            quote = Decimal(f"{mid - 0.05:.2f}"), Decimal(f"{mid + 0.05:.2f}"), now
            if venue == BAD and false:
                quote = wrong(now, quote, dice)
            if quote is not None:
                prices.update_quote(venue, ETH, quote[0], quote[1], now, quote[2])
        last = prices.tick(ETH, second + 0.5)
        if false:
            truths.append(Decimal(2000 * exp(truth / 1e4)))
            found.append(last)
    return Run(truths, found, last, prices)


WRONG = [stuck, restamped, scaled, flipped, jumping, crossed, yesterdays, near]
each = pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)


@each
@pytest.mark.parametrize("good", [2, 4])
def test_there_is_a_price_all_the_time_and_the_truth_is_in_its_interval(wrong, good):
    out = run(wrong, good)
    held = [
        abs(price.price - truth) <= price.confidence
        for price, truth in zip(out.prices, out.truths, strict=True)
    ]
    assert sum(held) / len(held) >= 0.9
    assert all(price.status is not STALE for price in out.prices)


@each
@pytest.mark.parametrize("good", [2, 4])
def test_the_price_is_never_carried_away(wrong, good):
    """Ten basis points, with 4 of error in the quotes and 1 a root second of age."""
    out = run(wrong, good)
    off = [abs(p.price / t - 1) for p, t in zip(out.prices, out.truths, strict=True)]
    assert max(off) < Decimal("0.0010")


@each
def test_it_is_as_good_as_the_others_soon_after(wrong):
    out = run(wrong, good=4)
    assert out.after.status is OK
    assert BAD in out.after.sources


@pytest.mark.parametrize("wrong", [scaled, flipped, crossed, yesterdays, stuck])
def test_of_three_a_source_that_is_absurd_is_no_dispute_for_long(wrong):
    """The other two go on by themselves; at once where it is refused, else when both have
    quoted again."""
    statuses = [price.status for price in run(wrong, good=2).prices]
    assert statuses.count(DISPUTED) <= 2
    assert set(statuses[20:]) == {DEGRADED}


def test_of_three_a_source_that_is_a_little_off_is_a_dispute_that_spans_it():
    """Which camp is right cannot be known."""
    out = run(near, good=2)
    for price, truth in zip(out.prices, out.truths, strict=True):
        assert price.status is DISPUTED
        assert price.rejected == (BAD,)
        assert price.price + price.confidence > truth * Decimal("1.005")


@pytest.mark.parametrize("wrong", [scaled, jumping, near])
def test_of_five_a_bad_source_is_rejected_and_named(wrong):
    rejected = [price for price in run(wrong, good=4).prices[60:] if price.rejected]
    assert len(rejected) >= 40
    assert {price.status for price in rejected} == {DEGRADED}
    assert {price.rejected for price in rejected} == {(BAD,)}


@pytest.mark.parametrize("wrong", [scaled, flipped, jumping, crossed, yesterdays, near])
def test_what_a_bad_source_does_costs_it_its_reliability_and_nobody_else(wrong):
    dice = random.Random(1)
    prices = PriceFeedAggregator(PriceSettings())
    for second in range(300):
        for place, venue in enumerate((*GOOD, BAD)):
            now = second + 0.1 * place
            quote = Decimal("1999.95"), Decimal("2000.05"), now
            if venue == BAD:
                quote = wrong(now, quote, dice)
            prices.update_quote(venue, ETH, quote[0], quote[1], now, quote[2])
        prices.tick(ETH, second + 0.5)
    *good, bad = prices.get_source_stats(300.0)
    assert bad.reliability < 0.15
    assert [source.reliability for source in good] == [1.0] * 4


# What users of other aggregators have met


def test_a_quiet_instrument_is_not_stale_because_another_is_busy_nor_fresh():
    """A feed that is naturally quiet keeps its price for ten of its intervals; another
    instrument's quotes of the same source do not keep a dead one alive."""
    prices = PriceFeedAggregator(PriceSettings())
    btc = Instrument("BTC", "USD")
    prices.add_price_source(GOOD[0], "venue", "normal")
    prices.update_price(GOOD[0], ETH, Decimal(2000), 0.0)
    for second in range(60):
        prices.update_price(GOOD[0], btc, Decimal(60_000), float(second))
        status = DEGRADED if second <= 50 else STALE
        assert prices.tick(ETH, float(second)).status is status
        assert prices.tick(btc, float(second)).status is DEGRADED


def test_a_socket_that_repeats_old_data_is_judged_by_the_events_time():
    """It is alive, but what it says is old: the price goes stale though quotes come."""
    prices = PriceFeedAggregator(PriceSettings())
    for second in range(60):
        for venue in GOOD[:3]:
            refused = prices.update_price(venue, ETH, Decimal(2000), float(second), at=0.0)
            assert refused == (None if second == 0 else "repeated")
        assert prices.tick(ETH, float(second)).status is (OK if second <= 50 else STALE)


def test_a_venue_whose_decimals_are_wrong_changes_no_price_and_joins_none():
    """Twelve digits off, as a token's decimals can be."""
    prices = PriceFeedAggregator(PriceSettings())
    for second in range(5):
        for venue in GOOD:
            prices.update_price(venue, ETH, Decimal(2000), float(second))
        prices.update_price(BAD, ETH, Decimal(2000) * 10**12, float(second))
        found = prices.tick(ETH, float(second))
        assert (found.price, found.status, found.rejected) == (2000, DEGRADED, (BAD,))


def test_an_outlier_gate_does_not_freeze_while_the_price_really_moves():
    """One percent a second for a minute, at every source."""
    prices = PriceFeedAggregator(PriceSettings())
    value = Decimal(2000)
    for second in range(60):
        value *= Decimal("1.01")
        for place, venue in enumerate(GOOD):
            prices.update_price(venue, ETH, value, second + place / 10)
        found = prices.tick(ETH, second + 0.5)
        assert abs(found.price / value - 1) < Decimal("0.001")
        assert found.status is OK


def test_samples_of_a_stale_source_do_not_define_now():
    """Ages are by one clock: ours. A source with an hour-old clock is refused, and alone makes
    no price; that the others are newer than it makes nothing of theirs future."""
    prices = PriceFeedAggregator(PriceSettings())
    assert prices.update_price(BAD, ETH, Decimal(1000), 3600.0, at=0.0) == "too_old"
    assert prices.get_price(ETH, 3600.0).status is STALE
    for venue in GOOD[:3]:
        assert prices.update_price(venue, ETH, Decimal(2000), 3600.0, at=3599.9) is None
    assert prices.get_price(ETH, 3600.0).price == 2000
