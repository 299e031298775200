"""How a pool of Aave V3 and its users are read from a node: plans, as `chain.pools.loading` has
them. All calls of a plan are made at one block."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

import attrs

from ..pools.loading import MOST_CALLS, Answers, Call, call
from ..pools.pool import Unusable
from ..pools.words import address, sint, uint
from .account import Position, Stable, flagged
from .market import Category, Feed, Market, Reserve, terms_of
from .rules import RULES, Rules

T = TypeVar("T")
Plan: TypeAlias = Generator[list[Call], Answers, T]

MOST_RESERVES = 128
"""That a user's flags have room for."""
NONE = "0x" + "0" * 40

# Selectors, by the signatures of the published interfaces.
POOL_REVISION, PROVIDER, RESERVES_LIST = "0148170e", "0542975c", "d1946dbc"
RESERVE_DATA, GRACE = "35ea6a75", "5c9a8b18"
CATEGORY_DATA, CATEGORY_TERMS, CATEGORY_MEMBERS = "6c6f6ae1", "b286f467", "b0771dba"
USER_FLAGS, USER_CATEGORY = "4417a583", "eddf1b79"
ORACLE, CONFIGURATOR, SENTINEL = "fca513a8", "631adfca", "5eb88d3d"
BASE_CURRENCY, BASE_UNIT, ASSET_SOURCE, ASSET_PRICE = "e19f4700", "8c89b64f", "92bf2be0", "b3596f07"
SCALED_BALANCE = "1da24f3e"
STABLE_PRINCIPAL, STABLE_RATE, STABLE_UPDATED = "c634dfaa", "e78c9b3b", "79ce6b8c"
AGGREGATOR, ANSWER = "245a7bfc", "50d25bcd"
TRANSMITTERS, FIRST_TRANSMITTERS = "666cab8d", "81411834"
LEAST_ANSWER, MOST_ANSWER = "22adbc78", "70da2f67"


def ask(calls: Iterable[Call]) -> Plan[Answers]:
    """Make calls, some at a time; their answers."""
    asked, found = list(calls), list[bytes | None]()
    for start in range(0, len(asked), MOST_CALLS):
        found += yield asked[start : start + MOST_CALLS]
    return found


def _enough(answer: bytes | None, words: int) -> bool:
    return answer is not None and len(answer) >= 32 * words


def _number(answer: bytes | None) -> int | None:
    return uint(answer) if answer is not None and len(answer) >= 32 else None


def _address(answer: bytes | None) -> str | None:
    """An address; None where there is none, or it is nobody's."""
    found = address(answer) if answer is not None and len(answer) >= 32 else NONE
    return None if found == NONE else found


def _addresses(answer: bytes | None, most: int) -> tuple[str, ...] | None:
    """A list of addresses; None where it is none, or too long."""
    if answer is None or not _enough(answer, 2) or uint(answer) != 32:
        return None
    count = uint(answer, 1)
    if count > most or not _enough(answer, 2 + count):
        return None
    return tuple(address(answer, 2 + place) for place in range(count))


def load_market(
    pool: str, categories: Iterable[int] = (), named: frozenset[str] = frozenset()
) -> Plan[Market | Unusable]:
    """Read a pool.

    Args:
        pool: its address.
        categories: the efficiency modes to read.
        named: addresses that are known to be aggregators themselves.
    """
    first = yield from ask([call(pool, one) for one in (POOL_REVISION, PROVIDER, RESERVES_LIST)])
    revision, provider = _number(first[0]), _address(first[1])
    assets = _addresses(first[2], MOST_RESERVES)
    if revision is None or provider is None or assets is None:
        return Unusable(pool, "it does not answer as a pool of Aave V3")
    rules = RULES.get(revision)
    if rules is None:
        return Unusable(pool, f"the rules of its revision {revision} are not known")
    asked = [call(provider, one) for one in (ORACLE, CONFIGURATOR, SENTINEL)]
    oracle, configurator, sentinel = map(_address, (yield from ask(asked)))
    if oracle is None or configurator is None:
        return Unusable(pool, "its provider names no oracle or no configurator")
    base = yield from ask([call(oracle, BASE_CURRENCY), call(oracle, BASE_UNIT)])
    unit = _number(base[1])
    if not _enough(base[0], 1) or not unit:
        return Unusable(pool, "its oracle does not tell its currency")
    reserves = yield from _load_reserves(pool, assets, rules)
    if reserves is None:
        return Unusable(pool, "a reserve does not answer")
    market = Market(
        pool,
        rules,
        revision,
        provider,
        configurator,
        oracle,
        sentinel is not None,
        unit,
        _address(base[0]) is None,
        {reserve.asset: reserve for reserve in reserves},
        (yield from _load_categories(pool, sorted(set(categories)), rules)),
        {},
        {},
    )
    return (yield from _load_oracle(market, named))


