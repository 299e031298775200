"""Prices that were seen when a block was made: read from lines, looked up by the second."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inspect.blocks import WETH
from tests.inspect.test_peer import BLOCKS
from tests.inspect.test_traces_peer import read
from trio_mev.chain.contracts.assets import ASSETS, DECIMALS, TOKENS
from trio_mev.errors import MalformedFrame
from trio_mev.inspect import Prices, inspect_block, read_parity_file, read_prices
from trio_mev.inspect.prices import MAX_AGE, Rate, whole
from trio_mev.model.intents import ETHER

INFINITY = Decimal("Infinity")


def line(instrument: str, price: str | None, second: float, **more: Any) -> bytes:
    told = {"kind": "price", "instrument": instrument, "price": price}
    return msgspec.json.encode({**told, "seen_at": round(second * 10**9), **more})


def history(*lines: bytes) -> Prices:
    return read_prices(lines)


def price_at(prices: Prices, second: int) -> Decimal | None:
    found = prices.at(second).rate("ETH", "USDT")
    return None if found is None else found.price


def test_the_last_price_that_was_seen_holds():
    prices = history(line("ETH/USDT", "2000.5", 100), line("ETH/USDT", "2001", 105))
    assert [price_at(prices, second) for second in (99, 100, 104, 105, 106)] == [
        None,
        Decimal("2000.5"),
        Decimal("2000.5"),
        Decimal(2001),
        Decimal(2001),
    ]
    assert len(prices) == 2


def test_lines_may_come_in_any_order_and_the_last_of_a_second_counts():
    told = [line("ETH/USDT", str(2000 + n), 100 + n / 10) for n in (3, 9, 1, 5)]
    assert price_at(history(*told), 101) == 2009
    assert len(history(*told)) == 1


def test_what_is_seen_within_a_second_is_not_known_before_its_end():
    assert price_at(history(line("ETH/USDT", "2000", 100.001)), 100) is None


def test_a_price_holds_for_a_minute():
    prices = history(line("ETH/USDT", "2000", 100))
    assert price_at(prices, 100 + MAX_AGE) == 2000
    assert price_at(prices, 101 + MAX_AGE) is None


@pytest.mark.parametrize("how", [{"status": "disputed"}, {"status": "stale"}, {"price": None}])
def test_while_nobody_can_be_believed_there_is_no_price(how: dict):
    bad = msgspec.json.encode({**msgspec.json.decode(line("ETH/USDT", "1", 101)), **how})
    prices = history(line("ETH/USDT", "2000", 100), bad, line("ETH/USDT", "2002", 103))
    assert [price_at(prices, second) for second in (100, 101, 102, 103)] == [2000, None, None, 2002]


def test_the_price_without_pools_is_taken_where_there_are_pools():
    own = {"price": "2000", "confidence": "1", "status": "degraded", "sources": []}
    prices = history(line("ETH/USDT", "2050", 100, confidence="9", off_chain=own))
    assert prices.at(100).rate("ETH", "USDT") == Rate(Decimal(2000), Decimal(1999), Decimal(2001))


def test_without_a_width_nobody_knows_what_it_is_between():
    rate = history(line("ETH/USDT", "2000", 100)).at(100).rate("ETH", "USDT")
    assert rate == Rate(Decimal(2000), Decimal(0), INFINITY)
    assert rate.over() == Rate(Decimal("0.0005"), Decimal(0), INFINITY)


def test_a_width_beyond_the_price_ends_at_nothing():
    rate = history(line("ETH/USDT", "2", 100, confidence="5")).at(100).rate("ETH", "USDT")
    assert rate == Rate(Decimal(2), Decimal(0), Decimal(7))


def test_the_other_way_round_and_through_a_third():
    rates = history(
        line("ETH/USDT", "2000", 100, confidence="0"),
        line("USDT/USD", "0.5", 100, confidence="0.1"),
        line("WBTC/ETH", "20", 100, confidence="1"),
    ).at(100)
    assert rates.rate("USDT", "ETH") == Rate(*[Decimal("0.0005")] * 3)
    assert rates.rate("ETH", "USD") == Rate(Decimal(1000), Decimal(800), Decimal(1200))
    assert rates.rate("WBTC", "USDT") == Rate(Decimal(40000), Decimal(38000), Decimal(42000))
    assert rates.rate("ETH", "ETH") == Rate(*[Decimal(1)] * 3)
    assert rates.rate("ETH", "DAI") is None


def test_three_currencies_are_three():
    """A dollar of a bank's is no tether, unless somebody says what that is worth."""
    rates = history(line("ETH/USDT", "2000", 100)).at(100)
    assert rates.in_usd({WETH: 10**18}) is None


