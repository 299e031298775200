"""Opportunities as lines of JSON; the schema is in ``docs/reference/json.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..model.event import DataEvent
from ..model.intents import ETHER
from ..model.opportunity import (
    Amounts,
    CexDex,
    Exposure,
    JustInTime,
    Liquidation,
    Liquidity,
    Opportunity,
    Outcome,
    Path,
    Sandwiched,
    SwapRecord,
)
from .plain import integer, text

EEEE = "0x" + "ee" * 20
"""How ether is written: no contract is there, and the zero address is somebody's nothing."""


def shown(token: str) -> str:
    """A token as lines have it."""
    return EEEE if token == ETHER else token


def _amounts(amounts: Amounts | None) -> dict[str, str] | None:
    if amounts is None:
        return None
    return {shown(token): str(amount) for token, amount in amounts.items()}


def swap_line(swap: SwapRecord) -> dict[str, Any]:
    """A swap; what is not known of where it happened is left out."""
    line = {
        "pool": swap.pool,
        "protocol": swap.protocol,
        "token_in": shown(swap.token_in),
        "amount_in": str(swap.amount_in),
        "token_out": shown(swap.token_out),
        "amount_out": str(swap.amount_out),
    }
    more: dict[str, Any] = {
        "transaction": swap.transaction,
        "log_index": swap.log_index,
        "trace_address": None if swap.trace_address is None else list(swap.trace_address),
        "sender": swap.sender,
        "recipient": swap.recipient,
    }
    return line | {name: value for name, value in more.items() if value is not None}


def _path(detail: Path) -> dict[str, Any]:
    return {"path": [swap_line(one) for one in detail.path]}


def _sandwiched(detail: Sandwiched) -> dict[str, Any]:
    return {
        "frontrun": [swap_line(one) for one in detail.frontrun],
        "victims": [swap_line(one) for one in detail.victims],
        "backrun": [swap_line(one) for one in detail.backrun],
    }


def _exposure(detail: Exposure) -> dict[str, Any]:
    return {
        "victim": swap_line(detail.victim) | {"limit": integer(detail.limit)},
        "loss": str(detail.loss),
        "attacker_in": str(detail.attacker_in),
        "attacker_profit": str(detail.attacker_profit),
        "limit_that_prevents": integer(detail.limit_that_prevents),
        "front_running": str(detail.front_running),
        "others": [
            swap_line(one.swap) | {"limit": integer(one.limit), "loss": str(one.loss)}
            for one in detail.others
        ],
    }


def _liquidation(detail: Liquidation) -> dict[str, Any]:
    return {
        "protocol": detail.protocol,
        "user": detail.user,
        "debt_token": shown(detail.debt_token),
        "debt_amount": str(detail.debt_amount),
        "collateral_token": shown(detail.collateral_token),
        "collateral_amount": str(detail.collateral_amount),
        "health_factor": integer(detail.health_factor),
    }


def _liquidity(change: Liquidity) -> dict[str, Any]:
    return {
        "pool": change.pool,
        "owner": change.owner,
        "tick_lower": change.tick_lower,
        "tick_upper": change.tick_upper,
        "liquidity": integer(change.liquidity),
        "amount0": str(change.amount0),
        "amount1": str(change.amount1),
        "transaction": change.transaction,
        "log_index": change.log_index,
    }


def _jit(detail: JustInTime) -> dict[str, Any]:
    return {
        "mint": _liquidity(detail.mint),
        "swaps": [swap_line(one) for one in detail.swaps],
        "burn": _liquidity(detail.burn),
    }


def _cex_dex(detail: CexDex) -> dict[str, Any]:
    return {
        "venue_price": text(detail.venue_price),
        "pool_price": text(detail.pool_price),
        "interval": text(detail.interval),
        "size": text(detail.size),
    }


_DETAILS: dict[type, Callable[[Any], dict[str, Any]]] = {
    SwapRecord: swap_line,
    Path: _path,
    Sandwiched: _sandwiched,
    Exposure: _exposure,
    Liquidation: _liquidation,
    JustInTime: _jit,
    CexDex: _cex_dex,
}


def _outcome(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {
        "verdict": outcome.verdict.value,
        "by": outcome.by,
        "their_gross": _amounts(outcome.their_gross),
        "why": outcome.why,
        "lead": outcome.lead,
    }


def _more(value: Any) -> Any:
    """What a rule adds, its amounts as text."""
    if isinstance(value, Mapping):
        return {shown(name): _more(one) for name, one in value.items()}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def opportunity_line(_: DataEvent, one: Opportunity) -> dict[str, Any]:
    """A finding's line, of an event."""
    return finding_line(one)


def finding_line(one: Opportunity) -> dict[str, Any]:
    """A finding's line."""
    return {
        "kind": one.kind.value,
        "id": one.id,
        "detector": one.detector,
        "status": one.status.value,
        "cause": one.cause,
        "basis": one.grounds.value,
        "confidence": one.confidence,
        "seen_at": None,
        "expires_block": one.expires_block,
        "block": one.block,
        "transactions": list(one.transactions),
        "victims": list(one.victims),
        "pools": list(one.pools),
        "searcher": one.searcher,
        "gross": _amounts(one.gross),
        "net": _amounts(one.net),
        "gas_wei": integer(one.gas_wei),
        "builder_wei": integer(one.builder_wei),
        "usd": text(one.usd),
        "reverted": one.reverted,
        "alternatives": [kind.value for kind in one.alternatives],
        "detail": _DETAILS[type(one.detail)](one.detail) | _more(one.extra or {}),
        "outcome": _outcome(one.outcome),
    }
