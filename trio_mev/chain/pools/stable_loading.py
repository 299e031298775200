"""How a stable pool of Curve is read from a node: see `loading` for what a plan is.

No two of these pools need have the same code, and none says which it has. So a pool is asked for
quotes of amounts from next to nothing to most of what it holds, in every direction, and is used
only if one kind that is known answers all of them alike.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import permutations

from ...model.noun import Noun
from .loading import Answers, Call, Loaded, Plan, ask, call, load_decimals, words_of
from .pool import Pool, Protocol, Unusable
from .stable import FIRST, MOST_COINS, TEMPLATE, THREE, Rules, StablePool
from .words import address, uint

A, A_PRECISE, FUTURE_A = "f446c1d0", "76a2f0f0", "b4b577ad"
FEE, ADMIN_FEE, GET_DY = "ddca3f43", "fee3f7f9", "5e0d443f"
MOST_DECIMALS = 36
"""Beyond these a rate would be below one."""
_PARTS = (1_000_003, 1009, 11, 2)
"""What of a balance a pool is asked to quote; the last is most of it."""


class _Getters(Noun, frozen=True):
    """How code of one time tells its coins and balances."""

    coins: str
    balances: str
    kinds: tuple[Rules, ...]


_NOW = _Getters("c6610657", "4903b0d1", (TEMPLATE, THREE))
_THEN = _Getters("23746eb8", "065a80d8", (FIRST,))
"""Vyper counted with signs before its version 0.2."""


NOT_STABLE = f"it does not answer as a pool of two to {MOST_COINS} coins"


def load_stable(pool: str) -> Plan:
    """Read a pool of Curve, if it is a plain stable one."""
    getters, coins = _NOW, (yield from _coins(pool, _NOW))
    if not coins:
        getters, coins = _THEN, (yield from _coins(pool, _THEN))
    if not 2 <= len(coins) <= MOST_COINS:
        return Unusable(pool, NOT_STABLE)
    decimals = yield from load_decimals(coins)
    if decimals is None or max(decimals) > MOST_DECIMALS:
        return Unusable(pool, "a token does not tell its decimals")
    states = yield from _states(pool, getters, decimals)
    if isinstance(states, Unusable):
        return states
    probes = list(_probes(states[0]))
    asked = yield from ask(call(pool, GET_DY, *one) for one in probes)
    told = [None if one is None or len(one) < 32 else uint(one) for one in asked]
    for state in states:
        if any(told) and told == [state.quote(*one) for one in probes]:
            return Loaded(Pool(pool, Protocol.CURVE_STABLE, coins, decimals), state)
    return Unusable(pool, "its quotes are not those of a kind that is known")


def _coins(pool: str, getters: _Getters) -> Generator[list[Call], Answers, tuple[str, ...]]:
    answers = yield from ask(call(pool, getters.coins, at) for at in range(MOST_COINS + 1))
    coins: list[str] = []
    for one in answers:
        if one is None or len(one) < 32:
            break
        coins.append(address(one))
    return tuple(coins)


def _states(
    pool: str, getters: _Getters, decimals: tuple[int, ...]
) -> Generator[list[Call], Answers, list[StablePool] | Unusable]:
    """What the pool holds, by each kind that it may be of."""
    asked = [call(pool, getters.balances, at) for at in range(len(decimals))]
    asked += [call(pool, one) for one in (A, FEE, ADMIN_FEE)]
    answers = yield from ask([*asked, call(pool, A_PRECISE), call(pool, FUTURE_A)])
    found = words_of(answers[:-2], [1] * len(asked))
    if found is None:
        return Unusable(pool, "it does not tell its balances, amplification and fees")
    *balances, amplification, fee, admin_fee = map(uint, found)
    if not all(balances):
        return Unusable(pool, "it is empty")
    precise, future = (None if not one else uint(one) for one in answers[-2:])
    precision = 1 if precise is None else 100
    amplification = amplification if precise is None else precise
    if getters is _NOW and future != amplification:
        return Unusable(pool, "its amplification changes with time")
    rates = tuple(10 ** (36 - one) for one in decimals)
    held = tuple(balances), rates, amplification, fee, admin_fee
    return [StablePool(*held, kind, precision) for kind in getters.kinds]


def _probes(state: StablePool) -> Iterator[tuple[int, int, int]]:
    for token_in, token_out in permutations(range(len(state.balances)), 2):
        for part in _PARTS:
            yield token_in, token_out, state.balances[token_in] // part + 1
