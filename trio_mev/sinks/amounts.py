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
    name = _NAMES.get(token)
    if name is None:
        return f"{amount:+d} of {token[:10]}…"
    value = Decimal(amount).scaleb(-_DECIMALS[name])
    return f"{value:+,.4f} {name}"
