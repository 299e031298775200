"""Events as lines of JSON for other programs; the schema is in ``docs/reference/json.md``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..model.chain import Block, Log, Transaction, TransactionAnalysis
from ..model.event import DataEvent
from ..model.health import HealthIssue
from ..model.market import OffChainPrice, Price, PriceAlert, Quote, Spread, Trade
from ..model.opportunity import Opportunity
from ..model.simulation import SimulatedTransaction
from ..model.snapshot import MempoolSnapshot
from .findings import opportunity_line
from .mempool import snapshot_line
from .plain import integer, text
from .told import analysis_line, health_line, price_alert_line, simulation_line, spread_line

_ENCODER = msgspec.json.Encoder()


def encode(line: dict[str, Any]) -> str:
    """One line, without its end."""
    return _ENCODER.encode(line).decode()


def line_of(event: DataEvent, epoch: int | None = None) -> dict[str, Any] | None:
    """The event's line; None for what has none, such as a snapshot or a plug-in's own class.

    Args:
        event: anything that went through a stream.
        epoch: the wall clock's nanoseconds where the stream's clock is zero; with it a finding
            says when it was seen.
    """
    write = _WRITERS.get(type(event.data))
    line = None if write is None else write(event, event.data)
    if line is not None and epoch is not None and "seen_at" in line:
        line["seen_at"] = epoch + round(event.received_at * 1e9)
    return line


def _quote(event: DataEvent, quote: Quote) -> dict[str, Any]:
    return {
        "kind": "quote",
        "source": event.source,
        "instrument": str(quote.instrument),
        "bid": text(quote.bid),
        "bid_size": text(quote.bid_size),
        "ask": text(quote.ask),
        "ask_size": text(quote.ask_size),
        "last": text(quote.last),
        "occurred_at": event.occurred_at,
    }


def _trade(event: DataEvent, trade: Trade) -> dict[str, Any]:
    return {
        "kind": "trade",
        "source": event.source,
        "instrument": str(trade.instrument),
        "price": text(trade.price),
        "size": text(trade.size),
        "side": trade.side.value if trade.side else None,
        "trade_id": trade.trade_id,
        "occurred_at": event.occurred_at,
    }


def _transaction(event: DataEvent, body: Transaction) -> dict[str, Any]:
    return {
        "kind": "transaction",
        "source": event.source,
        "hash": body.hash,
        "from": body.sender,
        "to": body.to,
        "nonce": body.nonce,
        "value": str(body.value),
        "selector": body.selector,
        "type": body.type,
        "gas": body.gas,
        "gas_price": integer(body.gas_price),
        "max_fee_per_gas": integer(body.max_fee),
        "max_priority_fee_per_gas": integer(body.max_priority_fee),
        "input": "0x" + body.input.hex(),
    }


def _log(event: DataEvent, log: Log) -> dict[str, Any]:
    return {
        "kind": "log",
        "source": event.source,
        "block_hash": log.block_hash,
        "block": log.block_number,
        "log_index": log.log_index,
        "transaction": log.transaction,
        "address": log.address,
        "topic0": log.topics[0] if log.topics else None,
        "topics": list(log.topics),
        "data": "0x" + log.data.hex(),
        "removed": log.removed,
        "complete": log.complete,
    }


def _block(event: DataEvent, block: Block) -> dict[str, Any]:
    return {
        "kind": "block",
        "source": event.source,
        "number": block.number,
        "hash": block.hash,
        "parent": block.parent,
        "complete": block.complete,
        "base_fee": integer(block.base_fee),
        "gas_used": block.gas_used,
        "gas_limit": block.gas_limit,
        "transactions": None if block.transactions is None else len(block.transactions),
        "occurred_at": event.occurred_at,
    }


def _price(event: DataEvent, price: Price) -> dict[str, Any]:
    return {
        "kind": "price",
        "seen_at": None,
        "instrument": str(price.instrument),
        "price": text(price.price),
        "confidence": text(price.confidence),
        "sources": list(price.sources),
        "rejected": list(price.rejected),
        "status": price.status.value,
        "volatility": price.volatility,
        "trend": price.trend.value,
        "age": price.age,
        "spread": text(price.spread),
        "via": [str(instrument) for instrument in price.via],
        "on_chain": list(price.on_chain),
        "off_chain": None if price.off_chain is None else _off_chain(price.off_chain),
    }


def _off_chain(price: OffChainPrice) -> dict[str, Any]:
    return {
        "price": text(price.price),
        "confidence": text(price.confidence),
        "sources": list(price.sources),
        "status": price.status.value,
    }


_WRITERS: dict[type, Callable[[DataEvent, Any], dict[str, Any]]] = {
    Quote: _quote,
    Trade: _trade,
    Transaction: _transaction,
    Log: _log,
    Block: _block,
    Price: _price,
    HealthIssue: health_line,
    PriceAlert: price_alert_line,
    Spread: spread_line,
    TransactionAnalysis: analysis_line,
    Opportunity: opportunity_line,
    MempoolSnapshot: snapshot_line,
    SimulatedTransaction: simulation_line,
}
