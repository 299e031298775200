"""A user's position, and what it is worth (GenericLogic.calculateUserAccountData)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from ...model.noun import Noun
from .market import Category, Market, Reserve
from .maths import LARGEST, WHOLE, percent_mul, ray_mul, wad_div
from .rules import Rules


class Stable(Noun, frozen=True):
    """Debt at a stable rate."""

    principal: int
    rate: int
    updated: int

    def owed(self, time: int, rules: Rules) -> int:
        """With interest, at a block's time."""
        if self.principal == 0:
            return 0
        return ray_mul(self.principal, rules.compounded(self.rate, time - self.updated))


@attrs.frozen
class Position:
    """What a user has supplied and owes, in shares, which only the user's own events change."""

    user: str
    flags: int
    """Two bits for each reserve: whether it is borrowed, and above it whether it is collateral."""
    category: int
    """Efficiency mode; 0 is none."""
    supplied: Mapping[int, int]
    """Shares by reserve, of those that are collateral."""
    borrowed: Mapping[int, int]
    """Shares of debt at a variable rate by reserve, of those that are borrowed."""
    stable: Mapping[int, Stable]

    @property
    def collaterals(self) -> tuple[int, ...]:
        """Reserves that are flagged as collateral."""
        return tuple(flagged(self.flags, 1))

    @property
    def debts(self) -> tuple[int, ...]:
        """Reserves that are flagged as borrowed."""
        return tuple(flagged(self.flags, 0))


def flagged(flags: int, bit: int) -> Iterator[int]:
    """Reserves by one of their two bits: 0 borrowed, 1 collateral."""
    place, left = 0, flags >> bit
    while left:
        if left & 1:
            yield place
        place, left = place + 1, left >> 2


class Account(Noun, frozen=True):
    """What a position comes to, in the base currency."""

    collateral: int
    debt: int
    threshold: int
    """Average, in basis points, rounded down."""
    health: int
    """Times 10^18; the largest number of 256 bits where nothing is owed."""


def supplied(market: Market, position: Position, reserve: Reserve, time: int) -> int:
    """What a user has of an asset that is collateral."""
    shares = position.supplied.get(reserve.id, 0)
    return market.rules.balance(shares, reserve.income(time))


def owed(market: Market, position: Position, reserve: Reserve, time: int) -> int:
    """What a user owes of an asset."""
    rules = market.rules
    shares = position.borrowed.get(reserve.id, 0)
    debt = rules.debt(shares, reserve.debt_index(time, rules))
    stable = position.stable.get(reserve.id)
    return debt if stable is None else debt + stable.owed(time, rules)


def applies(rules: Rules, position: Position, mode: Category | None, reserve: Reserve) -> bool:
    """Whether the user's efficiency mode has its own terms for a collateral."""
    if mode is None:
        return False
    if rules.has_category_prices:
        return reserve.terms.category == position.category
    return bool(mode.members >> reserve.id & 1)


def price_of(market: Market, position: Position, mode: Category | None, reserve: Reserve) -> int:
    """What an asset counts as in a user's account."""
    price = market.prices[reserve.asset]
    if mode is not None and mode.price_source and reserve.terms.category == position.category:
        return market.prices[mode.price_source] or price
    return price


def account_of(market: Market, position: Position, time: int) -> Account:
    """What a position comes to in a block of that time.

    Raises:
        KeyError: a reserve, price or efficiency mode of it is not known.
    """
    rules = market.rules
    mode = market.categories[position.category] if position.category else None
    collateral = weighted = debt = 0
    for place in position.collaterals:
        reserve = market.by_id[place]
        if reserve.terms.threshold == 0 and rules.needs_threshold:
            continue
        price = price_of(market, position, mode, reserve)
        value = supplied(market, position, reserve, time) * price // reserve.unit
        collateral += value
        own = mode is not None and applies(rules, position, mode, reserve)
        weighted += value * (mode.threshold if own and mode else reserve.terms.threshold)
    for place in position.debts:
        reserve = market.by_id[place]
        price = price_of(market, position, mode, reserve)
        debt += rules.debt_value(owed(market, position, reserve, time) * price, reserve.unit)
    threshold = weighted // collateral if collateral else 0
    if debt == 0:
        health = LARGEST
    elif rules.exact_health:
        health = wad_div(weighted, debt) // WHOLE
    else:
        health = wad_div(percent_mul(collateral, threshold), debt)
    return Account(collateral, debt, threshold, health)
