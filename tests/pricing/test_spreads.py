"""Spreads on the sides that trade, after both fees."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Quote
from trio_mev.pricing.spreads import executable_spread

ETH = Instrument("ETH", "USDT")
PRICES = st.decimals("0.01", 100_000, places=2)
FEES = st.decimals(0, "0.01", places=4)


def quote(venue: str, bid: str, ask: str, sizes: tuple[str, str] | None = None) -> Quote:
    bid_size, ask_size = (Decimal(s) for s in sizes) if sizes else (None, None)
    return Quote(Venue(venue), ETH, Decimal(bid), Decimal(ask), bid_size, ask_size)


def test_buying_at_the_ask_and_selling_at_the_bid_less_both_fees():
    buy = quote("binance", "1999", "2000", ("9", "3"))
    sell = quote("coinbase", "2020", "2021", ("2", "9"))
    spread = executable_spread(buy, sell, Decimal("0.001"), Decimal("0.005"))
    assert (spread.buy_venue, spread.sell_venue) == ("binance", "coinbase")
    assert (spread.buy_price, spread.sell_price) == (2000, 2020)
    assert spread.net_per_unit == Decimal("7.9")
    assert spread.net_ratio == Decimal("7.9") / Decimal(2002)
    assert spread.size == 2
    assert spread.net == Decimal("15.8")


def test_the_profit_of_a_thousand_is_a_thousand_times_the_gain_over_the_price():
    spread = executable_spread(
        quote("a", "1999", "2000"), quote("b", "2010", "2011"), Decimal(0), Decimal(0)
    )
    assert spread.profit_on(Decimal(1000)) == 5


def test_fees_can_turn_a_gain_into_a_loss():
    spread = executable_spread(
        quote("a", "1999", "2000"), quote("b", "2010", "2011"), Decimal("0.001"), Decimal("0.006")
    )
    assert spread.net_per_unit == Decimal("-4.06")


@pytest.mark.parametrize(
    ("buy_sizes", "sell_sizes"), [(None, ("1", "1")), (("1", "1"), None), (None, None)]
)
def test_an_unknown_size_leaves_the_total_unknown(buy_sizes, sell_sizes):
    spread = executable_spread(
        quote("a", "1", "2", buy_sizes), quote("b", "3", "4", sell_sizes), Decimal(0), Decimal(0)
    )
    assert (spread.size, spread.net) == (None, None)
    assert spread.net_per_unit == 1


@given(PRICES, PRICES, FEES, FEES)
def test_there_and_back_never_pays_where_the_books_do_not_cross(first, second, one_fee, other_fee):
    low, high = sorted((first, second))
    one, other = quote("a", low, high), quote("b", low, high)
    assert executable_spread(one, other, one_fee, other_fee).net_per_unit <= 0
    assert executable_spread(other, one, other_fee, one_fee).net_per_unit <= 0
