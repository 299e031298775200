"""What the demo shows of prices when one venue goes wrong."""

from __future__ import annotations

from functools import partial

import attrs
import pytest
import trio

from tests.devnet.exchanges.market import BAD_TICK, BITFINEX, CROSSED, STUCK
from trio_mev import PriceDataProcessor, ReplayFeed, open_stream, replay_clock
from trio_mev.loopback.demo import TAPE
from trio_mev.model.event import DataType
from trio_mev.model.market import MarketFault, Price, PriceStatus, Spread


@attrs.frozen
class Shown:
    prices: list[tuple[float, Price]]
    spreads: list[tuple[float, Spread]]
    faults: list[tuple[float, MarketFault]]
    refused: dict[str, dict[str, int]]

    def within(self, instrument: str, start: float, end: float) -> list[Price]:
        """The prices of an instrument that were told in a part of the tape, in seconds."""
        told = [(at, p) for at, p in self.prices if str(p.instrument) == instrument]
        return [price for at, price in told if start <= at < end]


@pytest.fixture(scope="module")
def shown() -> Shown:
    """Everything that the tape makes known of prices."""
    seen = Shown([], [], [], {})
    kept = {DataType.PRICE: seen.prices, DataType.ARBITRAGE: seen.spreads}
    kept[DataType.FAULT] = seen.faults

    async def play() -> None:
        feed = ReplayFeed([TAPE])
        async with (
            open_stream([feed], [PriceDataProcessor]) as stream,
            stream.subscribe(*kept) as told,
        ):
            async for event in told:
                kept[event.event_type].append((event.received_at, event.data))
        seen.refused.update((status.name, dict(status.refused)) for status in feed.statuses)

    trio.run(partial(play), clock=replay_clock(None))
    return seen


@pytest.mark.parametrize(
    ("instrument", "sources"),
    [("ETH/USDT", 4), ("BTC/USDT", 4), ("ETH/USD", 3), ("USDT/USD", 3)],
)
def test_a_price_is_ok_nearly_always_and_all_its_sources_agree(shown, instrument, sources):
    told = shown.within(instrument, 10.0, 40.0)
    good = [p for p in told if p.status is PriceStatus.OK and len(p.sources) == sources]
    assert len(told) > 25
    assert len(good) > 0.9 * len(told)


def test_what_nobody_quotes_is_had_from_two_others(shown):
    told = shown.within("BTC/USD", 10.0, 40.0)
    assert {tuple(map(str, p.via)) for p in told} == {("BTC/USDT", "USDT/USD")}
    assert {p.status for p in told} == {PriceStatus.OK}


@pytest.mark.parametrize("instrument", sorted(STUCK.instruments))
def test_a_stuck_venue_is_rejected_while_the_others_move_on(shown, instrument):
    before = shown.within(instrument, 0.0, STUCK.start / 1000)[-1]
    # What the pools' prices do at 48 s, the exchanges have done by 55 s.
    meanwhile = shown.within(instrument, 55.0, STUCK.end / 1000)
    assert {p.rejected for p in meanwhile} == {("bybit",)}
    assert {p.status for p in meanwhile} == {PriceStatus.DEGRADED}
    assert before.price is not None
    assert all(p.price < before.price * 998 / 1000 for p in meanwhile)
    after = shown.within(instrument, STUCK.end / 1000 + 2, STUCK.end / 1000 + 4)
    assert {p.status for p in after} == {PriceStatus.OK}


def test_a_tick_that_is_ten_times_too_high_moves_nothing(shown):
    start, end = BAD_TICK.start / 1000, BAD_TICK.end / 1000
    before = shown.within("BTC/USDT", 0.0, start)[-1]
    meanwhile = shown.within("BTC/USDT", start, end)
    assert {p.rejected for p in meanwhile} == {("kraken",)}
    assert all(abs(p.price / before.price - 1) < 0.001 for p in meanwhile)
    assert not [s for at, s in shown.spreads if start <= at < end]


def test_a_crossed_book_is_refused_and_told(shown):
    assert {name: refused for name, refused in shown.refused.items() if refused} == {
        BITFINEX: {"crossed_book": 1}
    }
    ((at, fault),) = shown.faults
    assert CROSSED.start / 1000 <= at < CROSSED.end / 1000
    assert (fault.venue, str(fault.instrument), fault.reason) == (
        "bitfinex", "ETH/USD", "crossed_book"
    )  # fmt: skip
    around = shown.within("ETH/USD", at - 1.0, at + 2.0)
    assert {p.status for p in around} == {PriceStatus.OK}


def test_spreads_open_where_a_venue_is_dislocated_and_against_the_stuck_one(shown):
    venues = [{s.buy_venue, s.sell_venue} for _, s in shown.spreads]
    assert sum("coinbase" in pair for pair in venues) > 15
    stuck = [s for at, s in shown.spreads if STUCK.start / 1000 <= at < STUCK.end / 1000]
    assert stuck
    assert {s.sell_venue for s in stuck} == {"bybit"}
