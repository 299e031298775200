"""Swaps at pools that exchanges would have paid more for, and what findings are worth."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from tests.inspect.blocks import ANN, BOT, EVE, ROUTER, SETTLEMENT, V3_MINT, P, Q, act, block, log
from tests.inspect.blocks import swapped as at_pair
from tests.inspect.calling import Made, asked, balance, file_of, paid
from tests.inspect.test_prices import history, line
from tests.inspect.test_traced_swaps import V2
from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.inspect import Inspection, Known, inspect_block, read_parity_file
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import CexDex, Kind, Opportunity

WETH, USDC = TOKENS["WETH"], TOKENS["USDC"]
COINS = Known(tokens_of=lambda pool: (USDC, WETH))
NOON = 1_600_000_000
GAS = {"gas_used": 100_000, "gas_price": 10**11}
"""A hundredth of an ether."""
PRICES = history(
    line("ETH/USDC", "2000", NOON, confidence="5"), line("USDC/USD", "0.999", NOON, confidence="0")
)


def found(*acts: dict[str, Any], at: int | None = NOON, prices: Any = PRICES) -> Inspection:
    made = attrs.evolve(block(*acts), timestamp=at)
    return inspect_block(made, COINS, prices=prices)


def bought(ether: int, dollars: int, *, pool: str = P, to: str | None = BOT, **more: Any) -> dict:
    """Thousandths of an ether for whole dollars."""
    swap = at_pair(pool, dollars * 10**6, ether * 10**15)
    return act(EVE, to, swap, **{**GAS, **more})


def sold(ether: int, dollars: int) -> dict:
    return act(EVE, BOT, at_pair(P, ether * 10**15, dollars * 10**6, down=False), **GAS)


def only(one: Inspection) -> Opportunity:
    (each,) = one.opportunities
    return each


def test_who_buys_at_a_pool_for_less_than_exchanges_pay():
    """A whole ether: 1,995 at the lower end, less 20.05 of gas at the higher one."""
    one = only(found(bought(1000, 1974)))
    assert (one.kind, one.transactions, one.pools) == (Kind.CEX_DEX, (f"0x{0:064x}",), (P,))
    assert one.gross == {WETH: 10**18, USDC: -1974 * 10**6}
    assert one.net == {**one.gross, ETHER: -(10**16)}
    assert one.detail == CexDex(Decimal(2000), Decimal(1974), Decimal(5), Decimal(1))
    # 0.99 ether at 2,000, less what was paid, all of it in dollars of a bank.
    assert one.usd == (Decimal("0.99") * 2000 - 1974) * Decimal("0.999")
    assert found(bought(1000, 1975)).opportunities == ()


def test_who_sells_at_a_pool_for_more_than_exchanges_ask():
    """A whole ether: 2,005 at the upper end, and 20.05 of gas."""
    one = only(found(sold(1000, 2026)))
    assert one.detail == CexDex(Decimal(2000), Decimal(2026), Decimal(5), Decimal(-1))
    assert found(sold(1000, 2025)).opportunities == ()


def test_what_the_builder_was_paid_is_a_cost_too():
    assert found(bought(1000, 1950, builder_wei=10**16)).opportunities
    assert not found(bought(1000, 1970, builder_wei=10**16)).opportunities


def test_several_pools_are_one_deal():
    swaps = [at_pair(pool, 900 * 10**6, 5 * 10**17) for pool in (P, Q)]
    one = only(found(act(EVE, BOT, *swaps, **GAS)))
    assert isinstance(one.detail, CexDex)
    assert (one.pools, one.detail.pool_price, one.detail.size) == ((P, Q), 1800, 1)


def test_ether_and_what_it_is_wrapped_to_are_one_asset():
    """A pool of each, by calls."""
    known = Known(
        tokens_of=lambda pool: (ETHER if pool == Q else USDC, USDC if pool == Q else WETH)
    )
    swaps = at_pair(P, 900 * 10**6, 5 * 10**17), at_pair(Q, 900 * 10**6, 5 * 10**17, down=False)
    made = attrs.evolve(block(act(EVE, BOT, *swaps, **GAS)), timestamp=NOON)
    one = only(inspect_block(made, known, prices=PRICES))
    assert isinstance(one.detail, CexDex)
    assert (one.gross, one.detail.size) == (
        {WETH: 5 * 10**17, ETHER: 5 * 10**17, USDC: -1800 * 10**6},
        1,
    )


CHEAP = at_pair(P, 1900 * 10**6, 10**18)
NO = {
    "a router's customer": bought(1000, 1900, to=ROUTER),
    "nobody knows whom it called": bought(1000, 1900, to=None),
    "a settlement": bought(1000, 1900, to=SETTLEMENT),
    "what it cost is not known": bought(1000, 1900, gas_used=None),
    "liquidity is moved": act(
        EVE, BOT, CHEAP, log(V3_MINT, BOT, BOT, -60, 60, 5, 6, 7, emitter=Q), **GAS
    ),
    "nothing is swapped": act(EVE, BOT, **GAS),
    "more of both": act(
        EVE, BOT, at_pair(P, 10**6, 10**18), at_pair(P, 1, 9 * 10**6, down=False), **GAS
    ),
}


@pytest.mark.parametrize("one", NO.values(), ids=NO)
def test_what_is_none(one: dict):
    assert all(each.kind is not Kind.CEX_DEX for each in found(one).opportunities)


def test_tokens_without_a_price_are_none():
    made = attrs.evolve(block(bought(1000, 1900)), timestamp=NOON)
    known = Known(tokens_of=lambda pool: (WETH, "0x" + "f0" * 20))
    assert inspect_block(made, known, prices=PRICES).opportunities == ()


@pytest.mark.parametrize(
    "prices",
    [
        history(line("USDC/USD", "1", NOON, confidence="0")),
        history(line("ETH/USDC", "2000", NOON)),
        history(line("ETH/USDC", "2000", NOON - 61, confidence="5")),
    ],
    ids=["none of the pair", "of no known width", "too old"],
)
def test_a_price_that_cannot_be_trusted_proves_nothing(prices):
    for one in (bought(1000, 1900), sold(1000, 2100)):
        assert found(one, prices=prices).opportunities == ()


def test_the_price_is_that_of_the_blocks_own_time():
    prices = history(
        line("ETH/USDC", "2000", NOON, confidence="5"),
        line("ETH/USDC", "1800", NOON + 12, confidence="5"),
    )
    assert found(bought(1000, 1900), prices=prices).opportunities
    assert not found(bought(1000, 1900), at=NOON + 12, prices=prices).opportunities


def test_an_arbitrage_that_is_whole_is_called_by_its_own_name():
    cycle = at_pair(P, 1900 * 10**6, 10**18), at_pair(Q, 10**18, 1990 * 10**6, down=False)
    assert only(found(act(EVE, BOT, *cycle, **GAS))).kind is Kind.ARBITRAGE


def test_the_legs_of_a_sandwich_are_no_such_thing():
    front, back = bought(1000, 1900), sold(1000, 2100)
    victim = act(ANN, ROUTER, at_pair(P, 500 * 10**6, 2 * 10**17, who=ROUTER), **GAS)
    one = only(found(front, victim, back))
    assert (one.kind, one.alternatives) == (Kind.SANDWICH, (Kind.CEX_DEX,))


def test_findings_are_worth_their_net_and_the_gross_where_that_is_all():
    cycle = at_pair(P, 1900 * 10**6, 10**18), at_pair(Q, 10**18, 1990 * 10**6, down=False)
    dear, unknown = act(EVE, BOT, *cycle, **GAS), act(EVE, BOT, *cycle)
    first, second = found(dear, unknown).opportunities
    assert first.usd == (90 - 20) * Decimal("0.999")
    assert (second.net, second.usd) == (None, 90 * Decimal("0.999"))


def test_what_is_not_known_to_be_worth_anything_is_counted():
    cycle = at_pair(P, 1900 * 10**6, 10**18), at_pair(Q, 10**18, 1990 * 10**6, down=False)
    arbitrage = act(EVE, BOT, *cycle, **GAS)
    untimed = found(arbitrage, at=None)
    assert (only(untimed).usd, untimed.left_out) == (None, {"without_price": 1})
    assert found(arbitrage).left_out == {}
    assert found(arbitrage, prices=None).left_out == {}


def test_by_calls_it_is_the_same():
    """And a file that says when its block was made has prices."""
    swaps = [
        paid(USDC, BOT, P, 1900 * 10**6),
        asked(BOT, P, V2, 0, 10**18, BOT, b"").holding(
            paid(WETH, P, BOT, 10**18), balance(USDC, P, 1), balance(WETH, P, 1)
        ),
    ]
    file = file_of(Made(EVE, BOT).holding(*swaps), price=10**11) | {"block_timestamp": NOON}
    one = only(inspect_block(read_parity_file(msgspec.json.encode(file)), COINS, prices=PRICES))
    assert (one.kind, one.gross) == (Kind.CEX_DEX, {WETH: 10**18, USDC: -1900 * 10**6})
    assert one.builder_wei == 0
