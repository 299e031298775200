"""Tokens whose worth is an asset that exchanges quote, on Ethereum's main network.

Addresses: the issuers' own publications. WETH is redeemed for ether one for one by its contract;
WBTC is a claim on somebody who holds bitcoin, and is therefore an asset of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...model.intents import ETHER, WETH

CHAIN_ID = 1

ASSETS: Mapping[str, str] = {
    WETH: "ETH",
    ETHER: "ETH",
    "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": "USDC",
    "0xdac17f958d2ee523a2206206994597c13d831ec7": "USDT",
    "0x6b175474e89094c44da98b954eedeac495271d0f": "DAI",
    "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599": "WBTC",
}
"""Address in lower case to the asset; ether itself is the zero address."""

DECIMALS: Mapping[str, int] = {
    WETH: 18,
    ETHER: 18,
    "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": 6,
    "0xdac17f958d2ee523a2206206994597c13d831ec7": 6,
    "0x6b175474e89094c44da98b954eedeac495271d0f": 18,
    "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599": 8,
}
"""What ``decimals()`` of each answers, for where no node is there to be asked."""

TOKENS: Mapping[str, str] = {
    "WETH": WETH,
    "USDC": "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
    "USDT": "0xdac17f958d2ee523a2206206994597c13d831ec7",
    "DAI": "0x6b175474e89094c44da98b954eedeac495271d0f",
    "WBTC": "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599",
}
"""The token's own symbol to its address, for those that have no other of this name."""

QUOTES = ("USD", "USDC", "USDT", "DAI", "EUR", "ETH", "WBTC", "BTC")
"""Assets that others are priced in, the first ones before the later ones."""


def rank(asset: str) -> tuple[int, str]:
    """The lower, the more others are priced in it: of two the lower one is the quote."""
    return QUOTES.index(asset) if asset in QUOTES else len(QUOTES), asset
