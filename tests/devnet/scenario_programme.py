"""What happens in each block of a scenario.

The first blocks are a programme that has every kind of thing in it once; those that follow are
drawn at random. Reorganisations of each depth come after all that they may not undo.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

from tests.devnet.cast import BORROWERS
from tests.devnet.scenario_arbitrage import arbitrage, backrun, dislocate
from tests.devnet.scenario_lending import COLLATERAL, borrow, liquidation, report
from tests.devnet.scenario_mev import quick_liquidity, sandwich
from tests.devnet.scenario_pending import dropped, replaced, waiting
from tests.devnet.scenario_swaps import reverted
from tests.devnet.stage import Round
from tests.devnet.truth import Plant

Act = Callable[[Round], Awaitable[Plant | list[Plant] | None]]


async def restored(round_: Round) -> None:
    """The feeds say again what they said at the start."""
    for token in dict.fromkeys(COLLATERAL.values()):
        await report(round_, token, 100, round_.next_small())


def programme() -> list[list[Act] | int]:
    """What happens in each block, or how deep a reorganisation goes.

    The ordinary swaps of each block are not in it.
    """
    first, second = BORROWERS[0], BORROWERS[1]
    return [
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
    ]


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


QUIET = (2, 18, 19)
"""Blocks of the programme without ordinary swaps; one has room for what had to wait."""
