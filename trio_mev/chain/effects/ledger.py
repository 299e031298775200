"""What routers and pairs hold while a call goes on, as far as its swaps say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...model.intents import Basis, Hop, PoolKind, SwapIntent
from ..pools.product import ProductPool
from .legs import Doubted, Leg
from .outcome import SwapOutcome, Unknown
from .overlay import Overlay


class Ledger:
    """What the swaps so far have left where."""

    __slots__ = ("_held", "_unsure", "sent")

    def __init__(self, held: Mapping[str, int]) -> None:
        self._held = dict(held)
        self._unsure: set[str] = set()
        """Tokens of which a pool did not take all that a router had for it."""
        self.sent: dict[tuple[str, str], int] = {}
        """What pairs have been sent beforehand, by pair and token."""

    def copy(self) -> Ledger:
        """As it is now."""
        found = Ledger(self._held)
        found._unsure, found.sent = set(self._unsure), dict(self.sent)
        return found

    def held(self, token: str) -> int:
        """What the router is known to have had of a token that no swap has used yet."""
        return self._held.get(token, 0)

    def amount(
        self, swap: SwapIntent, first: Leg, before: Mapping[int, SwapOutcome]
    ) -> tuple[int, bool]:
        """What a swap is of, and whether that presumes that the router held nothing.

        Args:
            swap: the swap.
            first: its first pool.
            before: what came of the swaps before, by their places.

        Raises:
            Doubted: it is not known.
        """
        if swap.basis is Basis.GIVEN:
            if swap.amount is None:
                raise Doubted(Unknown.AMOUNT)
            return swap.amount, False
        token = first.token_in
        if swap.basis is Basis.PAID:
            if not self.sent.get((first.pool.id, token)):
                raise Doubted(Unknown.AMOUNT, "what the pair has been paid")
            return 0, True
        if swap.funded is None or token in self._unsure:
            raise Doubted(Unknown.AMOUNT, "what the router holds or is owed")
        amount = swap.funded + sum(_result(before[place]) for place in swap.sources)
        if swap.basis is Basis.OPEN:
            return amount, False
        presumed = token not in self._held
        amount += self._held.get(token, 0)
        self._held[token] = 0
        return amount, presumed

    def book(
        self, swap: SwapIntent, outcome: SwapOutcome, legs: Iterable[Leg], pools: Overlay
    ) -> None:
        """A swap is done."""
        for leg in legs:
            self.sent.pop((leg.pool.id, leg.token_in), None)
        # What a pool leaves is the router's, but for the first where somebody else pays.
        self._unsure.update(fill.token_in for fill in outcome.fills if fill.partial)
        pair = paid_pair(swap, pools)
        if pair is not None:
            key = pair, outcome.fills[-1].token_out
            self.sent[key] = self.sent.get(key, 0) + outcome.fills[-1].amount_out


def paid_pair(swap: SwapIntent, pools: Overlay) -> str | None:
    """The pair that a swap's result is sent to, if it is sent to one."""
    if swap.recipient is None:
        return None
    entry = pools.find(Hop(PoolKind.V2, pool=swap.recipient))
    if entry is None or not isinstance(entry.state, ProductPool):
        return None
    return entry.pool.id


def _result(outcome: SwapOutcome) -> int:
    if outcome.undone:
        return 0
    if outcome.doubt is not None or outcome.amount_out is None:
        raise Doubted(Unknown.AMOUNT, "what a swap before gives")
    return outcome.amount_out
