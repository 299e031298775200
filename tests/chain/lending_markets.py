"""Small markets and positions, put together by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trio_mev.chain.lending.account import Position, Stable
from trio_mev.chain.lending.market import Category, Feed, Market, Reserve, Terms
from trio_mev.chain.lending.maths import RAY
from trio_mev.chain.lending.rules import RULES


def address(number: int) -> str:
    return f"0x{number:040x}"


POOL, PROVIDER, CONFIGURATOR, ORACLE = map(address, range(0x10, 0x14))
WETH, USDC, DAI = map(address, range(0x20, 0x23))
ETH_FEED, ETH_AGGREGATOR = address(0x30), address(0x31)
USER, OTHER = address(0x40), address(0x41)
TIME = 1_800_000_000
DECIMALS = {WETH: 18, USDC: 6, DAI: 18}
ALL = tuple(RULES)


def reserve(asset: str, **changes: Any) -> Reserve:
    """With indices of one, and no interest."""
    number = int(asset, 16)
    terms = {
        "threshold": 8000,
        "bonus": 10_500,
        "decimals": DECIMALS[asset],
        "active": True,
        "paused": False,
        "fee": 1000,
        "category": 0,
    }
    terms |= {name: changes.pop(name) for name in list(changes) if name in terms}
    fields: dict[str, Any] = {
        "id": number - 0x20,
        "asset": asset,
        "a_token": address(number + 0x100),
        "stable_token": address(number + 0x200),
        "variable_token": address(number + 0x300),
        "terms": Terms(**terms),
        "liquidity_index": RAY,
        "liquidity_rate": 0,
        "variable_index": RAY,
        "variable_rate": 0,
        "updated": TIME,
    }
    return Reserve(**{**fields, **changes})


def market(
    revision: int = 1,
    eth: int = 3000,
    reserves: Mapping[str, Mapping[str, Any]] | None = None,
    categories: Mapping[int, Category] | None = None,
    **changes: Any,
) -> Market:
    """Of three tokens, in dollars; the first has a feed."""
    fields: dict[str, Any] = {
        "pool": POOL,
        "rules": RULES[revision],
        "revision": revision,
        "provider": PROVIDER,
        "configurator": CONFIGURATOR,
        "oracle": ORACLE,
        "sentinel": False,
        "base_unit": 10**8,
        "in_dollars": True,
        "reserves": {one: reserve(one, **(reserves or {}).get(one, {})) for one in DECIMALS},
        "categories": categories or {},
        "prices": {WETH: eth * 10**8, USDC: 10**8, DAI: 10**8},
        "feeds": {WETH: Feed(ETH_FEED, ETH_AGGREGATOR)},
    }
    return Market(**{**fields, **changes})


def position(
    supplied: Mapping[int, int],
    borrowed: Mapping[int, int],
    category: int = 0,
    stable: Mapping[int, Stable] | None = None,
    user: str = USER,
) -> Position:
    """By reserve: what is collateral, and what is owed, in the token's smallest units."""
    flags = sum(2 << 2 * place for place in supplied)
    flags += sum(1 << 2 * place for place in {*borrowed, *(stable or {})})
    return Position(user, flags, category, dict(supplied), dict(borrowed), dict(stable or {}))


ETHER = 10**18
DOLLAR = 10**6
BORROWER = position({0: ETHER}, {1: 2450 * DOLLAR})
"""One ether, for 2450 dollars."""
