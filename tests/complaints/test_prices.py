"""What users of other libraries complained of, as far as it concerns prices: it is right here.
Each test names where the complaint was made."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
import trio

from tests.complaints.scripted import binance, confirm_streams, meanwhile, ticker
from tests.support.peer import Peer, PeerConnection
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.health import HealthIssue
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import PriceStatus
from trio_mev.model.settings import PriceSettings, StreamConfig
from trio_mev.pricing.aggregator import PriceFeedAggregator
from trio_mev.processors.prices import PriceDataProcessor
from trio_mev.stream import open_stream

ETH = Instrument("ETH", "USD")
THREE = Venue("a"), Venue("b"), Venue("c")
STEP = 0.1

Quoted = tuple[float, float, float] | None
"""Bid, ask, and the event's time, of the bad source; None where it says nothing."""


def market(seed: int = 1) -> Callable[[float], float]:
    """A price that moves by a basis point a second, in dollars."""
    rng = random.Random(seed)
    course = [2000.0]
    for _ in range(20_000):
        course.append(course[-1] * (1 + rng.gauss(0, 1e-4 * STEP**0.5)))
    return lambda at: course[round(at / STEP)]


def bad_stuck(now: float, price: float) -> Quoted:
    return 2000.0, 2000.2, now


def bad_scaled(now: float, price: float) -> Quoted:
    return price * 10, price * 10 + 0.2, now


def bad_sign(now: float, price: float) -> Quoted:
    return -price - 0.1, -price + 0.1, now


def bad_jumping(now: float, price: float) -> Quoted:
    off = random.Random(round(now * 10)).uniform(-0.3, 0.3)
    return price * (1 + off) - 0.1, price * (1 + off) + 0.1, now


def bad_crossed(now: float, price: float) -> Quoted:
    return price + 5, price - 5, now


def bad_yesterday(now: float, price: float) -> Quoted:
    return 1500.0, 1500.2, now - 86_400


@pytest.mark.parametrize(
    "bad", [bad_stuck, bad_scaled, bad_sign, bad_jumping, bad_crossed, bad_yesterday]
)
def test_one_bad_venue_of_three_neither_halts_the_price_nor_moves_it(bad):
    """celo-oracle 57 and setzer 14: one bad venue halted or poisoned the price."""
    aggregator, price_at = PriceFeedAggregator(PriceSettings()), market()
    noise = random.Random(2)
    outside, told = 0, 0
    for step in range(6000):
        now = step * STEP
        true = price_at(now)
        for venue in THREE:
            quoted: Quoted = true - 0.1, true + 0.1, now
            if venue == "c" and step > 3000:
                quoted = bad(now, true)
            elif noise.random() > 0.5:
                quoted = None
            if quoted is not None:
                bid, ask = (Decimal(f"{side:.2f}") for side in quoted[:2])
                aggregator.update_quote(venue, ETH, bid, ask, now, quoted[2])
        price = aggregator.tick(ETH, now)
        if step > 3000:
            assert price.price is not None
            assert price.status is not PriceStatus.STALE
            told += 1
            outside += abs(float(price.price) - true) > float(price.confidence or 0)
            # It is the two sound ones' price, to a few basis points.
            assert abs(float(price.price) / true - 1) < 5e-4
    assert outside <= 0.02 * told


def test_old_ticks_that_are_served_again_count_for_nothing():
    """rippled 7167 and multidex 17: old ticks came again with the same time, and their samples
    said what time it is."""
    aggregator = PriceFeedAggregator(PriceSettings())
    for n in range(30):
        now = float(n)
        for venue in THREE[:2]:
            mid = Decimal(2000 + n)
            aggregator.update_quote(venue, ETH, mid, mid + 1, now, now)
        old = Decimal(1990)
        again = aggregator.update_quote(THREE[2], ETH, old, old + 1, now, 0.0)
        assert again == (None if n == 0 else "repeated")
    price = aggregator.tick(ETH, 29.0)
    assert aggregator.max_age(THREE[2]) == 50.0
    assert aggregator.get_price(ETH, 50.1).sources == ("a", "b")
    assert abs(price.price - Decimal("2029.5")) < Decimal("0.5")
    # What is old is old by our one clock, whatever came last.
    assert aggregator.get_price(ETH, 29.0 + 61).status is PriceStatus.STALE


