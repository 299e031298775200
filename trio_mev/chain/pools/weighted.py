"""Weighted pools of Balancer V2, exactly as their contracts count.

Sources: WeightedMath._calcOutGivenIn and _calcInGivenOut (@balancer-labs/v2-pool-weighted),
BaseMinimalSwapInfoPool.onSwap (@balancer-labs/v2-pool-utils), FixedPoint
(@balancer-labs/v2-solidity-utils).
"""

from __future__ import annotations

from ...model.noun import Noun
from .powers import ONE, power
from .swap import Swap, refused

MOST_SHARE = 3 * ONE // 10
"""Of a balance that a swap may bring or take."""
LARGEST = 2**112 - 1
"""Of a balance."""
_ERROR = 10_000
_WORD = 1 << 256


def _mul_down(a: int, b: int) -> int:
    return a * b // ONE


def _mul_up(a: int, b: int) -> int:
    return -(-a * b // ONE)


def _div_up(a: int, b: int) -> int:
    return -(-a * ONE // b)


class WeightedPool(Noun, frozen=True):
    """A weighted pool's tokens, in the order that the vault has them."""

    balances: tuple[int, ...]
    weights: tuple[int, ...]
    """With 18 decimals; together they are one."""
    scales: tuple[int, ...]
    """What brings each token to 18 decimals: 10**(18 - decimals)."""
    fee: int
    """With 18 decimals."""
    shortcuts: bool = True
    """Whether the pool's code squares where the exponent is 1, 2 or 4; the first did not."""
    tokens: tuple[str, ...] = ()
    """Their addresses, by which the vault's logs name them."""

    def swap(self, token_in: int, token_out: int, amount: int, exact_out: bool = False) -> Swap:
        """As the vault swaps: see `PoolState.swap`."""
        if amount <= 0 or token_in == token_out:
            return refused(self)
        paid: int | None = amount
        got: int | None = amount
        if exact_out:
            paid = self._paid(token_in, token_out, amount)
        else:
            got = self._got(token_in, token_out, amount)
        if paid is None or got is None:
            return refused(self)
        balances = list(self.balances)
        balances[token_in] += paid
        balances[token_out] -= got
        if balances[token_in] > LARGEST:
            return refused(self)
        return Swap(paid, got, self.holding(tuple(balances)))

    def holding(self, balances: tuple[int, ...]) -> WeightedPool:
        """With other balances.

        Raises:
            ValueError: the vault cannot hold them.
        """
        if not 0 <= min(balances) <= max(balances) <= LARGEST:
            raise ValueError("there are no such balances")
        rest = self.weights, self.scales, self.fee, self.shortcuts, self.tokens
        return WeightedPool(balances, *rest)

    def _got(self, token_in: int, token_out: int, amount: int) -> int | None:
        held = self.balances[token_in] * self.scales[token_in]
        given = self.balances[token_out] * self.scales[token_out]
        paid = (amount - _mul_up(amount, self.fee)) * self.scales[token_in]
        if paid > _mul_down(held, MOST_SHARE) or held == 0 or held * ONE >= _WORD:
            return None
        exponent = self.weights[token_in] * ONE // self.weights[token_out]
        raised = self._power_up(_div_up(held, held + paid), exponent)
        if raised is None:
            return None
        return _mul_down(given, max(ONE - raised, 0)) // self.scales[token_out]

    def _paid(self, token_in: int, token_out: int, amount: int) -> int | None:
        held = self.balances[token_in] * self.scales[token_in]
        given = self.balances[token_out] * self.scales[token_out]
        taken = amount * self.scales[token_out]
        if taken > _mul_down(given, MOST_SHARE) or given * ONE >= _WORD:
            return None
        exponent = _div_up(self.weights[token_out], self.weights[token_in])
        raised = self._power_up(_div_up(given, given - taken), exponent)
        if raised is None or held * (raised - ONE) >= _WORD:
            return None
        paid = -(-_mul_up(held, raised - ONE) // self.scales[token_in])
        return _div_up(paid, ONE - self.fee)

    def _power_up(self, base: int, exponent: int) -> int | None:
        """A power that is never too low (FixedPoint.powUp)."""
        if self.shortcuts and exponent in (ONE, 2 * ONE, 4 * ONE):
            if exponent == ONE:
                return base
            square = _mul_up(base, base)
            return square if exponent == 2 * ONE else _mul_up(square, square)
        raw = power(base, exponent)
        return None if raw is None else raw + _mul_up(raw, _ERROR) + 1
