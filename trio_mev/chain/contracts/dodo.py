"""DODO's pools of its second version, on Ethereum's main network.

Event: the contracts' verified sources. Pools have no address in common.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

EVENTS: Mapping[str, str] = {
    "0xc2c0245e056d5fb095f04cd6373bc770802ebd1e6c918eb78fdef843cdb37b0f": (
        "DODOSwap(address,address,uint256,uint256,address,address)"
    ),
}
"""First topic to signature; what is indexed has a star."""
