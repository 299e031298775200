"""Pairs of Uniswap V2 and its forks: constant product, exactly as they and their library count.

Sources: UniswapV2Library.getAmountOut and getAmountIn (@uniswap/v2-periphery), UniswapV2Pair.swap
(@uniswap/v2-core).
"""

from __future__ import annotations

from collections.abc import Mapping

from ...model.noun import Noun
from .swap import Swap, refused

LARGEST = 2**112 - 1
"""Of a reserve (UniswapV2Pair._update)."""


class Fee(Noun, frozen=True):
    """What a pair keeps of what is paid in, as its contract writes it."""

    kept: int
    """Parts that count towards the product."""
    of: int


THIRTY = Fee(997, 1000)
"""0.3 %: Uniswap V2 and the forks that left its code alone."""

FORKS: Mapping[str, tuple[str, Fee]] = {
    "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f": ("Uniswap V2", THIRTY),
    "0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac": ("SushiSwap", THIRTY),
}
"""Factories on Ethereum's main network, with their names and their pairs' fee.

Only those whose code the tests run. A fork with another fee needs a row, no code; one whose fee
differs from pair to pair needs it read from the pair.
"""


def amount_out(amount_in: int, reserve_in: int, reserve_out: int, fee: Fee = THIRTY) -> int:
    """What an input gives; 0 for nothing (UniswapV2Library.getAmountOut)."""
    paid = amount_in * fee.kept
    return paid * reserve_out // (reserve_in * fee.of + paid)


def amount_in(amount_out: int, reserve_in: int, reserve_out: int, fee: Fee = THIRTY) -> int:
    """What the library asks for an output below the reserve (UniswapV2Library.getAmountIn).

    It may be one more than is needed: see `needed`.
    """
    return reserve_in * amount_out * fee.of // ((reserve_out - amount_out) * fee.kept) + 1


def needed(amount_out: int, reserve_in: int, reserve_out: int, fee: Fee = THIRTY) -> int:
    """The smallest input that gives an output, from 1 to below the reserve, or more."""
    return -(-reserve_in * amount_out * fee.of // ((reserve_out - amount_out) * fee.kept))


class ProductPool(Noun, frozen=True):
    """A pair's reserves, and its fee."""

    reserve0: int
    reserve1: int
    fee: Fee = THIRTY

    def swap(self, token_in: int, token_out: int, amount: int, exact_out: bool = False) -> Swap:
        """As the router swaps: see `PoolState.swap`."""
        if token_in:
            held, given = self.reserve1, self.reserve0
        else:
            held, given = self.reserve0, self.reserve1
        if amount <= 0 or held <= 0 or given <= 0 or (exact_out and amount >= given):
            return refused(self)
        if exact_out:
            paid, got = amount_in(amount, held, given, self.fee), amount
        else:
            paid, got = amount, amount_out(amount, held, given, self.fee)
        held, given = held + paid, given - got
        if got == 0 or held > LARGEST:
            return refused(self)
        first, second = (given, held) if token_in else (held, given)
        return Swap(paid, got, ProductPool(first, second, self.fee))
