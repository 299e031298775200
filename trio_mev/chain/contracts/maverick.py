"""Maverick, both versions, on Ethereum's main network.

Events: the contracts' verified sources. Pools have no address in common; a pool's first token has
the lower address.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

EVENTS: Mapping[str, str] = {
    "0x3b841dc9ab51e3104bda4f61b41e4271192d22cd19da5ee6e292dc8e2744f713": (
        "Swap(address,address,bool,bool,uint256,uint256,int32)"
    ),
    "0x103ed084e94a44c8f5f6ba8e3011507c41063177e29949083c439777d8d63f60": (
        "PoolSwap(address,address,(uint256,bool,bool,int32),uint256,uint256)"
    ),
}
"""First topic to signature; what is indexed has a star."""
