"""Liquidations that landed, by the events of Aave, Compound V2, Comet and Morpho Blue.

The event is the evidence, and its amounts are what happened. A contract that is not known as the
protocol's own can log it too, so there the transfers must bear it out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ..chain.contracts.compound import ETHER_MARKET
from ..chain.logs import LogEvent, aave, lenders
from ..model.chain import Log
from ..model.intents import ETHER
from ..model.opportunity import Amounts, Grounds, Kind, Liquidation
from .acts import Act, Place, Seized
from .budget import Budget
from .findings import Found
from .known import Known

_Liquidated = tuple[Liquidation, str, dict[str, Any]]
"""What, by whom, and what else is to be said."""


def find_liquidations(act: Act, known: Known, budget: Budget) -> tuple[list[Found], int]:
    """Those of a transaction, and how many events nothing bears out."""
    told: list[_Liquidated] = []
    doubtful, share = 0, budget.share(len(act.said))
    for log, event in act.said:
        read = _READ.get(type(event))
        if read is None:
            continue
        # Each looks through the transaction's transfers.
        one = read(act, log, event, known) if share.spend(len(act.said)) else None
        if one is None:
            doubtful += 1
        else:
            told.append(one)
    alone = len(told) == 1
    return [_found(act, one, alone, number) for number, one in enumerate(told)], doubtful


def _found(act: Act, told: _Liquidated, alone: bool, number: int) -> Found:
    """Of several in one transaction each has its own amounts."""
    detail, liquidator, more = told
    absorbed = "absorbed" in more
    whole = alone or (absorbed and number == 0)
    gross: Amounts = act.flow(act.keys | {liquidator}) if whole else {}
    if not gross and not absorbed:
        net = Counter({detail.collateral_token: detail.collateral_amount})
        net[detail.debt_token] -= detail.debt_amount
        gross = dict(net)
    return Found(
        Kind.LIQUIDATION,
        (act,),
        detail,
        gross,
        mark=str(number),
        searcher=liquidator,
        grounds=Grounds.ARITHMETIC,
        extra=more or None,
    )


def _moved(act: Act, source: str | None, target: str | None, amount: int) -> list[str]:
    """Tokens of which exactly this much went from one to the other."""
    return list(
        dict.fromkeys(
            token
            for token, paid in act.transfers
            if paid.amount == amount
            and (source is None or paid.source == source)
            and (target is None or paid.target == target)
        )
    )


def _aave(
    act: Act, log: Log | Place, event: aave.AaveLiquidation, known: Known
) -> _Liquidated | None:
    protocol = known.aave_pools.get(log.address)
    if protocol is None and event.debt not in _moved(
        act, event.liquidator, None, event.debt_covered
    ):
        return None
    detail = Liquidation(
        protocol or "aave",
        event.account,
        event.debt,
        event.debt_covered,
        event.collateral,
        event.collateral_seized,
        None,
    )
    return detail, event.liquidator, {"takes_shares": True} if event.takes_shares else {}


def _compound(
    act: Act, log: Log | Place, event: lenders.CompoundLiquidation, known: Known
) -> _Liquidated | None:
    """The market of what was borrowed says it; the collateral is shares of another market.

    The liquidator gets what the transfer of these shares says: newer markets keep a part. Where
    they are redeemed at once, for so much of what is underneath is said too.
    """
    debt = _lent(act, log.address, event, known)
    if debt is None:
        return None
    shares = [
        paid.amount
        for token, paid in act.transfers
        if token == event.collateral
        and paid.source == event.account
        and paid.target == event.liquidator
    ]
    got = shares[0] if len(shares) == 1 else event.seized
    more = {"seized": event.seized} if got != event.seized else {}
    protocol = known.protocol_of(log.address) or "compound_v2"
    for other, said in act.said:
        if isinstance(said, Seized) and said.market == event.collateral:
            protocol = known.comptrollers.get(said.comptroller, protocol)
            if said.underlying is not None:
                more.setdefault("collateral_underlying", said.underlying)
        elif (
            isinstance(said, lenders.CompoundRedeem)
            and (other.address, said.account) == (event.collateral, event.liquidator)
            and said.shares == got
        ):
            more["collateral_underlying"] = said.amount
    detail = Liquidation(protocol, event.account, debt, event.repaid, event.collateral, got, None)
    return detail, event.liquidator, more


def _lent(act: Act, market: str, event: lenders.CompoundLiquidation, known: Known) -> str | None:
    """The token that a market lends."""
    if market == ETHER_MARKET:
        return ETHER
    listed = known.tokens_of(market)
    if listed:
        return listed[0]
    moved = _moved(act, event.liquidator, market, event.repaid)
    return moved[0] if len(moved) == 1 else None


def _comet(
    act: Act, log: Log | Place, event: lenders.CometDebtAbsorbed, known: Known
) -> _Liquidated | None:
    """The protocol takes a position over; who calls for it gets nothing of it.

    What is absorbed is sold later to whoever pays for it. Where that is in the same transaction,
    the transfers tell what it brought.
    """
    base = known.comets.get(log.address)
    taken = [
        one
        for other, one in act.said
        if isinstance(one, lenders.CometCollateralAbsorbed)
        and (other.address, one.account) == (log.address, event.account)
    ]
    if base is None or not taken:
        return None
    most = max(taken, key=lambda one: one.value)
    detail = Liquidation("comet", event.account, base, event.amount, most.asset, most.amount, None)
    collateral = {one.asset: one.amount for one in taken}
    return detail, event.absorber, {"absorbed": True, "collateral": collateral}


def _morpho(
    act: Act, log: Log | Place, event: lenders.MorphoLiquidation, known: Known
) -> _Liquidated | None:
    if log.address not in known.morphos:
        return None
    tokens = known.tokens_of(event.market) or _market(act, log.address, event)
    if tokens is None or len(tokens) < 2:
        return None
    detail = Liquidation(
        "morpho_blue", event.account, tokens[0], event.repaid, tokens[1], event.seized, None
    )
    return detail, event.liquidator, {"bad_debt": event.bad_debt} if event.bad_debt else {}


def _market(act: Act, morpho: str, event: lenders.MorphoLiquidation) -> tuple[str, str] | None:
    """The loan's token and the collateral's, by the transfers to Morpho and from it."""
    loans = _moved(act, event.liquidator, morpho, event.repaid)
    collateral = _moved(act, morpho, None, event.seized)
    if len(loans) != 1 or len(collateral) != 1:
        return None
    return loans[0], collateral[0]


_Read = Callable[[Act, Log | Place, Any, Known], _Liquidated | None]
_READ: dict[type[LogEvent], _Read] = {
    aave.AaveLiquidation: _aave,
    lenders.CompoundLiquidation: _compound,
    lenders.CometDebtAbsorbed: _comet,
    lenders.MorphoLiquidation: _morpho,
}
