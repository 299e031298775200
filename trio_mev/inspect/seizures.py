"""Liquidations and positions in pools, from the calls that make them, in the words that their logs
would have; the rules read these.

What a call does not say is told by what it moved. Comet's calls say no amounts, and move nothing:
without its logs they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..chain.keccak import keccak256
from ..chain.logs import LogEvent, aave, lenders, uniswap, venues
from ..model.intents import ETHER
from .acts import Seized
from .trades import Spot, signed
from .view import account, word

_SEIZED = "0xc488847b"
_SEIZE = "0xb2a02ff1"
_RATE = "0x182df0f5"
_EEEE = "0x" + "e" * 40

Told = tuple[str, LogEvent]
"""The contract that it is of, and what it would log."""
Reading = Callable[[Spot], Iterator[Told]]
"""Raises ValueError where the data cannot be what it should be."""


def _aave(spot: Spot) -> Iterator[Told]:
    """``liquidationCall(collateral, debt, user, amount, receiveAToken)`` of Aave V1 to V3.

    The debt is what the liquidator gave of its token, the collateral what it got: of the token, or
    of the one that stands for it at Aave.
    """
    call, view = spot.call, spot.view
    collateral, debt, user = (account(call.input, number) for number in range(3))
    shares = bool(word(call.input, 4))
    who = call.source
    gave = view.out_of(who, spot.place)
    got = view.into(who, spot.place)
    owed = ETHER if debt == _EEEE else debt
    seized = ETHER if collateral == _EEEE else collateral
    covered = sum(move.amount for move in gave if move.token == owed)
    if owed == ETHER != seized:
        covered -= sum(move.amount for move in got if move.token == ETHER)  # what was too much
    taken = sum(
        move.amount for move in got if (move.source == user if shares else move.token == seized)
    )
    if covered > 0 and taken > 0:
        yield (
            call.target,
            aave.AaveLiquidation(seized, owed, user, covered, taken, who, shares),
        )


def _compound(spot: Spot, user: str, collateral: str) -> Iterator[Told]:
    """``liquidateBorrow`` of a market of Compound V2 or a fork: what it asks of its comptroller
    says how many shares are seized."""
    call, view = spot.call, spot.view
    market, who = call.target, call.source
    seized = asked = worth = None
    for at in range(spot.place + 1, view.calls.ends[spot.place]):
        inner = view.calls[at]
        selector = inner.input[:10]
        if inner.failed:
            continue
        if selector == _SEIZE and inner.target == collateral:
            seized = word(inner.input, 2)
        elif selector == _SEIZED and inner.source == market and asked is None:
            asked, shares = inner.target, word(inner.output, 1, 2)
            seized = shares if seized is None else seized
        elif selector == _RATE and inner.target == collateral and worth is None:
            worth = word(inner.output, 0, 2)
    repaid = [move for move in view.out_of(who, spot.place) if move.target == market]
    if seized and repaid:
        amount = repaid[0].amount
        if asked is not None:
            underlying = None if worth is None else seized * worth // 10**18
            yield market, Seized(collateral, seized, asked, underlying)
        yield market, lenders.CompoundLiquidation(who, user, amount, collateral, seized)


def _compound_token(spot: Spot) -> Iterator[Told]:
    """It answers the code of an error, 0 where there is none."""
    if word(spot.call.output, 0, 2) == 0:
        text = spot.call.input
        yield from _compound(spot, account(text, 0), account(text, 2))


def _compound_ether(spot: Spot) -> Iterator[Told]:
    """It answers nothing."""
    text = spot.call.input
    yield from _compound(spot, account(text, 0), account(text, 1))


def _redeem(spot: Spot) -> Iterator[Told]:
    """``redeem(uint256)`` of Compound V2: shares for what is underneath. They go without a call."""
    call, view = spot.call, spot.view
    shares = word(call.input, 0)
    if word(call.output, 0, 2) == 0:
        for move in view.into(call.source, spot.place):
            if move.source == call.target:
                yield call.target, lenders.CompoundRedeem(call.source, move.amount, shares)
                break
        yield call.target, venues.Transfer(call.source, call.target, shares)


def _morpho(spot: Spot) -> Iterator[Told]:
    """``liquidate(market, borrower, seizedAssets, repaidShares, data)`` of Morpho Blue answers what
    was seized and repaid; of bad debt it says nothing."""
    call = spot.call
    seized, repaid = word(call.output, 0, 2), word(call.output, 1, 2)
    market = keccak256(bytes.fromhex(call.input[10 : 10 + 5 * 64]))
    yield (
        call.target,
        lenders.MorphoLiquidation(
            market, call.source, account(call.input, 5), repaid, 0, seized, 0, 0
        ),
    )


def _mint(spot: Spot) -> Iterator[Told]:
    """``mint(address, int24, int24, uint128, bytes)`` of a V3 pool."""
    text, answer = spot.call.input, spot.call.output
    yield (
        spot.call.target,
        uniswap.V3Mint(
            account(text, 0),
            signed(word(text, 1)),
            signed(word(text, 2)),
            spot.call.source,
            word(text, 3),
            word(answer, 0, 2),
            word(answer, 1, 2),
        ),
    )


def _burn(spot: Spot) -> Iterator[Told]:
    """``burn(int24, int24, uint128)`` of a V3 pool."""
    text, answer = spot.call.input, spot.call.output
    yield (
        spot.call.target,
        uniswap.V3Burn(
            spot.call.source,
            signed(word(text, 0)),
            signed(word(text, 1)),
            word(text, 2),
            word(answer, 0, 2),
            word(answer, 1, 2),
        ),
    )


def _collect(spot: Spot) -> Iterator[Told]:
    """``collect(address, int24, int24, uint128, uint128)`` of a V3 pool."""
    text, answer = spot.call.input, spot.call.output
    yield (
        spot.call.target,
        uniswap.V3Collect(
            spot.call.source,
            signed(word(text, 1)),
            signed(word(text, 2)),
            account(text, 0),
            word(answer, 0, 2),
            word(answer, 1, 2),
        ),
    )


def _increased(spot: Spot) -> Iterator[Told]:
    """``increaseLiquidity`` of the position manager: the position's number, and what was put in."""
    number, answer = word(spot.call.input, 0), spot.call.output
    amounts = word(answer, 0, 2), word(answer, 1, 2), word(answer, 2, 2)
    yield spot.own, uniswap.PositionIncreased(number, *amounts)


