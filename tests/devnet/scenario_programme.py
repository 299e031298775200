"""What happens in each block of a scenario.

The first blocks are a programme that has every kind of thing in it once; those that follow are
drawn at random. Reorganisations of each depth come after all that they may not undo. A shorter
programme has less of each kind, for a few minutes of the chain's time.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

import attrs

from tests.devnet.cast import BORROWERS
from tests.devnet.scenario_arbitrage import arbitrage, backrun, dislocate
from tests.devnet.scenario_lending import COLLATERAL, borrow, liquidation, report
from tests.devnet.scenario_mev import quick_liquidity, sandwich
from tests.devnet.scenario_pending import dropped, replaced, waiting
from tests.devnet.scenario_swaps import hurried, reverted
from tests.devnet.stage import Round
from tests.devnet.truth import Plant

Act = Callable[[Round], Awaitable[Plant | list[Plant] | None]]


@attrs.frozen
class Programme:
    """What is to happen before anything is drawn at random."""

    entries: tuple[list[Act] | int, ...]
    """For each block what happens in it beside ordinary swaps; or how deep a reorganisation
    goes."""
    quiet: frozenset[int]
    """Blocks without ordinary swaps, by their place among the blocks."""


async def restored(round_: Round) -> None:
    """The feeds say again what they said at the start."""
    for token in dict.fromkeys(COLLATERAL.values()):
        await report(round_, token, 100, round_.next_small())


def everything() -> Programme:
    """Every kind of thing once, and every depth; one quiet block has room for what had to wait."""
    first, second = BORROWERS[0], BORROWERS[1]
    entries: tuple[list[Act] | int, ...] = (
        [partial(borrow, borrower=first), reverted],
        [partial(sandwich, variant="front_first", victims=1)],
        [],
        [partial(sandwich, variant="sell_first", victims=1), replaced],
        [partial(dislocate, variant="v2_v2")],
        [partial(arbitrage, variant="v2_v2", race=True)],
        [partial(sandwich, variant="front_first", victims=3), dropped],
        [partial(backrun, variant="v2_v2")],
        [partial(liquidation, borrower=first, percent=90)],
        [restored, partial(borrow, borrower=second)],
        [quick_liquidity],
        [partial(dislocate, variant="v2_v3"), partial(replaced, cancel=True)],
        [partial(arbitrage, variant="v2_v3")],
        [partial(liquidation, borrower=second, percent=84)],
        [restored, partial(sandwich, variant="sell_first", victims=2)],
        [partial(dislocate, variant="three_legs")],
        [partial(arbitrage, variant="three_legs"), waiting],
        [partial(backrun, variant="v2_v3")],
        [],
        [],
        *([partial(sandwich, variant="front_first", victims=1)] for _ in range(7)),
        *(entry for depth in range(1, 8) for entry in (depth, [])),
    )
    return Programme(entries, frozenset({2, 18, 19}))


def in_five_minutes() -> Programme:
    """Something of each kind, and two reorganisations."""
    borrower = BORROWERS[0]
    entries: tuple[list[Act] | int, ...] = (
        [partial(borrow, borrower=borrower), reverted],
        [partial(sandwich, variant="front_first", victims=1)],
        [partial(dislocate, variant="v2_v2"), replaced],
        [partial(arbitrage, variant="v2_v2", race=True)],
        [partial(liquidation, borrower=borrower, percent=90)],
        [restored, dropped, partial(hurried, gwei=70)],
        [quick_liquidity],
        [partial(sandwich, variant="sell_first", victims=2)],
        [],
        [partial(backrun, variant="v2_v2"), partial(replaced, cancel=True)],
        [partial(dislocate, variant="v2_v3")],
        [partial(arbitrage, variant="v2_v3"), partial(hurried, gwei=60)],
        [partial(sandwich, variant="front_first", victims=1)],
        [],
        2,
        [partial(dislocate, variant="three_legs")],
        [partial(arbitrage, variant="three_legs")],
        [partial(backrun, variant="v2_v3"), partial(hurried, gwei=60)],
        [partial(sandwich, variant="front_first", victims=3)],
        [],
        1,
        [quick_liquidity],
        [partial(sandwich, variant="sell_first", victims=1)],
    )
    return Programme(entries, frozenset({8}))


def drawn(rng: random.Random) -> list[Act] | int:
    """What happens in a block after the programme."""
    if rng.random() < 0.08:
        return rng.randrange(1, 8)
    variant = rng.choice(("v2_v2", "v2_v3", "three_legs"))
    acts: list[Act] = [
        partial(sandwich, variant=rng.choice(("front_first", "sell_first")), victims=1),
        partial(backrun, variant=variant),
        partial(arbitrage, variant=variant),
        partial(dislocate, variant=variant),
        quick_liquidity,
        replaced,
        dropped,
        reverted,
        waiting,
    ]
    return rng.sample(acts, rng.choice((0, 1, 1, 2)))
