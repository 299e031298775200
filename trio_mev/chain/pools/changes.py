"""What a pool's logs say became of it.

Topics are those of the contracts' published interfaces: UniswapV2Pair, UniswapV3Pool, and
PoolManager of Uniswap V4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ...model.chain import Log
from .product import LARGEST, ProductPool
from .swap import PoolState
from .ticked import TickedPool
from .tickmap import tick_map
from .words import sint, topic_sint, uint

SYNC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
V3_INITIALIZE = "0x98636036cb66a9c19a37435efc1e90142190214e8abeb821bdba3f2990dd4c95"
V3_SWAP = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
PANCAKE_SWAP = "0x19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83"
V3_MINT = "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde"
V3_BURN = "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c"
V3_PROTOCOL_SHARE = "0x973d8d92bb299f4af6ce49b52a8adb85ae46b9f214c4c4fc06ac77401237b133"
V4_SWAP = "0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f"
V4_MODIFY = "0xf208f4912782fd25c7f114ca3723a2d5dd6f3bcc3ac8db5af63baa85f711d5ec"
V4_PROTOCOL_FEE = "0xe9c42593e71f84403b84352cd168d693e2c9fcd1fdbcc3feb21d92b43e6696f9"

POOL_MANAGER = "0x000000000004444c5dc75cb358380d2e3de08a90"
"""Where every pool of Uniswap V4 is on Ethereum's main network, chain id 1."""


def pool_of(log: Log, manager: str = POOL_MANAGER) -> str:
    """The id of the pool that a log is of."""
    if log.address == manager and len(log.topics) > 1:
        return log.topics[1]
    return log.address


def _sync(state: PoolState, log: Log) -> PoolState:
    reserves = uint(log.data), uint(log.data, 1)
    if not isinstance(state, ProductPool) or max(reserves) > LARGEST:
        raise ValueError("no reserves of a pair")
    return ProductPool(*reserves, state.fee)


def _ticked(state: PoolState) -> TickedPool:
    if not isinstance(state, TickedPool):
        raise ValueError("no pool of concentrated liquidity")
    return state


def _initialize(state: PoolState, log: Log) -> PoolState:
    old = _ticked(state)
    empty = tick_map(old.ticks.spacing, {}, complete=True)
    blank = TickedPool(0, 0, 0, old.fee, empty, old.protocol_fees, old.shares)
    return blank.moved(uint(log.data), sint(log.data, 1), 0)


def _swap(state: PoolState, log: Log) -> PoolState:
    return _ticked(state).moved(uint(log.data, 2), sint(log.data, 4), uint(log.data, 3))


def _mint(state: PoolState, log: Log) -> PoolState:
    low, high = map(topic_sint, log.topics[2:4])
    return _ticked(state).with_liquidity(low, high, uint(log.data, 1))


def _burn(state: PoolState, log: Log) -> PoolState:
    low, high = map(topic_sint, log.topics[2:4])
    return _ticked(state).with_liquidity(low, high, -uint(log.data))


def _modify(state: PoolState, log: Log) -> PoolState:
    low, high, delta = (sint(log.data, word) for word in range(3))
    return _ticked(state).with_liquidity(low, high, delta)


def _protocol_fee(state: PoolState, log: Log) -> PoolState:
    return _ticked(state).charging(uint(log.data))


def _share(state: PoolState, log: Log) -> PoolState:
    return _ticked(state).sharing(uint(log.data, 2) | uint(log.data, 3) << 4)


_Rule: TypeAlias = "tuple[Callable[[PoolState, Log], PoolState], int, int]"
_RULES: Mapping[str, _Rule] = {
    # What to do, how many topics a log has, and how many words at least.
    SYNC: (_sync, 1, 2),
    V3_INITIALIZE: (_initialize, 1, 2),
    V3_SWAP: (_swap, 3, 5),
    PANCAKE_SWAP: (_swap, 3, 5),
    V3_MINT: (_mint, 4, 4),
    V3_BURN: (_burn, 4, 3),
    V4_SWAP: (_swap, 3, 6),
    V4_MODIFY: (_modify, 3, 4),
    V4_PROTOCOL_FEE: (_protocol_fee, 2, 1),
    V3_PROTOCOL_SHARE: (_share, 1, 4),
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
