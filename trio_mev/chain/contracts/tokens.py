"""ERC-20 and WETH, on Ethereum's main network.

Events and methods: the standard EIP-20, and the verified source of WETH9; recorded logs and calls.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...model.intents import WETH

CHAIN_ID = 1

WRAPPED: Mapping[str, str] = {
    WETH: "WETH",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    "0xa9059cbb": "transfer(address,uint256)",
    "0x23b872dd": "transferFrom(address,address,uint256)",
    "0x095ea7b3": "approve(address,uint256)",
    "0xd0e30db0": "deposit()",
    "0x2e1a7d4d": "withdraw(uint256)",
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef": (
        "Transfer(address*,address*,uint256)"
    ),
    "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925": (
        "Approval(address*,address*,uint256)"
    ),
}
"""First topic to signature; what is indexed has a star."""

WETH_EVENTS: Mapping[str, str] = {
    "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c": (
        "Deposit(address*,uint256)"
    ),
    "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65": (
        "Withdrawal(address*,uint256)"
    ),
}

__all__ = ["CHAIN_ID", "EVENTS", "METHODS", "WETH", "WETH_EVENTS", "WRAPPED"]
