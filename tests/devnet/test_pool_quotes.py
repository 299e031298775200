"""Quotes are those of the contracts, to the last unit."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Sequence
from itertools import compress
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from tests.devnet.abi import Address, call_data, decode, encode, hexed
from tests.devnet.addresses import (
    DAI,
    DEPLOYER,
    PROVIDER_OF_LIQUIDITY,
    SUSHISWAP_FACTORY,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_FACTORY,
    UNISWAP_V2_ROUTER,
    USDC,
    V3_FACTORY,
    WBTC,
    WETH,
)
from tests.devnet.artifacts import init_code
from tests.devnet.chain import Chain
from tests.devnet.quotes import (
    FEES,
    Asked,
    answers,
    crowded_pool,
    quoted,
    random_range,
    random_swaps,
    roomy_chain,
)
from tests.devnet.reading import carry_out, load, load_ticked
from tests.devnet.uniswap import ordered, pool_of
from trio_mev.chain.pools import product
from trio_mev.chain.pools.loading import (
    PoolKey,
    find_pairs,
    find_pools,
    load_pair,
    load_v3,
    load_v4,
)
from trio_mev.chain.pools.product import FORKS, ProductPool
from trio_mev.chain.pools.swap import Stop
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity, tick_map
from trio_mev.chain.pools.ticks import sqrt_at

V2_QUOTES = 5000
V3_QUOTES = 5000
V4_QUOTES = 2000
INSIDE = 1000
"""Quotes inside the recorded word."""
NONE = f"0x{0:040x}"
MINT_TO = "mint(address,uint256)"
NO_SALT = bytes(32)
KEY = "(address,address,uint24,int24,address)"


async def test_5000_quotes_of_pairs_are_the_routers(chain: Chain):
    rng, asked, expected = random.Random(1), [], []
    for factory, router in (
        (UNISWAP_V2_FACTORY, UNISWAP_V2_ROUTER),
        (SUSHISWAP_FACTORY, SUSHISWAP_ROUTER),
    ):
        fee = FORKS[factory][1]
        pairs = await carry_out(chain.rpc, find_pairs(factory, (USDC, WETH, WBTC, DAI)))
        assert len(pairs) == 3
        for pair in pairs:
            loaded = await load(chain.rpc, load_pair(pair, fee))
            pool = loaded.state
            assert isinstance(pool, ProductPool)
            for _ in range(V2_QUOTES // 6 + 1):
                side, out = rng.randrange(2), rng.random() < 0.5
                held, given = (pool.reserve0, pool.reserve1)[:: -1 if side else 1]
                amount = int((given if out else held) * 10 ** rng.uniform(-20, -0.001)) or 1
                path = list(loaded.pool.tokens[:: -1 if side else 1])
                method = "getAmountsIn" if out else "getAmountsOut"
                data = call_data(f"{method}(uint256,address[])", amount, path)
                asked.append((router, data))
                ours = product.amount_in if out else product.amount_out
                other = ours(amount, held, given, fee)
                expected.append((other, amount) if out else (amount, other))
                swap = pool.swap(side, 1 - side, amount, out)
                if other:
                    assert (swap.amount_in, swap.amount_out) == expected[-1]
                else:
                    assert swap.stop is Stop.REVERTS
    told = [decode("(uint256[])", one)[0] for one in await answers(chain, asked)]
    assert len(told) >= V2_QUOTES
    assert told == expected


async def test_5000_quotes_of_concentrated_pools_are_the_quoters():
    rng, same, stops = random.Random(1), 0, Counter()
    crossed = most = 0
    async with roomy_chain() as chain:
        tokens = ordered(DAI, WETH)
        for fee in FEES:
            await crowded_pool(chain, rng, tokens, fee, positions=30)
        pools = await carry_out(chain.rpc, find_pools(V3_FACTORY, tokens, list(FEES)))
        assert len(pools) == len(FEES)
        for fee, address in zip(FEES, pools, strict=True):
            pool = await load_ticked(chain.rpc, load_v3(address))
            asked = random_swaps(rng, V3_QUOTES // len(FEES), 22 if fee == 100 else 25)
            ours = [one.of(pool) for one in asked]
            stops.update(swap.stop for swap in ours)
            # Beyond the words that were read there is nothing to compare, and the way there over
            # all words of a tick spacing of 1 costs the node 30 ms.
            known = [swap.stop is not Stop.UNKNOWN_TICKS for swap in ours]
            asked, ours = list(compress(asked, known)), list(compress(ours, known))
            told = await quoted(chain, tokens, fee, asked)
            for one, swap, theirs in zip(asked, ours, told, strict=True):
                crossed, most = crossed + swap.crossed, max(most, swap.crossed)
                if theirs is None:
                    assert swap.stop is Stop.LIMIT
                    assert one.exact_out, "there is not as much of it"
                else:
                    assert (one.other(swap), swap.after.root) == theirs
                    same += 1
    assert same > 0.9 * V3_QUOTES
    assert stops[Stop.LIMIT] > 50
    assert crossed > V3_QUOTES
    assert most > 20


async def test_2000_quotes_of_v4_are_its_quoters():
    """Of the PoolManager itself, without and with the protocol's fee."""
    rng, same = random.Random(2), 0
    async with roomy_chain() as chain:
        tokens = ordered(DAI, WETH)
        manager, view, quoter = await _deploy_v4(chain)
        for fee, spacing, protocol_fees in ((500, 10, 0), (3000, 60, 1000 << 12 | 250)):
            key = (*tokens, fee, spacing, NONE)
            pool_id = await _v4_pool(chain, rng, manager, key)
            if protocol_fees:
                await chain.do(
                    DEPLOYER, manager[0], f"setProtocolFee({KEY},uint24)", key, protocol_fees
                )
            loaded = await load(chain.rpc, load_v4(view, pool_id, PoolKey(*key)))
            pool = loaded.state
            assert isinstance(pool, TickedPool)
            assert pool.protocol_fees == protocol_fees
            asked = random_swaps(rng, V4_QUOTES // 2, 25)
            told = await answers(chain, [_v4_call(quoter, key, one) for one in asked])
            for one, answer in zip(asked, told, strict=True):
                swap = one.of(pool)
                if swap.stop is not None:
                    assert answer is None
                else:
                    assert answer is not None
                    assert one.other(swap) == decode("(uint256,uint256)", answer)[0]
                    same += 1
    assert same > 0.7 * V4_QUOTES


async def _deploy_v4(
    chain: Chain, tokens: Sequence[Address] = (DAI, WETH)
) -> tuple[tuple[Address, Address], Address, Address]:
    manager = await chain.create(DEPLOYER, init_code("PoolManager", ("address",), DEPLOYER))
    made = []
    for name in ("PoolModifyLiquidityTest", "StateView", "V4Quoter"):
        made.append(await chain.create(DEPLOYER, init_code(name, ("address",), manager)))
    await chain.do(DEPLOYER, manager, "setProtocolFeeController(address)", DEPLOYER)
    for token in tokens:
        owner = PROVIDER_OF_LIQUIDITY
        await chain.do(owner, token, "approve(address,uint256)", made[0], 2**256 - 1)
    return (manager, made[0]), made[1], made[2]


async def _v4_pool(
    chain: Chain, rng: random.Random, manager: tuple[Address, Address], key: tuple
) -> str:
    middle = rng.randrange(-2000, 2000)
    await chain.do(DEPLOYER, manager[0], f"initialize({KEY},uint160)", key, sqrt_at(middle))
    method = f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)"
    for number in range(30):
        ends = random_range(rng, middle, key[3])
        liquidity = int(10 ** rng.uniform(9, 22))
        change = (*ends, liquidity, number.to_bytes(32))
        await chain.do(PROVIDER_OF_LIQUIDITY, manager[1], method, key, change, b"")
    return hexed(keccak(encode((KEY,), key)))


