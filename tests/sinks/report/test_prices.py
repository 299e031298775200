"""Prices: each with its interval, its sources and its troubles, in bounded room."""

from __future__ import annotations

from decimal import Decimal

from tests.support.reports import ETH, NOTHING, collected, event, price, quote, report_of
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import PriceStatus
from trio_mev.processors.pool_prices import PoolQuote
from trio_mev.sinks.report import prices as keeping
from trio_mev.sinks.report.charts.prices import outside, price_range
from trio_mev.sinks.report.charts.prices import price as chart
from trio_mev.sinks.report.tables import prices as tables

BINANCE, KRAKEN = Venue("binance"), Venue("kraken")


def test_a_price_has_its_interval_and_each_source_its_mid():
    report = report_of(
        quote(1.0, 100.0), quote(2.0, 104.0, "kraken"), price(2.0, 102.0, half=3.0), price(3.0)
    )
    (part,) = report.prices
    assert part.points == ((2.0, 102.0), (3.0, 100.0))
    assert part.low == ((2.0, 99.0), (3.0, 99.0))
    assert part.high == ((2.0, 105.0), (3.0, 101.0))
    assert [(s.venue, s.points, s.quotes) for s in part.sources] == [
        ("binance", ((1.0, 100.0),), 1),
        ("kraken", ((2.0, 104.0),), 1),
    ]
    assert (part.least, part.greatest, str(part.last)) == (100.0, 102.0, "100.0")


def test_without_a_price_the_line_is_broken_and_the_time_is_counted():
    report = report_of(
        price(0.0),
        price(10.0, None, PriceStatus.STALE),
        price(14.0, status=PriceStatus.DEGRADED),
        price(15.0),
        price(20.0),
    )
    (part,) = report.prices
    assert part.points == ((0.0, 100.0), None, (14.0, 100.0), (15.0, 100.0), (20.0, 100.0))
    spans = [(one.start, one.end, one.state) for one in part.troubles]
    assert spans == [(10.0, 14.0, "stale"), (14.0, 15.0, "degraded")]
    assert part.seconds == {"ok": 15.0, "stale": 4.0, "degraded": 1.0}
    drawn = chart(report, part)
    assert [one["fillcolor"] for one in drawn["layout"]["shapes"]] == ["#8b95a1", "#b8941f"]
    bands = [one for one in drawn["data"] if one["name"] == "95 % interval"]
    assert len(bands) == 4  # two ends of two pieces
    assert sum(one["showlegend"] for one in bands) == 1


def test_who_was_rejected_is_counted_and_who_was_not_heard_is_named():
    more = {"sources": (BINANCE,), "rejected": (KRAKEN, Venue("pool"))}
    report = report_of(quote(0.0, venue="kraken"), price(1.0, **more), price(2.0, **more))
    (part,) = report.prices
    assert tables.sources(part).rows == [["kraken", "1", "2", "100.0%"]]
    assert part.unheard == ("binance", "pool")
    assert tables.prices(report).rows[0][-1] == "kraken, binance, pool"


def test_a_joined_price_says_by_way_of_what():
    via = (Instrument("ETH", "USDC"), Instrument("USDC", "USDT"))
    report = report_of(price(1.0, via=via, sources=(Venue("binance ETH/USDC"),)))
    assert tables.prices(report).rows[0][-1] == "ETH/USDC × USDC/USDT"


def test_quotes_without_a_price_are_drawn_all_the_same():
    report = report_of(quote(1.0), quote(2.0))
    (part,) = report.prices
    drawn = chart(report, part)
    assert [one["name"] for one in drawn["data"]] == ["binance"]
    assert (price_range(part), outside(part)) == (None, 0)
    assert tables.prices(report).rows[0][1:5] == ["—", "—", "—", "—"]
    assert tables.sources(part).rows == [["binance", "2", "0", "—"]]


def test_a_quote_ten_times_too_high_is_outside_of_what_is_shown_at_first():
    events = [price(float(n), 100.0 + n % 3) for n in range(50)]
    report = report_of(*events, quote(10.0, 101.0), quote(11.0, 1010.0))
    (part,) = report.prices
    low, high = price_range(part) or (0.0, 0.0)
    assert 98.0 < low < 99.5
    assert 102.5 < high < 104.0
    assert outside(part) == 1


