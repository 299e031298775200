"""How long the price takes to follow when every source moves by 20 % at once."""

from __future__ import annotations

import math
import random
from array import array

import attrs

from .contest import panel_of, tell
from .scores import quantile
from .world import NOISE, RATES, TICK

JUMP = 2000.0
"""Basis points."""
NEAR = 20.0
"""Distance from the truth at which it has followed."""
EVERY = 300.0


@attrs.frozen
class Followed:
    """Seconds until the price was near the new one, over many jumps."""

    sources: int
    jumps: int
    median: float
    p90: float
    p99: float
    worst: float


def jumps(count: int, number: int, seed: int) -> Followed:
    """So many jumps, up and down in turn, 300 s apart."""
    rates, noise = RATES[count], NOISE[count]
    dice = random.Random(f"{seed} {count} jump")
    panel, members = panel_of(rates)
    due = [dice.expovariate(rate) for rate in rates]
    truth = now = 0.0
    taken = array("d")
    jumped: float | None = None
    ticks = int(EVERY / TICK)
    for tick in range(1, ticks * (number + 1)):
        until = tick * TICK
        while (time := min(due)) < until:
            source = due.index(time)
            due[source] = time + dice.expovariate(rates[source])
            truth += dice.gauss(0.0, math.sqrt(time - now))
            now = time
            tell(panel, members[source], truth + dice.gauss(0.0, noise[source]), time)
        estimate = panel.tick(until).estimate
        if jumped is not None and estimate is not None and abs(estimate.middle - truth) <= NEAR:
            taken.append(until - jumped)
            jumped = None
        if tick % ticks == 0:
            truth += JUMP if (tick // ticks) % 2 else -JUMP
            jumped = until
    shares = [quantile(taken, share) for share in (0.5, 0.9, 0.99, 1.0)]
    return Followed(count, len(taken), *shares)
