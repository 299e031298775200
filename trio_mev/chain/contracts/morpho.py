"""Morpho Blue, on Ethereum's main network.

Address: the npm SDK of the protocol. Methods and events: its source.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

MORPHOS: Mapping[str, str] = {
    "0xbbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb": "Morpho Blue",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    "0xd8eabcb8": (
        "liquidate((address,address,address,address,uint256),address,uint256,uint256,bytes)"
    ),
    "0xa99aad89": (
        "supply((address,address,address,address,uint256),uint256,uint256,address,bytes)"
    ),
    "0x5c2bea49": (
        "withdraw((address,address,address,address,uint256),uint256,uint256,address,address)"
    ),
    "0x50d8cd4b": (
        "borrow((address,address,address,address,uint256),uint256,uint256,address,address)"
    ),
    "0x20b76e81": (
        "repay((address,address,address,address,uint256),uint256,uint256,address,bytes)"
    ),
    "0x238d6579": (
        "supplyCollateral((address,address,address,address,uint256),uint256,address,bytes)"
    ),
    "0x8720316d": (
        "withdrawCollateral((address,address,address,address,uint256),uint256,address,address)"
    ),
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0xa4946ede45d0c6f06a0f5ce92c9ad3b4751452d2fe0e25010783bcab57a67e41": (
        "Liquidate(bytes32*,address*,address*,uint256,uint256,uint256,uint256,uint256)"
    ),
    "0xedf8870433c83823eb071d3df1caa8d008f12f6440918c20d75a3602cda30fe0": (
        "Supply(bytes32*,address*,address*,uint256,uint256)"
    ),
    "0xa56fc0ad5702ec05ce63666221f796fb62437c32db1aa1aa075fc6484cf58fbf": (
        "Withdraw(bytes32*,address,address*,address*,uint256,uint256)"
    ),
    "0x570954540bed6b1304a87dfe815a5eda4a648f7097a16240dcd85c9b5fd42a43": (
        "Borrow(bytes32*,address,address*,address*,uint256,uint256)"
    ),
    "0x52acb05cebbd3cd39715469f22afbf5a17496295ef3bc9bb5944056c63ccaa09": (
        "Repay(bytes32*,address*,address*,uint256,uint256)"
    ),
    "0xa3b9472a1399e17e123f3c2e6586c23e504184d504de59cdaa2b375e880c6184": (
        "SupplyCollateral(bytes32*,address*,address*,uint256)"
    ),
    "0xe80ebd7cc9223d7382aab2e0d1d6155c65651f83d53c8b9b06901d167e321142": (
        "WithdrawCollateral(bytes32*,address,address*,address*,uint256)"
    ),
    "0x9d9bd501d0657d7dfe415f779a620a62b78bc508ddc0891fbbd8b7ac0f8fce87": (
        "AccrueInterest(bytes32*,uint256,uint256,uint256)"
    ),
    "0xac4b2400f169220b0c0afdde7a0b32e775ba727ea1cb30b35f935cdaab8683ac": (
        "CreateMarket(bytes32*,(address,address,address,address,uint256))"
    ),
}
"""First topic to signature; what is indexed has a star."""
