"""Liquidity that comes and goes while transactions go through pools one after the other.

What a position is owed is as the position manager counts it. Where others of its positions have
the same range, the pool may pay it out some smallest units less, since it rounds for all of them
together.

Sources: NonfungiblePositionManager (@uniswap/v3-periphery), UniswapV3Pool (@uniswap/v3-core).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from ...model.chain import Transaction
from ...model.intents import (
    Hop,
    Intent,
    LiquidityIntent,
    PoolKind,
    Providing,
    Undecoded,
    Unread,
)
from ..pools.book import Entry
from ..pools.positions import amounts_of, growth_inside, liquidity_for, most_at_a_tick, owed
from ..pools.ticked import TickedPool
from .apply import apply
from .outcome import Effect, Fill, Terms, Verdict
from .overlay import Overlay, PoolView
from .walk import Steps


@attrs.frozen
class Act:
    """A pending transaction that swaps, or changes positions."""

    transaction: Transaction
    intents: tuple[Intent, ...]
    at: float = 0.0
    """When it was seen first, in seconds of the stream's clock."""

    @property
    def changes(self) -> tuple[LiquidityIntent, ...]:
        """Of positions."""
        return tuple([one for one in self.intents if isinstance(one, LiquidityIntent)])

    @property
    def whole(self) -> bool:
        """Whether every part of it was read."""
        return not any(
            isinstance(one, Undecoded) and one.reason is not Unread.NO_SWAP for one in self.intents
        )


@attrs.frozen(eq=False)
class Crossing:
    """A swap that goes through a pool while liquidity is there."""

    act: Act
    fill: Fill
    paid: tuple[int, int]
    """To the position, of each token, rounded down by itself."""
    sure: bool
    """Whether every part of its call is known."""


@attrs.define(eq=False)
class Stay:
    """A position from its coming to its leave."""

    act: Act
    pool: str
    tokens: tuple[str, str]
    intent: LiquidityIntent
    liquidity: int
    added: tuple[int, int]
    """What the pool takes, of each token."""
    crossings: list[Crossing] = attrs.Factory(list)
    leave: Act | None = None
    """The transaction that takes all of it out; None where none is seen."""
    taken: tuple[int, int] = (0, 0)
    """What the pool then gives; without a leave, what it would give after the last swap."""
    _growth: tuple[int, int] = (0, 0)

    @property
    def ticks(self) -> tuple[int, int]:
        """Its range."""
        return _ticks(self.intent)

    @property
    def fees(self) -> tuple[int, int]:
        """What swaps have paid to it, of each token."""
        return owed(self._growth[0], self.liquidity), owed(self._growth[1], self.liquidity)

    @property
    def gross(self) -> dict[str, int]:
        """What it ends with more of each token than it began with."""
        sides = zip(self.tokens, self.taken, self.fees, self.added, strict=True)
        return {token: taken + fees - added for token, taken, fees, added in sides}

    def crossed(self, act: Act, fill: Fill, sure: bool) -> None:
        """A swap goes through the pool."""
        assert isinstance(fill.before, TickedPool)
        assert isinstance(fill.after, TickedPool)
        down = fill.token_in == self.tokens[0]
        growth = growth_inside(fill.before, fill.after, down, fill.amount_in, *self.ticks)
        more = (growth, 0) if down else (0, growth)
        self._growth = self._growth[0] + more[0], self._growth[1] + more[1]
        paid = owed(more[0], self.liquidity), owed(more[1], self.liquidity)
        if any(paid):
            self.crossings.append(Crossing(act, fill, paid, sure))
            self.taken = amounts_of(fill.after, *self.ticks, self.liquidity, round_up=False)


class _Refused(Exception):
    """The position manager, or a pool, refuses a call."""


def stays(
    acts: Sequence[Act], pools: PoolView, terms: Terms, steps: Steps | None = None
) -> list[Stay]:
    """The positions that come while transactions follow on each other, in this order.

    Once nobody knows what has become of a pool, nothing more is said of positions in it: those
    that are still there are left out.

    Args:
        acts: the transactions, in their order.
        pools: as they are before the first one.
        terms: what calls do not say.
        steps: how far swaps are followed, all together; beyond, nobody knows what they do.
    """
    line = _Line(Overlay(pools), terms, Steps() if steps is None else steps)
    for act in acts:
        if act.changes:
            line.change(act)
        else:
            line.swap(act)
    return line.found


