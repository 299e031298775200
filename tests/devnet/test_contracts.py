"""The contracts are the main network's: at its addresses, and they answer as its do."""

from __future__ import annotations

import time

import pytest
from eth_hash.auto import keccak

from tests.devnet.abi import Address, encode, raw
from tests.devnet.addresses import (
    AAVE_CONFIGURATOR,
    AAVE_DATA,
    AAVE_ORACLE,
    AAVE_POOL,
    AAVE_PROVIDER,
    AGGREGATORS,
    DAI,
    DECIMALS,
    FEEDS,
    POSITIONS,
    QUOTER,
    ROUTER_02,
    SUSHISWAP_FACTORY,
    SUSHISWAP_ROUTER,
    SYMBOLS,
    UNISWAP_V2_FACTORY,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    USD,
    USDC,
    V3_FACTORY,
    V3_ROUTER,
    WBTC,
    WETH,
)
from tests.devnet.artifacts import init_code
from tests.devnet.cast import BORROWERS, LIQUIDATOR, REPORTER, TRADERS
from tests.devnet.chain import Chain
from tests.devnet.deploy import GENESIS, deploy, devnet
from tests.devnet.lending import BONUS, PROTOCOL_FEE, SUPPLY, THRESHOLD
from tests.devnet.logs import LIQUIDATION
from tests.devnet.markets import find_markets
from tests.devnet.node import Options, anvil
from tests.devnet.routers import UNIVERSAL, V3_SINGLE
from tests.devnet.rpc import open_rpc
from tests.devnet.scenario_lending import ACCOUNT, BORROW, LIQUIDATE
from tests.devnet.uniswap import (
    NEVER,
    POOLS,
    V2_CODE_HASH,
    V3_CODE_HASH,
    pair_of,
    pool_of,
    units,
)

QUOTE = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
TRADER = TRADERS[0]


async def test_pools_are_where_the_main_network_has_them(chain: Chain):
    pair = await pair_of(chain, UNISWAP_V2_FACTORY, USDC, WETH)
    assert pair == "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc"
    pools = {fee: await pool_of(chain, USDC, WETH, fee) for fee in (500, 3000)}
    assert pools[500] == "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"
    assert pools[3000] == "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8"
    assert await pair_of(chain, SUSHISWAP_FACTORY, USDC, WETH) != pair


@pytest.mark.parametrize(
    ("name", "digest"), [("UniswapV2Pair", V2_CODE_HASH), ("UniswapV3Pool", V3_CODE_HASH)]
)
def test_pools_have_the_main_networks_code(name: str, digest: bytes):
    assert keccak(init_code(name)) == digest


async def test_lending_is_where_the_main_network_has_it(chain: Chain):
    assert await chain.read_address(AAVE_PROVIDER, "getPool()") == AAVE_POOL
    found = await chain.read_address(AAVE_PROVIDER, "getPoolConfigurator()")
    assert found == AAVE_CONFIGURATOR
    assert await chain.read_address(AAVE_PROVIDER, "getPriceOracle()") == AAVE_ORACLE
    assert await chain.read_address(AAVE_PROVIDER, "getPoolDataProvider()") == AAVE_DATA
    assert await chain.read_int(AAVE_POOL, "POOL_REVISION()") == 1
    (reserves,) = await chain.read(AAVE_POOL, "getReservesList()", returns="(address[])")
    assert list(reserves) == list(DECIMALS)


@pytest.mark.parametrize(
    ("router", "getter", "expected"),
    [
        (UNISWAP_V2_ROUTER, "factory()", UNISWAP_V2_FACTORY),
        (SUSHISWAP_ROUTER, "factory()", SUSHISWAP_FACTORY),
        (V3_ROUTER, "factory()", V3_FACTORY),
        (ROUTER_02, "factoryV2()", UNISWAP_V2_FACTORY),
        (ROUTER_02, "positionManager()", POSITIONS),
        (POSITIONS, "WETH9()", WETH),
        (QUOTER, "factory()", V3_FACTORY),
    ],
)
async def test_routers_know_their_contracts(
    chain: Chain, router: Address, getter: str, expected: Address
):
    assert await chain.read_address(router, getter) == expected


async def test_tokens_say_what_they_are(chain: Chain):
    for token, decimals in DECIMALS.items():
        assert await chain.read_int(token, "decimals()") == decimals
        (symbol,) = await chain.read(token, "symbol()", returns="(string)")
        assert symbol == SYMBOLS[token]


async def test_every_pool_is_near_the_prices_of_the_start(chain: Chain):
    for market in await find_markets(chain):
        depths = {token: await market.depth(chain, token) for token in market.tokens}
        worth = [depth * USD[t] / 10 ** DECIMALS[t] for t, depth in depths.items()]
        assert worth[0] == pytest.approx(worth[1], rel=1e-3)
        assert min(worth) > 1_000_000


