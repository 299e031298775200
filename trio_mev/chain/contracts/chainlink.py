"""Chainlink, on Ethereum's main network.

Methods and events: the sources of libocr, and the ABI of the forwarder; recorded calls and logs.
Aggregators and forwarders have no address in common.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

METHODS: Mapping[str, str] = {
    "0xb1dc65a4": "transmit(bytes32[3],bytes,bytes32[],bytes32[],bytes32)",
    "0xc9807539": "transmit(bytes,bytes32[],bytes32[],bytes32)",
    "0xba0cb29e": "transmitSecondary(bytes32[3],bytes,bytes32[],bytes32[],bytes32)",
    "0x6fadcf72": "forward(address,bytes)",
}
"""Selector to signature."""

SETTABLE_METHODS: Mapping[str, str] = {
    "0xe5c19b2d": "set(int256)",
    "0xa87a20ce": "updateAnswer(int256)",
}
"""Of aggregators on networks of one's own, whose answer is set by a call; the second is that of
Chainlink's own MockV3Aggregator."""

EVENTS: Mapping[str, str] = {
    "0x0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f": (
        "AnswerUpdated(int256*,uint256*,uint256)"
    ),
    "0x0109fc6f55cf40689f02fbaad7af7fe7bbac8a3d2186600afc7d3e10cac60271": (
        "NewRound(uint256*,address*,uint256)"
    ),
    "0xc797025feeeaf2cd924c99e9205acb8ec04d5cad21c41ce637a38fb6dee6016a": (
        "NewTransmission(uint32*,int192,address,uint32,int192[],bytes,int192,bytes32,uint40)"
    ),
    "0xf6a97944f31ea060dfde0566e4167c1a1082551e64b60ecb14d599a9d023d451": (
        "NewTransmission(uint32*,int192,address,int192[],bytes,bytes32)"
    ),
}
"""First topic to signature; what is indexed has a star."""
