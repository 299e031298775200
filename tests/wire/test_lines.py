"""Events as lines of JSON: every kind in full."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs
import msgspec
import pytest

from trio_mev.model.chain import (
    Block,
    Life,
    Log,
    PendingLife,
    Transaction,
    TransactionAnalysis,
    Urgency,
    ValueClass,
)
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.health import HealthIssue
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.intents import WETH, Basis, Hop, PoolKind, SwapIntent
from trio_mev.model.market import (
    OffChainPrice,
    Price,
    PriceAlert,
    PriceStatus,
    Quote,
    Side,
    Spread,
    Trade,
)
from trio_mev.model.simulation import PoolSwap, SimulatedTransaction
from trio_mev.wire.lines import encode, line_of
from trio_mev.wire.plain import text
from trio_mev.wire.words import (
    describe_analysis,
    describe_simulated,
    describe_spread,
    describe_swap,
)

ETH = Instrument("ETH", "USDT")
BINANCE, COINBASE = Venue("binance"), Venue("coinbase")
HASH, SENDER, ROUTER = "0x" + "c3" * 32, "0x" + "d4" * 20, "0x" + "e5" * 20
SPREAD = Spread(
    ETH,
    BINANCE,
    COINBASE,
    Decimal("2000.00"),
    Decimal(2020),
    Decimal("1.5"),
    Decimal("7.9"),
    Decimal("0.00394"),
    Decimal("11.85"),
)
ANALYSIS = TransactionAnalysis(
    HASH,
    SENDER,
    ROUTER,
    "Uniswap V2 Router02",
    "swapExactETHForTokens(uint256,address[],address,uint256)",
    "0x7ff36ab5",
    3 * 10**18,
    Decimal("6000.40"),
    ValueClass.LARGE,
    30_000_000_000,
    Urgency.HIGH,
)
ALERT_ORIGIN = {"detector": "feed", "cause": "spot#7.0", "seen_at": None}


def line(data) -> dict:
    event = DataEvent(
        DataType.FINDING,
        EventPriority.HIGH,
        data,
        "feed",
        1.0,
        occurred_at=12,
        metadata={"cause": "spot#7.0"},
    )
    written = line_of(event)
    assert written is not None
    return json.loads(encode(written))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-8"), "0.00000001"),
        (Decimal("25.10"), "25.10"),
    ],
)
def test_a_decimal_has_no_exponent(value, written):
    assert text(value) == written


def test_a_line_is_one_line():
    assert "\n" not in encode({"message": "two\nlines"})


def test_a_quote():
    quote = Quote(BINANCE, ETH, Decimal("1999.90"), Decimal(2000), Decimal(1), None)
    assert line(quote) == {
        "kind": "quote",
        "source": "feed",
        "instrument": "ETH/USDT",
        "bid": "1999.90",
        "bid_size": "1",
        "ask": "2000",
        "ask_size": None,
        "last": None,
        "occurred_at": 12,
    }


@pytest.mark.parametrize(
    ("side", "written"), [(Side.BUY, "buy"), (Side.SELL, "sell"), (None, None)]
)
def test_a_trade(side, written):
    assert line(Trade(BINANCE, ETH, Decimal(2000), Decimal("0.5"), side, 7)) == {
        "kind": "trade",
        "source": "feed",
        "instrument": "ETH/USDT",
        "price": "2000",
        "size": "0.5",
        "side": written,
        "trade_id": 7,
        "occurred_at": 12,
    }


def test_a_trade_of_contracts_has_no_size_and_its_id_may_be_text():
    written = line(Trade(BINANCE, ETH, Decimal(2000), None, Side.BUY, "20f43950-d8dd-5b31"))
    assert (written["size"], written["trade_id"]) == (None, "20f43950-d8dd-5b31")


def test_a_transaction_has_its_amounts_as_text():
    body = Transaction(
        HASH, SENDER, ROUTER, 5, 2**200, 21_000, b"\x7f\xf3\x6a\xb5", 2, None, 30, 2, 1
    )
    assert line(body) == {
        "kind": "transaction",
        "source": "feed",
        "hash": HASH,
        "from": SENDER,
        "to": ROUTER,
        "nonce": 5,
        "value": str(2**200),
        "selector": "0x7ff36ab5",
        "type": 2,
        "gas": 21_000,
        "gas_price": None,
        "max_fee_per_gas": "30",
        "max_priority_fee_per_gas": "2",
        "input": "0x7ff36ab5",
    }


def test_a_contract_creation_is_a_transaction_to_null():
    written = line(Transaction(HASH, SENDER, None, 5, 0, 21_000, b"", gas_price=9))
    assert (written["to"], written["selector"], written["input"]) == (None, None, "0x")
    assert written["gas_price"] == "9"


@pytest.mark.parametrize("topics", [(), ("0x" + "01" * 32, "0x" + "02" * 32)])
def test_a_log(topics):
    log = Log(HASH, 9, 3, HASH, 2, ROUTER, topics, b"\x00\xff", removed=True)
    assert line(log) == {
        "kind": "log",
        "source": "feed",
        "block_hash": HASH,
        "block": 9,
        "log_index": 3,
        "transaction": HASH,
        "address": ROUTER,
        "topic0": topics[0] if topics else None,
        "topics": list(topics),
        "data": "0x00ff",
        "removed": True,
        "complete": False,
    }


@pytest.mark.parametrize(
    ("hashes", "count", "base_fee"), [(None, None, None), ((), 0, 7), ((HASH, HASH), 2, 7)]
)
def test_a_block(hashes, count, base_fee):
    block = Block(9, HASH, HASH, 100, 36_000_000, 18_000_000, base_fee, SENDER, hashes, True)
    assert line(block) == {
        "kind": "block",
        "source": "feed",
        "number": 9,
        "hash": HASH,
        "parent": HASH,
        "complete": True,
        "base_fee": None if base_fee is None else "7",
        "gas_used": 18_000_000,
        "gas_limit": 36_000_000,
        "transactions": count,
        "occurred_at": 12,
    }


def test_a_price():
    price = Price(ETH, Decimal(2000), None, PriceStatus.DEGRADED, (BINANCE,), (COINBASE,))
    written = line(price)
    assert (
        written.items()
        >= {
            "kind": "price",
            "instrument": "ETH/USDT",
            "price": "2000",
            "confidence": None,
            "sources": ["binance"],
            "rejected": ["coinbase"],
            "status": "degraded",
        }.items()
    )


def test_a_price_in_which_pools_have_a_say_is_told_without_them_too():
    without = OffChainPrice(Decimal(2001), Decimal("0.5"), PriceStatus.DEGRADED, (BINANCE,))
    sources = BINANCE, Venue("uniswap_v3:0x88")
    price = Price(
        ETH,
        Decimal(2000),
        Decimal(1),
        PriceStatus.OK,
        sources,
        on_chain=sources[1:],
        off_chain=without,
    )
    written = line(price)
    assert written["on_chain"] == ["uniswap_v3:0x88"]
    assert written["off_chain"] == {
        "price": "2001",
        "confidence": "0.5",
        "sources": ["binance"],
        "status": "degraded",
    }
    alone = line(Price(ETH, Decimal(2000), None, PriceStatus.DEGRADED, (BINANCE,)))
    assert (alone["on_chain"], alone["off_chain"]) == ([], None)


def test_an_alert_on_a_price():
    alert = PriceAlert("top", "price_above", ETH, Decimal(2000), Decimal("2000.5"), "ETH is up")
    assert line(alert) == ALERT_ORIGIN | {
        "kind": "alert",
        "alert_id": "top",
        "type": "price_above",
        "message": "ETH is up",
        "instrument": "ETH/USDT",
        "threshold": "2000",
        "current_price": "2000.5",
        "ratio": None,
    }


@pytest.mark.parametrize("over", [False, True])
def test_an_issue_of_the_streams_health(over):
    issue = HealthIssue("lane_full", "Slow.normal", "9 of 10 events", over)
    event = DataEvent(DataType.HEALTH, EventPriority.HIGH, issue, "health", 2.0)
    assert line_of(event, 10**9) == {
        "kind": "alert",
        "alert_id": "health:lane_full:Slow.normal",
        "type": "health",
        "message": "Slow.normal: 9 of 10 events" + (" (over)" if over else ""),
        "detector": "health",
        "cause": None,
        "seen_at": 3 * 10**9,
        "issue": "lane_full",
        "where": "Slow.normal",
        "over": over,
    }


def test_a_spread():
    assert line(SPREAD) == ALERT_ORIGIN | {
        "kind": "alert",
        "alert_id": "spread:ETH/USDT:binance>coinbase",
        "type": "spread",
        "message": describe_spread(SPREAD),
        "instrument": "ETH/USDT",
        "buy_venue": "binance",
        "sell_venue": "coinbase",
        "buy_price": "2000.00",
        "sell_price": "2020",
        "size": "1.5",
        "net_per_unit": "7.9",
        "net_ratio": "0.00394",
        "net": "11.85",
    }


def test_a_spread_in_words():
    assert describe_spread(SPREAD) == (
        "ETH/USDT: buy binance at 2000.00, sell coinbase at 2020: 0.394% net of fees, size 1.5"
    )
    assert describe_spread(attrs.evolve(SPREAD, size=None)).endswith("size unknown")


def test_an_analysed_transaction():
    assert line(ANALYSIS) == ALERT_ORIGIN | {
        "kind": "alert",
        "alert_id": f"transaction:{HASH}",
        "type": "transaction",
        "message": describe_analysis(ANALYSIS),
        "transaction": HASH,
        "from": SENDER,
        "to": ROUTER,
        "router": "Uniswap V2 Router02",
        "method": "swapExactETHForTokens(uint256,address[],address,uint256)",
        "selector": "0x7ff36ab5",
        "value": "3000000000000000000",
        "usd": "6000.40",
        "value_class": "large",
        "fee_per_gas": "30000000000",
        "urgency": "high",
        "swaps": [],
        "undecoded": None,
        "tip_per_gas": None,
        "outlook": None,
    }


def test_an_analysed_transaction_of_unknown_value_says_so():
    written = line(attrs.evolve(ANALYSIS, value_usd=None, value_class=None, fee_per_gas=None))
    assert (written["usd"], written["value_class"], written["fee_per_gas"]) == (None, None, None)
    assert "(USD value unknown)" in written["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "swapExactETHForTokens at Uniswap V2 Router02: 3.0000 ETH ($6,000), urgency high"),
        ({"method": None}, "0x7ff36ab5 at Uniswap V2 Router02"),
        ({"method": None, "selector": None, "router": None}, f"transfer to {ROUTER}: 3.0000 ETH"),
        ({"router": None, "to": None}, "creation of a contract: 3.0000 ETH"),
        ({"value": 2**256 - 1}, "ETH ($6,000), urgency high"),
    ],
)
def test_an_analysed_transaction_in_words(change, words):
    assert words in describe_analysis(attrs.evolve(ANALYSIS, **change))


TOKEN, OTHER = "0x" + "aa" * 20, "0x" + "bb" * 20
HOP = Hop(PoolKind.V3, WETH, TOKEN, 500, None, "0x" + "fa" * 20)
SWAP = SwapIntent("router", (HOP,), WETH, TOKEN, False, 10**18, 7, SENDER, 1_800_000_000)


def test_what_a_call_swaps_is_in_its_line():
    swap = msgspec.structs.replace(SWAP, joint_limit=9)
    assert line(attrs.evolve(ANALYSIS, swaps=(swap,)))["swaps"] == [
        {
            "token_in": WETH,
            "token_out": TOKEN,
            "exact": "in",
            "amount": "1000000000000000000",
            "basis": "given",
            "limit": "7",
            "joint_limit": "9",
            "recipient": SENDER,
            "deadline": "1800000000",
            "route": [
                {"kind": "v3", "token_in": WETH, "token_out": TOKEN, "fee": 500, "pool": None}
            ],
        }
    ]
    exact_out = msgspec.structs.replace(SWAP, exact_out=True)
    assert line(attrs.evolve(ANALYSIS, swaps=(exact_out,)))["swaps"][0]["exact"] == "out"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, f"1.0000 WETH for at least 7 of {TOKEN}"),
        ({"limit": 0}, f"1.0000 WETH for {TOKEN}"),
        ({"limit": None, "token_out": None}, "1.0000 WETH for another token"),
        (
            {"limit": None, "joint_limit": 9},
            f"1.0000 WETH for {TOKEN}, together at least 9 of {TOKEN}",
        ),
        ({"exact_out": True, "amount": 5}, f"at most 0.0000 WETH for 5 of {TOKEN}"),
        ({"exact_out": True, "amount": 5, "limit": None}, f"WETH for 5 of {TOKEN}"),
        ({"amount": None, "basis": Basis.SHARE}, f"a share of WETH for at least 7 of {TOKEN}"),
    ],
)
def test_a_swap_in_words(change, words):
    assert describe_swap(msgspec.structs.replace(SWAP, **change)) == words


@pytest.mark.parametrize("basis", list(Basis))
def test_there_are_words_for_every_amount_that_is_none(basis):
    swap = msgspec.structs.replace(SWAP, amount=None, basis=basis)
    assert " of WETH for" in describe_swap(swap)


def test_many_swaps_are_counted():
    words = describe_analysis(attrs.evolve(ANALYSIS, swaps=(SWAP,) * 5))
    assert words.count("1.0000 WETH") == 3
    assert "; 2 more swaps (" in words


POOL_SWAP = PoolSwap(PoolKind.V3, ROUTER, None, WETH, 100, 3 * 10**18)
TRIED = SimulatedTransaction(
    ANALYSIS, HASH, 7, "eth_simulateV1", True, "", 21_000, (POOL_SWAP, POOL_SWAP)
)


def test_a_simulated_transaction():
    swap = {
        "kind": "v3",
        "pool": ROUTER,
        "token_in": None,
        "token_out": WETH,
        "amount_in": "100",
        "amount_out": "3000000000000000000",
    }
    assert line(TRIED) == ALERT_ORIGIN | {
        "kind": "alert",
        "alert_id": f"simulation:{HASH}",
        "type": "simulation",
        "message": describe_simulated(TRIED),
        "transaction": HASH,
        "from": SENDER,
        "to": ROUTER,
        "router": "Uniswap V2 Router02",
        "method": "swapExactETHForTokens(uint256,address[],address,uint256)",
        "selector": "0x7ff36ab5",
        "value": "3000000000000000000",
        "usd": "6000.40",
        "basis": "simulated",
        "block": HASH,
        "number": 7,
        "by": "eth_simulateV1",
        "reverts": False,
        "reason": None,
        "gas_used": "21000",
        "pool_swaps": [swap, swap],
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"swaps": (POOL_SWAP,)},
            "on block 7, a call of Uniswap V2 Router02 would swap 100 of another token for "
            f"3.0000 WETH in v3 pool {ROUTER}",
        ),
        ({"swaps": (POOL_SWAP,) * 5}, "2 more swaps"),
        (
            {"succeeded": False, "reason": "K", "number": None, "block": "latest"},
            "on block latest, a call of Uniswap V2 Router02 would revert: K",
        ),
    ],
)
def test_a_simulated_transaction_in_words(change, words):
    assert describe_simulated(attrs.evolve(TRIED, **change)).endswith(words)


def test_what_has_no_line_has_none():
    life = PendingLife(HASH, Life.ANNOUNCED)
    event = DataEvent(DataType.MEMPOOL, EventPriority.LOW, life, "feed", 1.0)
    assert line_of(event) is None


def test_a_finding_says_when_it_was_seen_where_the_clock_is_known():
    event = DataEvent(DataType.FINDING, EventPriority.HIGH, ANALYSIS, "analyzer", 2.5)
    assert line_of(event, 10**18)["seen_at"] == 10**18 + 2_500_000_000
    assert line_of(event)["seen_at"] is None