class _Line:
    """What has come of the transactions so far."""

    def __init__(self, pools: Overlay, terms: Terms, steps: Steps) -> None:
        self._pools = pools
        self._terms = terms
        self._steps = steps
        self.found: list[Stay] = []

    def swap(self, act: Act) -> None:
        """A transaction of swaps."""
        effect = apply(act.intents, self._pools, self._terms, self._steps)
        if effect.verdict is Verdict.REVERTS:
            return
        self._pools = effect.pools
        sure = effect.verdict is Verdict.SUCCEEDS
        for fill in _fills(effect):
            for stay in self.found:
                if stay.pool == fill.pool and stay.leave is None:
                    stay.crossed(act, fill, sure)
        self._forget()

    def _forget(self) -> None:
        """Positions that are still there, in pools of which nothing is known any more."""
        lost, doubtful = self._pools.lost, self._pools.doubtful
        self.found = [one for one in self.found if one.leave or not (lost or one.pool in doubtful)]

    def change(self, act: Act) -> None:
        """A transaction that changes positions: all of it goes through, or nothing."""
        pools = Overlay(self._pools)
        come: list[Stay] = []
        gone: dict[Stay, tuple[int, int]] = {}
        try:
            for one in act.changes:
                self._in_time(one)
                if one.action is Providing.ADD:
                    come.append(self._added(act, one, pools))
                elif one.action is Providing.DECREASE:
                    self._remove(act, one, pools, gone)
        except (_Refused, ValueError):
            return
        if not act.whole:
            # What it does besides may refuse it, or change the same pools.
            self._pools.doubt(one.pool for one in (*come, *gone))
            self._forget()
            return
        self._pools = pools
        self.found += come
        for stay, taken in gone.items():
            stay.leave, stay.taken = act, taken

    def _in_time(self, one: LiquidityIntent) -> None:
        time = self._terms.time
        if time is not None and one.deadline is not None and time > one.deadline:
            raise _Refused

    def _added(self, act: Act, one: LiquidityIntent, pools: Overlay) -> Stay:
        """A new position (NonfungiblePositionManager.mint)."""
        hop = one.pool
        assert hop is not None
        entry = pools.find(hop)
        if entry is None or entry.quarantine is not None:
            raise _Refused
        pool, state = entry.pool, _ticked(entry)
        tokens, (lower, upper) = (pool.tokens[0], pool.tokens[1]), _ticks(one)
        if (hop.token_in, hop.token_out) != tokens or lower >= upper:
            raise _Refused
        liquidity = liquidity_for(state.root, lower, upper, one.amount0 or 0, one.amount1 or 0)
        added = amounts_of(state, lower, upper, liquidity, round_up=True)
        after = state.with_liquidity(lower, upper, liquidity)
        most = most_at_a_tick(state.ticks.spacing)
        ends = [after.ticks.ticks.get(tick) for tick in (lower, upper)]
        if not liquidity or any(end is not None and end.gross > most for end in ends):
            raise _Refused
        _check_least(one, added)
        pools.put({pool.id: after})
        return Stay(act, pool.id, tokens, one, liquidity, added)

    def _remove(
        self, act: Act, one: LiquidityIntent, pools: Overlay, gone: dict[Stay, tuple[int, int]]
    ) -> None:
        """What a call takes out, where it is all of a position that has come before: this has no
        number yet, and is known by whose it is and by how much it is."""
        for stay in self.found:
            if stay.leave is None and stay not in gone and _is_of(act, one, stay):
                entry = pools.find(Hop(PoolKind.V3, pool=stay.pool))
                assert entry is not None
                state = _ticked(entry)
                taken = amounts_of(state, *stay.ticks, stay.liquidity, round_up=False)
                _check_least(one, taken)
                pools.put({stay.pool: state.with_liquidity(*stay.ticks, -stay.liquidity)})
                gone[stay] = taken
                return


def _is_of(act: Act, one: LiquidityIntent, stay: Stay) -> bool:
    owners = {stay.intent.owner, stay.act.transaction.sender}
    return act.transaction.sender in owners and one.liquidity == stay.liquidity


def _ticked(entry: Entry) -> TickedPool:
    """A pool that was found as one of V3 is one."""
    assert isinstance(entry.state, TickedPool)
    return entry.state


def _ticks(intent: LiquidityIntent) -> tuple[int, int]:
    """Of a new position, whose call always has them."""
    assert intent.tick_lower is not None
    assert intent.tick_upper is not None
    return intent.tick_lower, intent.tick_upper


def _check_least(one: LiquidityIntent, amounts: tuple[int, int]) -> None:
    if amounts[0] < (one.least0 or 0) or amounts[1] < (one.least1 or 0):
        raise _Refused


def _fills(effect: Effect) -> Iterable[Fill]:
    """Those that count, in pools of concentrated liquidity."""
    for one in effect.swaps:
        if not one.undone:
            yield from (fill for fill in one.fills if isinstance(fill.before, TickedPool))
