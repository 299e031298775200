"""Swaps in a stable pool are those of Curve's own code, to the last unit, and so are its balances
afterwards."""

from __future__ import annotations

import random

from tests.devnet.abi import call_data, topic
from tests.devnet.addresses import DEPLOYER
from tests.devnet.chain import Chain
from tests.devnet.curve import (
    DIRECTIONS,
    CurvePool,
    curve_pool,
    random_amount,
    random_holdings,
)
from tests.devnet.quotes import answers, roomy_chain
from tests.devnet.reading import carry_out, load
from tests.devnet.test_pool_states import block_at
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.pool import Unusable
from trio_mev.chain.pools.stable import FIRST, StablePool
from trio_mev.chain.pools.stable_loading import load_stable

STATES, QUOTES, SWAPS = 60, 40, 60
EXCHANGE = "exchange(int128,int128,uint256,uint256)"
UNDERLYING = "exchange_underlying(int128,int128,uint256,uint256)"
ENDLESS = ([8764837275892659, 44089511453, 5940, 105888323143597], 1, 10**6, 0)
"""Newton's method does not settle here."""
RATES = (10**18, 10**30, 10**30, 10**18)


def state_of(balances, a, fee, admin_fee) -> StablePool:
    return StablePool(tuple(balances), RATES, a, fee, admin_fee, FIRST)


async def test_quotes_of_a_stable_pool_are_its_own():
    rng, same, refused = random.Random(1), 0, 0
    async with roomy_chain() as chain:
        pool = await curve_pool(chain)
        for held in [ENDLESS, *[random_holdings(rng) for _ in range(STATES)]]:
            await pool.write(*held)
            ours = state_of(*held)
            asked = [(*rng.choice(DIRECTIONS),) for _ in range(QUOTES)]
            asked = [(i, j, random_amount(rng, held[0][i])) for i, j in asked]
            name = "get_dy(int128,int128,uint256)"
            calls = [(pool.address, call_data(name, *one)) for one in asked]
            told = [None if one is None else int(one, 16) for one in await answers(chain, calls)]
            assert [ours.quote(*one) for one in asked] == told
            same += len(told) - told.count(None)
            refused += told.count(None)
    assert same > 2000
    assert refused


async def test_swaps_of_a_stable_pool_leave_what_it_says():
    rng, late = random.Random(2), 0
    async with roomy_chain() as chain:
        pool = await curve_pool(chain)
        for _ in range(SWAPS):
            held = random_holdings(rng)
            await pool.write(*held)
            token_in, token_out = rng.choice(DIRECTIONS)
            amount = random_amount(rng, held[0][token_in])
            ours = state_of(*held)
            swap = ours.swap(token_in, token_out, amount)
            if swap.stop is not None:
                continue
            receipt = await pool.do(EXCHANGE, token_in, token_out, amount, 0)
            (log,) = [
                log
                for log in receipt["logs"]
                if log["topics"][0] == topic("TokenExchange(address,int128,uint256,int128,uint256)")
            ]
            assert int(log["data"][-64:], 16) == swap.amount_out
            assert isinstance(swap.after, StablePool)
            assert await pool.balances() == swap.after.balances
            late += swap.amount_out != ours.quote(token_in, token_out, amount)
    assert late, "a quote that differs from the swap was among them"


async def test_a_stable_pool_is_followed_by_its_logs():
    rng = random.Random(3)
    async with roomy_chain() as chain:
        pool, book = await curve_pool(chain), PoolBook()
        ether = 10**18
        first = [1000 * ether, 2000 * 10**6, 3000 * 10**6, 1500 * ether]
        await pool.do("add_liquidity(uint256[4],uint256)", first, 0)
        await new_parameters(chain, pool, 200, 10**7, 5 * 10**9)
        head = await block_at(chain.rpc)
        book.begin(head.number, head.hash)
        loaded = await load(chain.rpc, load_stable(pool.address))
        assert loaded.pool.tokens == pool.tokens
        assert loaded.pool.decimals == (18, 6, 6, 18)
        assert book.load(loaded.pool, loaded.state, head.hash)
        changes = [
            ("add_liquidity(uint256[4],uint256)", [ether, 7 * 10**6, 0, 300 * ether], 0),
            ("remove_liquidity(uint256,uint256[4])", 777 * 10**15, [0] * 4),
            (
                "remove_liquidity_imbalance(uint256[4],uint256)",
                [5 * ether, 0, 9 * 10**6, 3],
                10**24,
            ),
            *[
                (
                    rng.choice((EXCHANGE, UNDERLYING)),
                    i,
                    j,
                    int(first[i] * 10 ** rng.uniform(-22, -1)),
                    0,
                )
                for i, j in DIRECTIONS
            ],
        ]
        for change in changes * 2:
            await pool.do(*change)
            assert book.advance(await block_at(chain.rpc)) == {pool.address}
            told = await load(chain.rpc, load_stable(pool.address))
            assert book.check(pool.address, told.state, book.head[1]), change
        assert book.counts.logs == 2 * len(changes)
        assert not book.quarantined
        for number in await new_parameters(chain, pool, 300, 2 * 10**7, 10**9):
            book.advance(await block_at(chain.rpc, hex(number)))
        told = await load(chain.rpc, load_stable(pool.address))
        assert told.state.amplification == 300
        assert book.check(pool.address, told.state, book.head[1])


async def new_parameters(chain: Chain, pool: CurvePool, *values: int) -> list[int]:
    """Give it another A and other fees; the numbers of the blocks that it took."""
    owner, name = DEPLOYER, "commit_new_parameters(uint256,uint256,uint256)"
    first = await chain.do(owner, pool.address, name, *values)
    now = (await block_at(chain.rpc)).timestamp
    await chain.rpc.call("evm_setNextBlockTimestamp", now + 4 * 86_400)
    last = await chain.do(owner, pool.address, "apply_new_parameters()")
    return [int(one["blockNumber"], 16) for one in (first, last)]


async def test_what_is_no_stable_pool_is_unusable():
    async with roomy_chain() as chain:
        pool = await curve_pool(chain)
        empty = await carry_out(chain.rpc, load_stable(pool.address))
        assert empty == Unusable(pool.address, "it is empty")
        other = await carry_out(chain.rpc, load_stable(pool.tokens[0]))
        assert isinstance(other, Unusable)
        assert "two to 4 coins" in other.reason
