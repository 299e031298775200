"""Where the contracts are: where the main network has them, as far as it has them."""

from __future__ import annotations

from tests.devnet.abi import account

WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"
DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"
DECIMALS = {WETH: 18, USDC: 6, WBTC: 8, DAI: 18}
SYMBOLS = {WETH: "WETH", USDC: "USDC", WBTC: "WBTC", DAI: "DAI"}

UNISWAP_V2_FACTORY = "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f"
UNISWAP_V2_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
SUSHISWAP_FACTORY = "0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac"
SUSHISWAP_ROUTER = "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f"

V3_FACTORY = "0x1f98431c8ad98523631ae4a59f267346ea31f984"
V3_ROUTER = "0xe592427a0aece92de3edee1f18e0157c05861564"
ROUTER_02 = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
POSITIONS = "0xc36442b4a4522e871399cd717abdd847ab11fe88"
QUOTER = "0x61ffe014ba17989e743c5f6cb21bf9697530b21e"
UNIVERSAL_ROUTER = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af"

AAVE_REGISTRY = "0xbaa999ac55eace41ccae355c77809e68bb345170"
AAVE_PROVIDER = "0x2f39d218133afab8f2b819b1066c7e434ad94e9e"
AAVE_POOL = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
AAVE_CONFIGURATOR = "0x64b761d848206f447fe2dd461b0c635ec39ebb27"
AAVE_ACL = "0xc2aacf6553d20d1e9d78e365aaba8032af9c85b0"
AAVE_ORACLE = "0x54586be62e3c3580375ae3723c145253060ca0c2"
AAVE_DATA = "0x7b4eb56e7cd4b454ba8ff71e4518426369a138a3"

FEEDS = {
    WETH: "0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419",
    WBTC: "0xf4030086522a5beea4988f8ca5b36dbc97bee88c",
    USDC: "0x8fffffd4afb6115b954bd326cbe7b4ba576818f6",
    DAI: "0xaed0c38402a5d19df6e4c03f4e2dced6e29c1ee9",
}
"""The proxies, by the token whose price in dollars they give."""
AGGREGATORS = {token: account(f"aggregator of {token}") for token in FEEDS}

DEPLOYER = account("deployer")
PROVIDER_OF_LIQUIDITY = account("liquidity")
TREASURY = account("treasury")
PRODUCER = account("producer")
"""Who the blocks' fees go to."""
NOBODY = f"0x{0:040x}"

USD = {WETH: 3_000, WBTC: 90_000, USDC: 1, DAI: 1}
"""Whole dollars for a whole token, where everything starts."""
