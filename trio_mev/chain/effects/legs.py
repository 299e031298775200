"""From the hops that a call names to the pools that it means."""

from __future__ import annotations

from ...model.intents import ETHER, Hop, PoolKind, SwapIntent
from ...model.noun import Noun
from ..pools.book import Entry
from ..pools.pool import Pool, Protocol
from ..pools.product import ProductPool
from ..pools.swap import PoolState
from .outcome import Doubt, Refusal, Unknown
from .overlay import Overlay

_TICKED = {PoolKind.V3: Protocol.UNISWAP_V3, PoolKind.V4: Protocol.UNISWAP_V4}
_PIPS = 10**6


class Doubted(Exception):
    """Nothing can be said of a swap. Nothing outside of this package raises it."""

    def __init__(self, reason: Unknown, detail: str = "") -> None:
        super().__init__(reason.value)
        self.doubt = Doubt(reason, detail)


class Refused(Exception):
    """A swap is refused. Nothing outside of this package raises it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason.value)
        self.refusal = refusal


class Leg(Noun, frozen=True):
    """A pool on the way, and which of its tokens goes in and comes out."""

    kind: PoolKind
    pool: Pool
    state: PoolState
    """When the swap begins."""
    one: int
    two: int

    @property
    def token_in(self) -> str:
        """Its address."""
        return self.pool.tokens[self.one]

    @property
    def token_out(self) -> str:
        """Its address."""
        return self.pool.tokens[self.two]


def legs_of(intent: SwapIntent, pools: Overlay) -> tuple[list[Leg], Doubt | None]:
    """The pools of a swap that can be told, and why not all of them can.

    Where pools that are not known may change any other, the view is lost.
    """
    legs: list[Leg] = []
    doubt = None
    if not intent.hops:
        pools.lose()
        doubt = Doubt(Unknown.HIDDEN_ROUTE)
    before: Leg | None = None
    for hop in intent.hops:
        try:
            leg = _leg(hop, pools)
            if before is not None and before.token_out != leg.token_in:
                raise Doubted(Unknown.ROUTE, f"{leg.pool.id} does not follow")
        except Doubted as problem:
            doubt = doubt or problem.doubt
            before = None
            if hop.hooks not in (None, ETHER):
                pools.lose()
            continue
        legs.append(leg)
        before = leg
    return legs, doubt


def _leg(hop: Hop, pools: Overlay) -> Leg:
    entry = pools.find(hop)
    if entry is None:
        raise Doubted(Unknown.NO_POOL, _name(hop))
    one, two = _places(hop, entry.pool)
    _check(hop, entry)
    return Leg(hop.kind, entry.pool, entry.state, one, two)


def _name(hop: Hop) -> str:
    return hop.pool or f"{hop.kind.value} of {hop.token_in} and {hop.token_out}"


def _places(hop: Hop, pool: Pool) -> tuple[int, int]:
    tokens = pool.tokens
    if hop.token_in in tokens and hop.token_out in tokens and hop.token_in != hop.token_out:
        return tokens.index(hop.token_in), tokens.index(hop.token_out)
    if hop.token_in is None and hop.zero_for_one is not None:
        return (0, 1) if hop.zero_for_one else (1, 0)
    one, two = hop.index_in, hop.index_out
    if one is not None and two is not None and one != two and max(one, two) < len(tokens):
        return one, two
    raise Doubted(Unknown.ROUTE, f"{pool.id} does not trade these tokens")


def _check(hop: Hop, entry: Entry) -> None:
    """Whether a pool is what a call takes it for, and can be used."""
    kind, state, pool = hop.kind, entry.state, entry.pool
    if entry.quarantine is not None:
        raise Doubted(Unknown.QUARANTINED, f"{pool.id}: {entry.quarantine}")
    if kind is PoolKind.CURVE_UNDERLYING:
        raise Doubted(Unknown.UNSUPPORTED, "coins underneath those of a pool")
    if isinstance(state, ProductPool) is not (kind is PoolKind.V2) or (
        kind in _TICKED and pool.protocol is not _TICKED[kind]
    ):
        raise Doubted(Unknown.ROUTE, f"{pool.id} is no pool of this kind")
    if isinstance(state, ProductPool) and hop.fee is not None:
        fee = state.fee
        if hop.fee * fee.of != _PIPS * (fee.of - fee.kept):
            raise Doubted(Unknown.UNSUPPORTED, f"{pool.id} takes another fee than the call says")