async def test_a_pair_gives_what_its_formula_says(chain: Chain):
    pair = await pair_of(chain, UNISWAP_V2_FACTORY, USDC, WETH)
    before = await chain.read(pair, "getReserves()", returns="(uint112,uint112)")
    paid, held = 7 * 10**18 + 1, await chain.balance(USDC, TRADER)
    method = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    await chain.do(TRADER, UNISWAP_V2_ROUTER, method, paid, 0, [WETH, USDC], TRADER, NEVER)
    got = await chain.balance(USDC, TRADER) - held
    assert got == paid * 997 * before[0] // (before[1] * 1000 + paid * 997)
    after = await chain.read(pair, "getReserves()", returns="(uint112,uint112)")
    assert after == (before[0] - got, before[1] + paid)


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: f"{SYMBOLS[pool[0]]}-{pool[2]}")
@pytest.mark.parametrize("dollars", [1, 300_000])
async def test_a_quote_is_what_the_router_gives(
    chain: Chain, pool: tuple[Address, Address, int], dollars: int
):
    for token_in, token_out in (pool[:2], pool[1::-1]):
        paid, held = units(token_in, dollars), await chain.balance(token_out, TRADER)
        quoted, _, crossed, _ = await chain.read(
            QUOTER,
            QUOTE,
            (token_in, token_out, paid, pool[2], 0),
            returns="(uint256,uint160,uint32,uint256)",
        )
        swap = (token_in, token_out, pool[2], TRADER, NEVER, paid, quoted, 0)
        await chain.do(TRADER, V3_ROUTER, f"exactInputSingle({V3_SINGLE})", swap)
        assert await chain.balance(token_out, TRADER) - held == quoted
        # Less than the fee and a little is lost where the amount is small beside the depth.
        if dollars == 1:
            fair = units(token_out, dollars)
            assert fair * 0.99 < quoted < fair
            assert crossed == 0


async def test_a_large_swap_crosses_ticks(chain: Chain):
    asked = (WETH, USDC, units(WETH, 9_000_000), 500, 0)
    types = "(uint256,uint160,uint32,uint256)"
    _, _, crossed, _ = await chain.read(QUOTER, QUOTE, asked, returns=types)
    assert crossed == 2


async def test_the_universal_router_takes_ether(chain: Chain):
    sender, router, value = f"0x{1:040x}", f"0x{2:040x}", 10**18
    quoted = await chain.read(
        QUOTER, QUOTE, (WETH, USDC, value, 500, 0), returns="(uint256,uint160,uint32,uint256)"
    )
    path = raw(WETH) + (500).to_bytes(3, "big") + raw(USDC)
    inputs = [
        encode(("address", "uint256"), router, value),
        encode(("address", "uint256", "uint256", "bytes", "bool"), sender, value, 0, path, False),
    ]
    held = await chain.balance(USDC, TRADER)
    arguments = (b"\x0b\x00", inputs, NEVER)
    await chain.do(TRADER, UNIVERSAL_ROUTER, UNIVERSAL, *arguments, value=value)
    assert await chain.balance(USDC, TRADER) - held == quoted[0]


async def test_a_feed_announces_its_answer_behind_a_proxy(chain: Chain):
    aggregator = await chain.read_address(FEEDS[WETH], "aggregator()")
    assert aggregator == AGGREGATORS[WETH]
    receipt = await chain.do(REPORTER, aggregator, "set(int256)", 2_500 * 10**8)
    log = receipt["logs"][-1]
    assert log["address"] == aggregator
    updated = "0x0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f"
    assert log["topics"] == [updated, f"0x{2_500 * 10**8:064x}", f"0x{2:064x}"]
    assert await chain.read_int(FEEDS[WETH], "latestAnswer()") == 2_500 * 10**8
    assert await chain.read_int(AAVE_ORACLE, "getAssetPrice(address)", WETH) == 2_500 * 10**8


async def test_a_debt_and_its_liquidation_follow_the_rules(chain: Chain):
    """The rules of Aave 3.0: half of the debt just below the limit, and a fee on the bonus."""
    user, supplied, debt = BORROWERS[0], 100 * 10**18, 220_000 * 10**6
    await chain.do(user, AAVE_POOL, SUPPLY, WETH, supplied, user, 0)
    await chain.do(user, AAVE_POOL, BORROW, USDC, debt, 2, 0, user)
    position = await chain.read(AAVE_POOL, "getUserAccountData(address)", user, returns=ACCOUNT)
    assert position[0] == 300_000 * 10**8
    assert position[3] == THRESHOLD
    health = (300_000 * THRESHOLD // 10_000 * 10**18 + 110_000) // 220_000
    assert position[5] == pytest.approx(health, rel=1e-9)
    price = 2_700 * 10**8
    await chain.do(REPORTER, AGGREGATORS[WETH], "set(int256)", price)
    held = {token: await chain.balance(token, LIQUIDATOR) for token in (WETH, USDC)}
    values = (WETH, USDC, user, 2**255, False)
    receipt = await chain.do(LIQUIDATOR, AAVE_POOL, LIQUIDATE, *values)
    repaid = held[USDC] - await chain.balance(USDC, LIQUIDATOR)
    assert repaid == pytest.approx(debt // 2, rel=1e-6)
    base = 10**8 * repaid * 10**18 // (price * 10**6)
    seized = (base * BONUS + 5_000) // 10_000
    bonus = seized - (seized * 10_000 + BONUS // 2) // BONUS
    fee = (bonus * PROTOCOL_FEE + 5_000) // 10_000
    assert await chain.balance(WETH, LIQUIDATOR) - held[WETH] == seized - fee
    assert [log["topics"][0] for log in receipt["logs"]].count(LIQUIDATION) == 1


async def test_a_node_with_everything_on_it_starts_well_within_a_second(chain: Chain):
    # The state is in the cache by now.
    begun = time.monotonic()
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        assert await rpc.number("eth_chainId") == 1
    assert time.monotonic() - begun < 0.8


async def test_the_same_is_deployed_each_time(chain: Chain):
    head = await chain.rpc.call("eth_getBlockByNumber", "latest", False)
    async with anvil(Options(timestamp=GENESIS)) as node, open_rpc(node.ws_url) as rpc:
        await deploy(Chain(rpc))
        again = await rpc.call("eth_getBlockByNumber", "latest", False)
    assert again["hash"] == head["hash"]


def test_there_are_tokens_of_three_kinds():
    assert {DECIMALS[token] for token in (USDC, WBTC, DAI)} == {6, 8, 18}
