"""Uniswap V1, on Ethereum's main network.

Events: the source of its exchanges. Each trades one token against ether.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

EVENTS: Mapping[str, str] = {
    "0xcd60aa75dea3072fbc07ae6d7d856b5dc5f4eee88854f5b4abf7b680ef8bc50f": (
        "TokenPurchase(address*,uint256*,uint256*)"
    ),
    "0x7f4091b46c33e918a0f3aa42307641d17bb67029427a5369e54b353984238705": (
        "EthPurchase(address*,uint256*,uint256*)"
    ),
}
"""First topic to signature; what is indexed has a star."""
