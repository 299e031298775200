"""What a rule finds, before it is weighed against what other rules make of the same
transactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import attrs

from ..model.intents import ETHER
from ..model.opportunity import Amounts, Detail, Grounds, Kind, Opportunity, Status, SwapRecord
from .acts import Act
from .block import MinedBlock


@attrs.frozen
class Found:
    """One piece of MEV."""

    kind: Kind
    acts: tuple[Act, ...]
    """The searcher's transactions, in their order."""
    detail: Detail
    gross: Amounts | None
    victims: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    mark: str = ""
    """What tells it from others of its kind in the same transactions."""
    searcher: str | None = None
    """As the logs have it; who sent the transaction is known better."""
    grounds: Grounds = Grounds.HEURISTIC
    extra: Mapping[str, Any] | None = None
    reverted: bool = False
    """Whether it is an attempt that was undone."""


def pools_of(swaps: Iterable[SwapRecord]) -> tuple[str, ...]:
    """The pools of swaps, each once."""
    return tuple(dict.fromkeys(swap.pool for swap in swaps))


def landed(
    found: Found, block: MinedBlock, others: tuple[Kind, ...], charged: Set[Act] = frozenset()
) -> Opportunity:
    """A finding as everybody knows it.

    Args:
        found: what a rule found.
        block: where.
        others: what else the same transactions could be called.
        charged: transactions whose gas another finding has.
    """
    mined = [act.mined for act in found.acts]
    shares = [0 if act in charged else 1 for act in found.acts]
    gas = _sum([one.gas_wei for one in mined], shares)
    builder = _sum([one.builder_wei for one in mined], shares)
    name = f"{found.kind.value}:{mined[0].hash}"
    return Opportunity(
        found.kind,
        f"{name}:{found.mark}" if found.mark else name,
        "inspect",
        Status.LANDED,
        found.grounds,
        found.detail,
        block=block.number,
        transactions=tuple(one.hash for one in mined),
        victims=found.victims,
        pools=found.pools,
        searcher=mined[0].sender or found.searcher,
        gross=found.gross,
        net=_net(found.gross, gas, builder),
        gas_wei=gas,
        builder_wei=builder,
        reverted=found.reverted,
        alternatives=others,
        extra=found.extra,
    )


def _sum(amounts: Iterable[int | None], shares: Iterable[int]) -> int | None:
    """None where one of them is not known."""
    total = 0
    for amount, share in zip(amounts, shares, strict=True):
        if amount is None:
            return None
        total += amount * share
    return total


def _net(gross: Amounts | None, gas: int | None, builder: int | None) -> Amounts | None:
    if gross is None or gas is None:
        return None
    return {**gross, ETHER: gross.get(ETHER, 0) - gas - (builder or 0)}
