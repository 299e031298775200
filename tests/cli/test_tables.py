"""The live view's tables: what is said of a price, and what gives way where there is no room."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from trio_mev.cli.tables import price_table
from trio_mev.model.identity import Instrument
from trio_mev.model.market import Price, PriceStatus

ETH, DOLLAR = Instrument.parse("ETH/USDT"), Instrument.parse("USDT/USD")
ALL = "binance", "bybit", "coinbase", "kraken"


def shown(*prices: Price, width: int = 116) -> list[list[str]]:
    """The rows below the header, in words that are apart by two spaces or more."""
    paper = io.StringIO()
    Console(file=paper, width=width).print(price_table(prices))
    rows = paper.getvalue().splitlines()[1:]
    return [[word.strip() for word in row.split("  ") if word.strip()] for row in rows]


def of(status: PriceStatus, sources: tuple[str, ...], rejected: tuple[str, ...] = ()) -> Price:
    return Price(ETH, Decimal("2984.386"), Decimal("0.338"), status, sources, rejected)


def test_a_price_is_shown_with_its_interval_and_status_and_how_many_agree():
    (row,) = shown(of(PriceStatus.OK, ALL))
    assert row == ["ETH/USDT", "2984.386", "0.338", "ok", "4/4", "—", "—", ", ".join(ALL)]


def test_what_is_rejected_is_named_before_what_is_not():
    (row,) = shown(of(PriceStatus.DEGRADED, ("binance", "coinbase", "kraken"), ("bybit",)))
    assert row[3:5] == ["degraded", "3/4"]
    assert row[-2:] == ["not bybit", "binance, coinbase, kraken"]


def test_only_what_is_rejected_is_red():
    paper = io.StringIO()
    price = of(PriceStatus.OK, ("binance", "coinbase"), ("bybit",))
    console = Console(file=paper, width=116, force_terminal=True, color_system="standard")
    console.print(price_table([price]))
    assert "\x1b[31mnot bybit  \x1b[0mbinance, coinbase" in paper.getvalue()


def test_a_disputed_price_counts_nobody_who_is_rejected_though_it_is_made_of_them():
    (row,) = shown(of(PriceStatus.DISPUTED, ALL, ("bybit", "kraken")))
    assert row[3:5] == ["disputed", "2/4"]
    assert row[-2:] == ["not bybit, kraken", "binance, coinbase"]


def test_a_joined_price_tells_its_legs_and_counts_each():
    sources = "binance ETH/USDT", "coinbase ETH/USDT", "kraken ETH/USDT", "kraken USDT/USD"
    joined = Price(
        Instrument("ETH", "USD"),
        Decimal("2983.2"),
        Decimal("0.8"),
        PriceStatus.DEGRADED,
        sources,
        ("bybit ETH/USDT",),
        via=(ETH, DOLLAR),
    )
    (row,) = shown(joined)
    assert row[3:5] == ["degraded", "3/4 × 1/1"]
    assert row[-2:] == ["ETH/USDT × USDT/USD", "not bybit"]


def test_where_nothing_is_known_nothing_is_made_up():
    (row,) = shown(Price(ETH, None, None, PriceStatus.STALE, ()))
    assert row == ["ETH/USDT", "—", "—", "stale", "0/0", "—", "—"]


@pytest.mark.parametrize("width", [76, 90, 116, 200])
def test_a_long_list_of_sources_takes_no_room_from_the_price(width: int):
    many = tuple(f"venue-{number}" for number in range(30))
    (row,) = shown(of(PriceStatus.OK, many), width=width)
    assert row[:5] == ["ETH/USDT", "2984.386", "0.338", "ok", "30/30"]


def test_prices_stand_in_the_order_of_their_instruments():
    dollar = Price(DOLLAR, Decimal("0.9996"), Decimal("0.0002"), PriceStatus.OK, ALL)
    assert [row[0] for row in shown(dollar, of(PriceStatus.OK, ALL))] == ["ETH/USDT", "USDT/USD"]
