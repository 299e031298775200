"""The Universal Router in its versions, on Ethereum's main network.

Addresses: the deployment files of the repository Uniswap/universal-router and the SDK (2.2.0: the
SDK alone). Methods: the ABI of the npm package @uniswap/universal-router. Commands: the sources of
the versions, as tagged; 1.0 and 2.0 also by recorded calls of the main network.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS: Mapping[str, str] = {
    "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b": "Universal Router 1.0",
    "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad": "Universal Router 1.2",
    "0x66a9893cc07d91d95644aedd05d03f95e1dba8af": "Universal Router 2.0",
    "0x4c82d1fbfe28c977cbb58d8c7ff8fcf9f70a2cca": "Universal Router 2.1.1",
    "0xcb640a86855f1a828c27241ba364348de28abe66": "Universal Router 2.2.0",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    "0x3593564c": "execute(bytes,bytes[],uint256)",
    "0x24856bc3": "execute(bytes,bytes[])",
    "0x44684dc3": ("executeSigned(bytes,bytes[],bytes32,bytes32,bool,bytes32,bytes,uint256)"),
}
"""Selector to signature."""
