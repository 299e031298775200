"""Where on the way of a pending transaction somebody may swap before and after it.

A swap of several pools, and swaps that live on what others give, are reduced to one pool at a
time, exactly: what goes into that pool is known, for nobody has touched those before it; and the
least that must come out of it is the smallest input with which the pools behind it still give
what the limits there demand. Of an exact output it is the other way round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from ...model.intents import Basis, Intent, SwapIntent
from ...model.noun import Noun
from ..pools.product import ProductPool
from ..pools.swap import PoolState
from ..pools.view import PoolsView
from ..routes.hop import AskedHop, Hop, hop_of
from ..routes.victim import Victim
from .apply import FORWARD
from .outcome import Effect, Fill, SwapOutcome, Verdict

NO_LIMIT = 2**128
"""A limit of what is paid from here on is none."""


class Place(Noun, frozen=True):
    """A pool on the way of a swap, as it would be without anybody before it."""

    swap: int
    """The intent, by its place in the call, whose limit it is about."""
    fill: Fill
    victim: Victim
    limit: int | None
    """As the call has it; None where it sets none."""
    figure: Callable[[int], int]
    """From what the pool gives, or asks for an exact output, to what the limit is held against."""


class _Unclear(Exception):
    """It cannot be reduced to one pool."""


def places(
    intents: Sequence[Intent], effect: Effect, view: PoolsView, most: int | None = None
) -> tuple[list[Place], int]:
    """The places of a transaction that goes through, and how many more cannot be told.

    Args:
        intents: of the call.
        effect: what it does to the pools of the view.
        view: what is known of these.
        most: that are looked at, the first ones; all, where there is no such limit.
    """
    if effect.verdict is not Verdict.SUCCEEDS:
        return [], 0
    found, unclear = list[Place](), 0
    ways = _Ways(intents, effect, view)
    every = [(n, place) for n, one in ways.outcomes.items() for place in range(len(one.fills))]
    for number, place in every[:most]:
        try:
            found.append(ways.place(number, place))
        except _Unclear:
            unclear += 1
    return found, unclear


class _Leg(Noun, frozen=True):
    """A pool that is passed."""

    state: PoolState
    one: int
    two: int

    @property
    def hop(self) -> Hop:
        return hop_of(self.state, self.one, self.two) or AskedHop(self.state, self.one, self.two, 1)

    def out(self, amount: int) -> int:
        """What an input gives."""
        return self.state.swap(self.one, self.two, amount).amount_out

    def asked(self, amount: int) -> int:
        """What an output takes."""
        return self.state.swap(self.one, self.two, amount, True).amount_in

    def most(self, paid: int) -> int:
        """The largest output for which no more is asked."""
        # What an input gives takes no more than that input, but a router may ask for one unit more:
        # never for one unit less of the output.
        most = self.out(paid)
        while self.asked(most) > paid:
            most -= 1
        return most


class _Ways:
    """The swaps of a call, and which of them live on which."""

    def __init__(self, intents: Sequence[Intent], effect: Effect, view: PoolsView) -> None:
        numbers = [n for n, one in enumerate(intents) if isinstance(one, SwapIntent)]
        self.outcomes: dict[int, SwapOutcome] = {
            number: one
            for number, one in zip(numbers, effect.swaps, strict=False)
            if one.fills and not one.undone
        }
        self._view = view
        fills = [fill for one in self.outcomes.values() for fill in one.fills]
        self._touched = Counter(fill.pool for fill in fills)
        self._next: dict[int, list[int]] = {}
        for number, one in self.outcomes.items():
            for source in self._sources(number, one):
                self._next.setdefault(source, []).append(number)

    def _sources(self, number: int, outcome: SwapOutcome) -> Iterator[int]:
        """The swaps before whose results a swap is of."""
        yield from outcome.intent.sources
        if outcome.intent.basis is Basis.PAID:
            first = outcome.fills[0]
            for other, before in self.outcomes.items():
                if other < number and before.intent.recipient == first.pool:
                    yield other

    def _legs(self, fills: Sequence[Fill]) -> list[_Leg]:
        """Pools that are passed once only, and wholly.

        Raises:
            _Unclear: they are not.
        """
        legs = []
        for fill in fills:
            if self._touched[fill.pool] > 1 or fill.partial:
                raise _Unclear
            legs.append(_Leg(fill.before, *self._sides(fill)))
        return legs

    def _sides(self, fill: Fill) -> tuple[int, int]:
        tokens = self._view.entries[fill.pool].pool.tokens
        return tokens.index(fill.token_in), tokens.index(fill.token_out)

    def place(self, number: int, place: int) -> Place:
        """One pool of one swap.

        Raises:
            _Unclear: it cannot be told.
        """
        intent, fills = self.outcomes[number].intent, self.outcomes[number].fills
        fill = fills[place]
        if self._touched[fill.pool] > 1 or (intent.price_limit is not None and len(fills) > 1):
            raise _Unclear
        if fill.partial and intent.price_limit is None:
            raise _Unclear
        if intent.exact_out:
            return self._exact_out(number, place)
        sides, legs = self._sides(fill), self._legs(fills[place + 1 :])
        end, limit, least, rest = self._demand(number)

        def figure(amount: int) -> int:
            return rest(_through(legs, amount))

        demanded = _needed(legs, least)
        amount = fill.amount_in if intent.price_limit is None else intent.amount or fill.amount_in
        victim = Victim(*sides, amount, demanded, price_limit=intent.price_limit)
        return Place(end, fill, victim, limit, figure)

    def _demand(self, number: int) -> tuple[int, int | None, int, Callable[[int], int]]:
        """Of what a swap gives: which swap's limit it is about, that limit, the least that meets
        all of them, and what comes of an amount in that limit's terms."""
        outcome = self.outcomes[number]
        intent, got = outcome.intent, outcome.fills[-1].amount_out
        others, joint = self._joint(outcome)
        own = intent.limit or 0
        followers = self._next.get(number, [])
        if not followers:
            if joint is not None and joint - others >= own:
                return number, joint, max(joint - others, 0), lambda amount: amount + others
            return number, intent.limit, own, lambda amount: amount
        if len(followers) > 1:
            raise _Unclear
        (follower,) = followers
        behind = self.outcomes[follower]
        if behind.intent.exact_out or behind.intent.price_limit is not None:
            raise _Unclear
        end, limit, least, rest = self._demand(follower)
        legs = self._legs(behind.fills)
        besides = behind.fills[0].amount_in - got
        least = max(_needed(legs, least) - besides, own, 0 if joint is None else joint - others)
        return end, limit, least, lambda amount: rest(_through(legs, amount + besides))

    def _joint(self, outcome: SwapOutcome) -> tuple[int, int | None]:
        """What others give of what several swaps must give together, and how much that is."""
        swap = outcome.intent
        if swap.joint_limit is None:
            return 0, None
        key = swap.token_out, swap.joint_limit, swap.recipient
        return sum(
            one.fills[-1].amount_out
            for one in self.outcomes.values()
            if one is not outcome
            and (one.intent.token_out, one.intent.joint_limit, one.intent.recipient) == key
        ), swap.joint_limit

    def _exact_out(self, number: int, place: int) -> Place:
        intent, fills = self.outcomes[number].intent, self.outcomes[number].fills
        limit = intent.limit
        if limit is None or limit >= NO_LIMIT or self._next.get(number):
            raise _Unclear  # Who pays may have any amount.
        fill, legs = fills[place], self._legs(fills[:place])
        behind = self._legs(fills[place + 1 :])
        handed: Callable[[int], int] | None = None
        amount = intent.amount or fills[-1].amount_out
        for leg in reversed(behind):
            amount = leg.asked(amount)
        if intent.venue in FORWARD and isinstance(fill.before, ProductPool):

            def arrives(asked: int) -> int:
                return _through(legs, figure(asked))

            handed = arrives
        most = limit
        for leg in legs:
            most = leg.most(most)

        def figure(asked: int) -> int:
            for leg in reversed(legs):
                asked = leg.asked(asked)
            return asked

        sides = self._sides(fill)
        victim = Victim(*sides, amount, most, True, intent.price_limit, handed)
        return Place(number, fill, victim, limit, figure)


def _through(legs: Sequence[_Leg], amount: int) -> int:
    """What comes out behind some pools."""
    for leg in legs:
        amount = leg.out(amount)
    return amount


def _needed(legs: Sequence[_Leg], least: int) -> int:
    """The smallest amount that brings as much behind some pools."""
    for leg in reversed(legs):
        needed = leg.hop.needed(least)
        assert needed is not None, "alone it brings as much"
        least = needed
    return least
