"""Pending transactions that add liquidity, take it out, and swap; and pools for them."""

from __future__ import annotations

from typing import Any

from tests.chain.ticked_pools import empty
from tests.support.encoding import address, call
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.contracts.uniswap_v3 import FACTORY, POSITION_MANAGER
from trio_mev.chain.effects.stays import Act
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.chain import Transaction
from trio_mev.model.intents import WETH

GWEI = 10**9
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
ROUTER = "0xe592427a0aece92de3edee1f18e0157c05861564"
MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
DECREASE = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
POOL, OTHER = address(0x700), address(0x701)
OWNER, TRADER = address(0xA), address(0xB)
NEVER = 2**63
DECODER = CallDecoder()
NOW = 1_700_000_000


def pool_of(name: str = POOL, fee: int = 3000, **more: Any) -> Pool:
    given = {"factory": FACTORY, "fee": fee, "tick_spacing": 60} | more
    return Pool(name, Protocol.UNISWAP_V3, (USDC, WETH), (6, 18), **given)


def deep(**more: Any) -> TickedPool:
    """A pool with liquidity about its price, one for one."""
    return empty(0, **more).with_liquidity(-6000, 6000, 10**21)


def view_of(*entries: Entry, number: int = 7, base_fee: int | None = 10 * GWEI) -> PoolsView:
    by_id = {one.pool.id: one for one in entries} or {POOL: Entry(pool_of(), deep())}
    named = {key: pool for pool, one in by_id.items() if (key := key_of(one.pool)) is not None}
    return PoolsView(
        number,
        f"0x{number:064x}",
        base_fee,
        by_id,
        frozenset(by_id),
        named=named,
        timestamp=NOW,
        next_base_fee=base_fee,
    )


def body(number: int, data: bytes, to: str, sender: str, tip: int, **more: Any) -> Transaction:
    given = {"nonce": number, "max_fee": 1000 * GWEI, "max_priority_fee": tip * GWEI} | more
    return Transaction(
        f"0x{number:064x}", sender, to, value=0, gas=600_000, input=data, type=2, **given
    )


def mint(
    number: int,
    ends: tuple[int, int] = (-60, 60),
    desired: tuple[int, int] = (10**18, 10**18),
    least: tuple[int, int] = (0, 0),
    tokens: tuple[str, str] = (USDC, WETH),
    fee: int = 3000,
    owner: str = OWNER,
    deadline: int = NEVER,
    **more: Any,
) -> Transaction:
    """A transaction that adds a position."""
    data = mint_call(ends, desired, least, tokens, fee, owner, deadline)
    given = {"sender": OWNER, "tip": 4} | more
    return body(number, data, POSITION_MANAGER, **given)


def mint_call(
    ends: tuple[int, int] = (-60, 60),
    desired: tuple[int, int] = (10**18, 10**18),
    least: tuple[int, int] = (0, 0),
    tokens: tuple[str, str] = (USDC, WETH),
    fee: int = 3000,
    owner: str = OWNER,
    deadline: int = NEVER,
) -> bytes:
    return call(MINT, (*tokens, fee, *ends, *desired, *least, owner, deadline))


def leave_call(liquidity: int, least: tuple[int, int] = (0, 0), position: int = 77) -> bytes:
    return call(DECREASE, (position, liquidity, *least, NEVER))


def leave(number: int, liquidity: int, least: tuple[int, int] = (0, 0), **more: Any) -> Transaction:
    """A transaction that takes liquidity out."""
    given = {"sender": OWNER, "tip": 1} | more
    return body(number, leave_call(liquidity, least), POSITION_MANAGER, **given)


def several(number: int, *calls: bytes, **more: Any) -> Transaction:
    """A transaction of several calls of the manager."""
    data = call("multicall(bytes[])", list(calls))
    given = {"sender": OWNER, "tip": 4} | more
    return body(number, data, POSITION_MANAGER, **given)


def swap(
    number: int,
    amount: int = 10**17,
    down: bool = True,
    least: int = 0,
    fee: int = 3000,
    **more: Any,
) -> Transaction:
    """A transaction that swaps at the pool."""
    tokens = (USDC, WETH) if down else (WETH, USDC)
    data = call(SWAP, (*tokens, fee, TRADER, NEVER, amount, least, 0))
    given = {"sender": TRADER, "tip": 2} | more
    return body(number, data, ROUTER, **given)


def act(transaction: Transaction, at: float = 0.0) -> Act:
    """As it is read."""
    intents = DECODER.decode(transaction.to, transaction.input, transaction.sender, 0)
    return Act(transaction, intents, at)
