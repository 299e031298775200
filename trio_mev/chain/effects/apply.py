"""A transaction's intents, carried out in order."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...model.intents import (
    Intent,
    Lending,
    LendingIntent,
    LiquidityIntent,
    OracleUpdate,
    PoolKind,
    SwapIntent,
    Undecoded,
    Unread,
)
from ..contracts import uniswap_v2, uniswap_v3, universal_router
from .ledger import Ledger, paid_pair
from .legs import Doubted, Leg, Refused, legs_of
from .outcome import (
    Doubt,
    Effect,
    Refusal,
    Revert,
    SwapOutcome,
    Terms,
    Unknown,
    Verdict,
)
from .overlay import Overlay, PoolView
from .walk import A_SWAP, Steps, Walk

_COMPUTING = frozenset(uniswap_v2.ROUTERS.values())
"""Routers that compute what pairs give before the first one is paid."""
_UNIVERSAL = frozenset(universal_router.ROUTERS.values())
FORWARD = _UNIVERSAL | frozenset(uniswap_v3.SWAP_ROUTERS_02.values())
"""Routers that for an exact output of pairs compute the input, and hand over what it brings."""
_NO_TERMS = Terms()
_UNFOLLOWED = Doubt(Unknown.STEPS, "behind the last step that is followed")
_AT_A_GLANCE = 16
"""Outcomes that are looked over in the time of a step."""


def apply(
    intents: Sequence[Intent],
    pools: PoolView,
    terms: Terms = _NO_TERMS,
    steps: Steps | None = None,
) -> Effect:
    """What a transaction does to pools; these stay as they are.

    Args:
        intents: all of one call, as the decoder gives them.
        pools: as they are before it, or an overlay that another transaction left.
        terms: what the call does not say.
        steps: how far it is followed; what it takes is counted there. Swaps beyond are unknown.
    """
    run = _Run(pools, terms, Steps() if steps is None else steps)
    try:
        for place, intent in enumerate(intents):
            if isinstance(intent, SwapIntent):
                run.swap(place, intent)
            else:
                run.other(intent)
        run.check_together()
    except Refused as stop:
        return Effect(Verdict.REVERTS, run.told(), Overlay(pools), stop.refusal)
    return run.effect()


class _Part:
    """A part of the call that may fail, while it goes on."""

    __slots__ = ("before", "ledger")

    def __init__(self, before: Overlay, ledger: Ledger) -> None:
        self.before = before
        self.ledger = ledger


class _Run:
    """What has come of the intents so far."""

    def __init__(self, pools: PoolView, terms: Terms, steps: Steps) -> None:
        self._start = Overlay(pools)
        self._pools = Overlay(pools)
        self._terms = terms
        self._ledger = Ledger(terms.held)
        self._outcomes: dict[int, SwapOutcome] = {}
        self._steps = steps
        self._parts: dict[int, _Part] = {}
        self._failed: set[int] = set()
        self._uncertain = False

    def other(self, intent: LendingIntent | LiquidityIntent | OracleUpdate | Undecoded) -> None:
        """An intent that is no swap: whether it succeeds is not known."""
        if isinstance(intent, Undecoded) and intent.reason is Unread.NO_SWAP:
            return
        self._uncertain = True
        if isinstance(intent, LendingIntent) and intent.action is not Lending.FLASH_LOAN:
            return
        if not isinstance(intent, OracleUpdate):
            # It may call anything.
            self._pools.lose()

    def swap(self, place: int, intent: SwapIntent) -> None:
        """Carry out a swap.

        Raises:
            Refused: the whole call is.
        """
        if self._steps.over:
            self._unfollowed(place, intent)
            return
        late = _late(intent, self._terms)
        if late is not None:
            self._outcomes[place] = SwapOutcome(intent, refusal=late)
            raise Refused(late)
        if self._failed.intersection(intent.parts):
            self._outcomes[place] = SwapOutcome(intent, undone=True)
            return
        self._begin(intent.parts)
        legs, doubt = legs_of(intent, self._pools)
        if doubt is not None:
            self._steps.left -= A_SWAP * max(len(intent.hops), 1)
            self._doubted(place, intent, legs, doubt)
            return
        try:
            self._steps.take(A_SWAP * len(legs))
            self._outcomes[place] = self._carried_out(place, intent, legs)
        except Doubted as problem:
            self._doubted(place, intent, legs, problem.doubt)
        except Refused as stop:
            self._refused(place, intent, stop)

    def _begin(self, parts: Sequence[int]) -> None:
        """Remember how it was before each of these, where it was not begun before."""
        for part in parts:
            if part not in self._parts:
                self._parts[part] = _Part(Overlay(self._pools), self._ledger.copy())

    def _carried_out(self, place: int, intent: SwapIntent, legs: list[Leg]) -> SwapOutcome:
        if intent.taxed:
            tokens = {token for leg in legs for token in leg.pool.tokens}
            if not tokens <= self._terms.untaxed:
                raise Doubted(Unknown.TAXED)
        amount, presumed = self._ledger.amount(intent, legs[0], self._outcomes)
        walk = Walk(legs, self._steps, self._ledger.sent, intent.price_limit)
        _go(walk, intent, amount)
        outcome = SwapOutcome(intent, tuple(walk.fills), presumed=presumed)
        refusal = _missed(outcome)
        if refusal is not None:
            if not intent.exact_out and refusal.by <= self._ledger.held(legs[-1].token_out):
                raise Doubted(Unknown.AMOUNT, "the router holds some of what comes out")
            self._outcomes[place] = msgspec.structs.replace(outcome, refusal=refusal)
            raise Refused(refusal)
        self._pools.put(walk.states)
        self._ledger.book(intent, outcome, legs, self._pools)
        return outcome

    def _unfollowed(self, place: int, intent: SwapIntent) -> None:
        """A swap behind the last step: it is not even looked at where it goes."""
        self._uncertain = True
        self._outcomes[place] = SwapOutcome(intent, doubt=_UNFOLLOWED)
        self._pools.lose()

    def _doubted(self, place: int, intent: SwapIntent, legs: list[Leg], doubt: Doubt) -> None:
        """Nothing is known of its pools, nor of what else is in the parts that may fail with it."""
        self._uncertain = True
        self._outcomes[place] = SwapOutcome(intent, doubt=doubt)
        self._pools.doubt(leg.pool.id for leg in legs)
        pair = paid_pair(intent, self._pools)
        if pair is not None:
            self._pools.doubt([pair])
        if not intent.parts:
            return
        outer = intent.parts[0]
        self._steps.left -= len(self._outcomes) // _AT_A_GLANCE
        self._pools.doubt(self._pools.since(self._parts[outer].before))
        for other, outcome in self._outcomes.items():
            if outer in outcome.intent.parts and outcome.doubt is None and not outcome.undone:
                self._outcomes[other] = SwapOutcome(outcome.intent, doubt=doubt)

    def _refused(self, place: int, intent: SwapIntent, stop: Refused) -> None:
        """The innermost part that may fail does; where there is none, the call.

        Raises:
            Refused: it is the call.
        """
        outcome = self._outcomes.get(place) or SwapOutcome(intent, refusal=stop.refusal)
        self._outcomes[place] = outcome
        if not intent.parts:
            raise stop
        part = intent.parts[-1]
        self._steps.left -= len(self._outcomes) // _AT_A_GLANCE
        self._failed.add(part)
        was = self._parts[part]
        self._pools, self._ledger = Overlay(was.before), was.ledger.copy()
        for other, one in self._outcomes.items():
            if part in one.intent.parts:
                self._outcomes[other] = msgspec.structs.replace(one, undone=True)

    def check_together(self) -> None:
        """What several swaps must give together.

        Raises:
            Refused: they give less.
        """
        groups: dict[tuple[object, ...], list[SwapOutcome]] = {}
        for outcome in self._outcomes.values():
            swap = outcome.intent
            if swap.joint_limit is not None:
                key = swap.token_out, swap.joint_limit, swap.recipient
                groups.setdefault(key, []).append(outcome)
        for (token, least, _), members in groups.items():
            assert isinstance(least, int)
            got = sum(0 if one.undone else one.amount_out or 0 for one in members)
            if got >= least or any(one.doubt is not None for one in members):
                continue
            known = got + self._ledger.held(str(token)) < least
            if known and not any(one.intent.parts for one in members):
                raise Refused(Refusal(Revert.JOINT_LIMIT, least - got))
            # It may be a part of the call that demands it, or what was held before is enough.
            self._uncertain = True
            self._pools.doubt(self._pools.since(self._start))

    def told(self) -> tuple[SwapOutcome, ...]:
        """The outcomes in the call's order."""
        return tuple(self._outcomes[place] for place in sorted(self._outcomes))

    def effect(self) -> Effect:
        """Of a call that is not refused."""
        # What pairs have been sent and not used goes to whoever comes next.
        self._pools.doubt(pool for pool, _ in self._ledger.sent)
        verdict = Verdict.UNKNOWN if self._uncertain else Verdict.SUCCEEDS
        new = self._pools.since(self._start)
        changed = {pool: one for pool, one in self._pools.changed.items() if pool in new}
        return Effect(verdict, self.told(), self._pools, None, changed)


