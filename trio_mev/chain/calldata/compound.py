"""Users' calls of Compound: a market of version 2, and Comet."""

from __future__ import annotations

from typing import Any

from ...model.intents import ETHER, Lending, LendingIntent
from ..contracts import compound as data
from .plan import Contract, Plan, methods_of

ALL = (1 << 256) - 1


def _tell(
    plan: Plan,
    action: Lending,
    account: str | None,
    asset: str | None = None,
    amount: int | None = None,
    **more: Any,
) -> None:
    whole = amount == ALL
    given = None if whole else amount
    plan.intents.append(
        LendingIntent(plan.contract.name, action, plan.to, account, asset, given, whole, **more)
    )


def _liquidate(plan: Plan, arguments: tuple[Any, ...]) -> None:
    account, amount, collateral = arguments
    more = {"collateral": collateral, "recipient": plan.sender}
    _tell(plan, Lending.LIQUIDATE, account, None, amount, **more)


def _liquidate_ether(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Of the market of ether, with what the transaction carries."""
    account, collateral = arguments
    more = {"collateral": collateral, "recipient": plan.sender}
    _tell(plan, Lending.LIQUIDATE, account, ETHER, plan.value, **more)


def _mint(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.SUPPLY, plan.sender, None, arguments[0])


def _redeem(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.WITHDRAW, plan.sender, shares=arguments[0], recipient=plan.sender)


def _redeem_underlying(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.WITHDRAW, plan.sender, None, arguments[0], recipient=plan.sender)


def _borrow(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.BORROW, plan.sender, None, arguments[0], recipient=plan.sender)


def _repay(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.REPAY, plan.sender, None, arguments[0])


def _repay_behalf(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.REPAY, arguments[0], None, arguments[1])


def _absorb(plan: Plan, arguments: tuple[Any, ...]) -> None:
    absorber, accounts = arguments
    for account in accounts:
        plan.step()
        _tell(plan, Lending.ABSORB, account, recipient=absorber)


def _buy_collateral(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """The base token pays; the least amount is of the collateral."""
    collateral, least, amount, recipient = arguments
    _tell(
        plan,
        Lending.BUY_COLLATERAL,
        None,
        None,
        amount,
        collateral=collateral,
        collateral_amount=least,
        recipient=recipient,
    )


def _supply(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.SUPPLY, plan.sender, *arguments)


def _supply_to(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.SUPPLY, *arguments)


def _withdraw(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Of the base token, more than was supplied is borrowed."""
    _tell(plan, Lending.WITHDRAW, plan.sender, *arguments, recipient=plan.sender)


def _withdraw_to(plan: Plan, arguments: tuple[Any, ...]) -> None:
    recipient, asset, amount = arguments
    _tell(plan, Lending.WITHDRAW, plan.sender, asset, amount, recipient=recipient)


MARKET = Contract(
    "Compound V2 market",
    methods_of(
        data.METHODS,
        {
            "0xf5e3c462": _liquidate,
            "0xaae40a2a": _liquidate_ether,
            "0xa0712d68": _mint,
            "0xdb006a75": _redeem,
            "0x852a12e3": _redeem_underlying,
            "0xc5ebeaec": _borrow,
            "0x0e752702": _repay,
            "0x2608f818": _repay_behalf,
        },
    ),
)
_COMET = methods_of(
    data.COMET_METHODS,
    {
        "0xc3cecfd2": _absorb,
        "0xe4e6e779": _buy_collateral,
        "0xf2b9fdb8": _supply,
        "0xf3fef3a3": _withdraw,
        "0x4232cd63": _supply_to,
        "0xc3b35a7e": _withdraw_to,
    },
)
CONTRACTS = {address: Contract(name, _COMET) for address, name in data.COMETS.items()}
