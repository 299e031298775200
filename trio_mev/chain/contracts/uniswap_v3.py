"""Uniswap V3 and its two routers, on Ethereum's main network.

Addresses: the deployments that the protocol publishes. Methods and events: the ABIs of the npm
packages @uniswap/v3-core, @uniswap/v3-periphery and @uniswap/swap-router-contracts, and of
PancakeSwap for its own swap event; recorded calls and logs of the main network.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

SWAP_ROUTERS: Mapping[str, str] = {
    "0xe592427a0aece92de3edee1f18e0157c05861564": "Uniswap V3 SwapRouter",
}
"""Address in lower case to name."""

SWAP_ROUTERS_02: Mapping[str, str] = {
    "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45": "Uniswap SwapRouter02",
}

METHODS: Mapping[str, str] = {
    "0x414bf389": (
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
    ),
    "0xc04b8d59": "exactInput((bytes,address,uint256,uint256,uint256))",
    "0xdb3e2198": (
        "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
    ),
    "0xf28c0498": "exactOutput((bytes,address,uint256,uint256,uint256))",
    "0xac9650d8": "multicall(bytes[])",
    "0x49404b7c": "unwrapWETH9(uint256,address)",
    "0xdf2ab5bb": "sweepToken(address,uint256,address)",
    "0x12210e8a": "refundETH()",
    "0x9b2c0a37": "unwrapWETH9WithFee(uint256,address,uint256,address)",
    "0xe0e189a0": "sweepTokenWithFee(address,uint256,address,uint256,address)",
}
"""Selector to signature."""

METHODS_02: Mapping[str, str] = {
    "0x04e45aaf": ("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"),
    "0xb858183f": "exactInput((bytes,address,uint256,uint256))",
    "0x5023b4df": ("exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))"),
    "0x09b81346": "exactOutput((bytes,address,uint256,uint256))",
    "0x472b43f3": "swapExactTokensForTokens(uint256,uint256,address[],address)",
    "0x42712a67": "swapTokensForExactTokens(uint256,uint256,address[],address)",
    "0x5ae401dc": "multicall(uint256,bytes[])",
    "0x1f0464d1": "multicall(bytes32,bytes[])",
    "0xac9650d8": "multicall(bytes[])",
    "0x49616997": "unwrapWETH9(uint256)",
    "0xe90a182f": "sweepToken(address,uint256)",
    "0x1c58db4f": "wrapETH(uint256)",
    "0xf2d5d56b": "pull(address,uint256)",
}

EVENTS: Mapping[str, str] = {
    "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118": (
        "PoolCreated(address*,address*,uint24*,int24,address)"
    ),
    "0x98636036cb66a9c19a37435efc1e90142190214e8abeb821bdba3f2990dd4c95": (
        "Initialize(uint160,int24)"
    ),
    "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67": (
        "Swap(address*,address*,int256,int256,uint160,uint128,int24)"
    ),
    "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde": (
        "Mint(address,address*,int24*,int24*,uint128,uint256,uint256)"
    ),
    "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c": (
        "Burn(address*,int24*,int24*,uint128,uint256,uint256)"
    ),
    "0x70935338e69775456a85ddef226c395fb668b63fa0115f5f20610b388e6ca9c0": (
        "Collect(address*,address,int24*,int24*,uint128,uint128)"
    ),
    "0xbdbdb71d7860376ba52b25a5028beea23581364a40522f6bcfb86bb1f2dca633": (
        "Flash(address*,address*,uint256,uint256,uint256,uint256)"
    ),
    "0x973d8d92bb299f4af6ce49b52a8adb85ae46b9f214c4c4fc06ac77401237b133": (
        "SetFeeProtocol(uint8,uint8,uint8,uint8)"
    ),
    "0x596b573906218d3411850b26a6b437d6c4522fdb43d2d2386263f86d50b8b151": (
        "CollectProtocol(address*,address*,uint128,uint128)"
    ),
}
"""First topic to signature; what is indexed has a star."""

PANCAKE_EVENTS: Mapping[str, str] = {
    "0x19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83": (
        "Swap(address*,address*,int256,int256,uint160,uint128,int24,uint128,uint128)"
    ),
}

POSITION_EVENTS: Mapping[str, str] = {
    "0x3067048beee31b25b2f1681f88dac838c8bba36af25bfb2b7cf7473a5847e35f": (
        "IncreaseLiquidity(uint256*,uint128,uint256,uint256)"
    ),
    "0x26f6a048ee9138f2c0ce266f322cb99228e8d619ae2bff30c67f8dcf9d2377b4": (
        "DecreaseLiquidity(uint256*,uint128,uint256,uint256)"
    ),
}
"""Of the position manager, which owns in the pools what its callers own there."""

FACTORY = "0x1f98431c8ad98523631ae4a59f267346ea31f984"
POSITION_MANAGER = "0xc36442b4a4522e871399cd717abdd847ab11fe88"

POSITION_MANAGERS: Mapping[str, str] = {
    POSITION_MANAGER: "Uniswap V3 position manager",
}

POSITION_METHODS: Mapping[str, str] = {
    "0x88316456": (
        "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
    ),
    "0x219f5d17": "increaseLiquidity((uint256,uint256,uint256,uint256,uint256,uint256))",
    "0x0c49ccbe": "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))",
    "0xfc6f7865": "collect((uint256,address,uint128,uint128))",
    "0x42966c68": "burn(uint256)",
    "0x13ead562": "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
    "0xac9650d8": "multicall(bytes[])",
    "0x49404b7c": "unwrapWETH9(uint256,address)",
    "0xdf2ab5bb": "sweepToken(address,uint256,address)",
    "0x12210e8a": "refundETH()",
}
"""Of NonfungiblePositionManager, which holds the positions of people in pools."""

PERMITS: Mapping[str, str] = {
    "0xf3995c67": "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)",
    "0xc2e3140a": "selfPermitIfNecessary(address,uint256,uint256,uint8,bytes32,bytes32)",
    "0x4659a494": "selfPermitAllowed(address,uint256,uint256,uint8,bytes32,bytes32)",
    "0xa4a78f0c": "selfPermitAllowedIfNecessary(address,uint256,uint256,uint8,bytes32,bytes32)",
}
"""Of both routers and of the position manager; they move nothing."""

POOL_METHODS: Mapping[str, str] = {
    "0x128acb08": "swap(address,bool,int256,uint160,bytes)",
}
"""Of a pool itself, which contracts call and people do not."""
