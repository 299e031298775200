"""ParaSwap v6.2 and v5, on Ethereum's main network.

Methods and the encoding of pools: the sources of Augustus v6; one recorded call. The methods of v5
are not known here: its calls are told as such.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS: Mapping[str, str] = {
    "0x6a000f20005980200259b80c5102003040001068": "ParaSwap v6.2",
}
"""Address in lower case to name."""

ROUTERS_V5: Mapping[str, str] = {
    "0xdef171fe48cf0115b1d80b88dc8eab59176fee57": "ParaSwap v5",
}

METHODS: Mapping[str, str] = {
    "0xe3ead59e": (
        "swapExactAmountIn(address,(address,address,uint256,uint256,uint256,bytes32,add"
        "ress),uint256,bytes,bytes)"
    ),
    "0x7f457675": (
        "swapExactAmountOut(address,(address,address,uint256,uint256,uint256,bytes32,ad"
        "dress),uint256,bytes,bytes)"
    ),
    "0xe8bb3b6c": (
        "swapExactAmountInOnUniswapV2((address,address,uint256,uint256,uint256,bytes32,"
        "address,bytes),uint256,bytes)"
    ),
    "0x876a02f6": (
        "swapExactAmountInOnUniswapV3((address,address,uint256,uint256,uint256,bytes32,"
        "address,bytes),uint256,bytes)"
    ),
    "0xa76f4eb6": (
        "swapExactAmountOutOnUniswapV2((address,address,uint256,uint256,uint256,bytes32"
        ",address,bytes),uint256,bytes)"
    ),
    "0x5e94e28d": (
        "swapExactAmountOutOnUniswapV3((address,address,uint256,uint256,uint256,bytes32"
        ",address,bytes),uint256,bytes)"
    ),
    "0x1a01c532": (
        "swapExactAmountInOnCurveV1((uint256,uint256,address,address,uint256,uint256,ui"
        "nt256,bytes32,address),uint256,bytes)"
    ),
    "0xe37ed256": (
        "swapExactAmountInOnCurveV2((uint256,uint256,uint256,address,address,address,ui"
        "nt256,uint256,uint256,bytes32,address),uint256,bytes)"
    ),
    "0xd85ca173": (
        "swapExactAmountInOnBalancerV2((uint256,uint256,uint256,bytes32,uint256),uint25"
        "6,bytes,bytes)"
    ),
    "0xd6ed22e6": (
        "swapExactAmountOutOnBalancerV2((uint256,uint256,uint256,bytes32,uint256),uint2"
        "56,bytes,bytes)"
    ),
}
"""Selector to signature."""