def test_amounts_are_worth_what_all_of_them_are():
    rates = history(line("ETH/USD", "2000.25", 100), line("USDC/USD", "0.999", 100)).at(100)
    amounts = {WETH: 2 * 10**18, ETHER: -(10**18), TOKENS["USDC"]: 500_000}
    assert rates.in_usd(amounts) == Decimal("2000.7495")
    assert rates.in_usd({}) == 0
    assert rates.in_usd({**amounts, "0x" + "77" * 20: 1}) is None


def test_other_lines_and_other_kinds_are_left():
    lines = [
        b"\n",
        b'{"kind":"quote","price":3}',
        b'{"events":{}}',
        line("ETH/USDT:perpetual", "1", 100),
    ]
    assert len(history(*lines)) == 0


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"{", "truncated"),
        (b'{"a":' + b"[" * 5000, "recursion"),
        (b'{"kind":"price"}', "instrument"),
        (b'{"kind":"price","instrument":"ETH/USDT","price":"1"}', "seen_at"),
        (line("ETHUSDT", "1", 1), "BASE/QUOTE"),
        (line("ETH/USDT", "0", 1), "a price of 0"),
        (line("ETH/USDT", "-1", 1), "no decimal"),
        (line("ETH/USDT", "NaN", 1), "no decimal"),
        (line("ETH/USDT", "1e99", 1), "no decimal"),
        (line("ETH/USDT", "1" * 60, 1), "no decimal"),
        (line("ETH/USDT", "1", 1, confidence="x"), "no decimal"),
        (b'{"kind":"price","instrument":"ETH/USDT","price":2000.1,"seen_at":1}', "price"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(bad: bytes, why: str):
    with pytest.raises(MalformedFrame, match=rf"(?i)line 2: .*({why})"):
        history(line("ETH/USDT", "1", 1), bad)


def test_a_history_has_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trio_mev.inspect.prices.MOST_PRICES", 3)
    with pytest.raises(MalformedFrame, match="line 4: over 3 prices"):
        history(*[line("ETH/USDT", "1", second) for second in range(9)])


@given(st.lists(st.binary() | st.sampled_from([line("ETH/USD", "2", n) for n in range(3)])))
def test_whatever_the_lines_are_nothing_else_is_raised(lines: list[bytes]):
    try:
        rates = read_prices(lines).at(2)
    except MalformedFrame:
        return
    assert rates.in_usd({WETH: 10**18}) in {None, Decimal(2)}


def test_every_asset_has_its_decimals():
    assert DECIMALS.keys() == ASSETS.keys()


def test_decimals_are_those_of_the_chain(corpus: Path):
    """What recorded swaps gave for each other, in whole units: a dollar is about a dollar, and
    ether was worth thousands of them, in all of 2021's blocks."""
    dollars = {TOKENS[name] for name in ("USDC", "USDT", "DAI")}
    seen = set()
    for number in BLOCKS:
        for swap in inspect_block(read_parity_file(read(corpus / "mainnet", number))).swaps:
            pair = {swap.token_in, swap.token_out}
            if not pair <= ASSETS.keys() or min(swap.amount_in, swap.amount_out) < 10**4:
                continue
            paid, got = whole(swap.token_in, swap.amount_in), whole(swap.token_out, swap.amount_out)
            seen |= pair
            if pair <= dollars:
                assert Decimal("0.95") < got / paid < Decimal("1.05")
            elif pair & dollars and pair & {WETH, ETHER}:
                price = got / paid if swap.token_in in {WETH, ETHER} else paid / got
                assert 1000 < price < 5000
            elif TOKENS["WBTC"] in pair and pair & {WETH, ETHER}:
                price = got / paid if swap.token_in == TOKENS["WBTC"] else paid / got
                assert 10 < price < 40
    assert seen >= {WETH, *dollars, TOKENS["WBTC"]}