def _late(swap: SwapIntent, terms: Terms) -> Refusal | None:
    """Why the block is not one that the call is for: no part of it has a time of its own."""
    time, deadline = terms.time, swap.deadline
    if time is not None and deadline is not None and time > deadline:
        return Refusal(Revert.DEADLINE, time - deadline)
    if None not in (terms.parent, swap.parent) and terms.parent != swap.parent:
        return Refusal(Revert.PARENT)
    return None


def _missed(outcome: SwapOutcome) -> Refusal | None:
    """The limit that a swap misses."""
    swap, paid, got = outcome.intent, outcome.amount_in, outcome.amount_out
    if swap.limit is None or paid is None or got is None:
        return None
    by = paid - swap.limit if swap.exact_out else swap.limit - got
    return Refusal(Revert.LIMIT, by) if by > 0 else None


def _go(walk: Walk, intent: SwapIntent, amount: int) -> None:
    """As the contract does it that is called.

    Raises:
        Doubted: how it does is not known, or a pool's part in it.
        Refused: it reverts.
    """
    pairs = any(leg.kind is PoolKind.V2 for leg in walk.legs)
    venue = intent.venue
    if not intent.exact_out:
        if venue in _COMPUTING and not intent.taxed:
            walk.computed(walk.amounts_out(amount))
        else:
            walk.forward(amount)
    elif not pairs:
        walk.backward(amount)
    elif venue in _COMPUTING:
        walk.computed(walk.amounts_in(amount))
    elif venue in FORWARD:
        # The Universal Router's own library does not refuse an output of nothing.
        amounts = walk.amounts_in(amount, least=0 if venue in _UNIVERSAL else 1)
        limit = intent.limit
        if walk.sent(walk.legs[0]):
            raise Doubted(Unknown.AMOUNT, "the pair has been sent more")
        if limit is not None and amounts[0] > limit:
            raise Refused(Refusal(Revert.LIMIT, amounts[0] - limit))
        walk.forward(amounts[0])
    else:
        raise Doubted(Unknown.UNSUPPORTED, f"an exact output of pairs by {venue}")
