"""What a pool of Aave V3 holds beside its users: reserves, efficiency modes, prices."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ...model.noun import Noun
from .maths import linear_interest, ray_mul
from .rules import Rules


class Terms(Noun, frozen=True):
    """A reserve's configuration, from the bits of its word (ReserveConfiguration)."""

    threshold: int
    """Basis points of its value up to which collateral covers debt."""
    bonus: int
    """Basis points of the debt's value that a liquidator gets, the debt itself included."""
    decimals: int
    active: bool
    paused: bool
    fee: int
    """Basis points of the bonus that the protocol keeps."""
    category: int
    """Efficiency mode that it belongs to, where reserves name one."""


def terms_of(word: int) -> Terms:
    """Read a configuration's word."""
    return Terms(
        word >> 16 & 0xFFFF,
        word >> 32 & 0xFFFF,
        word >> 48 & 0xFF,
        bool(word >> 56 & 1),
        bool(word >> 60 & 1),
        word >> 152 & 0xFFFF,
        word >> 168 & 0xFF,
    )


class Reserve(Noun, frozen=True):
    """One asset of a pool."""

    id: int
    """Its place in the bits of a user's flags."""
    asset: str
    a_token: str
    stable_token: str | None
    variable_token: str
    terms: Terms
    liquidity_index: int
    liquidity_rate: int
    variable_index: int
    variable_rate: int
    updated: int
    """Seconds since the epoch: what indices and rates are as of."""
    grace_until: int = 0
    """No liquidation before or at this time."""

    @property
    def unit(self) -> int:
        """Smallest units of a whole token."""
        return int(10**self.terms.decimals)

    def income(self, time: int) -> int:
        """The index of what is supplied, at a block's time (getNormalizedIncome)."""
        if time == self.updated:
            return self.liquidity_index
        return ray_mul(
            linear_interest(self.liquidity_rate, time - self.updated), self.liquidity_index
        )

    def debt_index(self, time: int, rules: Rules) -> int:
        """The index of what is owed at a variable rate, at a block's time
        (getNormalizedDebt)."""
        if time == self.updated:
            return self.variable_index
        grown = rules.compounded(self.variable_rate, time - self.updated)
        return ray_mul(grown, self.variable_index)


class Category(Noun, frozen=True):
    """An efficiency mode."""

    threshold: int
    bonus: int
    members: int = 0
    """A bit for each reserve whose collateral it is about, where modes name them."""
    price_source: str | None = None
    """Of its own price, where it has one; the oracle is asked for it as for an asset."""


class Feed(Noun, frozen=True):
    """Where the oracle takes the price of one asset from."""

    source: str
    aggregator: str | None
    """Whose answer, as it is, is the price; None where the source makes something else of it."""
    transmitters: tuple[str, ...] = ()
    """Who may report to the aggregator; none where it does not tell."""
    least: int | None = None
    """Answers below are refused."""
    most: int | None = None


@attrs.frozen
class Market:
    """A pool at a block; what a user's position is worth follows from it."""

    pool: str
    rules: Rules
    revision: int
    provider: str
    configurator: str
    oracle: str
    sentinel: bool
    """Whether a contract may stop liquidations above 0.95."""
    base_unit: int
    """Of the currency that prices are in."""
    in_dollars: bool
    reserves: Mapping[str, Reserve]
    """By asset."""
    categories: Mapping[int, Category]
    """The efficiency modes that are known."""
    prices: Mapping[str, int]
    """By asset, and by the price source of an efficiency mode."""
    feeds: Mapping[str, Feed]
    """Likewise."""
    by_id: Mapping[int, Reserve] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        by_id = {reserve.id: reserve for reserve in self.reserves.values()}
        object.__setattr__(self, "by_id", by_id)

    @property
    def priced(self) -> tuple[str, ...]:
        """Everything that the oracle is asked for."""
        own = [one.price_source for one in self.categories.values() if one.price_source]
        return tuple(dict.fromkeys([*self.reserves, *own]))

    def assets_of(self, aggregator: str) -> tuple[str, ...]:
        """What an aggregator's answer is the price of."""
        return tuple(a for a, feed in self.feeds.items() if feed.aggregator == aggregator)

    def with_prices(self, prices: Mapping[str, int]) -> Market:
        """The same where some prices are others."""
        return attrs.evolve(self, prices={**self.prices, **prices})

    def with_reserve(self, reserve: Reserve) -> Market:
        """The same where one reserve is otherwise."""
        return attrs.evolve(self, reserves={**self.reserves, reserve.asset: reserve})


def alike(one: Market, other: Market) -> bool:
    """Whether they are the same, but for efficiency modes that only one of them knows."""
    both = one.categories.keys() & other.categories.keys()
    same = all(one.categories[mode] == other.categories[mode] for mode in both)
    return same and one == attrs.evolve(other, categories=one.categories)


def tokens_differ(one: Market, other: Market) -> bool:
    """Whether users must be read again: their shares are in other tokens."""
    return [(r.id, r.a_token, r.variable_token) for r in one.reserves.values()] != [
        (r.id, r.a_token, r.variable_token) for r in other.reserves.values()
    ]
