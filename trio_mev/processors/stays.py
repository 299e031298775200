"""Which stays of liquidity are for somebody else's swap, and what they make."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..chain.contracts.uniswap_v3 import POSITION_MANAGER
from ..chain.effects.queue import owners_of
from ..chain.effects.stays import Crossing, Stay
from ..chain.pools.pool import Protocol
from ..chain.pools.view import PoolsView
from ..chain.pools.worth import Worth
from ..model.intents import ETHER, WETH
from ..model.opportunity import (
    Grounds,
    JustInTime,
    Kind,
    Liquidity,
    Opportunity,
    Status,
    SwapRecord,
)
from .worth import EtherPrice

NAME = "JitDetector"
ADDING, REMOVING = 460_000, 255_000
"""Gas that the position manager takes. Measured on a devnet with the real contracts: 434,000 to
475,000 to add a position, 251,000 to 257,000 to take it out, collect it and burn it."""
UNSEEN = 0.5
"""Confidence where nothing shows that liquidity will go again: it is as likely as not."""


@attrs.frozen(eq=False)
class Judge:
    """Judges stays as of a head.

    Args:
        view: the pools.
        ether: its price.
    """

    view: PoolsView
    ether: EtherPrice
    _worth: dict[tuple[str, str], Worth] = attrs.field(init=False, factory=dict)

    def judge(self, stay: Stay, now: float) -> Opportunity | None:
        """A stay as a prediction; None where it is nobody's business but its owner's."""
        swaps = [one for one in stay.crossings if _sender(one) not in owners_of(stay.act)]
        if not swaps:
            return None
        main = max(swaps, key=lambda one: self._in_wei(stay.tokens, one.paid) or 0)
        gas, worth = self._gas(stay), self._in_wei(stay.tokens, stay.gross.values())
        net_wei = None if worth is None else worth - gas
        # Without its leave it is liquidity like any other, unless it came for the swap and pays.
        if stay.leave is None and (main.act.at > stay.act.at or (net_wei or 0) <= 0):
            return None
        found = self._prediction(stay, main, swaps)
        net = {**stay.gross, ETHER: stay.gross.get(ETHER, 0) - gas}
        usd = self.ether.in_usd(net_wei, now)
        return attrs.evolve(found, gross=stay.gross, net=net, gas_wei=gas, usd=usd)

    def _worth_of(self, tokens: tuple[str, str]) -> Worth:
        """What a pool's tokens are worth: of all pools, those that tell it are looked at."""
        if tokens not in self._worth:
            telling = {*tokens, WETH}
            entries = {
                pool: entry
                for pool, entry in self.view.entries.items()
                if telling.issuperset(entry.pool.tokens)
            }
            self._worth[tokens] = Worth(attrs.evolve(self.view, entries=entries))
        return self._worth[tokens]

    def _in_wei(self, tokens: tuple[str, str], amounts: Iterable[int]) -> int | None:
        """What amounts are worth together; None where that of one is not known."""
        worth = [
            self._worth_of(tokens).in_wei(token, amount)
            for token, amount in zip(tokens, amounts, strict=True)
            if amount
        ]
        known = [one for one in worth if one is not None]
        return sum(known) if len(known) == len(worth) else None

    def _gas(self, stay: Stay) -> int:
        """What both transactions pay at the head's next base fee; a leave that is not seen is
        taken to offer nothing above it."""
        base = self.view.next_base_fee
        adding = stay.act.transaction.fee_per_gas(base) or 0
        removing = base if stay.leave is None else stay.leave.transaction.fee_per_gas(base)
        return ADDING * adding + REMOVING * (removing or 0)

    def _prediction(self, stay: Stay, main: Crossing, swaps: list[Crossing]) -> Opportunity:
        mint, cause, leave = stay.act.transaction.hash, main.act.transaction.hash, stay.leave
        sure = leave is not None and all(one.sure for one in stay.crossings)
        burn = None if leave is None else leave.transaction.hash
        lower, upper = stay.ticks
        return Opportunity(
            Kind.JIT,
            f"jit:{cause}:{mint}:{lower}:{upper}",
            NAME,
            Status.PREDICTED,
            Grounds.ARITHMETIC if sure else Grounds.HEURISTIC,
            JustInTime(
                _liquidity(stay, stay.added, mint),
                tuple([_swap(one) for one in swaps]),
                _liquidity(stay, stay.taken, burn),
            ),
            cause=cause,
            confidence=UNSEEN if burn is None else 1.0,
            block=self.view.number,
            expires_block=self.view.number + 1,
            transactions=(mint,) if burn is None else (mint, burn),
            victims=tuple(dict.fromkeys(one.act.transaction.hash for one in swaps)),
            pools=(stay.pool,),
            searcher=stay.intent.owner,
        )


def _sender(crossing: Crossing) -> str:
    return crossing.act.transaction.sender


def _liquidity(stay: Stay, amounts: tuple[int, int], transaction: str | None) -> Liquidity:
    """As the pool's own log has it, to which the position manager is the owner."""
    ends = stay.ticks
    return Liquidity(
        stay.pool, POSITION_MANAGER, *ends, stay.liquidity, *amounts, transaction=transaction
    )


def _swap(crossing: Crossing) -> SwapRecord:
    fill, body = crossing.fill, crossing.act.transaction
    return SwapRecord(
        fill.pool,
        Protocol.UNISWAP_V3.value,
        fill.token_in,
        fill.amount_in,
        fill.token_out,
        fill.amount_out,
        transaction=body.hash,
        sender=body.to,
    )
