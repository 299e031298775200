"""Weighted pools in Balancer's own vault: read, quoted to the last unit, and followed."""

from __future__ import annotations

import random
from functools import partial

from tests.devnet.abi import decode, hexed
from tests.devnet.addresses import DAI, DEPLOYER, USDC, WBTC, WETH
from tests.devnet.balancer import (
    ONE,
    WeightedPoolThere,
    open_vault,
    random_swap,
    sorted_by_address,
)
from tests.devnet.quotes import answers, roomy_chain
from tests.devnet.reading import carry_out, load
from tests.devnet.test_pool_states import block_at
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.loading import Loaded
from trio_mev.chain.pools.pool import Unusable
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.pools.weighted_loading import load_weighted

SWAPS = 500
POOLS = (
    ({DAI: 10**6 * ONE, USDC: 2 * 10**12, WETH: 700 * ONE}, (20, 30, 50)),
    ({WBTC: 40 * 10**8, WETH: 1000 * ONE}, (50, 50)),
    ({USDC: 3 * 10**9, WETH: ONE}, (80, 20)),
)


async def read(there: WeightedPoolThere) -> Loaded:
    vault = there.vault
    return await load(vault.chain.rpc, load_weighted(there.address, vault.address))


async def test_swaps_of_weighted_pools_are_the_vaults():
    rng, whole, refused = random.Random(1), 0, 0
    async with roomy_chain() as chain:
        vault = await open_vault(chain)
        for amounts, weights in POOLS:
            tokens, first = sorted_by_address(amounts)
            shares = tuple(one * ONE // 100 for one in weights)
            there = await vault.pool(tokens, shares, rng.choice((10**12, 3 * 10**15, 10**17)))
            await there.join(0, first)
            loaded = await read(there)
            pool = loaded.state
            assert isinstance(pool, WeightedPool)
            assert (loaded.pool.tokens, pool.balances) == (tokens, tuple(first))
            # Where no weight is 1, 2 or 4 times another, both codes count alike.
            assert pool.shortcuts == (len(tokens) == 3)
            asked = [random_swap(rng, pool.balances) for _ in range(SWAPS)]
            told = await answers(chain, [there.query(*one) for one in asked])
            for one, answer in zip(asked, told, strict=True):
                swap = pool.swap(*one)
                if answer is None:
                    assert swap.stop is not None
                    refused += 1
                else:
                    paid, got = decode("(int256[])", answer)[0]
                    assert (swap.amount_in, swap.amount_out) == (paid, -got)
                    whole += 1
    assert whole > SWAPS
    assert refused > 20


async def test_a_weighted_pool_is_followed_by_its_logs():
    rng = random.Random(2)
    async with roomy_chain() as chain:
        vault = await open_vault(chain)
        tokens, first = sorted_by_address(POOLS[0][0])
        there = await vault.pool(tokens, (ONE // 5, 3 * ONE // 10, ONE // 2), 3 * 10**15)
        await there.join(0, first)
        book, head = PoolBook(vault=vault.address), await block_at(chain.rpc)
        book.begin(head.number, head.hash)
        loaded = await read(there)
        assert book.load(loaded.pool, loaded.state, head.hash)

        async def check() -> None:
            assert book.advance(await block_at(chain.rpc)) == {hexed(there.id)}
            told = await read(there)
            assert book.check(hexed(there.id), told.state, book.head[1])

        for _ in range(40):
            state = book[hexed(there.id)].state
            assert isinstance(state, WeightedPool)
            one = random_swap(rng, state.balances)
            if state.swap(*one).stop is None:
                await there.swap(*one)
                await check()
        lent = tokens[0], "approve(address,uint256)", vault.address, 2**256 - 1
        await chain.do(DEPLOYER, *lent)
        book.advance(await block_at(chain.rpc))
        set_fee = there.address, "setSwapFeePercentage(uint256)", 10**16
        for change in (
            partial(there.join, 1, [10**20, 0, 7], 0),
            partial(there.leave, 1, 10**20),
            partial(there.leave, 0, 10**19, 1),
            partial(there.manage, 0, 10**5),
            partial(there.manage, 2, 9 * 10**4),
            partial(there.manage, 1, 10**4),
            partial(chain.do, DEPLOYER, *set_fee),
            partial(there.swap, 0, 1, 10**6, False),
        ):
            await change()
            await check()
        assert book.counts.logs > 30
        assert not book.quarantined


async def test_what_is_no_weighted_pool_of_the_vault_is_unusable():
    async with roomy_chain() as chain:
        vault = await open_vault(chain)
        tokens, _ = sorted_by_address(POOLS[1][0])
        there = await vault.pool(tokens, (ONE // 2, ONE // 2), 10**15)
        empty = await carry_out(chain.rpc, load_weighted(there.address, vault.address))
        assert isinstance(empty, Unusable)
        assert "quotes" in empty.reason
        for pool, at in ((WETH, vault.address), (there.address, WETH)):
            found = await carry_out(chain.rpc, load_weighted(pool, at))
            assert isinstance(found, Unusable)
            assert "of the vault" in found.reason
