"""A block's logs to its swaps and its MEV: the rules in their order, and one label for each
transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import attrs

from ..model.opportunity import Kind, Opportunity, SwapRecord
from .acts import Act, identify, read_acts
from .against_exchanges import find_cex_dex
from .arbitrage import find_arbitrage, find_attempt
from .block import MinedBlock
from .budget import Budget
from .findings import Found, landed
from .joined import complete, ether_moved
from .known import Known
from .lenders import find_liquidations
from .naming import name_swaps
from .prices import Prices, Rates
from .quick import find_quick_liquidity
from .sandwiches import find_sandwiches
from .traced import read_traced, undone

PRECEDENCE = (Kind.SANDWICH, Kind.JIT, Kind.LIQUIDATION, Kind.ARBITRAGE, Kind.CEX_DEX)
"""What a transaction is called where several rules find something in it: the first of these."""


@attrs.frozen
class Inspection:
    """What landed in a block."""

    block: int
    hash: str
    swaps: tuple[SwapRecord, ...]
    """In the order of the block; those without tokens are not among them."""
    opportunities: tuple[Opportunity, ...]
    """By the place of their first transaction."""
    left_out: Mapping[str, int]
    """What could not be told, and how often: logs that are ``malformed``, swaps that are ``odd`` or
    ``without_tokens``, liquidations that are ``doubtful``, transactions that ``failed`` and so left
    no logs; where there are prices, findings ``without_price``, of which some token has none."""
    cut: bool
    """Whether something was not looked at, since the block would have taken too long."""


def inspect_block(
    block: MinedBlock,
    known: Known | None = None,
    budget: Budget | None = None,
    prices: Prices | None = None,
) -> Inspection:
    """Find the swaps and the MEV in a block.

    Whatever the logs are, nothing is raised, and the work is bounded by the budget.

    Where both logs and calls are known, the logs say what was swapped, and the calls what no log
    shows: ether, and swaps of contracts whose logs are not read.

    Args:
        block: its transactions with their logs, their calls, or both.
        known: what is known of pools and contracts; the default knows no pool.
        budget: how much work there may be at most.
        prices: what exchanges paid; with them it is said what findings are worth, and which swaps
            they would have paid more for.
    """
    known, budget = known or Known(), budget or Budget()
    logged = any(one.logs for one in block.transactions)
    traced = any(one.calls is not None for one in block.transactions)
    if traced and not logged:
        acts, counts = read_traced(block, known, budget)
        return judge(block, acts, counts, known, budget, prices)
    acts, malformed = read_acts(block, known)
    called = read_traced(block, known, budget)[0] if traced else []
    for act, one in zip(acts, called, strict=False):
        act.said = [*ether_moved(one), *act.said]
    counts = name_swaps(acts, known)
    counts["malformed"] = malformed
    if traced:
        counts["without_tokens"] = complete(acts, called)
    return judge(block, acts, counts, known, budget, prices)


def judge(
    block: MinedBlock,
    acts: Sequence[Act],
    counts: Counter[str],
    known: Known,
    budget: Budget,
    prices: Prices | None = None,
) -> Inspection:
    """Find the MEV in transactions whose swaps are known, wherever they are known from.

    Args:
        block: theirs.
        acts: all of them, in the order of the block.
        counts: what could not be told so far.
        known: what is known of contracts.
        budget: how much work there may be at most.
        prices: what exchanges paid.
    """
    identify(acts, known)
    rates = _rates(block, prices)
    found = [*find_sandwiches(acts, budget), *find_quick_liquidity(acts, known, budget)]
    for act in acts:
        liquidations, doubtful = find_liquidations(act, known, budget)
        arbitrage = find_arbitrage(act, known, budget)
        found += liquidations if arbitrage is None else [*liquidations, arbitrage]
        if not liquidations and arbitrage is None:
            other = find_attempt(act, undone(act.mined, known, budget), known, budget)
            if other is None and rates is not None:
                other = find_cex_dex(act, known, rates)
            found += [] if other is None else [other]
        counts["doubtful"] += doubtful
        counts["failed"] += act.mined.succeeded is False
    made = _labelled(found, block)
    if prices is not None:
        made = [attrs.evolve(one, usd=_worth(one, rates)) for one in made]
        counts["without_price"] = sum(one.usd is None for one in made)
    return Inspection(
        block.number,
        block.hash,
        tuple(swap for act in acts for swap in act.swaps),
        tuple(made),
        {reason: count for reason, count in sorted(counts.items()) if count},
        budget.cut,
    )


def _rates(block: MinedBlock, prices: Prices | None) -> Rates | None:
    """None where there are none, and where nobody says when the block was made."""
    if prices is None or block.timestamp is None:
        return None
    return prices.at(block.timestamp)


def _worth(one: Opportunity, rates: Rates | None) -> Decimal | None:
    amounts = one.gross if one.net is None else one.net
    return None if rates is None or amounts is None else rates.in_usd(amounts)


def _labelled(found: Iterable[Found], block: MinedBlock) -> list[Opportunity]:
    """One label for each transaction; what else it could be called is an alternative of it."""
    kept: list[tuple[Found, list[Kind]]] = []
    owner: dict[Act, list[Kind]] = {}
    label: dict[Act, Kind] = {}
    for one in sorted(found, key=lambda each: PRECEDENCE.index(each.kind)):
        taken = [act for act in one.acts if label.get(act, one.kind) is not one.kind]
        for act in taken:
            if one.kind not in owner[act] and not one.reverted:
                owner[act].append(one.kind)
        if taken:
            continue
        others: list[Kind] = []
        kept.append((one, others))
        for act in one.acts:
            label[act] = one.kind
            owner.setdefault(act, others)
    made: list[Opportunity] = []
    charged: set[Act] = set()
    for one, others in kept:
        # What several findings share was paid for once: the first of them has it.
        made.append(landed(one, block, tuple(others), charged))
        charged.update(one.acts)
    places = {act.mined.hash: act.mined.place for one, _ in kept for act in one.acts}
    return sorted(made, key=lambda one: places[one.transactions[0]])
