"""Curve, on Ethereum's main network.

Methods and events: published ABIs of its pools; recorded calls and logs;
exchange_received: the source of stableswap-ng. Pools have no address in
common.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

METHODS: Mapping[str, str] = {
    "0x3df02124": "exchange(int128,int128,uint256,uint256)",
    "0x5b41b908": "exchange(uint256,uint256,uint256,uint256)",
    "0xa6417ed6": "exchange_underlying(int128,int128,uint256,uint256)",
    "0x394747c5": "exchange(uint256,uint256,uint256,uint256,bool)",
    "0xce7d6503": "exchange(uint256,uint256,uint256,uint256,bool,address)",
    "0x65b2489b": "exchange_underlying(uint256,uint256,uint256,uint256)",
    "0xddc1f59d": "exchange(int128,int128,uint256,uint256,address)",
    "0xafb43012": "exchange_received(int128,int128,uint256,uint256,address)",
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0x8b3e96f2b889fa771c53c981b40daf005f63f637f1869f707052d15a3dd97140": (
        "TokenExchange(address*,int128,uint256,int128,uint256)"
    ),
    "0xd013ca23e77a65003c2c659c5442c00c805371b7fc1ebd4c206c41d1536bd90b": (
        "TokenExchangeUnderlying(address*,int128,uint256,int128,uint256)"
    ),
    "0xb2e76ae99761dc136e598d4a629bb347eccb9532a5f8bbd72e18467c3c34cc98": (
        "TokenExchange(address*,uint256,uint256,uint256,uint256)"
    ),
    "0x143f1f8e861fbdeddd5b46e844b7d3ac7b86a122f36e8c463859ee6811b1f29c": (
        "TokenExchange(address*,uint256,uint256,uint256,uint256,uint256,uint256)"
    ),
}
"""First topic to signature; what is indexed has a star."""
