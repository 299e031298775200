"""Users' calls of Morpho Blue, which name a market by its five parameters."""

from __future__ import annotations

from typing import Any

from ...model.intents import Lending, LendingIntent
from ..contracts import morpho as data
from .plan import Contract, Handle, Plan, methods_of


def _tell(
    plan: Plan,
    action: Lending,
    market: tuple[str, str, str, str, int],
    account: str,
    amounts: tuple[int, int],
    recipient: str | None = None,
) -> None:
    """Of the amounts in tokens and in shares, one is zero."""
    loan, collateral, oracle, rates, lltv = market
    amount, shares = amounts
    plan.intents.append(
        LendingIntent(
            plan.contract.name,
            action,
            plan.to,
            account,
            loan,
            amount or None,
            shares=shares or None,
            collateral=collateral,
            recipient=recipient,
            oracle=oracle,
            rate_model=rates,
            lltv=lltv,
        )
    )


def _liquidate(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Either what is seized is said, or the shares of debt that are repaid."""
    market, account, seized, shares, _ = arguments
    loan, collateral, oracle, rates, lltv = market
    plan.intents.append(
        LendingIntent(
            plan.contract.name,
            Lending.LIQUIDATE,
            plan.to,
            account,
            loan,
            shares=shares or None,
            collateral=collateral,
            collateral_amount=seized or None,
            recipient=plan.sender,
            oracle=oracle,
            rate_model=rates,
            lltv=lltv,
        )
    )


def _given(action: Lending) -> Handle:
    """To a position: amounts, and whose it is."""

    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        market, amount, shares, account, _ = arguments
        _tell(plan, action, market, account, (amount, shares))

    return handle


def _taken(action: Lending) -> Handle:
    """From a position: amounts, whose it is, and who gets it."""

    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        market, amount, shares, account, recipient = arguments
        _tell(plan, action, market, account, (amount, shares), recipient)

    return handle


def _collateral_given(plan: Plan, arguments: tuple[Any, ...]) -> None:
    market, amount, account, _ = arguments
    _collateral(plan, Lending.SUPPLY_COLLATERAL, market, account, amount, None)


def _collateral_taken(plan: Plan, arguments: tuple[Any, ...]) -> None:
    market, amount, account, recipient = arguments
    _collateral(plan, Lending.WITHDRAW_COLLATERAL, market, account, amount, recipient)


def _collateral(
    plan: Plan,
    action: Lending,
    market: tuple[str, str, str, str, int],
    account: str,
    amount: int,
    recipient: str | None,
) -> None:
    """The asset is the collateral itself."""
    _, collateral, oracle, rates, lltv = market
    plan.intents.append(
        LendingIntent(
            plan.contract.name,
            action,
            plan.to,
            account,
            collateral,
            amount,
            collateral=collateral,
            recipient=recipient,
            oracle=oracle,
            rate_model=rates,
            lltv=lltv,
        )
    )


_METHODS = methods_of(
    data.METHODS,
    {
        "0xd8eabcb8": _liquidate,
        "0xa99aad89": _given(Lending.SUPPLY),
        "0x5c2bea49": _taken(Lending.WITHDRAW),
        "0x50d8cd4b": _taken(Lending.BORROW),
        "0x20b76e81": _given(Lending.REPAY),
        "0x238d6579": _collateral_given,
        "0x8720316d": _collateral_taken,
    },
)
CONTRACTS = {address: Contract(name, _METHODS) for address, name in data.MORPHOS.items()}
