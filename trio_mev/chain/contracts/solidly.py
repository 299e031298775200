"""Solidly's descendants, such as Velodrome's second version; Solidly logs as Uniswap V2 does.

Event: the contracts' verified sources. Pools have no address in common.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

EVENTS: Mapping[str, str] = {
    "0xb3e2773606abfd36b5bd91394b3a54d1398336c65005baf7bf7a05efeffaf75b": (
        "Swap(address*,address*,uint256,uint256,uint256,uint256)"
    ),
}
"""First topic to signature; what is indexed has a star."""
