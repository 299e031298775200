"""Events as lines of JSON for other programs; the schema is in ``docs/reference/json.md``."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from ..model.chain import Block, Log, Transaction, TransactionAnalysis
from ..model.event import DataEvent
from ..model.health import HealthIssue
from ..model.intents import ETHER, WETH, Basis, Hop, SwapIntent
from ..model.market import OffChainPrice, Price, PriceAlert, Quote, Spread, Trade
from ..model.opportunity import Opportunity
from ..model.simulation import PoolSwap, SimulatedTransaction
from ..model.snapshot import MempoolSnapshot
from .findings import opportunity_line
from .mempool import describe_outlook, outlook_part, snapshot_line

_ENCODER = msgspec.json.Encoder()


def text(value: Decimal | None) -> str | None:
    """A Decimal without an exponent; None stays None."""
    return None if value is None else format(value, "f")


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
        "gas_price": _integer(body.gas_price),
        "max_fee_per_gas": _integer(body.max_fee),
        "max_priority_fee_per_gas": _integer(body.max_priority_fee),
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
        "base_fee": _integer(block.base_fee),
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


def _alert(event: DataEvent, alert_id: str, kind: str, message: str) -> dict[str, Any]:
    return {
        "kind": "alert",
        "alert_id": alert_id,
        "type": kind,
        "message": message,
        "detector": event.source,
        "cause": event.metadata.get("cause"),
        "seen_at": None,
    }


def _health(event: DataEvent, issue: HealthIssue) -> dict[str, Any]:
    name = f"{issue.kind}:{issue.where}"
    message = f"{issue.where}: {issue.detail}" + (" (over)" if issue.over else "")
    return {
        **_alert(event, f"health:{name}", "health", message),
        "issue": issue.kind,
        "where": issue.where,
        "over": issue.over,
    }


def _price_alert(event: DataEvent, alert: PriceAlert) -> dict[str, Any]:
    return {
        **_alert(event, alert.alert_id, alert.type, alert.message),
        "instrument": str(alert.instrument),
        "threshold": text(alert.threshold),
        "current_price": text(alert.current_price),
        "ratio": text(alert.ratio),
    }


def _spread(event: DataEvent, spread: Spread) -> dict[str, Any]:
    name = f"spread:{spread.instrument}:{spread.buy_venue}>{spread.sell_venue}"
    return {
        **_alert(event, name, "spread", describe_spread(spread)),
        "instrument": str(spread.instrument),
        "buy_venue": spread.buy_venue,
        "sell_venue": spread.sell_venue,
        "buy_price": text(spread.buy_price),
        "sell_price": text(spread.sell_price),
        "size": text(spread.size),
        "net_per_unit": text(spread.net_per_unit),
        "net_ratio": text(spread.net_ratio),
        "net": text(spread.net),
    }


def describe_spread(spread: Spread) -> str:
    """A spread in one line for people."""
    size = "size unknown" if spread.size is None else f"size {text(spread.size)}"
    return (
        f"{spread.instrument}: buy {spread.buy_venue} at {text(spread.buy_price)}, "
        f"sell {spread.sell_venue} at {text(spread.sell_price)}: "
        f"{spread.net_ratio:.3%} net of fees, {size}"
    )


def _analysis(event: DataEvent, found: TransactionAnalysis) -> dict[str, Any]:
    return {
        **_alert(
            event,
            f"transaction:{found.transaction}",
            "transaction",
            describe_analysis(found),
        ),
        "transaction": found.transaction,
        "from": found.sender,
        "to": found.to,
        "router": found.router,
        "method": found.method,
        "selector": found.selector,
        "value": str(found.value),
        "usd": text(found.value_usd),
        "value_class": found.value_class.value if found.value_class else None,
        "fee_per_gas": _integer(found.fee_per_gas),
        "urgency": found.urgency.value,
        "swaps": [_swap(swap) for swap in found.swaps],
        "undecoded": found.undecoded,
        "tip_per_gas": _integer(found.tip_per_gas),
        "outlook": outlook_part(found.outlook),
    }


def _swap(swap: SwapIntent) -> dict[str, Any]:
    return {
        "token_in": swap.token_in,
        "token_out": swap.token_out,
        "exact": "out" if swap.exact_out else "in",
        "amount": _integer(swap.amount),
        "basis": swap.basis.value,
        "limit": _integer(swap.limit),
        "joint_limit": _integer(swap.joint_limit),
        "recipient": swap.recipient,
        "deadline": _integer(swap.deadline),
        "route": [_hop(hop) for hop in swap.hops],
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "kind": hop.kind.value,
        "token_in": hop.token_in,
        "token_out": hop.token_out,
        "fee": hop.fee,
        "pool": hop.pool,
    }


def describe_analysis(found: TransactionAnalysis) -> str:
    """A pending transaction in one line for people."""
    name = (found.method or found.selector or "").partition("(")[0]
    if found.to is None:
        what = "creation of a contract"
    elif name:
        what = f"{name} at {found.router or found.to}"
    else:
        what = f"transfer to {found.router or found.to}"
    usd = "USD value unknown" if found.value_usd is None else f"${found.value_usd:,.0f}"
    moved = _describe_swaps(found.swaps) or _amount(found.value, ETHER)
    told = describe_outlook(found.outlook)
    return f"{what}: {moved} ({usd}), urgency {found.urgency.value}{told}"


SHOWN_SWAPS = 3
"""In a line for people; the others are counted."""


def _describe_swaps(swaps: tuple[SwapIntent, ...]) -> str:
    """What is exchanged for what; nothing where nothing is."""
    words = [describe_swap(swap) for swap in swaps[:SHOWN_SWAPS]]
    if len(swaps) > SHOWN_SWAPS:
        words.append(f"{len(swaps) - SHOWN_SWAPS} more swaps")
    return "; ".join(words)


def describe_swap(swap: SwapIntent) -> str:
    """A swap in a few words. Decimals of a token are nowhere in a call, so its amount is in its
    smallest unit, beside its address; ether and wrapped ether are known to have 18."""
    limit = swap.limit
    if swap.exact_out:
        most = f"at most {_amount(limit, swap.token_in)}" if limit else _token(swap.token_in)
        return f"{most} for {_amount(swap.amount, swap.token_out, swap.basis)}"
    least = f"at least {_amount(limit, swap.token_out)}" if limit else _token(swap.token_out)
    if swap.joint_limit:
        least += f", together at least {_amount(swap.joint_limit, swap.token_out)}"
    return f"{_amount(swap.amount, swap.token_in, swap.basis)} for {least}"


_AMOUNTS = {
    Basis.GIVEN: "an amount",
    Basis.BALANCE: "all that is left",
    Basis.PAID: "what was paid before",
    Basis.OPEN: "what is owed",
    Basis.SHARE: "a share",
}
_ETHERS = {ETHER: "ETH", WETH: "WETH"}


def _token(token: str | None) -> str:
    return "another token" if token is None else _ETHERS.get(token, token)


def _amount(amount: int | None, token: str | None, basis: Basis = Basis.GIVEN) -> str:
    if amount is None:
        return f"{_AMOUNTS[basis]} of {_token(token)}"
    if token in _ETHERS:
        return f"{Decimal(amount).scaleb(-18):.4f} {_token(token)}"
    return f"{amount} of {_token(token)}"


def _simulated(event: DataEvent, tried: SimulatedTransaction) -> dict[str, Any]:
    found = tried.analysis
    name = f"simulation:{found.transaction}"
    return {
        **_alert(event, name, "simulation", describe_simulated(tried)),
        "transaction": found.transaction,
        "from": found.sender,
        "to": found.to,
        "router": found.router,
        "method": found.method,
        "selector": found.selector,
        "value": str(found.value),
        "usd": text(found.value_usd),
        "basis": "simulated",
        "block": tried.block,
        "number": tried.number,
        "by": tried.method,
        "reverts": not tried.succeeded,
        "reason": tried.reason or None,
        "gas_used": str(tried.gas_used),
        "pool_swaps": [_pool_swap(swap) for swap in tried.swaps],
    }


def _pool_swap(swap: PoolSwap) -> dict[str, Any]:
    return {
        "kind": swap.kind.value,
        "pool": swap.pool,
        "token_in": swap.token_in,
        "token_out": swap.token_out,
        "amount_in": str(swap.amount_in),
        "amount_out": str(swap.amount_out),
    }


def describe_simulated(tried: SimulatedTransaction) -> str:
    """What a transaction would do, in one line for people."""
    found = tried.analysis
    block = tried.block if tried.number is None else tried.number
    where = f"on block {block}, a call of {found.router or found.to}"
    if not tried.succeeded:
        return f"{where} would revert: {tried.reason}"
    words = [
        f"{_amount(swap.amount_in, swap.token_in)} for "
        f"{_amount(swap.amount_out, swap.token_out)} in {swap.kind.value} pool {swap.pool}"
        for swap in tried.swaps[:SHOWN_SWAPS]
    ]
    if len(tried.swaps) > SHOWN_SWAPS:
        words.append(f"{len(tried.swaps) - SHOWN_SWAPS} more swaps")
    return f"{where} would swap {'; '.join(words)}"


def _integer(value: int | None) -> str | None:
    return None if value is None else str(value)


_WRITERS: dict[type, Callable[[DataEvent, Any], dict[str, Any]]] = {
    Quote: _quote,
    Trade: _trade,
    Transaction: _transaction,
    Log: _log,
    Block: _block,
    Price: _price,
    HealthIssue: _health,
    PriceAlert: _price_alert,
    Spread: _spread,
    TransactionAnalysis: _analysis,
    Opportunity: opportunity_line,
    MempoolSnapshot: snapshot_line,
    SimulatedTransaction: _simulated,
}
