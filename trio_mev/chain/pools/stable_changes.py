"""What a stable pool's logs say became of it.

A swap's log does not say what went to the pool's administrators. What does is the arithmetic: a
swap is carried out once more, and where it gives something else than the log says, the pool is
not what it was taken for. Where a log leaves the state open, that is said, and the pool is to be
read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn, TypeAlias

import msgspec

from ...model.chain import Log
from .stable import FEE_ONE, FIRST, StablePool
from .swap import PoolState
from .words import sint, uint

EXCHANGE = "0x8b3e96f2b889fa771c53c981b40daf005f63f637f1869f707052d15a3dd97140"
EXCHANGE_UNDERLYING = "0xd013ca23e77a65003c2c659c5442c00c805371b7fc1ebd4c206c41d1536bd90b"
ADD = {
    2: "0x26f55a85081d24974e85c6c00045d0f0453991e95873f52bff0d21af4079a768",
    3: "0x423f6495a08fc652425cf4ed0d1f9e37e571d9b9529b1c1c23cce780b2e7df0d",
    4: "0x3f1915775e0c9a38a57a7bb7f1f9005f486fb904e1f84aa215364d567319a58d",
}
"""By the number of coins, as the next two."""
REMOVE = {
    2: "0x7c363854ccf79623411f8995b362bce5eddff18c927edc6f5dbbb5e05819a82c",
    3: "0xa49d4cf02656aebf8c771f5a8585638a2a15ee6c97cf7205d4208ed7c1df252d",
    4: "0x9878ca375e106f2a43c3b599fc624568131c4c9a4ba66a14563715763be9d59d",
}
REMOVE_IMBALANCE = {
    2: "0x2b5508378d7e19e0d5fa338419034731416c4f5b219a10379956f764317fd47e",
    3: "0x173599dbf9c6ca6f7c3b590df07ae98a45d74ff54065505141e7de6c46a624c2",
    4: "0xb964b72f73f5ef5bf0fdc559b2fab9a7b12a39e47817a547f1f0aee47febd602",
}
REMOVE_ONE = "0x9e96dd3b997a2a257eec4df9bb6eaf626e206df5f543bd963682d143300be310"
REMOVE_ONE_LATER = "0x5ad056f2e28a8cec232015406b843668c1e36cda598127ec3b8c59b8c72773a0"
NEW_PARAMETERS = "0x752a27d1853eb7af3ee4ff764f2c4a51619386af721573dd3809e929c39db99e"
NEW_FEE = "0xbe12859b636aed607d5230b2cc2711f68d70e51060e6cca1f575ef5d2fcc95d1"
APPLY_NEW_FEE = "0x750d10a7f37466ce785ee6bcb604aac543358db42afbcc332a3c12a49c80bf6d"
RAMP_A = "0xa2b71ec6df949300b59aab36b55e189697b750119dd349fcfa8c0f779e83c254"
STOP_RAMP_A = "0x46e22fb3709ad289f62ce63d469248536dbc78d82b84a3d7e74ad606dc201938"


def _stable(state: PoolState) -> StablePool:
    if not isinstance(state, StablePool):
        raise ValueError("no stable pool")
    return state


def _exchange(state: PoolState, log: Log) -> PoolState:
    pool = _stable(state)
    sold, paid, bought, got = (sint(log.data, word) for word in range(4))
    if not (0 <= sold < len(pool.balances) and 0 <= bought < len(pool.balances)):
        raise ValueError("no such coins")
    swap = pool.exchange(sold, bought, paid)
    if swap.stop is not None or swap.amount_out != got:
        raise ValueError("a swap gave something else than it should have")
    return swap.after


def _underlying(state: PoolState, log: Log) -> PoolState:
    # In a pool of plain tokens they are their own underlying ones.
    if _stable(state).rules != FIRST:
        raise ValueError("no pool with underlying coins")
    return _exchange(state, log)


def _moved(state: PoolState, log: Log, way: int, fee_way: int) -> PoolState:
    """Amounts, and then fees, of which the administrators' share leaves the pool."""
    pool = _stable(state)
    coins, topic = len(pool.balances), log.topics[0]
    if topic not in (ADD[coins], REMOVE[coins], REMOVE_IMBALANCE[coins]):
        raise ValueError("it has another number of coins")
    balances = list(pool.balances)
    for at in range(coins):
        fee = uint(log.data, coins + at) * fee_way
        balances[at] += way * uint(log.data, at) - fee * pool.admin_fee // FEE_ONE
    if min(balances) < 0:
        raise ValueError("more is taken than there is")
    return pool.holding(balances)


def _add(state: PoolState, log: Log) -> PoolState:
    return _moved(state, log, 1, 1)


def _remove(state: PoolState, log: Log) -> PoolState:
    return _moved(state, log, -1, 0)


def _remove_imbalance(state: PoolState, log: Log) -> PoolState:
    return _moved(state, log, -1, 1)


def _remove_one(state: PoolState, log: Log) -> NoReturn:
    raise ValueError("the log does not say which coin was withdrawn")


def _new_parameters(state: PoolState, log: Log) -> PoolState:
    amplification, fee, admin_fee = (uint(log.data, word) for word in range(3))
    return msgspec.structs.replace(
        _stable(state), amplification=amplification, fee=fee, admin_fee=admin_fee
    )


def _new_fee(state: PoolState, log: Log) -> PoolState:
    return msgspec.structs.replace(_stable(state), fee=uint(log.data), admin_fee=uint(log.data, 1))


def _ramp(state: PoolState, log: Log) -> NoReturn:
    raise ValueError("its amplification changes with time")


Rule: TypeAlias = "tuple[Callable[[PoolState, Log], PoolState], int, int]"
RULES: Mapping[str, Rule] = {
    # What to do, how many topics a log has, and how many words at least.
    EXCHANGE: (_exchange, 2, 4),
    EXCHANGE_UNDERLYING: (_underlying, 2, 4),
    **{one: (_add, 2, 2 * coins + 2) for coins, one in ADD.items()},
    **{one: (_remove, 2, 2 * coins + 1) for coins, one in REMOVE.items()},
    **{one: (_remove_imbalance, 2, 2 * coins + 2) for coins, one in REMOVE_IMBALANCE.items()},
    REMOVE_ONE: (_remove_one, 2, 2),
    REMOVE_ONE_LATER: (_remove_one, 2, 3),
    NEW_PARAMETERS: (_new_parameters, 1, 3),
    NEW_FEE: (_new_fee, 1, 2),
    APPLY_NEW_FEE: (_new_fee, 1, 2),
    RAMP_A: (_ramp, 1, 4),
    STOP_RAMP_A: (_ramp, 1, 2),
}