def test_the_gate_follows_a_true_trend():
    """multidex 17: the gate froze in a true trend, and stayed where the price had been."""
    aggregator = PriceFeedAggregator(PriceSettings())
    worst = 0.0
    for step in range(1200):
        now = step * STEP
        true = 2000.0 * (1.2 ** min(1.0, max(0.0, now - 60)) if now > 60 else 1.0)
        for place, venue in enumerate(THREE):
            if step % (place + 2) == 0:
                bid = Decimal(f"{true - 0.1:.2f}")
                aggregator.update_quote(venue, ETH, bid, bid + Decimal("0.2"), now, now)
        price = aggregator.tick(ETH, now)
        assert price.price is not None
        if now > 63:  # the move was over at 61
            worst = max(worst, abs(float(price.price) / true - 1))
    assert worst < 2e-3
    assert price.status is PriceStatus.OK


async def test_the_time_from_event_to_arrival_is_known_and_reported(nursery, autojump_clock):
    """cryptofeed 426: nobody saw that what arrived was minutes old."""

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await meanwhile(peer, falling_behind)

    async def falling_behind(peer: PeerConnection) -> None:
        for second in range(1, 400):
            await trio.sleep(1)
            # A twentieth of every second is lost on the way.
            await peer.send(ticker(1_700_000_000_000 + 950 * second))

    feed = binance(Peer(nursery, script), "ticker")
    feed.wall = lambda: 1_700_000_000_000_000_000 + int(trio.current_time() * 1e9)
    told: list[HealthIssue] = []
    lags: list[float] = []
    config = StreamConfig(health_interval=10.0)
    async with open_stream([feed], [PriceDataProcessor], config=config) as stream:
        stream.add_event_handler(DataType.HEALTH, lambda event: told.append(event.data))
        stream.add_event_handler(DataType.QUOTE, lambda event: lags.append(event.lag))
        await trio.sleep(300)
        assert ("quote_lag", "binance ETH/USDT") in {
            (issue.kind, issue.where) for issue in stream.health().issues
        }
    late = [issue for issue in told if issue.kind == "quote_lag"]
    assert [(issue.where, issue.over) for issue in late] == [("binance ETH/USDT", False)]
    assert lags[99] == pytest.approx(5.0, abs=0.01)
    assert lags == sorted(lags)


async def test_an_instrument_that_falls_silent_is_reported_though_its_socket_is_busy(
    nursery, autojump_clock
):
    """cryptofeed 223 and nautilus_trader 4298: silence was judged by the socket; a feed that is
    quiet by nature was cut, and a dead book beside a busy one was not seen."""

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await meanwhile(peer, talk)

    async def talk(peer: PeerConnection) -> None:
        for second in range(1, 300):
            await trio.sleep(1)
            if second < 20:
                await peer.send(ticker(1000 * second))
            await peer.send(ticker(1000 * second).replace("ETHUSDT", "BTCUSDT"))

    feed = binance(Peer(nursery, script), "bookTicker")
    feed.wall = lambda: int(trio.current_time() * 1e9)
    feed.subscribe(Instrument("BTC", "USDT"))
    told: list[DataEvent] = []
    config = StreamConfig(health_interval=10.0)
    async with open_stream([feed], [PriceDataProcessor], config=config) as stream:
        stream.add_event_handler(DataType.HEALTH, told.append)
        await trio.sleep(200)
        assert (feed.status.state, feed.status.connections) == (FeedState.READY, 1)
    issues = {(event.data.kind, event.data.where, event.data.over) for event in told}
    assert issues == {("quote_late", "binance ETH/USDT", False)}
