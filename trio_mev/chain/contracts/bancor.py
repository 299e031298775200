"""Bancor's networks, on Ethereum's main network.

Addresses, methods and events: the contracts' verified sources, and recorded calls of the main
network.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

NETWORKS: Mapping[str, str] = {
    "0x2f9ec37d6ccfff1cab21733bdadede11c823ccb0": "Bancor Network",
    "0xeef417e1d5cc832e619ae18d2f140de2999dd4fb": "Bancor V3 Network",
}
"""Address in lower case to name."""

EVENTS: Mapping[str, str] = {
    "0x7154b38b5dd31bb3122436a96d4e09aba5b323ae1fd580025fab55074334c095": (
        "Conversion(address*,address*,address*,uint256,uint256,address)"
    ),
    "0x5c02c2bb2d1d082317eb23916ca27b3e7c294398b60061a2ad54f1c3c018c318": (
        "TokensTraded(bytes32*,address*,address*,uint256,uint256,uint256,uint256,uint256,address)"
    ),
}
"""First topic to signature, of what the networks log; what is indexed has a star."""
