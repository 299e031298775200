"""Balancer, on Ethereum's main network.

Address, methods and events: the ABIs that the protocol publishes (the swap event of version 3:
published bindings); recorded calls and logs.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

VAULTS: Mapping[str, str] = {
    "0xba12222222228d8ba445958a75a0704d566bf2c8": "Balancer V2 vault",
}
"""Address in lower case to name."""

VAULTS_V3: Mapping[str, str] = {
    "0xba1333333333a1ba1108e8412f11850a5c319ba9": "Balancer V3 vault",
}
"""As the protocol's deployment files have it."""

METHODS: Mapping[str, str] = {
    "0x52bbbe29": (
        "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool)"
        ",uint256,uint256)"
    ),
    "0x945bcec9": (
        "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,b"
        "ool,address,bool),int256[],uint256)"
    ),
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0x2170c741c41531aec20e7c107c24eecfdd15e69c9bb0a8dd37b1840b9e0b207b": (
        "Swap(bytes32*,address*,address*,uint256,uint256)"
    ),
    "0x0d7d75e01ab95780d3cd1c8ec0dd6c2ce19e3a20427eec8bf53283b6fb8e95f0": (
        "FlashLoan(address*,address*,uint256,uint256)"
    ),
    "0xe5ce249087ce04f05a957192435400fd97868dba0e6a4b4c049abf8af80dae78": (
        "PoolBalanceChanged(bytes32*,address*,address[],int256[],uint256[])"
    ),
    "0x908fb5ee8f16c6bc9bc3690973819f32a4d4b10188134543c88706e0e1d43378": (
        "LOG_SWAP(address*,address*,address*,uint256,uint256)"
    ),
    "0x0874b2d545cb271cdbda4e093020c452328b24af12382ed62c4d00f5c26709db": (
        "Swap(address*,address*,address*,uint256,uint256,uint256,uint256)"
    ),
}
"""First topic to signature; what is indexed has a star."""
