"""Events of every kind that is stored, and a folder that they are stored in."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from trio_mev.model.chain import Block, BlockSummary, Life, PendingLife, Transaction
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import OffChainPrice, Price, PriceStatus, Quote, Spread, Trend
from trio_mev.model.opportunity import (
    CexDex,
    Exposure,
    Grounds,
    Harm,
    JustInTime,
    Kind,
    Liquidation,
    Liquidity,
    Opportunity,
    Outcome,
    Sandwiched,
    Status,
    SwapRecord,
    Verdict,
)
from trio_mev.model.opportunity import Path as Cycle
from trio_mev.model.settings import StoreSettings
from trio_mev.sinks.daystore import DayStore

NOON = 1_764_158_400
"""2025-11-26, 12:00 in UTC, in seconds since the epoch."""
EPOCH = NOON * 10**9
ETH = Instrument("ETH", "USD")
A, B, P = ("0x" + two * 20 for two in ("aa", "bb", "cc"))
LARGEST = 2**256 - 1


def event(kind: DataType, data: Any, at: float = 1.0, source: str = "node", **more: Any):
    return DataEvent(kind, EventPriority.NORMAL, data, source, at, **more)


def name_of(number: int) -> str:
    return f"0x{number:064x}"


def quote(number: int = 0, at: float = 1.0, **more: Any) -> DataEvent:
    """Told apart by its number."""
    bid = Decimal("3000.10") + number
    data = Quote(Venue("kraken"), ETH, bid, bid + 1, Decimal("0.5"), None, None, number)
    return event(DataType.QUOTE, data, at, "kraken", **more)


def pending(number: int, at: float = 1.0, **changes: Any) -> DataEvent:
    fields: dict[str, Any] = {
        "hash": name_of(number),
        "sender": A,
        "to": B,
        "nonce": 2**64 - 1,
        "value": LARGEST,
        "gas": 21_000,
        "input": bytes.fromhex("0102030405"),
        "type": 2,
        "gas_price": 9,
        "max_fee": 9,
        "max_priority_fee": 1,
        "chain_id": 1,
    }
    return event(DataType.TRANSACTION, Transaction(**{**fields, **changes}), at)


def life(number: int, what: Life, block: str | None = None, height: int | None = None, at=1.0):
    step = PendingLife(name_of(number), what, block=block, number=height)
    return event(DataType.MEMPOOL, step, at)


def block(height: int, timestamp: int, at: float = 1.0) -> DataEvent:
    made = Block(height, name_of(height), name_of(height - 1), timestamp, 30_000_000, 15)
    return event(DataType.BLOCK, made, at)


def price(at: float = 1.0) -> DataEvent:
    data = Price(
        ETH,
        Decimal("3000.123456789012345678"),
        Decimal("1.5"),
        PriceStatus.OK,
        (Venue("binance"), Venue("kraken")),
        (Venue("pool"),),
        0.6,
        Trend.BULLISH,
        None,
        0.25,
        (Instrument("ETH", "USDT"), Instrument("USDT", "USD")),
        (Venue("pool"),),
        OffChainPrice(Decimal(2999), None, PriceStatus.DEGRADED, (Venue("kraken"),)),
    )
    return event(DataType.PRICE, data, at, "PriceDataProcessor")


def spread(at: float = 1.0) -> DataEvent:
    one = Decimal(1)
    data = Spread(ETH, Venue("a"), Venue("b"), one, one, None, one, Decimal("0.01"), None)
    return event(DataType.ALERT, data, at, "PriceDataProcessor", metadata={"cause": "kraken#1.0"})


def summary(at: float = 1.0) -> DataEvent:
    told = BlockSummary(20_000_000, name_of(5), 7, None, 15, 30_000_000, 3, 2, 12)
    return event(DataType.BLOCK_SUMMARY, told, at, "BlockAnalyzer")


SWAP = SwapRecord(P, "uniswap_v2", A, 1000, B, LARGEST, name_of(1), 3)
MINT = Liquidity(P, A, -60, 60, 2**128, 7, 8, name_of(1), 1)
DETAILS = {
    Kind.ARBITRAGE: Cycle((SWAP, SWAP)),
    Kind.SANDWICH: Sandwiched((SWAP,), (SWAP, SWAP), (SWAP,)),
    Kind.LIQUIDATION: Liquidation("aave_v3", A, B, 5, A, LARGEST, 10**18),
    Kind.JIT: JustInTime(MINT, (SWAP,), MINT),
    Kind.CEX_DEX: CexDex(Decimal("3000.5"), Decimal(3001), Decimal(1), Decimal("0.25")),
    Kind.SWAP: SWAP,
}
EXPOSED = Exposure(SWAP, 9, 8, 7, LARGEST, None, 1, (Harm(SWAP, None, 2),))


def opportunity(kind: Kind, detail: Any = None, **more: Any) -> Opportunity:
    return Opportunity(
        kind,
        f"{kind.value}:x",
        "detector",
        Status.PREDICTED,
        Grounds.ARITHMETIC,
        detail or DETAILS[kind],
        cause=name_of(9),
        confidence=0.5,
        block=20_000_000,
        expires_block=20_000_001,
        transactions=(name_of(1),),
        pools=(P,),
        gross={A: -(2**255), B: 3},
        gas_wei=2**70,
        usd=Decimal("12.34"),
        **more,
    )


def found(kind: Kind, detail: Any = None, at: float = 1.0) -> DataEvent:
    return event(DataType.FINDING, opportunity(kind, detail), at, "detector")


def verdict(at: float = 1.0, **more: Any) -> DataEvent:
    outcome = Outcome(Verdict.TAKEN, name_of(2), {A: LARGEST}, None, 1.5)
    one = opportunity(Kind.ARBITRAGE, **{"outcome": outcome, **more})
    return event(DataType.VERDICT, one, at, "PredictionLedger")


def of_each_kind() -> list[DataEvent]:
    return [
        *(found(kind) for kind in DETAILS),
        found(Kind.SANDWICH, EXPOSED),
        verdict(),
        verdict(outcome=None),
        spread(),
        price(),
        quote(),
        pending(1),
        life(2, Life.ANNOUNCED),
        summary(),
    ]


def opened(folder: Path, live: bool = True, at: int = NOON, **settings: Any) -> DayStore:
    store = DayStore(folder, StoreSettings(**settings), 1)
    store.begin(at * 10**6, live)
    return store


def stored(folder: Path, *events: DataEvent, **settings: Any) -> DayStore:
    store = opened(folder, **settings)
    store.take(events, EPOCH)
    assert store.flush(), store.error
    store.close()
    return store


def query(folder: Path, name: str, what: str) -> list[tuple]:
    return duckdb.sql(f"from '{folder}/{name}/*.parquet' select {what}").fetchall()
