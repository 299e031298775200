"""Uniswap V4, on Ethereum's main network.

Address and events: the deployments that the protocol publishes, and the ABI of its PoolManager;
recorded Swap logs of the main network.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

POOL_MANAGERS: Mapping[str, str] = {
    "0x000000000004444c5dc75cb358380d2e3de08a90": "Uniswap V4 PoolManager",
}
"""Address in lower case to name."""

STATE_VIEW = "0x7ffe42c4a5deea5b0fec41c94c136cf115597227"
"""StateView, by which the manager's pools are read (docs.uniswap.org, deployments)."""

EVENTS: Mapping[str, str] = {
    "0xdd466e674ea557f56295e2d0218a125ea4b4f0f6f3307b95f85e6110838d6438": (
        "Initialize(bytes32*,address*,address*,uint24,int24,address,uint160,int24)"
    ),
    "0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f": (
        "Swap(bytes32*,address*,int128,int128,uint160,uint128,int24,uint24)"
    ),
    "0xf208f4912782fd25c7f114ca3723a2d5dd6f3bcc3ac8db5af63baa85f711d5ec": (
        "ModifyLiquidity(bytes32*,address*,int24,int24,int256,bytes32)"
    ),
    "0x29ef05caaff9404b7cb6d1c0e9bbae9eaa7ab2541feba1a9c4248594c08156cb": (
        "Donate(bytes32*,address*,uint256,uint256)"
    ),
    "0xe9c42593e71f84403b84352cd168d693e2c9fcd1fdbcc3feb21d92b43e6696f9": (
        "ProtocolFeeUpdated(bytes32*,uint24)"
    ),
}
"""First topic to signature; what is indexed has a star."""
