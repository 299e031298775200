"""What a pool's logs say became of it: their events are those of ``chain.logs``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ...model.chain import Log
from ..contracts.uniswap_v4 import POOL_MANAGERS
from ..logs import LogEvent, events_of
from ..logs.uniswap import (
    PancakeV3Swap,
    V2Sync,
    V3Burn,
    V3Initialize,
    V3Mint,
    V3ProtocolShares,
    V3Swap,
    V4ModifyLiquidity,
    V4ProtocolFeeUpdated,
    V4Swap,
)
from . import stable_changes, weighted_changes
from .product import ProductPool
from .swap import PoolState
from .ticked import TickedPool
from .tickmap import tick_map
from .weighted_changes import VAULT

(POOL_MANAGER,) = POOL_MANAGERS
"""Where every pool of Uniswap V4 is on Ethereum's main network, chain id 1."""

(SYNC,) = events_of(V2Sync)
(V3_INITIALIZE,) = events_of(V3Initialize)
(V3_SWAP,) = events_of(V3Swap)
(PANCAKE_SWAP,) = events_of(PancakeV3Swap)
(V3_MINT,) = events_of(V3Mint)
(V3_BURN,) = events_of(V3Burn)
(V3_PROTOCOL_SHARES,) = events_of(V3ProtocolShares)
(V4_SWAP,) = events_of(V4Swap)
(V4_MODIFY,) = events_of(V4ModifyLiquidity)
(V4_PROTOCOL_FEE,) = events_of(V4ProtocolFeeUpdated)


def pool_of(log: Log, manager: str = POOL_MANAGER, vault: str = VAULT) -> str:
    """The id of the pool that a log is of; where a pool of Balancer logs something itself, its
    address."""
    if log.address in (manager, vault) and len(log.topics) > 1:
        return log.topics[1]
    return log.address


def _sync(state: PoolState, event: V2Sync) -> PoolState:
    if not isinstance(state, ProductPool):
        raise ValueError("reserves of what is no pair")
    return ProductPool(event.reserve0, event.reserve1, state.fee)


def _ticked(state: PoolState) -> TickedPool:
    if not isinstance(state, TickedPool):
        raise ValueError("no pool of concentrated liquidity")
    return state


def _initialize(state: PoolState, event: V3Initialize) -> PoolState:
    old = _ticked(state)
    empty = tick_map(old.ticks.spacing, {}, complete=True)
    blank = TickedPool(0, 0, 0, old.fee, empty, old.protocol_fees, shares=old.shares)
    return blank.moved(event.sqrt_price, event.tick, 0)


def _swap(state: PoolState, event: V3Swap | PancakeV3Swap | V4Swap) -> PoolState:
    return _ticked(state).moved(event.sqrt_price, event.tick, event.liquidity)


def _mint(state: PoolState, event: V3Mint | V4ModifyLiquidity) -> PoolState:
    return _ticked(state).with_liquidity(event.tick_lower, event.tick_upper, event.liquidity)


def _burn(state: PoolState, event: V3Burn) -> PoolState:
    return _ticked(state).with_liquidity(event.tick_lower, event.tick_upper, -event.liquidity)


def _protocol_fee(state: PoolState, event: V4ProtocolFeeUpdated) -> PoolState:
    return _ticked(state).charging(event.fee)


def _share(state: PoolState, event: V3ProtocolShares) -> PoolState:
    return _ticked(state).sharing(event.new0 | event.new1 << 4)


_Rule: TypeAlias = "tuple[Callable[[PoolState, Log], PoolState], int, int]"
_FOLLOWED: Mapping[type[LogEvent], Callable[[PoolState, Any], PoolState]] = {
    V2Sync: _sync,
    V3Initialize: _initialize,
    V3Swap: _swap,
    PancakeV3Swap: _swap,
    V3Mint: _mint,
    V3Burn: _burn,
    V4Swap: _swap,
    V4ModifyLiquidity: _mint,
    V4ProtocolFeeUpdated: _protocol_fee,
    V3ProtocolShares: _share,
}


def _following(
    read: Callable[[Log], LogEvent], follow: Callable[[PoolState, Any], PoolState]
) -> Callable[[PoolState, Log], PoolState]:
    return lambda state, log: follow(state, read(log))


_RULES: Mapping[str, _Rule] = {
    # What to do, how many topics a log has, and how many words at least.
    **{
        topic: (_following(event.read, follow), event.topics, event.size // 32)
        for made, follow in _FOLLOWED.items()
        for topic, event in events_of(made).items()
    },
    **stable_changes.RULES,
    **weighted_changes.RULES,
}
TOPICS = tuple(_RULES)
"""The first topics of all logs that change a pool."""


def changed(state: PoolState, log: Log) -> PoolState | None:
    """What a pool holds after one of its logs; None where the log changes nothing.

    Raises:
        ValueError: the pool cannot have emitted this, as far as it is known.
    """
    rule = _RULES.get(log.topics[0]) if log.topics else None
    if rule is None:
        return None
    follow, topics, words = rule
    if len(log.topics) != topics or len(log.data) < 32 * words:
        raise ValueError("the log is cut short")
    return follow(state, log)
