"""CoW Protocol, on Ethereum's main network.

Address, method and events: the ABI that the protocol publishes, and recorded calls and logs.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

SETTLEMENTS: Mapping[str, str] = {
    "0x9008d19f58aabd9ed0d60971565aa8510560ab41": "CoW settlement",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    "0x13d79a0b": (
        "settle(address[],uint256[],(uint256,uint256,address,uint256,uint256,uint32,byt"
        "es32,uint256,uint256,uint256,bytes)[],(address,uint256,bytes)[][3])"
    ),
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0xa07a543ab8a018198e99ca0184c93fe9050a79400a0a723441f84de1d972cc17": (
        "Trade(address*,address,address,uint256,uint256,uint256,bytes)"
    ),
    "0x40338ce1a7c49204f0099533b1e9a7ee0a3d261f84974ab7af36105b8c4e9db4": "Settlement(address*)",
}
"""First topic to signature; what is indexed has a star."""
