"""Users' calls of Aave's pools, of versions 3 and 2."""

from __future__ import annotations

from typing import Any

from ...model.intents import Lending, LendingIntent
from ..abi import BadData
from ..contracts import aave as data
from .plan import Contract, Handle, Plan, methods_of

ALL = (1 << 256) - 1


def _tell(
    plan: Plan,
    action: Lending,
    account: str | None,
    asset: str | None,
    amount: int | None = None,
    **more: Any,
) -> None:
    whole = amount == ALL
    given = None if whole else amount
    plan.intents.append(
        LendingIntent(plan.contract.name, action, plan.to, account, asset, given, whole, **more)
    )


def _supply(plan: Plan, arguments: tuple[Any, ...]) -> None:
    asset, amount, account = arguments[:3]
    _tell(plan, Lending.SUPPLY, account, asset, amount)


def _withdraw(plan: Plan, arguments: tuple[Any, ...]) -> None:
    asset, amount, recipient = arguments
    _tell(plan, Lending.WITHDRAW, plan.sender, asset, amount, recipient=recipient)


def _borrow(plan: Plan, arguments: tuple[Any, ...]) -> None:
    asset, amount, mode, _, account = arguments
    _tell(plan, Lending.BORROW, account, asset, amount, mode=mode, recipient=plan.sender)


def _repay(plan: Plan, arguments: tuple[Any, ...]) -> None:
    asset, amount, mode, account = arguments[:4]
    _tell(plan, Lending.REPAY, account, asset, amount, mode=mode)


def _repay_with_shares(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """What the sender has supplied pays what it has borrowed."""
    asset, amount, mode = arguments
    _tell(plan, Lending.REPAY, plan.sender, asset, amount, mode=mode, collateral=asset)


def _liquidate(plan: Plan, arguments: tuple[Any, ...]) -> None:
    collateral, debt, account, amount, _ = arguments
    more = {"collateral": collateral, "recipient": plan.sender}
    _tell(plan, Lending.LIQUIDATE, account, debt, amount, **more)


def _collateral(plan: Plan, arguments: tuple[Any, ...]) -> None:
    asset, used = arguments
    action = Lending.USE_AS_COLLATERAL if used else Lending.NOT_AS_COLLATERAL
    _tell(plan, action, plan.sender, asset)


def _mode(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Lending.SET_MODE, plan.sender, None, mode=arguments[0])


def _swap_rate(plan: Plan, arguments: tuple[Any, ...]) -> None:
    asset, mode = arguments
    _tell(plan, Lending.SWAP_RATE, plan.sender, asset, mode=mode)


def _flash_loan(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Where a mode is not zero the loan stays, as a debt of the account's."""
    recipient, assets, amounts, modes, account = arguments[:5]
    if not len(assets) == len(amounts) == len(modes):
        raise BadData("not one amount for each asset")
    for asset, amount, mode in zip(assets, amounts, modes, strict=True):
        plan.step()
        action = Lending.BORROW if mode else Lending.FLASH_LOAN
        _tell(plan, action, account, asset, amount, mode=mode, recipient=recipient)


def _flash_loan_simple(plan: Plan, arguments: tuple[Any, ...]) -> None:
    recipient, asset, amount = arguments[:3]
    _tell(plan, Lending.FLASH_LOAN, plan.sender, asset, amount, recipient=recipient)


_BOTH: dict[str, Handle] = {
    "0x00a718a9": _liquidate,
    "0x69328dec": _withdraw,
    "0xa415bcad": _borrow,
    "0x573ade81": _repay,
    "0x5a3b74b9": _collateral,
    "0x94ba89a2": _swap_rate,
    "0xab9c4b5d": _flash_loan,
    "0xe8eda9df": _supply,
}
_THIRD: dict[str, Handle] = {
    "0x617ba037": _supply,
    "0x02c205f0": _supply,
    "0xee3e210b": _repay,
    "0x2dad97d4": _repay_with_shares,
    "0x28530a47": _mode,
    "0x42b0b77c": _flash_loan_simple,
}

CONTRACTS = {
    address: Contract(
        name, methods_of(data.METHODS, {**_BOTH, **_THIRD} if "V3" in name else _BOTH)
    )
    for address, name in data.POOLS.items()
}
