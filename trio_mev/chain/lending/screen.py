"""Which of many users could be near liquidation, by floating point: the rest need no exact
look.

A user is let through who is not safe by more than all that floors and floating point can do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import TypeAlias

from .account import Position, applies
from .market import Market

Weights: TypeAlias = tuple[tuple[int, float, float], ...]
"""By reserve: whole shares of collateral times the threshold as a fraction, and whole shares of
debt."""
_RELATIVE = 1e-9
_ABSOLUTE = 1000.0
"""Of the base currency's units; a user has at most 128 reserves, each floored once or twice."""
_RAYS = 1e27


class Screen:
    """Users' weights.

    Args:
        market: whose terms they are of.
    """

    def __init__(self, market: Market) -> None:
        self.terms = terms_of_market(market)
        self._market = market
        self._weights: dict[str, Weights] = {}
        self._always: set[str] = set()
        """Users that are looked at exactly each time."""
        self._of_reserve: defaultdict[int, set[str]] = defaultdict(set)

    def put(self, position: Position) -> None:
        """Take in a user, or what is otherwise about one."""
        self.drop(position.user)
        market, user = self._market, position.user
        places = {*position.collaterals, *position.debts}
        mode = market.categories.get(position.category)
        known = places <= market.by_id.keys() and (mode is not None or position.category == 0)
        if not position.debts:
            return
        for place in places:
            self._of_reserve[place].add(user)
        if not known or position.stable or (mode is not None and mode.price_source):
            self._always.add(user)
            return
        self._weights[user] = tuple(_weights(market, position, places))

    def drop(self, user: str) -> None:
        """Forget a user."""
        self._weights.pop(user, None)
        self._always.discard(user)
        for users in self._of_reserve.values():
            users.discard(user)

    def of_assets(self, assets: Iterable[str], market: Market) -> set[str]:
        """Users with any of these as collateral or debt, and those whose mode has a price of its
        own."""
        reserves = [market.reserves[one] for one in assets if one in market.reserves]
        found = {user for one in reserves for user in self._of_reserve.get(one.id, ())}
        return found | self._always

    def below(
        self, market: Market, time: int, share: float = 1.0, users: Iterable[str] | None = None
    ) -> Iterator[tuple[float, float, str]]:
        """Users whose health factor may be below one once collateral is worth only this share,
        with their approximate health factor and debt in the base currency; those of whom it cannot
        be told first, with 0 and an infinite debt."""
        factors = _factors(market, time)
        wanted = self._weights if users is None else users
        for user in self._always if users is None else self._always & set(users):
            yield 0.0, inf, user
        for user in wanted:
            collateral = debt = 0.0
            for place, held, owed in self._weights.get(user, ()):
                income, interest = factors[place]
                collateral += held * income
                debt += owed * interest
            if debt and collateral * share <= debt * (1 + _RELATIVE) + _ABSOLUTE:
                yield collateral / debt, debt, user


def _weights(
    market: Market, position: Position, places: Iterable[int]
) -> Iterator[tuple[int, float, float]]:
    mode = market.categories.get(position.category)
    for place in sorted(places):
        reserve = market.by_id[place]
        own = mode is not None and applies(market.rules, position, mode, reserve)
        threshold = mode.threshold if own and mode is not None else reserve.terms.threshold
        if not market.rules.exact_health:
            threshold -= 1  # as much as the average may lose when it is rounded
        held = position.supplied.get(place, 0) / reserve.unit * threshold / 1e4
        yield place, held, position.borrowed.get(place, 0) / reserve.unit


def _factors(market: Market, time: int) -> Mapping[int, tuple[float, float]]:
    """What whole shares of collateral and debt are worth, by reserve."""
    found = {}
    for reserve in market.reserves.values():
        price = market.prices.get(reserve.asset, 0)
        income = reserve.income(time) / _RAYS * price
        found[reserve.id] = income, reserve.debt_index(time, market.rules) / _RAYS * price
    return found


def terms_of_market(market: Market) -> object:
    """What weights depend on; where it is the same, they are."""
    reserves = [(one.id, one.asset, one.terms) for one in market.reserves.values()]
    return market.revision, reserves, market.categories
