"""Whether what was predicted is what landed. Pure: no clock, no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import attrs

from ..model.opportunity import (
    CexDex,
    Kind,
    Landed,
    Liquidation,
    Opportunity,
    Outcome,
    Verdict,
)


@attrs.frozen
class Match:
    """What became of a prediction in a block, and the landed one that it is of."""

    outcome: Outcome
    landed: Opportunity | None = None


def of_pending(one: Opportunity, block: Landed) -> Match:
    """What became of a prediction whose cause is in a block."""
    found = _taken(one, block)
    if found is not None:
        return found
    cause = one.cause or ""
    done = {swap.pool for swap in block.swaps if swap.transaction == cause}
    if one.kind in _NEEDS_SWAP and done.isdisjoint(one.pools):
        return Match(Outcome(Verdict.WRONG, why="its cause swapped at none of these pools"))
    return Match(Outcome(Verdict.EXPIRED))


def of_parts(one: Opportunity, block: Landed) -> Match:
    """What became of a prediction of which a part is in a block, and its cause is not: what is
    still pending of it is another one."""
    return _taken(one, block) or Match(Outcome(Verdict.EXPIRED))


def of_state(one: Opportunity, block: Landed) -> Match | None:
    """What became in a block of a prediction on a head's state; None where it stands."""
    found = _taken(one, block)
    if found is not None:
        return found
    touched = {swap.pool for swap in block.swaps}
    if one.kind is not Kind.LIQUIDATION and not touched.isdisjoint(one.pools):
        return Match(Outcome(Verdict.EXPIRED))
    return None


def _taken(one: Opportunity, block: Landed) -> Match | None:
    return _RULES.get(one.kind, _nothing)(one, block)


def _nothing(_: Opportunity, __: Landed) -> Match | None:
    return None


def _of_kind(block: Landed, kind: Kind) -> Iterable[Opportunity]:
    """Those that made something; with their alternatives."""
    return (o for o in block.opportunities if not o.reverted and kind in (o.kind, *o.alternatives))


def _behind(block: Landed, cause: str | None, transaction: str) -> bool:
    """Whether a transaction is behind another one, if that is in the block at all."""
    if cause not in block.transactions or transaction not in block.transactions:
        return True
    return block.transactions.index(transaction) > block.transactions.index(cause)


def _made(verdict: Verdict, landed: Opportunity) -> Match:
    by = landed.transactions[-1] if landed.transactions else None
    return Match(Outcome(verdict, by, landed.gross), landed)


def _arbitrage(one: Opportunity, block: Landed) -> Match | None:
    """Through the same pools it is taken; through some of them, taken in another way."""
    pools = set(one.pools)
    behind = [
        other
        for other in _of_kind(block, Kind.ARBITRAGE)
        if not pools.isdisjoint(other.pools)
        and all(_behind(block, one.cause, hash_) for hash_ in other.transactions)
    ]
    for other in behind:
        if set(other.pools) == pools:
            return _made(Verdict.TAKEN, other)
    return _made(Verdict.COMPETED, behind[0]) if behind else None


def _sandwich(one: Opportunity, block: Landed) -> Match | None:
    for other in _of_kind(block, Kind.SANDWICH):
        if not {one.cause, *one.victims}.isdisjoint(other.victims):
            return _made(Verdict.TAKEN, other)
    return None


def _jit(one: Opportunity, block: Landed) -> Match | None:
    for other in _of_kind(block, Kind.JIT):
        if not set(one.transactions).isdisjoint(other.transactions):
            return _made(Verdict.TAKEN, other)
    return None


def _liquidation(one: Opportunity, block: Landed) -> Match | None:
    """Of the same debt and collateral it is taken; of the same user, in another way."""
    mine = one.detail
    assert isinstance(mine, Liquidation)
    theirs = [o for o in _of_kind(block, Kind.LIQUIDATION) if isinstance(o.detail, Liquidation)]
    same = [o for o in theirs if isinstance(o.detail, Liquidation) and o.detail.user == mine.user]
    for other in same:
        detail = other.detail
        assert isinstance(detail, Liquidation)
        tokens = detail.debt_token, detail.collateral_token
        if tokens == (mine.debt_token, mine.collateral_token):
            return _made(Verdict.TAKEN, other)
    return _made(Verdict.COMPETED, same[0]) if same else None


def _cex_dex(one: Opportunity, block: Landed) -> Match | None:
    """The exchange's side is not on the chain: a swap in the same direction is all that shows."""
    mine = one.detail
    assert isinstance(mine, CexDex)
    paid = next((token for token, amount in (one.gross or {}).items() if amount < 0), None)
    for swap in block.swaps:
        if swap.pool in one.pools and swap.token_in == paid:
            gross = {swap.token_in: -swap.amount_in, swap.token_out: swap.amount_out}
            return Match(Outcome(Verdict.COMPETED, swap.transaction, gross))
    return None


_RULES: Mapping[Kind, Callable[[Opportunity, Landed], Match | None]] = {
    Kind.ARBITRAGE: _arbitrage,
    Kind.SANDWICH: _sandwich,
    Kind.JIT: _jit,
    Kind.LIQUIDATION: _liquidation,
    Kind.CEX_DEX: _cex_dex,
}
_NEEDS_SWAP = frozenset({Kind.ARBITRAGE, Kind.SANDWICH})
"""Kinds that are nothing if their cause does not swap."""