def _v4_call(quoter: Address, key: tuple, one: Asked) -> tuple[Address, str]:
    name = "quoteExactOutputSingle" if one.exact_out else "quoteExactInputSingle"
    asked = (key, one.zero_for_one, one.amount, b"")
    return quoter, call_data(f"{name}(({KEY},bool,uint128,bytes))", asked)


async def test_v4_refuses_amounts_over_128_bits_where_we_do():
    """Three ranges that are each allowed, and together are more than one swap may take."""
    async with roomy_chain() as chain:
        tokens = ordered(DAI, USDC)
        manager, view, quoter = await _deploy_v4(chain, tokens)
        await chain.do(PROVIDER_OF_LIQUIDITY, USDC, MINT_TO, PROVIDER_OF_LIQUIDITY, 2**130)
        key = (*tokens, 3000, 60, NONE)
        await chain.do(DEPLOYER, manager[0], f"initialize({KEY},uint160)", key, sqrt_at(600_000))
        method = f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)"
        for low in (599_820, 599_880, 599_940):
            change = low, low + 60, 3 * 10**27, NO_SALT
            await chain.do(PROVIDER_OF_LIQUIDITY, manager[1], method, key, change, b"")
        pool_id = hexed(keccak(encode((KEY,), key)))
        pool = (await load(chain.rpc, load_v4(view, pool_id, PoolKey(*key)))).state
        assert isinstance(pool, TickedPool)
        for exact_out in (False, True):
            last, over = 1, 2**127
            while over - last > 1:
                middle = (last + over) // 2
                if pool.swap_to(True, middle, exact_out).stop is Stop.REVERTS:
                    over = middle
                else:
                    last = middle
            if exact_out:
                assert over == 2**127
            asked = [Asked(True, amount, exact_out) for amount in (last, over)]
            told = await answers(chain, [_v4_call(quoter, key, one) for one in asked])
            assert told[1] is None
            other = asked[0].other(asked[0].of(pool))
            assert other == decode("(uint256,uint256)", told[0])[0]
            assert exact_out or other in range(2**127 - 2**100, 2**127)


