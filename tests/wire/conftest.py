"""What the tests of sessions share: an Ethereum node's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


def encode(message: Any) -> bytes:
    return json.dumps(message).encode()


@pytest.fixture(scope="session")
def notify() -> Callable[[str, Any], bytes]:
    """A notification of a subscription's id."""

    def frame(subscription: str, result: Any) -> bytes:
        params = {"subscription": subscription, "result": result}
        return encode({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})

    return frame


@pytest.fixture(scope="session")
def reply() -> Callable[..., bytes]:
    """A reply to a request's id."""

    def frame(number: int | None, **answer: Any) -> bytes:
        return encode({"jsonrpc": "2.0", "id": number, **answer})

    return frame


@pytest.fixture
def head() -> dict[str, Any]:
    """A header as ``newHeads`` gives it."""
    return {
        "number": "0x1564568",
        "hash": "0x" + "A1" * 32,
        "parentHash": "0x" + "b2" * 32,
        "timestamp": "0x681b3027",
        "gasLimit": "0x2255100",
        "gasUsed": "0x7a2e96",
        "baseFeePerGas": "0x50bdf770",
        "miner": "0x388C818CA8B9251b393131C08a736A67ccB19297",
        "logsBloom": "0x00",
    }


@pytest.fixture
def body() -> dict[str, Any]:
    """A pending transaction that swaps."""
    return {
        "hash": "0x" + "C3" * 32,
        "from": "0x" + "D4" * 20,
        "to": "0xE592427A0AEce92De3Edee1F18E0157C05861564",
        "nonce": "0x1c231",
        "value": "0x29a2241af62c0000",
        "gas": "0x37e66",
        "input": "0x414bf38900",
        "type": "0x2",
        "gasPrice": None,
        "maxFeePerGas": "0x6fc23ac00",
        "maxPriorityFeePerGas": "0x77359400",
        "chainId": "0x1",
        "blockHash": None,
    }


@pytest.fixture
def log() -> dict[str, Any]:
    """An event log of three topics."""
    return {
        "blockHash": "0x" + "a1" * 32,
        "blockNumber": "0x1564568",
        "logIndex": "0x10",
        "transactionHash": "0x" + "c3" * 32,
        "transactionIndex": "0x2",
        "address": "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
        "topics": ["0x" + "E5" * 32, "0x" + "00" * 32, "0x" + "01" * 32],
        "data": "0x00ff",
        "removed": False,
    }
