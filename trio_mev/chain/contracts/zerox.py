"""0x: AllowanceHolder, Settler and the legacy proxy, on Ethereum's main network.

AllowanceHolder, registry, Settler and its actions: the sources of the repository
0xProject/0x-settler. Legacy proxy: its published ABI. Recorded calls of the main network.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ALLOWANCE_HOLDERS: Mapping[str, str] = {
    "0x0000000000001ff3684f28c67538d4d072c22734": "0x AllowanceHolder",
}
"""Address in lower case to name."""

PROXIES: Mapping[str, str] = {
    "0xdef1c0ded9bec7f1a1670819833240f027b25eff": "0x legacy proxy",
}

HOLDER_METHODS: Mapping[str, str] = {
    "0x2213bc0b": "exec(address,address,uint256,address,bytes)",
}
"""Selector to signature."""

SETTLER_METHODS: Mapping[str, str] = {
    "0x1fff991f": "execute((address,address,uint256),bytes[],bytes32)",
    "0xfd3ad6d4": ("executeMetaTxn((address,address,uint256),bytes[],bytes32,address,bytes)"),
    "0x06b8524c": "executeWithPermit((address,address,uint256),bytes[],bytes32,bytes)",
}

ACTIONS: Mapping[str, str] = {
    "0xc1fb425e": "TRANSFER_FROM(address,((address,uint256),uint256,uint256),bytes)",
    "0x103b48be": "UNISWAPV2(address,address,uint256,address,uint24,uint256)",
    "0x8d68a156": "UNISWAPV3(address,uint256,bytes,uint256)",
    "0x3036d6a6": (
        "UNISWAPV3_VIP(address,((address,uint256),uint256,uint256),bytes,bytes,uint256)"
    ),
    "0xaf72634f": "UNISWAPV4(address,address,uint256,bool,uint256,uint256,bytes,uint256)",
    "0x38c9c147": "BASIC(address,uint256,address,uint256,bytes)",
    "0xc876d21d": "POSITIVE_SLIPPAGE(address,address,uint256)",
    "0x34ee90ca": "POSITIVE_SLIPPAGE(address,address,uint256,uint256)",
    "0xbd01c226": "NATIVE_CHECK(uint256,uint256)",
}
"""What a Settler is told to do: selector and arguments, as of a call."""

PROXY_METHODS: Mapping[str, str] = {
    "0x415565b0": "transformERC20(address,address,uint256,uint256,(uint32,bytes)[])",
    "0xd9627aa4": "sellToUniswap(address[],uint256,uint256,bool)",
    "0x3598d8ab": "sellEthForTokenToUniswapV3(bytes,uint256,address)",
    "0x6af479b2": "sellTokenForTokenToUniswapV3(bytes,uint256,uint256,address)",
    "0x803ba26d": "sellTokenForEthToUniswapV3(bytes,uint256,uint256,address)",
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0xab614d2b738543c0ea21f56347cf696a3a0c42a7cbec3212a5ca22a4dcff2124": (
        "LimitOrderFilled(bytes32,address,address,address,address,address,uint128,uint128"
        ",uint128,uint256,bytes32)"
    ),
    "0x829fa99d94dc4636925b38632e625736a614c154d55006b7ab6bea979c210c32": (
        "RfqOrderFilled(bytes32,address,address,address,address,uint128,uint128,bytes32)"
    ),
}
"""First topic to signature, of what the legacy proxy logs; what is indexed has a star."""

SETTLER_REGISTRY = "0x00000000000004533fe15556b1e086bb1a72ceae"
"""Says which Settler is in use; its address changes, so none is written here."""
