"""Amounts on chain in words, for people."""

from __future__ import annotations

from decimal import Decimal

from ..chain.contracts.assets import TOKENS
from ..model.intents import ETHER
from ..model.opportunity import Amounts

_NAMES = {ETHER: "ETH", **{address: name for name, address in TOKENS.items()}}
_DECIMALS = {"ETH": 18, "WETH": 18, "DAI": 18, "USDC": 6, "USDT": 6, "WBTC": 8}
"""Of tokens that have a name here, on the main network: for people, not for arithmetic."""


def amounts_text(amounts: Amounts) -> str:
    """By token, those of well-known ones in whole units."""
    return ", ".join(amount_text(token, amount) for token, amount in amounts.items())


def amount_text(token: str, amount: int) -> str:
    """One of them, with its sign."""
    found = whole_units(token, amount)
    if found is None:
        return f"{amount:+d} of {token[:10]}…"
    name, value = found
    return f"{value:+,.4f} {name}"


def whole_units(token: str, amount: int) -> tuple[str, Decimal] | None:
    """Name and whole units of a well-known token; None of any other."""
    name = _NAMES.get(token)
    return None if name is None else (name, Decimal(amount).scaleb(-_DECIMALS[name]))
