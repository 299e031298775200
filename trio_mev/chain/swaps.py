"""Which pools exchanged what, from the logs of one transaction; without I/O and without state.

An event is what a contract claims: any contract may log a swap. What says more is that the tokens
moved, which is why a token is named only where a transfer of just that amount shows it, or where
the event itself names it and comes from a vault that is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..model.chain import Log
from ..model.intents import PoolKind
from ..model.simulation import PoolSwap
from .contracts.balancer import VAULTS
from .contracts.uniswap_v4 import POOL_MANAGERS
from .logs import LogDecoder, LogEvent
from .logs.uniswap import PancakeV3Swap, V2Swap, V3Swap, V4Swap
from .logs.venues import (
    BalancerSwap,
    BalancerV1Swap,
    CurveCryptoExchange,
    CurveExchange,
    CurveExchangeUnderlying,
    Transfer,
)

_DECODER = LogDecoder()
_CURVE: Mapping[type[LogEvent], PoolKind] = {
    CurveExchange: PoolKind.CURVE,
    CurveCryptoExchange: PoolKind.CURVE,
    CurveExchangeUnderlying: PoolKind.CURVE_UNDERLYING,
}


def swaps_of(logs: Iterable[Log]) -> tuple[PoolSwap, ...]:
    """The swaps of pools whose events are known, in the order of their events.

    Where a pool gives nothing, as after a flash loan in the token that it is paid back in, there
    is no swap.
    """
    told = [(log, event) for log in logs if isinstance(event := _DECODER.decode(log), LogEvent)]
    moved = _Moved(told)
    return tuple(
        [swap for log, event in told if (swap := _swap(log.address, event, moved)) is not None]
    )


class _Moved:
    """The tokens that were transferred, by whom they left or reached and the amount."""

    def __init__(self, told: Iterable[tuple[Log, LogEvent]]) -> None:
        self._into: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._out_of: dict[tuple[str, int], set[str]] = defaultdict(set)
        for log, event in told:
            if isinstance(event, Transfer):
                self._into[event.target, event.amount].add(log.address)
                self._out_of[event.source, event.amount].add(log.address)

    def into(self, holder: str, amount: int) -> str | None:
        """The one token of which so much came to a holder; None where none did, or several."""
        return _only(self._into.get((holder, amount)))

    def out_of(self, holder: str, amount: int) -> str | None:
        """The one token of which so much left a holder."""
        return _only(self._out_of.get((holder, amount)))


def _only(tokens: set[str] | None) -> str | None:
    return next(iter(tokens)) if tokens is not None and len(tokens) == 1 else None


def _swap(holder: str, event: LogEvent, moved: _Moved) -> PoolSwap | None:
    """What an event says of a swap; None where it is about something else."""
    if isinstance(event, V2Swap):
        nets = (event.amount0_in - event.amount0_out, event.amount1_in - event.amount1_out)
        return _by_sign(PoolKind.V2, holder, holder, nets, moved)
    if isinstance(event, V3Swap | PancakeV3Swap):
        return _by_sign(PoolKind.V3, holder, holder, (event.amount0, event.amount1), moved)
    if isinstance(event, V4Swap):
        if holder not in POOL_MANAGERS:
            return None
        return _by_sign(PoolKind.V4, event.pool, holder, (-event.amount0, -event.amount1), moved)
    if isinstance(event, BalancerSwap | BalancerV1Swap):
        return _of_balancer(holder, event)
    if isinstance(event, CurveExchange | CurveCryptoExchange | CurveExchangeUnderlying):
        kind, sold, bought = _CURVE[type(event)], event.amount_sold, event.amount_bought
        tokens = moved.into(holder, sold), moved.out_of(holder, bought)
        return PoolSwap(kind, holder, *tokens, sold, bought)
    return None


def _by_sign(
    kind: PoolKind, pool: str, holder: str, amounts: tuple[int, int], moved: _Moved
) -> PoolSwap | None:
    """A swap of two amounts as the pool sees them: what it gets is positive."""
    got, gave = max(amounts), -min(amounts)
    if got <= 0 or gave <= 0:
        return None
    return PoolSwap(kind, pool, moved.into(holder, got), moved.out_of(holder, gave), got, gave)


def _of_balancer(holder: str, event: BalancerSwap | BalancerV1Swap) -> PoolSwap | None:
    if isinstance(event, BalancerV1Swap):
        pool = holder
    elif holder in VAULTS:
        pool = event.pool
    else:
        return None
    return PoolSwap(
        PoolKind.BALANCER,
        pool,
        event.token_in,
        event.token_out,
        event.amount_in,
        event.amount_out,
    )
