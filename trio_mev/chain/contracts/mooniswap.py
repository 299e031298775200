"""Mooniswap and the pools of 1inch that came of it, on Ethereum's main network.

Events: the contracts' verified sources. Pools have no address in common; ether is address 0.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

EVENTS: Mapping[str, str] = {
    "0x86c49b5d8577da08444947f1427d23ef191cfabf2c0788f93324d79e926a9302": (
        "Swapped(address*,address*,address*,uint256,uint256,uint256,uint256,uint256,address)"
    ),
    "0xbd99c6719f088aa0abd9e7b7a4a635d1f931601e9f304b538dc42be25d8c65c6": (
        "Swapped(address*,address*,address*,address,uint256,uint256,uint256,uint256,address)"
    ),
}
"""First topic to signature; what is indexed has a star."""
