"""Stable pools of Curve, exactly as their contracts count.

Curve has no one contract: each pool was compiled from what was the newest code of its day. Here
are those kinds that hold plain tokens; which of them a pool is, loading finds out from the pool's
own quotes.

Sources: StableSwapSUSD, StableSwap3Pool and SwapTemplateBase of Curve's contracts.
"""

from __future__ import annotations

from collections.abc import Callable

from ...model.noun import Noun
from .swap import Swap, refused

ONE = 10**18
FEE_ONE = 10**10
"""Fees are in this."""
MOST_COINS = 4
MOST_ROUNDS = 255
_WORD = 1 << 256


class Rules(Noun, frozen=True):
    """Where the code of one time differs from that of another."""

    guard: int
    """What is added to a divisor of the invariant, so that it is not zero."""
    margin: int
    """What a swap leaves in the pool, in 18 decimals, in case the rest was rounded."""
    recounted: bool
    """Whether balances after a swap come from the scaled ones, and not from what was moved."""
    early: bool
    """Whether a quote is brought to the token's decimals before the fee is taken, not after it as
    in a swap; it may then differ from the swap by one unit."""
    strict: bool
    """Whether what does not converge is refused, and not taken as it is."""


FIRST = Rules(guard=1, margin=0, recounted=True, early=True, strict=False)
"""Of the first pools, sUSD's for one."""
THREE = Rules(guard=0, margin=1, recounted=False, early=True, strict=False)
"""Of the pool of DAI, USDC and USDT."""
TEMPLATE = Rules(guard=0, margin=1, recounted=False, early=False, strict=True)
"""Of the template for plain pools and the pools made from it."""


class StablePool(Noun, frozen=True):
    """A stable pool's tokens, in its own order."""

    balances: tuple[int, ...]
    """Without what is its administrators'."""
    rates: tuple[int, ...]
    """What brings each token to 18 decimals, itself with 18: 10**(36 - decimals)."""
    amplification: int
    """A, times `precision`."""
    fee: int
    admin_fee: int
    """The share of the fee that leaves the pool."""
    rules: Rules
    precision: int = 1
    """What A is multiplied by; 100 in pools that tell it with two decimals."""

    def swap(self, token_in: int, token_out: int, amount: int, exact_out: bool = False) -> Swap:
        """As the pool exchanges: see `PoolState.swap`.

        The contracts have no exact output, and so it is refused.
        """
        if exact_out or amount <= 0:
            return refused(self)
        return self.exchange(token_in, token_out, amount)

    def exchange(self, token_in: int, token_out: int, amount: int) -> Swap:
        """As `swap` of an input; but the contracts do not refuse nothing either, and then balances
        may change by what is rounded."""
        rules, rate = self.rules, self.rates[token_out]
        found = self._moved(token_in, token_out, amount)
        if found is None:
            return refused(self)
        before, paid, left = found
        moved = before - left - rules.margin
        fee = moved * self.fee // FEE_ONE
        got, kept = (moved - fee) * ONE // rate, fee * self.admin_fee // FEE_ONE
        balances = list(self.balances)
        if rules.recounted:
            balances[token_in] = paid * ONE // self.rates[token_in]
            balances[token_out] = (left + fee - kept) * ONE // rate
        else:
            balances[token_in] += amount
            balances[token_out] -= got + kept * ONE // rate
        return Swap(amount, got, self.holding(balances))

    def quote(self, token_in: int, token_out: int, amount: int) -> int | None:
        """What the pool's own ``get_dy`` says, which may be a unit more or less than a swap gives;
        None where it reverts."""
        found = self._moved(token_in, token_out, amount)
        if found is None:
            return None
        before, _, left = found
        moved, rate = before - left - self.rules.margin, self.rates[token_out]
        if self.rules.early:
            moved = moved * ONE // rate
            return moved - moved * self.fee // FEE_ONE
        return (moved - moved * self.fee // FEE_ONE) * ONE // rate

    def holding(self, balances: list[int]) -> StablePool:
        """With other balances."""
        return StablePool(
            tuple(balances),
            self.rates,
            self.amplification,
            self.fee,
            self.admin_fee,
            self.rules,
            self.precision,
        )

    def _moved(self, token_in: int, token_out: int, amount: int) -> tuple[int, int, int] | None:
        """Scaled: what there was of the token that is taken, what there is of the one that is
        paid, and what is left of the other."""
        if amount < 0 or token_in == token_out or min(self.balances) <= 0:
            return None
        scaled = [held * rate // ONE for held, rate in zip(self.balances, self.rates, strict=True)]
        try:
            whole = self._invariant(scaled)
            before = scaled[token_out]
            scaled[token_in] += _fits(amount * self.rates[token_in]) // ONE
            left = self._other(scaled, token_out, whole)
        except (OverflowError, ZeroDivisionError):
            return None
        if before - left < self.rules.margin:
            return None
        return before, scaled[token_in], left

    def _invariant(self, scaled: list[int]) -> int:
        """D, by Newton (get_D)."""
        coins, one, guard = len(scaled), self.precision, self.rules.guard
        steep, total = self.amplification * coins, sum(scaled)

        def nearer(whole: int) -> int:
            product = whole
            for held in scaled:
                product = _fits(product * whole) // (held * coins + guard)
            above = _fits((steep * total // one + product * coins) * whole)
            return above // _fits((steep - one) * whole // one + (coins + 1) * product)

        return self._settled(nearer, total)

    def _other(self, scaled: list[int], place: int, whole: int) -> int:
        """What is left of one token where all others are as given, by Newton (get_y)."""
        coins, one = len(scaled), self.precision
        steep, product, total = self.amplification * coins, whole, 0
        for at, held in enumerate(scaled):
            if at != place:
                total += held
                product = _fits(product * whole) // (held * coins)
        product = _fits(product * whole * one) // (steep * coins)
        linear = total + whole * one // steep - whole
        return self._settled(
            lambda left: _fits(left * left + product) // (2 * left + linear), whole
        )

    def _settled(self, nearer: Callable[[int], int], value: int) -> int:
        for _ in range(MOST_ROUNDS):
            before = value
            value = nearer(value)
            if -1 <= value - before <= 1:
                return value
        if self.rules.strict:
            raise OverflowError("it does not converge")
        return value


def _fits(value: int) -> int:
    if value >= _WORD:
        raise OverflowError("more than 256 bits")
    return value
