"""KyberSwap, on Ethereum's main network.

Address and methods: published bindings of the router, and recorded calls.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS: Mapping[str, str] = {
    "0x6131b5fae19ea4f9d964eac0408e4408b66337b5": "Kyber MetaAggregationRouterV2",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    "0xe21fd0e9": (
        "swap((address,address,bytes,(address,address,address[],uint256[],address[],uin"
        "t256[],address,uint256,uint256,uint256,bytes),bytes))"
    ),
    "0x8af033fb": (
        "swapSimpleMode(address,(address,address,address[],uint256[],address[],uint256["
        "],address,uint256,uint256,uint256,bytes),bytes,bytes)"
    ),
    "0x59e50fed": (
        "swapGeneric((address,address,bytes,(address,address,address[],uint256[],addres"
        "s[],uint256[],address,uint256,uint256,uint256,bytes),bytes))"
    ),
}
"""Selector to signature."""
