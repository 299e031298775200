"""Nouns of the markets: the middle of a quote, the gain of a spread."""

from __future__ import annotations

from decimal import Decimal

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Price, PriceStatus, Quote, Spread

ETH = Instrument("ETH", "USDT")
BINANCE, COINBASE = Venue("binance"), Venue("coinbase")


def test_the_middle_of_a_quote_is_half_way():
    assert Quote(BINANCE, ETH, Decimal("1999.99"), Decimal("2000.02")).mid == Decimal("2000.005")


def test_the_profit_of_a_thousand_is_the_relative_gain_and_not_the_difference_times_a_thousand():
    spread = Spread(
        ETH,
        BINANCE,
        COINBASE,
        Decimal(2000),
        Decimal(2010),
        None,
        net_per_unit=Decimal(10),
        net_ratio=Decimal(10) / Decimal(2000),
        net=None,
    )
    assert spread.profit_on(Decimal(1000)) == Decimal(5)


def test_a_newer_quote_or_price_replaces_the_one_of_its_key():
    eth = Instrument("ETH", "USD")
    quote = Quote(Venue("alpha"), eth, Decimal(1), Decimal(2))
    assert quote.key == (Venue("alpha"), eth)
    assert Price(eth, None, None, PriceStatus.STALE, ()).key == eth
