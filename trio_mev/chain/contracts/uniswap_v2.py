"""Uniswap V2 and SushiSwap, on Ethereum's main network.

Addresses: the deployments that the protocols publish. Methods and events: the ABIs of the npm
packages @uniswap/v2-core and @uniswap/v2-periphery; recorded calls and logs of the main network.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS: Mapping[str, str] = {
    "0x7a250d5630b4cf539739df2c5dacb4c659f2488d": "Uniswap V2 Router02",
    "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f": "SushiSwap router",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    "0x38ed1739": "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
    "0x8803dbee": "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)",
    "0x7ff36ab5": "swapExactETHForTokens(uint256,address[],address,uint256)",
    "0x4a25d94a": "swapTokensForExactETH(uint256,uint256,address[],address,uint256)",
    "0x18cbafe5": "swapExactTokensForETH(uint256,uint256,address[],address,uint256)",
    "0xfb3bdb41": "swapETHForExactTokens(uint256,address[],address,uint256)",
    "0x5c11d795": (
        "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address["
        "],address,uint256)"
    ),
    "0xb6f9de95": (
        "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)"
    ),
    "0x791ac947": (
        "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],a"
        "ddress,uint256)"
    ),
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9": (
        "PairCreated(address*,address*,address,uint256)"
    ),
    "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1": "Sync(uint112,uint112)",
    "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822": (
        "Swap(address*,uint256,uint256,uint256,uint256,address*)"
    ),
    "0x4c209b5fc8ad50758f13e2e1088ba56a560dff690a1c6fef26394f4c03821c4f": (
        "Mint(address*,uint256,uint256)"
    ),
    "0xdccd412f0b1252819cb1fd330b93224ca42612892bb3f4f789976e6d81936496": (
        "Burn(address*,uint256,uint256,address*)"
    ),
}
"""First topic to signature; what is indexed has a star."""

FACTORIES: Mapping[str, str] = {
    "0x7a250d5630b4cf539739df2c5dacb4c659f2488d": "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f",
    "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f": "0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac",
}
"""A router to the factory whose pairs it uses."""

UNISWAP_FACTORY = FACTORIES["0x7a250d5630b4cf539739df2c5dacb4c659f2488d"]
SUSHISWAP_FACTORY = FACTORIES["0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f"]

PAIR_METHODS: Mapping[str, str] = {
    "0x022c0d9f": "swap(uint256,uint256,address,bytes)",
}
"""Of a pair itself, which contracts call and people do not."""
