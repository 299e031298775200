"""The tables of methods that calls are told by."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak

from trio_mev.chain.keccak import keccak256
from trio_mev.inspect.fills import FILLS
from trio_mev.inspect.keeping import KEEPING
from trio_mev.inspect.seizures import MANAGER, POSITIONS, SEIZURES
from trio_mev.inspect.swapping import POOLS

LISTED = {
    **{one: signature for one, (signature, _) in (POOLS | FILLS).items()},
    **{one: signature for one, (signature, _) in (SEIZURES | POSITIONS | MANAGER).items()},
    **KEEPING,
    "0x0902f1ac": "getReserves()",
    "0xfff6cae9": "sync()",
    "0x70a08231": "balanceOf(address)",
    "0xa9059cbb": "transfer(address,uint256)",
    "0x23b872dd": "transferFrom(address,address,uint256)",
    "0xf866c319": "transferOnLiquidation(address,address,uint256)",
    "0xb2a02ff1": "seize(address,address,uint256)",
    "0xc488847b": "liquidateCalculateSeizeTokens(address,address,uint256)",
    "0x182df0f5": "exchangeRateStored()",
    "0x23a69e75": "pancakeV3SwapCallback(int256,int256,bytes)",
}


@pytest.mark.parametrize(("selector", "signature"), LISTED.items(), ids=LISTED.values())
def test_a_selector_is_the_hash_of_its_signature(selector: str, signature: str):
    assert selector == "0x" + keccak(signature.encode())[:4].hex()


@pytest.mark.parametrize("data", [b"", b"swap", bytes(range(256)) * 3])
def test_the_hash_is_ethereums(data: bytes):
    assert keccak256(data) == "0x" + keccak(data).hex()