def _minted(spot: Spot) -> Iterator[Told]:
    """``mint`` of the position manager answers the number too."""
    answer = spot.call.output
    values = (word(answer, number, 2) for number in range(4))
    yield spot.own, uniswap.PositionIncreased(*values)


def _decreased(spot: Spot) -> Iterator[Told]:
    """``decreaseLiquidity`` of the position manager."""
    text, answer = spot.call.input, spot.call.output
    yield (
        spot.own,
        uniswap.PositionDecreased(
            word(text, 0), word(text, 1), word(answer, 0, 2), word(answer, 1, 2)
        ),
    )


SEIZURES: dict[str, tuple[str, Reading]] = {
    "0x00a718a9": ("liquidationCall(address,address,address,uint256,bool)", _aave),
    "0xf5e3c462": ("liquidateBorrow(address,uint256,address)", _compound_token),
    "0xaae40a2a": ("liquidateBorrow(address,address)", _compound_ether),
    "0xd8eabcb8": (
        "liquidate((address,address,address,address,uint256),address,uint256,uint256,bytes)",
        _morpho,
    ),
}
"""Selector to signature, and how it is read."""
POSITIONS: dict[str, tuple[str, Reading]] = {
    "0xdb006a75": ("redeem(uint256)", _redeem),
    "0x3c8a7d8d": ("mint(address,int24,int24,uint128,bytes)", _mint),
    "0xa34123a7": ("burn(int24,int24,uint128)", _burn),
    "0x4f1eb3d8": ("collect(address,int24,int24,uint128,uint128)", _collect),
}
MANAGER: dict[str, tuple[str, Reading]] = {
    "0x88316456": (
        "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
        _minted,
    ),
    "0x219f5d17": (
        "increaseLiquidity((uint256,uint256,uint256,uint256,uint256,uint256))",
        _increased,
    ),
    "0x0c49ccbe": ("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))", _decreased),
}
"""Of the position manager, which people call by a delegate call of its own as well."""
