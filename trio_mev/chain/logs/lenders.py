"""Events of Compound V2, Comet and Morpho Blue that move a position or an index."""

from __future__ import annotations

from collections.abc import Mapping

from ..contracts import compound, morpho
from .event import LogEvent


class CompoundLiquidation(LogEvent, frozen=True):
    """By the market of what was borrowed; seized are shares of another market."""

    liquidator: str
    account: str
    repaid: int
    collateral: str
    seized: int


class CompoundMint(LogEvent, frozen=True):
    """Something is supplied, for shares."""

    account: str
    amount: int
    shares: int


class CompoundRedeem(LogEvent, frozen=True):
    """Shares are given back."""

    account: str
    amount: int
    shares: int


class CompoundBorrow(LogEvent, frozen=True):
    """With what the account, and all of them, owe now."""

    account: str
    amount: int
    account_debt: int
    total_debt: int


class CompoundRepay(LogEvent, frozen=True):
    """With what the account, and all of them, owe now."""

    payer: str
    account: str
    amount: int
    account_debt: int
    total_debt: int


class CompoundAccrual(LogEvent, frozen=True):
    """The borrow index moves, times 10^18."""

    cash: int
    interest: int
    index: int
    total_debt: int


class CompoundFirstAccrual(LogEvent, frozen=True):
    """Of the first markets, which do not say the cash."""

    interest: int
    index: int
    total_debt: int


class CompoundMarketEntered(LogEvent, frozen=True):
    """What is supplied there is collateral from now on."""

    market: str
    account: str


class CompoundMarketExited(LogEvent, frozen=True):
    """What is supplied there is no collateral any more."""

    market: str
    account: str


class CometDebtAbsorbed(LogEvent, frozen=True):
    """The protocol has taken over a position; the value is in dollars, times 10^8."""

    absorber: str
    account: str
    amount: int
    value: int


class CometCollateralAbsorbed(LogEvent, frozen=True):
    """As above, of each collateral."""

    absorber: str
    account: str
    asset: str
    amount: int
    value: int


class CometCollateralBought(LogEvent, frozen=True):
    """Of what was absorbed: base tokens paid, collateral bought."""

    buyer: str
    asset: str
    paid: int
    bought: int


class CometSupply(LogEvent, frozen=True):
    """Of the base token."""

    sender: str
    account: str
    amount: int


class CometWithdraw(LogEvent, frozen=True):
    """Of the base token; beyond what was supplied it is a loan."""

    account: str
    recipient: str
    amount: int


class CometCollateralSupplied(LogEvent, frozen=True):
    """Collateral comes in."""

    sender: str
    account: str
    asset: str
    amount: int


class CometCollateralWithdrawn(LogEvent, frozen=True):
    """Collateral goes out."""

    account: str
    recipient: str
    asset: str
    amount: int


class CometCollateralTransferred(LogEvent, frozen=True):
    """Collateral changes hands."""

    source: str
    target: str
    asset: str
    amount: int


class MorphoLiquidation(LogEvent, frozen=True):
    """By market; bad debt is what nobody repaid."""

    market: str
    liquidator: str
    account: str
    repaid: int
    repaid_shares: int
    seized: int
    bad_debt: int
    bad_debt_shares: int


class MorphoSupply(LogEvent, frozen=True):
    """Of the loan token."""

    market: str
    sender: str
    account: str
    amount: int
    shares: int


class MorphoWithdraw(LogEvent, frozen=True):
    """Of the loan token."""

    market: str
    account: str
    recipient: str
    sender: str
    amount: int
    shares: int


class MorphoBorrow(LogEvent, frozen=True):
    """Of the loan token."""

    market: str
    account: str
    recipient: str
    sender: str
    amount: int
    shares: int


class MorphoRepay(LogEvent, frozen=True):
    """Of the loan token."""

    market: str
    sender: str
    account: str
    amount: int
    shares: int


class MorphoCollateralSupplied(LogEvent, frozen=True):
    """Collateral comes in."""

    market: str
    sender: str
    account: str
    amount: int


class MorphoCollateralWithdrawn(LogEvent, frozen=True):
    """Collateral goes out."""

    market: str
    account: str
    recipient: str
    sender: str
    amount: int


class MorphoAccrual(LogEvent, frozen=True):
    """Interest of a market."""

    market: str
    rate: int
    interest: int
    fee_shares: int


class MorphoMarketCreated(LogEvent, frozen=True):
    """With the five parameters that the market's id is made of."""

    market: str
    parameters: tuple[str, str, str, str, int]
    """Loan token, collateral, oracle, rate model, loan to value times 10^18."""


EVENTS: tuple[tuple[type[LogEvent], Mapping[str, str], str], ...] = (
    (CompoundLiquidation, compound.EVENTS, "LiquidateBorrow"),
    (CompoundMint, compound.EVENTS, "Mint"),
    (CompoundRedeem, compound.EVENTS, "Redeem"),
    (CompoundBorrow, compound.EVENTS, "Borrow"),
    (CompoundRepay, compound.EVENTS, "RepayBorrow"),
    (CompoundAccrual, compound.EVENTS, "AccrueInterest(uint256,uint256,uint256,uint256)"),
    (CompoundFirstAccrual, compound.EVENTS, "AccrueInterest(uint256,uint256,uint256)"),
    (CompoundMarketEntered, compound.EVENTS, "MarketEntered"),
    (CompoundMarketExited, compound.EVENTS, "MarketExited"),
    (CometDebtAbsorbed, compound.COMET_EVENTS, "AbsorbDebt"),
    (CometCollateralAbsorbed, compound.COMET_EVENTS, "AbsorbCollateral"),
    (CometCollateralBought, compound.COMET_EVENTS, "BuyCollateral"),
    (CometSupply, compound.COMET_EVENTS, "Supply"),
    (CometWithdraw, compound.COMET_EVENTS, "Withdraw"),
    (CometCollateralSupplied, compound.COMET_EVENTS, "SupplyCollateral"),
    (CometCollateralWithdrawn, compound.COMET_EVENTS, "WithdrawCollateral"),
    (CometCollateralTransferred, compound.COMET_EVENTS, "TransferCollateral"),
    (MorphoLiquidation, morpho.EVENTS, "Liquidate"),
    (MorphoSupply, morpho.EVENTS, "Supply"),
    (MorphoWithdraw, morpho.EVENTS, "Withdraw"),
    (MorphoBorrow, morpho.EVENTS, "Borrow"),
    (MorphoRepay, morpho.EVENTS, "Repay"),
    (MorphoCollateralSupplied, morpho.EVENTS, "SupplyCollateral"),
    (MorphoCollateralWithdrawn, morpho.EVENTS, "WithdrawCollateral"),
    (MorphoAccrual, morpho.EVENTS, "AccrueInterest"),
    (MorphoMarketCreated, morpho.EVENTS, "CreateMarket"),
)
"""Class, where its signature is, and how that begins."""
