"""1inch v6, v5 and v4, on Ethereum's main network.

Addresses and the encoding of pools: the verified sources of the three routers (AggregationRouterV6,
V5 and V4). Methods of v5: its published ABI; of v6 and v4: published bindings and recorded calls.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS_V6: Mapping[str, str] = {
    "0x111111125421ca6dc452d289314280a0f8842a65": "1inch v6",
}
"""Address in lower case to name."""

ROUTERS_V5: Mapping[str, str] = {
    "0x1111111254eeb25477b68fb85ed929f73a960582": "1inch v5",
}

ROUTERS_V4: Mapping[str, str] = {
    "0x1111111254fb6c44bac0bed2854e76f90643097d": "1inch v4",
}

METHODS_V6: Mapping[str, str] = {
    "0x07ed2379": "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes)",
    "0x83800a8e": "unoswap(uint256,uint256,uint256,uint256)",
    "0x8770ba91": "unoswap2(uint256,uint256,uint256,uint256,uint256)",
    "0x19367472": "unoswap3(uint256,uint256,uint256,uint256,uint256,uint256)",
    "0xa76dfc3b": "ethUnoswap(uint256,uint256)",
    "0x89af926a": "ethUnoswap2(uint256,uint256,uint256)",
    "0x188ac35d": "ethUnoswap3(uint256,uint256,uint256,uint256)",
    "0xe2c95c82": "unoswapTo(uint256,uint256,uint256,uint256,uint256)",
    "0xea76dddf": "unoswapTo2(uint256,uint256,uint256,uint256,uint256,uint256)",
    "0xf7a70056": "unoswapTo3(uint256,uint256,uint256,uint256,uint256,uint256,uint256)",
    "0x175accdc": "ethUnoswapTo(uint256,uint256,uint256)",
    "0x0f449d71": "ethUnoswapTo2(uint256,uint256,uint256,uint256)",
    "0x493189f0": "ethUnoswapTo3(uint256,uint256,uint256,uint256,uint256)",
    "0x5816d723": "permitAndCall(bytes,bytes)",
    "0xb68fb020": "cancelOrder(uint256,bytes32)",
    "0xd2d374e5": ("clipperSwap(address,uint256,address,uint256,uint256,uint256,bytes32,bytes32)"),
}
"""Selector to signature."""

METHODS_V5: Mapping[str, str] = {
    "0x12aa3caf": (
        "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes,bytes)"
    ),
    "0x0502b1c5": "unoswap(address,uint256,uint256,uint256[])",
    "0xf78dc253": "unoswapTo(address,address,uint256,uint256,uint256[])",
    "0xe449022e": "uniswapV3Swap(uint256,uint256,uint256[])",
    "0xbc80f1a8": "uniswapV3SwapTo(address,uint256,uint256,uint256[])",
    "0x3c15fd91": "unoswapToWithPermit(address,address,uint256,uint256,uint256[],bytes)",
    "0x2521b930": ("uniswapV3SwapToWithPermit(address,address,uint256,uint256,uint256[],bytes)"),
}

METHODS_V4: Mapping[str, str] = {
    "0x7c025200": (
        "swap(address,(address,address,address,address,uint256,uint256,uint256,bytes),bytes)"
    ),
    "0x2e95b6c8": "unoswap(address,uint256,uint256,bytes32[])",
}
