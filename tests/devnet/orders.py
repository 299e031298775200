"""Random swaps by every router, with their limit still open."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import attrs

from tests.devnet.abi import Address
from tests.devnet.addresses import (
    DAI,
    DECIMALS,
    USDC,
    WBTC,
    WETH,
)
from tests.devnet.arena import MORE_PAIRS
from tests.devnet.cast import TRADERS
from tests.devnet.uniswap import POOLS, units
from trio_mev.model.intents import ETHER

Limit = int
Made = tuple[str, tuple[Any, ...], int]
"""A signature, its arguments, and the ether that is sent along."""
MOST = 10**27
"""Of any token: no limit."""
FEES = {frozenset(pool[:2]): [] for pool in POOLS}
for _one, _other, _fee in POOLS:
    FEES[frozenset((_one, _other))].append(_fee)
STAR = {frozenset((WETH, other)) for other in (USDC, WBTC, DAI)}
"""What each venue has pairs of."""
FLAT = {*STAR, *map(frozenset, MORE_PAIRS)}
"""What Uniswap V2 has pairs of."""


@attrs.frozen
class Order:
    """A call of which only the limit is open."""

    kind: str
    sender: Address
    to: Address
    make: Callable[[Limit], Made]
    exact_out: bool = False
    takes: int = 0
    """Of what is got, how much is taken before the limit is looked at, in basis points."""

    @property
    def loosest(self) -> Limit:
        """A limit that holds always."""
        return MOST if self.exact_out else 0

    def left(self, got: int) -> int:
        """What is left for the limit."""
        return got - got * self.takes // 10_000


@attrs.define(eq=False)
class Maker:
    """What all makers of orders have in common."""

    rng: random.Random
    time: int
    """Of the block that they are for."""
    parent: str
    """The hash of the one before."""
    pairs: dict[frozenset[Address], Address]
    """Those of Uniswap V2, by their tokens."""

    def next(self, kind: str) -> Order:
        """One of a kind."""
        return getattr(self, f"_{kind.partition(' ')[0]}")(kind)

    def trader(self) -> Address:
        return self.rng.choice(TRADERS)

    def deadline(self) -> int:
        """Over, now, or later."""
        choice = self.rng.random()
        if choice < 0.04:
            return self.time - self.rng.randrange(1, 1000)
        return self.time if choice < 0.3 else self.time + self.rng.randrange(1, 10**6)

    def amount(self, token: Address) -> int:
        """From dust to more than a pool has in its range."""
        choice = self.rng.random()
        most = 5.3 if choice < 0.75 else 6.3 if choice < 0.9 else 7.4
        least = -12 if choice < 0.2 else 0
        real = WETH if token == ETHER else token
        return max(units(real, 10 ** self.rng.uniform(least, most)), int(choice > 0.004))

    def flat(
        self, start: Address | None = None, end: Address | None = None, pairs: Any = FLAT
    ) -> list[Address]:
        """A way through pairs; now and then a long one, where one may come twice."""
        most = 6 if self.rng.random() < 0.12 else 3
        while True:
            tokens = [start or self.rng.choice(list(DECIMALS))]
            for _ in range(self.rng.randint(1, most)):
                ways = [t for t in DECIMALS if frozenset((t, tokens[-1])) in pairs]
                # Back at once is refused.
                if len(tokens) > 1 and len(ways) > 1 and self.rng.random() < 0.97:
                    ways.remove(tokens[-2])
                tokens.append(self.rng.choice(ways))
            if end is None or tokens[-1] == end:
                return tokens

    def way(
        self, start: Address | None = None, end: Address | None = None, most: int = 3
    ) -> tuple[list[Address], list[int]]:
        """A way through pools of V3, with the fee of each; one comes twice only now and then."""
        again = self.rng.random() < 0.08
        while True:
            tokens, fees, used = [start or self.rng.choice(list(DECIMALS))], [], set()
            for _ in range(self.rng.randint(1, most)):
                ways = [
                    (other, fee)
                    for pair, each in FEES.items()
                    for fee in each
                    for other in pair - {tokens[-1]}
                    if tokens[-1] in pair and (again or (pair, fee) not in used)
                ]
                if not ways:
                    break
                other, fee = self.rng.choice(ways)
                used.add((frozenset((tokens[-1], other)), fee))
                tokens.append(other)
                fees.append(fee)
            if fees and (end is None or tokens[-1] == end):
                return tokens, fees
