"""The best trades in several pools at once, over the real numbers, by the barrier method.

What is sold and taken in each pool is a variable of its own. The prices of the tokens come along:
where the barrier is steep, they are what one more unit of a token would be worth.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import log
from typing import Any, TypeAlias

import attrs

PENALTY = 1000
"""Of a unit that is spent and is not there; more than any token is worth."""
STEEP, STEEPEST = 10**8, 10**12
"""How far floating point goes, and decimals of 40 digits after it."""
_FORWARD = 10
Number: TypeAlias = Any
"""A float or a decimal."""


@attrs.frozen
class Market:
    """A pool of a product of powers, or of a sum where it has no weights."""

    tokens: tuple[int, ...]
    reserves: tuple[float, ...]
    weights: tuple[float, ...]
    kept: float
    """What counts of an input."""

    def exact(self) -> Market:
        """In decimals."""
        numbers = (tuple(map(Decimal, some)) for some in (self.reserves, self.weights))
        return Market(self.tokens, *numbers, Decimal(self.kept))


@attrs.frozen
class Best:
    """What was found."""

    paid: list[list[float]]
    taken: list[list[float]]
    prices: list[float]


@attrs.define
class _Slack:
    """Something that stays above zero: linear, or the logarithm of a product."""

    value: Number
    gradient: dict[int, Number]
    curvature: list[tuple[Number, dict[int, Number]]] = attrs.Factory(list)
    """Weights and directions, of what is subtracted."""


def best_trades(markets: list[Market], worth: list[float], held: list[float]) -> Best:
    """The trades after which what is gained is worth most.

    Args:
        markets: where to trade.
        worth: of a unit of each token.
        held: of each token, to be spent.
    """
    sides = [(m, place) for m, market in enumerate(markets) for place in range(len(market.tokens))]
    # Selling the same of everything, and taking less of it, is always allowed.
    here: list[Number] = [0.01, 0.001] * len(sides) + [sum(held) + 10]
    steep = 1
    while steep < STEEP:
        here = _centre(markets, sides, worth, held, here, float(steep))
        steep *= _FORWARD
    with localcontext() as context:
        context.prec = 40
        markets = [one.exact() for one in markets]
        worth, held, here = ([Decimal(one) for one in some] for some in (worth, held, here))
        while steep < STEEPEST:
            here = _centre(markets, sides, worth, held, here, Decimal(steep))
            steep *= _FORWARD
        return _best(markets, sides, worth, held, here, Decimal(steep // _FORWARD))


def _best(markets, sides, worth, held, here, steep) -> Best:
    slacks = _slacks(markets, sides, held, here)
    tokens = slacks[: len(held)]
    prices = [
        float(one + 1 / (steep * slack.value)) for one, slack in zip(worth, tokens, strict=True)
    ]
    numbers = iter(range(len(sides)))
    places = [[next(numbers) for _ in market.tokens] for market in markets]
    return Best(
        [[float(here[2 * n]) for n in one] for one in places],
        [[float(here[2 * n + 1]) for n in one] for one in places],
        prices,
    )


def _slacks(markets, sides, held, here) -> list[_Slack]:
    last = len(here) - 1
    left = [_Slack(one + here[last], {last: 1}) for one in held]
    after: list[list[tuple[Number, dict[int, Number]]]] = [[] for _ in markets]
    for number, (m, place) in enumerate(sides):
        market, paid, taken = markets[m], 2 * number, 2 * number + 1
        token = left[market.tokens[place]]
        token.value += here[taken] - here[paid]
        token.gradient[paid], token.gradient[taken] = -1, 1
        reserve = market.reserves[place] + market.kept * here[paid] - here[taken]
        after[m].append((reserve, {paid: market.kept, taken: -1}))
    found = left + [_Slack(one, {n: 1}) for n, one in enumerate(here)]
    for market, reserves in zip(markets, after, strict=True):
        found += [_Slack(reserve, way) for reserve, way in reserves]
        found.append(_kept(market, reserves))
    return found


def _kept(market: Market, reserves: list[tuple[Number, dict[int, Number]]]) -> _Slack:
    if not market.weights:
        whole = sum(one for one, _ in reserves) - sum(market.reserves)
        return _Slack(whole, {n: one for _, way in reserves for n, one in way.items()})
    if min(one for one, _ in reserves) <= 0:
        return _Slack(-1, {})
    slack = _Slack(0, {})
    for weight, before, (reserve, way) in zip(
        market.weights, market.reserves, reserves, strict=True
    ):
        slack.value += weight * _log(reserve / before)
        slack.gradient |= {n: weight * one / reserve for n, one in way.items()}
        slack.curvature.append((weight / reserve**2, way))
    return slack


def _centre(markets, sides, worth, held, here, steep) -> list[Number]:
    """Newton's method to where the aim and the barrier are in balance."""
    aim = [0 * steep] * len(here)
    aim[-1] -= PENALTY
    for number, (m, place) in enumerate(sides):
        aim[2 * number + 1] += worth[markets[m].tokens[place]]
        aim[2 * number] -= aim[2 * number + 1]
    for _ in range(100):
        slacks = _slacks(markets, sides, held, here)
        gradient = [steep * one for one in aim]
        hessian = [[0 * steep] * len(here) for _ in here]
        for slack in slacks:
            _add(slack, gradient, hessian)
        step = solved(hessian, gradient)
        # Twice of this is left to rise; floating point settles no closer.
        rise = sum(a * b for a, b in zip(step, gradient, strict=True))
        if rise < (1e-10 if isinstance(steep, float) else 1e-20):
            break
        size, level = 1 + 0 * steep, _level(slacks, aim, here, steep)
        while size > 1e-12:
            there = [a + size * b for a, b in zip(here, step, strict=True)]
            risen = _level(_slacks(markets, sides, held, there), aim, there, steep)
            if risen is not None and risen > level:
                here = there
                break
            size /= 2
        else:
            break
    return here


def _add(slack: _Slack, gradient: list[Number], hessian: list[list[Number]]) -> None:
    """A slack's share in the barrier: the logarithm of it."""
    for n, one in slack.gradient.items():
        gradient[n] += one / slack.value
        for k, other in slack.gradient.items():
            hessian[n][k] += one * other / slack.value**2
    for weight, way in slack.curvature:
        for n, one in way.items():
            for k, other in way.items():
                hessian[n][k] += weight * one * other / slack.value


def _level(slacks: list[_Slack], aim, here, steep) -> Number | None:
    """What is to be made highest; None where something is not above zero."""
    if min(slack.value for slack in slacks) <= 0:
        return None
    straight = sum(a * b for a, b in zip(aim, here, strict=True))
    return steep * straight + sum(_log(slack.value) for slack in slacks)


def _log(value: Number) -> Number:
    return value.ln() if isinstance(value, Decimal) else log(value)


def solved(rows: list[list[Number]], right: list[Number]) -> list[Number]:
    """A system of linear equations."""
    rows = [[*row, one] for row, one in zip(rows, right, strict=True)]
    size = len(rows)
    for at in range(size):
        best = max(range(at, size), key=lambda n: abs(rows[n][at]))
        rows[at], rows[best] = rows[best], rows[at]
        top = rows[at]
        for row in rows[at + 1 :]:
            factor = row[at] / top[at]
            if factor:
                for k in range(at, size + 1):
                    row[k] -= factor * top[k]
    found = [right[0]] * size
    for at in reversed(range(size)):
        rest = sum(rows[at][k] * found[k] for k in range(at + 1, size))
        found[at] = (rows[at][size] - rest) / rows[at][at]
    return found
