"""Lines of what processors find and of the stream's health; opportunities are in ``findings``."""

from __future__ import annotations

from typing import Any

from ..model.chain import TransactionAnalysis
from ..model.event import DataEvent
from ..model.health import HealthIssue
from ..model.intents import Hop, SwapIntent
from ..model.market import PriceAlert, Spread
from ..model.simulation import PoolSwap, SimulatedTransaction
from .mempool import outlook_part
from .plain import integer, text
from .words import describe_analysis, describe_simulated, describe_spread


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


def health_line(event: DataEvent, issue: HealthIssue) -> dict[str, Any]:
    """What is wrong with the stream, or was."""
    name = f"{issue.kind}:{issue.where}"
    message = f"{issue.where}: {issue.detail}" + (" (over)" if issue.over else "")
    return {
        **_alert(event, f"health:{name}", "health", message),
        "issue": issue.kind,
        "where": issue.where,
        "over": issue.over,
    }


def price_alert_line(event: DataEvent, alert: PriceAlert) -> dict[str, Any]:
    """A price that did what it was watched for."""
    return {
        **_alert(event, alert.alert_id, alert.type, alert.message),
        "instrument": str(alert.instrument),
        "threshold": text(alert.threshold),
        "current_price": text(alert.current_price),
        "ratio": text(alert.ratio),
    }


def spread_line(event: DataEvent, spread: Spread) -> dict[str, Any]:
    """A spread between two venues."""
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


def analysis_line(event: DataEvent, found: TransactionAnalysis) -> dict[str, Any]:
    """A pending transaction that is remarkable."""
    return {
        **_alert(
            event,
            f"transaction:{found.transaction}",
            "transaction",
            describe_analysis(found),
        ),
        **_transaction(found),
        "value_class": found.value_class.value if found.value_class else None,
        "fee_per_gas": integer(found.fee_per_gas),
        "urgency": found.urgency.value,
        "swaps": [_swap(swap) for swap in found.swaps],
        "undecoded": found.undecoded,
        "tip_per_gas": integer(found.tip_per_gas),
        "outlook": outlook_part(found.outlook),
    }


def _transaction(found: TransactionAnalysis) -> dict[str, Any]:
    return {
        "transaction": found.transaction,
        "from": found.sender,
        "to": found.to,
        "router": found.router,
        "method": found.method,
        "selector": found.selector,
        "value": str(found.value),
        "usd": text(found.value_usd),
    }


def _swap(swap: SwapIntent) -> dict[str, Any]:
    return {
        "token_in": swap.token_in,
        "token_out": swap.token_out,
        "exact": "out" if swap.exact_out else "in",
        "amount": integer(swap.amount),
        "basis": swap.basis.value,
        "limit": integer(swap.limit),
        "joint_limit": integer(swap.joint_limit),
        "recipient": swap.recipient,
        "deadline": integer(swap.deadline),
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


def simulation_line(event: DataEvent, tried: SimulatedTransaction) -> dict[str, Any]:
    """What a node says of a transaction whose call does not tell it."""
    found = tried.analysis
    name = f"simulation:{found.transaction}"
    return {
        **_alert(event, name, "simulation", describe_simulated(tried)),
        **_transaction(found),
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
