"""How near positions are to their liquidation, as of one block, to be read by whoever gets it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ...model.noun import Noun


class Near(Noun, frozen=True):
    """A position that is near its liquidation, as it will be in the next block."""

    user: str
    health_factor: int
    """Times 10**18."""
    collateral: int
    """In the base currency."""
    debt: int


@attrs.frozen
class LendingView:
    """The positions that are watched, as of a block. Nothing in it ever changes."""

    number: int
    hash: str
    pool: str
    revision: int | None
    """Of the pool's rules; None where the pool cannot be used."""
    version: str | None
    """Of Aave, such as ``3.0``."""
    why: str | None
    """Why the pool cannot be used, where it cannot."""
    base_unit: int | None
    """Of the currency that prices are in."""
    users: int
    """That are watched."""
    waiting: int
    """Of those, not known as of this block: they are being read."""
    unusable: Mapping[str, int]
    """How many cannot be used, by reason."""
    left_out: int
    """Users that were found and are not watched, since they are too many."""
    liquidatable: int
    """Positions that can be liquidated, whatever that brings, of those computed exactly."""
    within: int
    """Positions that a fall of all collateral by ``watch_within`` would make liquidatable; of more
    than are computed exactly, the rest are counted by floating point."""
    near: tuple[Near, ...]
    """Of both, those with the lowest health factors, lowest first; at most ``NEAREST``."""


NEAREST = 100