def _load_reserves(pool: str, assets: Sequence[str], rules: Rules) -> Plan[list[Reserve] | None]:
    answers = yield from ask([call(pool, RESERVE_DATA, asset) for asset in assets])
    graces: Answers = [bytes(32)] * len(assets)
    if rules.has_grace:
        graces = yield from ask([call(pool, GRACE, asset) for asset in assets])
    found = [
        _reserve(asset, answer, grace, rules)
        for asset, answer, grace in zip(assets, answers, graces, strict=True)
        if answer is not None and grace is not None and _enough(answer, 15) and _enough(grace, 1)
    ]
    return found if len(found) == len(assets) else None


def _reserve(asset: str, data: bytes, grace: bytes, rules: Rules) -> Reserve:
    return Reserve(
        uint(data, 7),
        asset,
        address(data, 8),
        address(data, 9) if rules.has_stable_debt else None,
        address(data, 10),
        terms_of(uint(data)),
        uint(data, 1),
        uint(data, 2),
        uint(data, 3),
        uint(data, 4),
        uint(data, 6),
        uint(grace),
    )


def _load_categories(
    pool: str, wanted: Sequence[int], rules: Rules
) -> Plan[Mapping[int, Category]]:
    """Those that do not answer are left out."""
    found: dict[int, Category] = {}
    if rules.has_category_prices:
        answers = yield from ask([call(pool, CATEGORY_DATA, one) for one in wanted])
        for one, data in zip(wanted, answers, strict=True):
            if data is not None and _enough(data, 5):
                source = address(data, 4)
                terms = uint(data, 2), uint(data, 3)
                found[one] = Category(*terms, 0, None if source == NONE else source)
        return found
    answers = yield from ask([call(pool, CATEGORY_TERMS, one) for one in wanted])
    members = yield from ask([call(pool, CATEGORY_MEMBERS, one) for one in wanted])
    for one, data, bits in zip(wanted, answers, members, strict=True):
        if data is not None and bits is not None and _enough(data, 3) and _enough(bits, 1):
            found[one] = Category(uint(data, 1), uint(data, 2), uint(bits))
    return found


def load_prices(market: Market) -> Plan[Mapping[str, int]]:
    """Ask the oracle for every price; what has none is left out."""
    answers = yield from ask([call(market.oracle, ASSET_PRICE, one) for one in market.priced])
    found = zip(market.priced, map(_number, answers), strict=True)
    return {asset: price for asset, price in found if price}


def _load_oracle(market: Market, named: frozenset[str]) -> Plan[Market]:
    prices = yield from load_prices(market)
    asked = [call(market.oracle, ASSET_SOURCE, one) for one in market.priced]
    found = zip(market.priced, map(_address, (yield from ask(asked))), strict=True)
    sources = {asset: source for asset, source in found if source is not None}
    behind = yield from ask([call(source, AGGREGATOR) for source in sources.values()])
    aggregators = {
        asset: _address(answer) or (source if source in named else None)
        for (asset, source), answer in zip(sources.items(), behind, strict=True)
    }
    told = yield from _load_aggregators({one for one in aggregators.values() if one is not None})
    feeds = {
        asset: _feed(source, aggregators[asset], told, prices.get(asset))
        for asset, source in sources.items()
    }
    return attrs.evolve(market, prices=prices, feeds=feeds)


