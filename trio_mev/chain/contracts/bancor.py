"""Bancor's networks, on Ethereum's main network.

Addresses and methods: the contracts' verified sources, and recorded calls of the main network.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

NETWORKS: Mapping[str, str] = {
    "0x2f9ec37d6ccfff1cab21733bdadede11c823ccb0": "Bancor Network",
    "0xeef417e1d5cc832e619ae18d2f140de2999dd4fb": "Bancor V3 Network",
}
"""Address in lower case to name."""
