"""Odos v2, on Ethereum's main network.

Address and methods: published bindings of the router, and recorded calls.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS: Mapping[str, str] = {
    "0xcf5540fffcdc3d510b18bfca6d2b9987b0772559": "Odos v2",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    "0x83bd37f9": "swapCompact()",
    "0x3b635ce4": (
        "swap((address,uint256,address,address,uint256,uint256,address),bytes,address,uint32)"
    ),
    "0x84a7f3dd": "swapMultiCompact()",
    "0x7bf2d6d4": (
        "swapMulti((address,uint256,address)[],(address,uint256,address)[],uint256,byte"
        "s,address,uint32)"
    ),
}
"""Selector to signature."""
