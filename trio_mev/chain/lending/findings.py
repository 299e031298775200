"""What can be liquidated, and what would be at other prices."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ...model.noun import Noun
from .account import Account, Position, account_of
from .liquidation import Amounts, Pair, best_of, pairs_of
from .market import Market
from .maths import WAD


class Found(Noun, frozen=True):
    """The liquidation of a user that brings most."""

    user: str
    account: Account
    pair: Pair
    amounts: Amounts
    gain: int
    """What the collateral is worth beyond the debt, in the base currency, rounded down."""
    others: int
    """Other pairs of debt and collateral that could be taken instead."""

    @property
    def gross(self) -> Mapping[str, int]:
        """What the liquidator gains and, under zero, pays."""
        debt, collateral = self.pair.debt.asset, self.pair.collateral.asset
        if debt == collateral:
            return {debt: self.amounts.collateral - self.amounts.debt}
        return {debt: -self.amounts.debt, collateral: self.amounts.collateral}


def gain_of(market: Market, pair: Pair, amounts: Amounts) -> int:
    """What is got beyond what is paid, in the base currency, rounded down once."""
    got = amounts.collateral * market.prices[pair.collateral.asset] * pair.debt.unit
    paid = amounts.debt * market.prices[pair.debt.asset] * pair.collateral.unit
    return (got - paid) // (pair.collateral.unit * pair.debt.unit)


def find(market: Market, position: Position, time: int) -> Found | None:
    """The best liquidation of a user in a block of that time; None where there is none that
    brings anything.

    Raises:
        KeyError: a reserve, price or efficiency mode of the user is not known.
    """
    account = account_of(market, position, time)
    if account.health >= WAD:
        return None
    best: Found | None = None
    possible = 0
    for pair in pairs_of(market, position):
        amounts = best_of(market, position, pair, time)
        if not isinstance(amounts, Amounts):
            continue
        gain = gain_of(market, pair, amounts)
        possible += gain > 0
        if gain > (best.gain if best else 0):
            best = Found(position.user, account, pair, amounts, gain, 0)
    return None if best is None else msgspec.structs.replace(best, others=possible - 1)


def assets_of(market: Market, position: Position) -> frozenset[str]:
    """What prices a position depends on.

    Raises:
        KeyError: a reserve or efficiency mode is not known.
    """
    places = {*position.collaterals, *position.debts}
    own = market.categories[position.category].price_source if position.category else None
    return frozenset({market.by_id[one].asset for one in places} | ({own} if own else set()))