@pytest.fixture
def snapshot(corpus: Path) -> dict:
    """One word of a pool of the main network, as it was."""
    path = corpus / "mainnet" / "pools" / "v3_wbtc_weth_17600000.json.gz"
    return json.loads(gzip.decompress(path.read_bytes()))


def recorded_pool(snapshot: dict) -> TickedPool:
    """It, as far as it was recorded."""
    ticks = {
        int(tick): Liquidity(one["liquidity_gross"], one["liquidity_net"])
        for tick, one in snapshot["tick_data"].items()
    }
    known = tick_map(60, ticks)
    assert known.words == {16: snapshot["tick_bitmap"]["16"]["bitmap"]}
    here = (snapshot["sqrt_price_x96"], snapshot["tick"], snapshot["liquidity"])
    return TickedPool(*here, snapshot["fee"], known)


async def write_into(chain: Chain, address: Address, pool: TickedPool) -> None:
    """Give a pool of Uniswap V3 this price and these ticks, in its storage."""

    async def put(slot: int, value: int) -> None:
        text = hex(slot), f"0x{value:064x}"
        await chain.rpc.call("anvil_setStorageAt", address, *text)

    def entry(key: int, mapping: int) -> int:
        return int.from_bytes(keccak(encode(("int256", "uint256"), key, mapping)))

    rest = int(await chain.rpc.call("eth_getStorageAt", address, "0x0", "latest"), 16) >> 184
    await put(0, rest << 184 | (pool.tick % 2**24) << 160 | pool.root)
    await put(4, pool.liquidity)
    for tick, one in pool.ticks.ticks.items():
        await put(entry(tick, 5), (one.net % 2**128) << 128 | one.gross)
    for word, bits in pool.ticks.words.items():
        await put(entry(word, 6), bits)
    # What it gives it must have.
    owner = PROVIDER_OF_LIQUIDITY
    await chain.do(owner, WBTC, "mint(address,uint256)", address, 10**6 * 10**8)
    await chain.do(owner, WETH, "deposit()", value=10**7 * 10**18)
    await chain.do(owner, WETH, "transfer(address,uint256)", address, 10**7 * 10**18)


async def test_1000_quotes_inside_a_recorded_word_are_the_quoters(snapshot: dict):
    rng, inside, crossed, refused = random.Random(4), 0, 0, 0
    ours, tokens = recorded_pool(snapshot), ordered(WBTC, WETH)
    async with roomy_chain() as chain:
        address = await pool_of(chain, *tokens, 3000)
        assert address == snapshot["address"].lower()
        await write_into(chain, address, ours)
        asked = []
        while len(asked) < INSIDE:
            one = random_swaps(rng, 1, 24)[0]
            if one.of(ours).stop is None:
                asked.append(one)
            else:
                refused += 1
                assert one.of(ours).stop is Stop.UNKNOWN_TICKS
        for one, theirs in zip(asked, await quoted(chain, tokens, 3000, asked), strict=True):
            swap = one.of(ours)
            assert (one.other(swap), swap.after.root) == theirs
            assert swap.after.tick // 60 >> 8 == 16
            inside += 1
            crossed += swap.crossed
    assert inside == INSIDE
    assert crossed > INSIDE
    assert refused > 100


def test_the_recorded_v4_swap_holds(corpus: Path):
    path = corpus / "mainnet" / "pools" / "v4_eth_usdc.json.gz"
    recorded = json.loads(gzip.decompress(path.read_bytes()))
    held, probe = recorded["fixture"], recorded["probe"]
    known = tick_map(held["tick_spacing"], {}, words=(0, -1))
    here = int(held["sqrt_price_x96"]), held["tick"], int(held["liquidity"])
    pool = TickedPool(*here, held["fee"], known)
    swap = pool.swap_to(probe["zero_for_one"], int(probe["amount_in"]))
    assert swap.amount_out == int(recorded["expected"]["amount_out_zfo"]) == 998501997
    assert swap.stop is None
