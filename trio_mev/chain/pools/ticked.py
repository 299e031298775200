"""Pools of concentrated liquidity: Uniswap V3, its forks, and V4 pools without hooks.

Sources: UniswapV3Pool.swap, mint, burn, initialize (@uniswap/v3-core); Pool.swap and
modifyLiquidity (@uniswap/v4-core).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from ...model.noun import Noun
from .steps import PIPS, step_in, step_out
from .swap import PoolState, Stop, Swap, refused
from .tickmap import TickMap
from .ticks import MAX_ROOT, MAX_TICK, MIN_ROOT, MIN_TICK, sqrt_at, tick_at

LARGEST = 2**255 - 1
"""Of an amount: the contracts' integers have a sign."""
NARROW = 2**127
_ALL = 2**512
"""More than any step takes."""
GAS_OF_A_STEP = 3_000
"""No step costs less."""
MOST_STEPS = 2**24 // GAS_OF_A_STEP
"""Of one swap: a transaction has at most 2**24 gas (EIP-7825)."""


class Stretch(Noun, frozen=True):
    """One step of a swap that goes on: within it nothing but its last rounding is lost."""

    paid: int
    """Before it, exactly."""
    got: int
    root: int
    liquidity: int
    more: int
    """What it takes to its end."""


class TickedPool(Noun, frozen=True):
    """Where the price is, and which liquidity is where."""

    root: int
    """The square root of the price, in 2**-96; 0 before the pool is initialised."""
    tick: int
    """The contract's own: at a tick that was crossed downwards it is one below it."""
    liquidity: int
    """That is active at the price."""
    fee: int
    """The pool's own, in millionths of what is paid."""
    ticks: TickMap
    protocol_fees: int = 0
    """What V4's protocol takes besides, as its slot 0 holds it: twelve bits a side in millionths,
    that of token 0 in the low ones. V3's protocol takes its share of the pool's own fee, which
    changes no amount of a swap."""
    narrow: bool = False
    """Whether amounts must fit 128 bits with a sign, that of what is paid being negative, as V4
    has it (SafeCast.toInt128)."""
    shares: int = 0
    """What V3's protocol takes of the pool's own fee, as slot 0 holds it: one part in so many,
    four bits a side, that of token 0 in the low ones; 0 is nothing."""

    def swap(self, token_in: int, token_out: int, amount: int, exact_out: bool = False) -> Swap:
        """As a router swaps that sets no limit of its own: see `PoolState.swap`."""
        return self.swap_to(token_in == 0, amount, exact_out)

    def swap_to(
        self,
        zero_for_one: bool,
        amount: int,
        exact_out: bool = False,
        limit: int | None = None,
        most: int | None = None,
    ) -> Swap:
        """A swap that ends at a price at the latest.

        Args:
            zero_for_one: whether token 0 is paid, and the price falls.
            amount: what is paid, or taken.
            exact_out: whether it is taken.
            limit: a square root; the last one that there is, where there is none.
            most: steps that are followed, one at least; as many as a transaction has gas for,
                where there is no such limit.
        """
        root, fee = self.root, self.fee_of(zero_for_one)
        if limit is None:
            limit = MIN_ROOT + 1 if zero_for_one else MAX_ROOT - 1
        in_reach = MIN_ROOT < limit < root if zero_for_one else root < limit < MAX_ROOT
        if not (0 < amount <= LARGEST and in_reach and root) or (exact_out and fee >= PIPS):
            return refused(self)
        steps = MOST_STEPS if most is None else min(most, MOST_STEPS)
        done = self._walk(zero_for_one, amount, exact_out, limit, fee, steps)
        if self.narrow and (done.amount_in > NARROW or done.amount_out >= NARROW):
            return refused(self, done.steps)
        return done

    def _walk(
        self, down: bool, amount: int, exact_out: bool, limit: int, fee: int, most: int
    ) -> Swap:
        root, tick, liquidity, ticks = self.root, self.tick, self.liquidity, self.ticks
        remaining, other, crossed, steps, stop = amount, 0, 0, 0, Stop.STEPS
        step = step_out if exact_out else step_in
        next_stop = ticks.below if down else ticks.above
        for steps in range(1, most + 1):
            ahead = next_stop(tick)
            if ahead is None:
                stop = Stop.UNKNOWN_TICKS
                break
            at, initialised = ahead
            edge = sqrt_at(at)
            target = max(edge, limit) if down else min(edge, limit)
            before = root
            root, paid, got = step(root, target, liquidity, remaining, fee)
            remaining -= got if exact_out else paid
            other += paid if exact_out else got
            if root == edge:
                if initialised:
                    net = ticks.ticks[at].net
                    liquidity += -net if down else net
                    crossed += 1
                    if liquidity < 0:
                        return refused(self, steps)
                tick = at - 1 if down else at
            elif root != before:
                tick = tick_at(root)
            if not remaining or root == limit:
                stop = Stop.LIMIT
                break
        done = amount - remaining
        paid, got = (other, done) if exact_out else (done, other)
        rest = self.fee, ticks, self.protocol_fees, self.narrow, self.shares
        after = TickedPool(root, tick, liquidity, *rest)
        return Swap(paid, got, after, stop if remaining else None, crossed, steps)

    def stretches(self, zero_for_one: bool) -> Iterator[Stretch]:
        """The steps of a swap that goes on as far as the ticks are known."""
        root, tick, liquidity, fee = self.root, self.tick, self.liquidity, self.fee_of(zero_for_one)
        next_stop = self.ticks.below if zero_for_one else self.ticks.above
        paid, got, end = 0, 0, MIN_ROOT + 1 if zero_for_one else MAX_ROOT - 1
        while root != end and (ahead := next_stop(tick)) is not None:
            at, initialised = ahead
            edge = sqrt_at(at)
            edge = max(edge, end) if zero_for_one else min(edge, end)
            _, more, given = step_in(root, edge, liquidity, _ALL, fee)
            yield Stretch(paid, got, root, liquidity, more)
            paid, got, root, tick = paid + more, got + given, edge, at - 1 if zero_for_one else at
            if initialised:
                net = self.ticks.ticks[at].net
                liquidity += -net if zero_for_one else net

    def with_liquidity(self, lower: int, upper: int, delta: int) -> TickedPool:
        """With a position's liquidity added, or taken where it is negative.

        Raises:
            ValueError: the range is no range of this pool, or more is taken than there is.
        """
        active = self.liquidity + (delta if lower <= self.tick < upper else 0)
        ticks = self.ticks.changed(lower, upper, delta)
        if active < 0:
            raise ValueError("more is taken than is active")
        rest = self.fee, ticks, self.protocol_fees, self.narrow, self.shares
        return TickedPool(self.root, self.tick, active, *rest)

    def moved(self, root: int, tick: int, liquidity: int) -> TickedPool:
        """With the price and the liquidity where a swap left them.

        Raises:
            ValueError: there is no such price.
        """
        # At a tick that was crossed downwards, the contract's tick is one below the price's.
        if not MIN_TICK - 1 <= tick <= MAX_TICK or tick_at(root) - tick not in (0, 1):
            raise ValueError(f"the tick {tick} is not that of the square root {root}")
        rest = self.fee, self.ticks, self.protocol_fees, self.narrow, self.shares
        return TickedPool(root, tick, liquidity, *rest)

    def charging(self, protocol_fees: int) -> TickedPool:
        """With another protocol fee."""
        return replace(self, protocol_fees=protocol_fees)

    def sharing(self, shares: int) -> TickedPool:
        """With another share of V3's protocol."""
        return replace(self, shares=shares)

    def fee_of(self, zero_for_one: bool) -> int:
        """What is taken of an input in all (ProtocolFeeLibrary.calculateSwapFee)."""
        share = self.protocol_fees & 0xFFF if zero_for_one else self.protocol_fees >> 12
        return share + self.fee - share * self.fee // PIPS


def alike(one: PoolState, other: PoolState) -> bool:
    """Whether two states are the same, as far as both of them know the ticks."""
    if not (isinstance(one, TickedPool) and isinstance(other, TickedPool)):
        return one == other
    if not one.ticks.agrees(other.ticks):
        return False
    return msgspec.structs.replace(one, ticks=other.ticks) == other
