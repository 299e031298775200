"""What differs between the versions of Aave V3, by the revision that a pool says it has.

Sources: @aave/core-v3 1.19.3 (3.0.x); @aave-dao/aave-v3-origin 3.6.0; of the other versions the
sources and changelogs of aave-v3-origin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ...model.noun import Noun
from .maths import (
    binomial_interest,
    ceil_div,
    exponential_interest,
    floor_div,
    half_up_div,
    ray_mul,
    ray_mul_ceil,
    ray_mul_floor,
)

Round: TypeAlias = Callable[[int, int], int]
"""A division; or a product with a ray."""


class Rules(Noun, frozen=True):
    """One version's."""

    version: str
    compounded: Round
    """What one becomes at a rate after seconds."""
    has_stable_debt: bool = False
    has_category_prices: bool = False
    """Whether an efficiency mode may have a price of its own for its assets, and reserves name
    their mode; else modes name their reserves."""
    has_grace: bool = True
    """Whether liquidations of a reserve may be put off."""
    has_sentinel: bool = True
    has_dust_rule: bool = True
    """Also: the close factor is of the whole position, small positions may be closed whole, and
    debt that nothing secures is written off."""
    exact_health: bool = False
    """Whether the health factor is computed without rounding the average threshold."""
    needs_threshold: bool = True
    """Whether collateral with a threshold of zero counts for nothing."""
    balance: Round = ray_mul
    """Of an aToken, from shares and index."""
    debt: Round = ray_mul
    debt_value: Round = floor_div
    debt_needed: Round = half_up_div
    """For all of the collateral."""
    most_collateral: Round = half_up_div
    bonus_base: Round = half_up_div
    """Of what is seized, the part that is no bonus."""
    fee: Round = half_up_div
    scaled_end: bool = False
    """Whether collateral counts as gone by its shares, and not by its value."""


_V30 = Rules(
    "3.0",
    binomial_interest,
    has_stable_debt=True,
    has_category_prices=True,
    has_grace=False,
    has_dust_rule=False,
)
_V33 = Rules("3.3", binomial_interest)
_V34 = Rules("3.4", exponential_interest)
_V35 = Rules(
    "3.5",
    exponential_interest,
    exact_health=True,
    balance=ray_mul_floor,
    debt=ray_mul_ceil,
    debt_value=ceil_div,
    debt_needed=ceil_div,
)
_V36 = Rules(
    "3.6",
    exponential_interest,
    exact_health=True,
    needs_threshold=False,
    balance=ray_mul_floor,
    debt=ray_mul_ceil,
    debt_value=ceil_div,
    debt_needed=ceil_div,
)
_V37 = Rules(
    "3.7",
    exponential_interest,
    has_sentinel=False,
    exact_health=True,
    needs_threshold=False,
    balance=ray_mul_floor,
    debt=ray_mul_ceil,
    debt_value=ceil_div,
    debt_needed=ceil_div,
    most_collateral=floor_div,
    bonus_base=floor_div,
    fee=ceil_div,
    scaled_end=True,
)
RULES: Mapping[int, Rules] = {1: _V30, 7: _V33, 8: _V34, 9: _V35, 10: _V36, 11: _V37}
"""By ``POOL_REVISION``; what is not here is not known, and no pool of it is read."""
