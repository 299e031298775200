"""Events of a stream as rows of the datasets that are stored of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from ..model.chain import BlockSummary, Life, PendingLife, Transaction
from ..model.event import DataEvent, DataType
from ..model.market import Price, Quote
from ..model.opportunity import (
    CexDex,
    Exposure,
    JustInTime,
    Liquidation,
    Opportunity,
    Path,
    Sandwiched,
)
from ..wire.findings import finding_line
from ..wire.lines import line_of
from ..wire.plain import text
from .columns import (
    Row,
    amounts_of,
    arbitrage_of,
    jit_of,
    liquidation_of,
    sandwich_of,
    spread,
    swaps_of,
)
from .told_columns import CEX_DEX, EXPOSURE, OPPORTUNITY

Told = Iterator[tuple[str, Row]]

KINDS: Mapping[str, frozenset[DataType]] = {
    "finding": frozenset({DataType.ARBITRAGE, DataType.LIQUIDATION, DataType.FINDING}),
    "ledger": frozenset({DataType.VERDICT}),
    "alert": frozenset({DataType.ALERT, DataType.FINDING}),
    "price": frozenset({DataType.PRICE}),
    "quote": frozenset({DataType.QUOTE}),
    "transaction": frozenset({DataType.TRANSACTION, DataType.MEMPOOL, DataType.BLOCK}),
    "sourcelog": frozenset({DataType.TRANSACTION, DataType.MEMPOOL}),
    "block_summary": frozenset({DataType.BLOCK_SUMMARY}),
}
"""Which events each dataset is made of."""


def rows_told(event: DataEvent, epoch: int, chain_id: int | None) -> Told:
    """The rows that an event comes to, each with its dataset; none of one that is not stored.

    Args:
        event: anything that went through a stream.
        epoch: the wall clock's nanoseconds where the stream's clock is zero.
        chain_id: of the chain that is watched; None where nobody says.
    """
    write = _WRITERS.get(type(event.data))
    time = (epoch + round(event.received_at * 1e9)) // 1000
    if write is not None:
        yield from write(event, event.data, time, chain_id)
        return
    line = line_of(event)
    if line is not None and line["kind"] == "alert":
        yield "alert", _alert(line, time)


def _decimal(name: str, value: Decimal | None) -> Row:
    near = None if value is None else float(value)
    return {f"{name}_string": text(value), f"{name}_f64": near}


def _of(value: int | None) -> str | None:
    return None if value is None else str(value)


def _opportunity(event: DataEvent, one: Opportunity, time: int, chain_id: int | None) -> Told:
    line = finding_line(one)
    detail, outcome = line["detail"], line["outcome"]
    row: Row = {name: line.get(name) for name in OPPORTUNITY}
    row |= {"time": time, "chain_id": chain_id, "block_number": one.block}
    row |= {name: amounts_of(line[name]) for name in ("gross", "net")}
    row |= spread("gas_wei", line["gas_wei"]) | spread("builder_wei", line["builder_wei"])
    row["detail"] = msgspec.json.encode(detail).decode()
    if event.event_type is not DataType.VERDICT:
        yield "finding", row | _DETAILS.get(type(one.detail), _plain)(detail)
    elif outcome is None:  # it was not held against a block
        yield "ledger", row
    else:
        row |= {name: outcome[name] for name in ("verdict", "why")} | {"taken_by": outcome["by"]}
        row |= {"their_gross": amounts_of(outcome["their_gross"]), "lead_seconds": outcome["lead"]}
        yield "ledger", row


def _plain(_: Mapping[str, Any]) -> Row:
    return {}


def _exposure(detail: Mapping[str, Any]) -> Row:
    row: Row = {"victim_swaps": swaps_of([detail["victim"], *detail["others"]])}
    for name in EXPOSURE:
        row |= spread(name, detail[name])
    return row


def _cex_dex(detail: Mapping[str, Any]) -> Row:
    row: Row = {}
    for name in CEX_DEX:
        row |= _decimal(name, Decimal(detail[name]))
    return row


_DETAILS: Mapping[type, Callable[[Mapping[str, Any]], Row]] = {
    Path: arbitrage_of,
    Sandwiched: sandwich_of,
    Exposure: _exposure,
    Liquidation: liquidation_of,
    JustInTime: jit_of,
    CexDex: _cex_dex,
}


def _alert(line: dict[str, Any], time: int) -> Row:
    named = "alert_id", "type", "message", "detector", "cause", "instrument", "transaction", "usd"
    row: Row = {name: line.get(name) for name in named}
    rest = {k: v for k, v in line.items() if k not in {*named, "kind", "seen_at"}}
    return row | {"time": time, "detail": msgspec.json.encode(rest).decode()}


def _price(_: DataEvent, price: Price, time: int, __: int | None) -> Told:
    without = price.off_chain
    yield (
        "price",
        {
            "time": time,
            "instrument": str(price.instrument),
            **_decimal("price", price.price),
            **_decimal("confidence", price.confidence),
            "status": price.status.value,
            "sources": list(price.sources),
            "rejected": list(price.rejected),
            "on_chain": list(price.on_chain),
            "via": [str(instrument) for instrument in price.via],
            "volatility": price.volatility,
            "trend": price.trend.value,
            **_decimal("spread", price.spread),
            "age": price.age,
            **_decimal("off_chain_price", None if without is None else without.price),
            **_decimal("off_chain_confidence", None if without is None else without.confidence),
            "off_chain_status": None if without is None else without.status.value,
            "off_chain_sources": None if without is None else list(without.sources),
        },
    )


def _quote(event: DataEvent, quote: Quote, time: int, _: int | None) -> Told:
    number, last = quote.sequence, quote.last
    bid_size, ask_size = quote.bid_size, quote.ask_size
    yield (
        "quote",
        {
            "time": time,
            "occurred_at": None if event.occurred_at is None else event.occurred_at // 1000,
            "source": event.source,
            "venue": quote.venue,
            "instrument": str(quote.instrument),
            # As _decimal, whose dictionaries would take half as long again.
            "bid_string": text(quote.bid),
            "bid_f64": float(quote.bid),
            "ask_string": text(quote.ask),
            "ask_f64": float(quote.ask),
            "bid_size_string": text(bid_size),
            "bid_size_f64": None if bid_size is None else float(bid_size),
            "ask_size_string": text(ask_size),
            "ask_size_f64": None if ask_size is None else float(ask_size),
            "last_string": text(last),
            "last_f64": None if last is None else float(last),
            "sequence": number if number is not None and 0 <= number < 2**64 else None,
        },
    )


def _transaction(event: DataEvent, body: Transaction, time: int, _: int | None) -> Told:
    price = body.max_fee if body.gas_price is None else body.gas_price
    tip = price if body.max_priority_fee is None else body.max_priority_fee
    cap = price if body.max_fee is None else body.max_fee
    yield (
        "transaction",
        {
            "timestamp": time // 1000,
            "hash": body.hash,
            "chainId": _of(body.chain_id),
            "txType": body.type,
            "from": body.sender,
            "to": body.to or "",
            "value": str(body.value),
            "nonce": str(body.nonce),
            "gas": str(body.gas),
            "gasPrice": _of(price),
            "gasTipCap": _of(tip),
            "gasFeeCap": _of(cap),
            "dataSize": len(body.input),
            "data4Bytes": body.selector or "",
            "sources": [event.source],
        },
    )
    yield _sighting(event, body.hash, time)


def _life(event: DataEvent, step: PendingLife, time: int, _: int | None) -> Told:
    if step.life is Life.ANNOUNCED:
        yield _sighting(event, step.hash, time)


def _sighting(event: DataEvent, transaction: str, time: int) -> tuple[str, Row]:
    row = {"received_at": time // 1000, "hash": transaction, "source": event.source}
    return "sourcelog", row


def _summary(_: DataEvent, told: BlockSummary, time: int, chain_id: int | None) -> Told:
    yield (
        "block_summary",
        {
            "time": time,
            "chain_id": chain_id,
            "block_number": told.number,
            "block_hash": told.hash,
            **spread("base_fee", _of(told.base_fee)),
            **spread("next_base_fee", _of(told.next_base_fee)),
            "gas_used": told.gas_used,
            "gas_limit": told.gas_limit,
            "transactions": told.transactions,
            "seen_pending": told.seen_pending,
            "interval": told.interval,
        },
    )


_WRITERS: Mapping[type, Callable[[DataEvent, Any, int, int | None], Told]] = {
    Opportunity: _opportunity,
    Price: _price,
    Quote: _quote,
    Transaction: _transaction,
    PendingLife: _life,
    BlockSummary: _summary,
}