def test_a_price_that_never_moves_has_a_range_too():
    (part,) = report_of(price(1.0, 0.0, half=0.0)).prices
    assert price_range(part) == (-1.0, 1.0)


def test_instruments_and_sources_are_bounded_and_the_others_are_said(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_INSTRUMENTS", 3)
    monkeypatch.setattr(keeping, "MOST_SOURCES", 4)
    monkeypatch.setattr(keeping, "MOST_POOLS", 2)
    monkeypatch.setattr(keeping, "MOST_TROUBLES", 4)
    coins = [Instrument(f"C{n}", "USDT") for n in range(5)]
    events = [price(1.0, instrument=coin) for coin in coins]
    events += [quote(1.0, instrument=coin) for coin in coins]
    events += [quote(1.0, venue=f"v{n}", instrument=coins[0]) for n in range(9)]
    flapping = (PriceStatus.DEGRADED, PriceStatus.DISPUTED)
    events += [price(2.0 + n, status=flapping[n % 2], instrument=coins[0]) for n in range(9)]
    report = report_of(*events)
    assert [part.instrument for part in report.prices] == ["C0/USDT", "C1/USDT", "C2/USDT"]
    assert report.more_prices == 2
    assert tables.prices(report).note == "2 more instruments are not shown."
    first = report.prices[0]
    assert len(first.sources) == 2
    assert first.unheard == tuple(f"v{n}" for n in range(1, 8))  # named, up to a number
    assert tables.prices(report).rows[0][-1] == "binance, v0, v1, v2 and 5 more"


def test_the_line_of_a_source_that_fell_silent_is_cut():
    report = report_of(quote(0.0), quote(10.0), event(DataType.TRADE, None, 11.0), quiet=5.0)
    assert report.prices[0].sources[0].points == ((0.0, 100.0), None, (10.0, 100.0))


def pool(number: int, mid: int, depth: int, instrument: Instrument = ETH) -> PoolQuote:
    venue = Venue(f"uniswap_v3:0x{number:040x}")
    return PoolQuote(venue, instrument, Decimal(mid - 1), Decimal(mid + 1), Decimal(depth))


def test_pools_are_sources_too_and_the_deepest_have_lines():
    pools = [pool(number, 100 + number, depth=number) for number in range(12)]
    collector = collected([price(1.0)])
    collector.pool_quotes = lambda view: view
    collector.take(event(DataType.POOLS, pools, 2.0, "PoolTracker"))
    collector.take(event(DataType.POOLS, pools[::-1], 14.0, "PoolTracker"))
    collector.take(quote(15.0))
    report = collector.report(NOTHING)
    (part,) = report.prices
    told = [one for one in part.sources if one.pool]
    assert [one.points for one in told] == [
        ((2.0, 100.0 + number), (14.0, 100.0 + number)) for number in range(4, 12)
    ]
    assert [one.venue for one in part.sources if not one.pool] == ["binance"]
    assert len(part.unheard) == 4  # and these are named
    drawn = {one["name"]: one for one in chart(report, part)["data"]}
    assert drawn["uniswap_v3:0x0000…0004"]["line"]["dash"] == "dot"
    assert drawn["binance"]["line"]["dash"] == "solid"


def test_pools_that_are_no_sources_have_no_lines():
    report = report_of(price(1.0), event(DataType.POOLS, [pool(1, 100, 1)], 2.0, "PoolTracker"))
    assert report.prices[0].sources == ()


def test_pools_of_more_instruments_than_there_is_room_for_are_left_out(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_INSTRUMENTS", 1)
    collector = collected([price(1.0)])
    collector.pool_quotes = lambda view: view
    other = pool(1, 5, 5, Instrument("BTC", "USDT"))
    collector.take(event(DataType.POOLS, [other], 2.0, "PoolTracker"))
    assert collector.report(NOTHING).more_prices == 1
