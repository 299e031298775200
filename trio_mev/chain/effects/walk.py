"""A swap from pool to pool, as the contracts go: forwards, backwards, or by amounts that they
computed beforehand.

Sources: UniswapV2Library, UniswapV2Router02 and UniswapV2Pair (@uniswap/v2-periphery, v2-core);
SwapRouter (@uniswap/v3-periphery); V2SwapRouter and V3SwapRouter (@uniswap/swap-router-contracts,
@uniswap/universal-router); V4Router (@uniswap/v4-periphery).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...model.intents import PoolKind
from ..pools import product
from ..pools.product import LARGEST, ProductPool
from ..pools.swap import PoolState, Stop, Swap
from ..pools.ticked import GAS_OF_A_STEP, TickedPool
from .legs import Doubted, Leg, Refused
from .outcome import Fill, Refusal, Revert, Unknown

MOST_STEPS = 2**24 // GAS_OF_A_STEP
"""Of all swaps of one transaction together: it has at most 2**24 gas (EIP-7825)."""
A_SWAP = 8
"""What a swap in one pool counts for, beside its steps there: none costs less gas than these."""
_UNKNOWN = {Stop.UNKNOWN_TICKS: Unknown.TICKS, Stop.STEPS: Unknown.STEPS}


class Steps:
    """How many steps all swaps of a transaction have taken.

    A step is what has at least `GAS_OF_A_STEP` in it: going on to the next tick of a pool, or an
    eighth of beginning a swap.

    Args:
        most: that are followed, if not as many as any transaction has gas for.
    """

    __slots__ = ("left", "most")

    def __init__(self, most: int | None = None) -> None:
        self.most = MOST_STEPS if most is None else min(most, MOST_STEPS)
        self.left = self.most

    @property
    def taken(self) -> int:
        """So far."""
        return self.most - self.left

    @property
    def over(self) -> bool:
        """Whether there were more than are followed."""
        return self.left < 0

    def take(self, steps: int) -> None:
        """Count some.

        Raises:
            Doubted: they are too many.
        """
        self.left -= steps
        if self.left < 0:
            raise Doubted(Unknown.STEPS, f"more than {self.most} are not followed")


def steps_of(gas: int) -> int:
    """How many steps a transaction has gas for, at most."""
    return gas // GAS_OF_A_STEP


class Walk:
    """One swap: the pools as it goes, and what each gives."""

    def __init__(
        self,
        legs: Sequence[Leg],
        steps: Steps,
        surplus: Mapping[tuple[str, str], int],
        price_limit: int | None,
    ) -> None:
        self.legs = legs
        self.states: dict[str, PoolState] = {leg.pool.id: leg.state for leg in legs}
        self.fills: list[Fill] = []
        self._steps = steps
        self._surplus = dict(surplus)
        self._price_limit = price_limit

    def sent(self, leg: Leg) -> int:
        """What a pair has been sent beforehand of what goes in."""
        return self._surplus.get((leg.pool.id, leg.token_in), 0)

    def forward(self, amount: int) -> None:
        """Each pool takes what the one before gave, and a pair all that it has been sent."""
        self._no_pair_twice()
        for leg in self.legs:
            if leg.kind is PoolKind.V2:
                amount += self._surplus.pop((leg.pool.id, leg.token_in), 0)
            amount = self._fill(leg, amount, exact_out=False).amount_out

    def backward(self, amount: int) -> None:
        """Each pool gives what the one after takes.

        Those of V3 are in use until all before them have paid; others are done one by one.
        """
        used: set[str] = set()
        for leg in reversed(self.legs):
            if leg.kind is PoolKind.V3 and leg.pool.id in used:
                raise Refused(Refusal(Revert.LOCKED, pool=leg.pool.id))
            if leg.kind is PoolKind.CURVE:
                raise Doubted(Unknown.UNSUPPORTED, "an exact output of Curve")
            used.add(leg.pool.id)
            amount = self._fill(leg, amount, exact_out=True).amount_in
        self.fills.reverse()

    def _fill(self, leg: Leg, amount: int, exact_out: bool) -> Fill:
        state = self.states[leg.pool.id]
        swap = self._swapped(leg, state, amount, exact_out)
        partial = swap.stop is not None
        return self._book(leg, swap.amount_in, swap.amount_out, swap.after, partial)

    def _swapped(self, leg: Leg, state: PoolState, amount: int, exact_out: bool) -> Swap:
        pool, limit = leg.pool.id, self._price_limit
        if isinstance(state, TickedPool):
            most = self._steps.left + 1  # one more than there are, to tell that they are over
            swap = state.swap_to(leg.one == 0, amount, exact_out, limit, most)
        else:
            swap = state.swap(leg.one, leg.two, amount, exact_out)
        self._steps.take(swap.steps)
        if swap.stop in _UNKNOWN:
            raise Doubted(_UNKNOWN[swap.stop], pool)
        if leg.kind is PoolKind.V4 and swap.stop is Stop.LIMIT:
            raise Doubted(Unknown.UNFILLED, pool)
        # A router of V3 does not pay a pool that asks for nothing.
        if swap.stop is Stop.REVERTS or (leg.kind is PoolKind.V3 and swap.amount_in == 0):
            raise Refused(Refusal(Revert.POOL, pool=pool))
        if exact_out and swap.stop is Stop.LIMIT and limit is None:
            raise Refused(Refusal(Revert.UNFILLED, amount - swap.amount_out, pool))
        return swap

    def _book(self, leg: Leg, paid: int, got: int, after: PoolState, partial: bool = False) -> Fill:
        pool = leg.pool.id
        before = self.states[pool]
        fill = Fill(pool, leg.token_in, leg.token_out, paid, got, before, after, partial)
        self.states[pool] = after
        self.fills.append(fill)
        return fill

    def computed(self, amounts: Sequence[int]) -> None:
        """Pairs give amounts that the router has computed, where these keep their product."""
        self._no_pair_twice()
        for leg, paid, got in zip(self.legs, amounts, amounts[1:], strict=False):
            if self.sent(leg):
                raise Doubted(Unknown.AMOUNT, f"{leg.pool.id} has been sent more")
            after = settled(self._pair(leg), leg.one, paid, got)
            if after is None:
                raise Refused(Refusal(Revert.POOL, pool=leg.pool.id))
            self._book(leg, paid, got, after)

    def amounts_out(self, amount: int) -> list[int]:
        """What pairs would give, each as it is now (UniswapV2Library.getAmountsOut)."""
        found = [amount]
        for leg in self.legs:
            pair = self._pair(leg)
            held, given = _sides(pair, leg.one)
            if min(found[-1], held, given) <= 0:
                raise Refused(Refusal(Revert.POOL, pool=leg.pool.id))
            found.append(product.amount_out(found[-1], held, given, pair.fee))
        return found

    def amounts_in(self, amount: int, least: int = 1) -> list[int]:
        """What pairs would take, each as it is now (UniswapV2Library.getAmountsIn).

        Args:
            amount: that the last one gives.
            least: below which the library refuses it.
        """
        found = [amount]
        for leg in reversed(self.legs):
            pair = self._pair(leg)
            held, given = _sides(pair, leg.one)
            if not least <= found[-1] < given or held <= 0:
                raise Refused(Refusal(Revert.POOL, pool=leg.pool.id))
            found.append(product.amount_in(found[-1], held, given, pair.fee))
        return found[::-1]

    def _pair(self, leg: Leg) -> ProductPool:
        state = self.states[leg.pool.id]
        if not isinstance(state, ProductPool):
            raise Doubted(Unknown.UNSUPPORTED, "pairs and other pools on one way")
        return state

    def _no_pair_twice(self) -> None:
        """What a pair sends to itself it counts as paid, and then finds nothing for the next."""
        for leg, following in zip(self.legs, self.legs[1:], strict=False):
            if leg.kind is PoolKind.V2 and leg.pool.id == following.pool.id:
                raise Refused(Refusal(Revert.POOL, pool=leg.pool.id))


def _sides(pair: ProductPool, one: int) -> tuple[int, int]:
    return (pair.reserve1, pair.reserve0) if one else (pair.reserve0, pair.reserve1)


def settled(pair: ProductPool, one: int, paid: int, got: int) -> ProductPool | None:
    """A pair that has been paid one amount and gives another; None where it refuses to
    (UniswapV2Pair.swap)."""
    held, given = _sides(pair, one)
    if paid <= 0 or not 0 < got < given or held + paid > LARGEST:
        return None
    fee = pair.fee
    counted = (held + paid) * fee.of - paid * (fee.of - fee.kept)
    if counted * (given - got) < held * given * fee.of:
        return None
    first, second = (given - got, held + paid) if one else (held + paid, given - got)
    return ProductPool(first, second, fee)
