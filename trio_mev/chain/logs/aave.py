"""Events of Aave that move a position or an index, of versions 3 and 2."""

from __future__ import annotations

from collections.abc import Mapping

from ..contracts import aave
from .event import LogEvent


class AaveLiquidation(LogEvent, frozen=True):
    """Of both versions; the amounts are what happened, not what was asked for."""

    collateral: str
    debt: str
    account: str
    debt_covered: int
    collateral_seized: int
    liquidator: str
    takes_shares: bool


class AaveSupply(LogEvent, frozen=True):
    """Version 2 calls it a deposit."""

    asset: str
    account: str
    referral: int
    sender: str
    amount: int


class AaveWithdraw(LogEvent, frozen=True):
    """Of both versions."""

    asset: str
    account: str
    recipient: str
    amount: int


class AaveBorrow(LogEvent, frozen=True):
    """The rate's mode is 1 where it is stable, 2 where it is variable."""

    asset: str
    account: str
    referral: int
    sender: str
    amount: int
    mode: int
    rate: int


class AaveRepay(LogEvent, frozen=True):
    """Of version 3."""

    asset: str
    account: str
    repayer: str
    amount: int
    with_shares: bool


class AaveV2Repay(LogEvent, frozen=True):
    """Of version 2."""

    asset: str
    account: str
    repayer: str
    amount: int


class AaveCollateralEnabled(LogEvent, frozen=True):
    """Of both versions."""

    asset: str
    account: str


class AaveCollateralDisabled(LogEvent, frozen=True):
    """Of both versions."""

    asset: str
    account: str


class AaveModeSet(LogEvent, frozen=True):
    """The efficiency mode."""

    account: str
    category: int


class AaveDeficit(LogEvent, frozen=True):
    """Debt that nothing secures any more is written off."""

    account: str
    asset: str
    amount: int


class AaveReserve(LogEvent, frozen=True):
    """Rates and indices, times 10^27; they move every position. Of both versions."""

    asset: str
    liquidity_rate: int
    stable_rate: int
    variable_rate: int
    liquidity_index: int
    variable_index: int


class AaveRateSwapped(LogEvent, frozen=True):
    """Between a stable and a variable rate. Of both versions."""

    asset: str
    account: str
    mode: int


class AaveRebalanced(LogEvent, frozen=True):
    """A stable rate is set anew. Of both versions."""

    asset: str
    account: str


class AaveBalanceTransfer(LogEvent, frozen=True):
    """By an aToken: collateral moves without the pool."""

    source: str
    target: str
    amount: int
    index: int


class AaveTokenMint(LogEvent, frozen=True):
    """By an aToken or debt token of version 3."""

    caller: str
    account: str
    amount: int
    increase: int
    index: int


class AaveTokenBurn(LogEvent, frozen=True):
    """By an aToken or debt token of version 3."""

    account: str
    target: str
    amount: int
    increase: int
    index: int


class AaveV2SharesMint(LogEvent, frozen=True):
    """By an aToken of version 2."""

    account: str
    amount: int
    index: int


class AaveV2SharesBurn(LogEvent, frozen=True):
    """By an aToken of version 2."""

    account: str
    target: str
    amount: int
    index: int


class AaveV2DebtMint(LogEvent, frozen=True):
    """By a variable debt token of version 2."""

    caller: str
    account: str
    amount: int
    index: int


class AaveV2DebtBurn(LogEvent, frozen=True):
    """By a variable debt token of version 2."""

    account: str
    amount: int
    index: int


EVENTS: tuple[tuple[type[LogEvent], Mapping[str, str], str], ...] = (
    (AaveLiquidation, aave.EVENTS, "LiquidationCall"),
    (AaveSupply, aave.EVENTS, "Supply"),
    (AaveWithdraw, aave.EVENTS, "Withdraw"),
    (AaveBorrow, aave.EVENTS, "Borrow"),
    (AaveRepay, aave.EVENTS, "Repay"),
    (AaveCollateralEnabled, aave.EVENTS, "ReserveUsedAsCollateralEnabled"),
    (AaveCollateralDisabled, aave.EVENTS, "ReserveUsedAsCollateralDisabled"),
    (AaveModeSet, aave.EVENTS, "UserEModeSet"),
    (AaveDeficit, aave.EVENTS, "DeficitCreated"),
    (AaveReserve, aave.EVENTS, "ReserveDataUpdated"),
    (AaveRateSwapped, aave.EVENTS, "SwapBorrowRateMode"),
    (AaveRebalanced, aave.EVENTS, "RebalanceStableBorrowRate"),
    (AaveBalanceTransfer, aave.TOKEN_EVENTS, "BalanceTransfer"),
    (AaveTokenMint, aave.TOKEN_EVENTS, "Mint"),
    (AaveTokenBurn, aave.TOKEN_EVENTS, "Burn"),
    (AaveSupply, aave.EVENTS_V2, "Deposit"),
    (AaveBorrow, aave.EVENTS_V2, "Borrow"),
    (AaveV2Repay, aave.EVENTS_V2, "Repay"),
    (AaveRateSwapped, aave.EVENTS_V2, "Swap"),
    (AaveV2SharesBurn, aave.TOKEN_EVENTS_V2, "Burn(address*,address*"),
    (AaveV2DebtMint, aave.TOKEN_EVENTS_V2, "Mint(address*,address*"),
    (AaveV2DebtBurn, aave.TOKEN_EVENTS_V2, "Burn(address*,uint256"),
)
"""Class, where its signature is, and how that begins."""
SHARES_MINT = (AaveV2SharesMint, aave.TOKEN_EVENTS_V2, "Mint(address*,uint256")
"""Of the same topic and shape as the mint of a V2 pair."""
