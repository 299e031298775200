"""What comes of a transaction and of each of its swaps: amounts, or why there are none."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from ...model.intents import SwapIntent
from ...model.noun import Noun
from ..pools.swap import PoolState
from .overlay import Overlay


class Verdict(enum.Enum):
    """What becomes of a transaction, as far as its swaps decide it."""

    SUCCEEDS = "succeeds"
    """Every part of the call is known, and nothing of it is refused. Whoever pays must still be
    able to, and the gas must be enough: a call says neither."""
    REVERTS = "reverts"
    UNKNOWN = "unknown"
    """A part of the call is not known; what is said of the others holds if it goes through."""


class Unknown(enum.Enum):
    """Why nothing is said of a swap."""

    HIDDEN_ROUTE = "hidden_route"
    """The call does not say through which pools."""
    NO_POOL = "no_pool"
    """A pool is not in the view."""
    QUARANTINED = "quarantined"
    """What a pool holds is not known, or no longer."""
    ROUTE = "route"
    """The pools are not what the call says, or do not follow on each other."""
    AMOUNT = "amount"
    """It depends on something that the call does not say."""
    TAXED = "taxed"
    """The method allows for tokens that take a fee, and one of these may."""
    UNSUPPORTED = "unsupported"
    """How the contract or the pool counts here is not known."""
    TICKS = "unknown_ticks"
    """Nobody has read the ticks that it reaches."""
    STEPS = "steps"
    """It goes further than a block has gas for, or than is followed."""
    UNFILLED = "unfilled"
    """The pool has less than is asked for, and what the call then does is not known."""


class Revert(enum.Enum):
    """Why a swap, and with it the call or a part of it, is refused."""

    DEADLINE = "deadline"
    PARENT = "parent"
    """It is only for the block after another one."""
    LIMIT = "limit"
    """It gives less than the limit, or takes more."""
    JOINT_LIMIT = "joint_limit"
    """Several swaps together give less than is demanded of them."""
    POOL = "pool"
    """A pool refuses it: nothing, more than it has, or a price beyond its limit."""
    UNFILLED = "unfilled"
    """A pool cannot give the whole of an exact output."""
    LOCKED = "locked"
    """A pool is needed while it is in use."""


class Doubt(Noun, frozen=True):
    """Why nothing is said of a swap, and about what."""

    reason: Unknown
    detail: str = ""


class Refusal(Noun, frozen=True):
    """Why a swap is refused."""

    reason: Revert
    by: int = 0
    """By how much a limit is missed, in the token's smallest unit; seconds after a deadline."""
    pool: str | None = None


class Fill(Noun, frozen=True):
    """What a swap comes to in one pool."""

    pool: str
    token_in: str
    token_out: str
    amount_in: int
    """What the pool takes, fee included."""
    amount_out: int
    before: PoolState
    after: PoolState
    partial: bool = False
    """Whether the pool came to its end, or to the limit of the price, before the amount did."""


class SwapOutcome(Noun, frozen=True):
    """What comes of one swap: its fills, or the doubt or the refusal that there are none for."""

    intent: SwapIntent
    fills: tuple[Fill, ...] = ()
    """In trading order. With a refusal they are what the pools would have given."""
    doubt: Doubt | None = None
    refusal: Refusal | None = None
    undone: bool = False
    """Whether it is in a part of the call that fails, for its own sake or another's."""
    presumed: bool = False
    """Whether the router is taken to have held nothing of the token before."""

    @property
    def amount_in(self) -> int | None:
        """What goes in; None where that is not known."""
        return self.fills[0].amount_in if self.fills else None

    @property
    def amount_out(self) -> int | None:
        """What comes out; None where that is not known."""
        return self.fills[-1].amount_out if self.fills else None


class Terms(Noun, frozen=True):
    """What a call does not say."""

    time: int | None = None
    """Of the block, in seconds since the epoch; without it deadlines are not looked at."""
    parent: str | None = None
    """Hash of the block before; without it, it is not looked at which one a call wants."""
    untaxed: frozenset[str] = frozenset()
    """Tokens that are known to take no fee of a transfer. It matters only where the method allows
    for such fees; the others take it that there are none."""
    held: Mapping[str, int] = {}
    """What the called contract holds beforehand of each token. Others are taken to be none, and
    the outcome says so where it matters."""


@attrs.frozen
class Effect:
    """What a transaction does."""

    verdict: Verdict
    swaps: tuple[SwapOutcome, ...]
    """One for each swap of the call, up to the one that is refused."""
    pools: Overlay
    """The pools afterwards, to apply the next transaction to: as they were where this one reverts,
    and as if it went through where that is not known."""
    refusal: Refusal | None = None
    """Why it reverts."""
    changed: Mapping[str, PoolState] = attrs.Factory(dict)
    """What this transaction makes of each pool that it changes, by the pool's id."""