def _feed(
    source: str,
    aggregator: str | None,
    told: Mapping[str, tuple[int | None, Feed]],
    price: int | None,
) -> Feed:
    """A feed whose aggregator's answer is not the price is not taken for one."""
    if aggregator is None or price is None or told[aggregator][0] != price:
        return Feed(source, None)
    known = told[aggregator][1]
    return Feed(source, aggregator, known.transmitters, known.least, known.most)


def _load_aggregators(wanted: set[str]) -> Plan[Mapping[str, tuple[int | None, Feed]]]:
    """What each answers now, and whom it takes answers from."""
    methods = (ANSWER, TRANSMITTERS, FIRST_TRANSMITTERS, LEAST_ANSWER, MOST_ANSWER)
    every = sorted(wanted)
    answers = yield from ask([call(one, method) for one in every for method in methods])
    found: dict[str, tuple[int | None, Feed]] = {}
    for place, one in enumerate(every):
        now, new, old, least, most = answers[5 * place : 5 * place + 5]
        who = _addresses(new, 64) or _addresses(old, 64) or ()
        found[one] = _signed(now), Feed(one, one, who, _signed(least), _signed(most))
    return found


def _signed(answer: bytes | None) -> int | None:
    return sint(answer) if answer is not None and len(answer) >= 32 else None


def load_positions(market: Market, users: Sequence[str]) -> Plan[list[Position | Unusable]]:
    """Read what users have and owe."""
    pool = market.pool
    answers = yield from ask(
        [call(pool, one, user) for user in users for one in (USER_FLAGS, USER_CATEGORY)]
    )
    words = list(map(_number, answers))
    heads = list(zip(words[::2], words[1::2], strict=True))
    asked = [
        list(_balance_calls(market, user, flags or 0))
        for user, (flags, _) in zip(users, heads, strict=True)
    ]
    told = iter((yield from ask([one for calls in asked for _, _, one in calls])))
    found: list[Position | Unusable] = []
    for user, (flags, category), calls in zip(users, heads, asked, strict=True):
        values = [(kind, place, _number(next(told))) for kind, place, _ in calls]
        found.append(_position(user, flags, category, values))
    return found


_SUPPLIED, _BORROWED, _PRINCIPAL, _RATE, _UPDATED = range(5)
_Value: TypeAlias = tuple[int, int, int | None]


def _balance_calls(market: Market, user: str, flags: int) -> Iterable[tuple[int, int, Call]]:
    """Which balance, of which reserve, and how it is asked for."""
    for place in flagged(flags, 1):
        if place in market.by_id:
            yield _SUPPLIED, place, call(market.by_id[place].a_token, SCALED_BALANCE, user)
    for place in flagged(flags, 0):
        if place in market.by_id:
            reserve = market.by_id[place]
            yield _BORROWED, place, call(reserve.variable_token, SCALED_BALANCE, user)
            if reserve.stable_token is not None:
                yield _PRINCIPAL, place, call(reserve.stable_token, STABLE_PRINCIPAL, user)
                yield _RATE, place, call(reserve.stable_token, STABLE_RATE, user)
                yield _UPDATED, place, call(reserve.stable_token, STABLE_UPDATED, user)


def _position(
    user: str, flags: int | None, category: int | None, values: Sequence[_Value]
) -> Position | Unusable:
    kinds: list[dict[int, int]] = [{}, {}, {}, {}, {}]
    for kind, place, value in values:
        if value is None:
            return Unusable(user, "a token does not tell its balance")
        kinds[kind][place] = value
    if flags is None or category is None:
        return Unusable(user, "the pool does not tell its flags")
    supplied, borrowed, principal, rate, updated = kinds
    stable = {
        place: Stable(amount, rate[place], updated[place])
        for place, amount in principal.items()
        if amount
    }
    return Position(user, flags, category, supplied, borrowed, stable)
