"""What logs say of swaps: at whose pool, from what to what. A token is its place in the pool, or
its address where the log names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..chain.logs import LogEvent, fills, uniswap, venues
from ..model.intents import ETHER

BANCOR = "bancor"
ORDERS = "0x"
"""What is no pool: each swap is of an order of its own."""
UNDERLYING = "curve_underlying"
_Sides = tuple[int | str, int, int | str, int]


def _pair(amount0: int, amount1: int) -> _Sides | None:
    """By what the pool gets of each; None where it does not get one for the other."""
    if amount0 > 0 > amount1:
        return 0, amount0, 1, -amount1
    if amount1 > 0 > amount0:
        return 1, amount1, 0, -amount0
    return None


def _named(token_in: int | str, paid: int, token_out: int | str, got: int) -> _Sides | None:
    if paid <= 0 or got <= 0 or token_in == token_out:
        return None
    return token_in, paid, token_out, got


_Told = tuple[str, str, _Sides | None, str | None, str | None]
"""Pool, protocol, sides, sender, recipient."""


def _v2(event: uniswap.V2Swap, at: str) -> _Told:
    sides = _pair(event.amount0_in - event.amount0_out, event.amount1_in - event.amount1_out)
    return at, "uniswap_v2", sides, event.sender, event.to


def _v3(event: uniswap.V3Swap | uniswap.PancakeV3Swap, at: str) -> _Told:
    name = "uniswap_v3" if isinstance(event, uniswap.V3Swap) else "pancake_v3"
    return at, name, _pair(event.amount0, event.amount1), event.sender, event.recipient


def _v4(event: uniswap.V4Swap, _: str) -> _Told:
    sides = _pair(-event.amount0, -event.amount1)
    return event.pool, "uniswap_v4", sides, event.sender, None


def _curve(event: Any, at: str) -> _Told:
    under = isinstance(event, venues.CurveExchangeUnderlying)
    sides = _named(event.sold, event.amount_sold, event.bought, event.amount_bought)
    return at, UNDERLYING if under else "curve", sides, event.buyer, None


def _balancer(version: int) -> Callable[[Any, str], _Told]:
    def told(event: Any, at: str) -> _Told:
        sides = _named(event.token_in, event.amount_in, event.token_out, event.amount_out)
        pool, caller = (at, event.caller) if version == 1 else (event.pool, None)
        return pool, f"balancer_v{version}", sides, caller, None

    return told


_EEEE = "0x" + "e" * 40


def _token(text: str) -> str:
    """Some write ether in another way."""
    return ETHER if text == _EEEE else text


def _bancor(event: fills.BancorConversion | fills.BancorTrade, at: str) -> _Told:
    sides = _named(
        _token(event.token_in), event.amount_in, _token(event.token_out), event.amount_out
    )
    name = BANCOR if isinstance(event, fills.BancorConversion) else "bancor_v3"
    return at, name, sides, event.trader, event.trader


def _order(event: fills.LimitFill | fills.RfqFill, at: str) -> _Told:
    """The taker pays its own token and gets the maker's."""
    sides = _named(event.taker_token, event.taker_amount, event.maker_token, event.maker_amount)
    return at, ORDERS, sides, event.taker, event.taker


def _dodo(event: fills.DodoSwap, at: str) -> _Told:
    sides = _named(event.token_in, event.amount_in, event.token_out, event.amount_out)
    return at, "dodo", sides, event.trader, event.receiver


def _maverick(event: fills.MaverickSwap | fills.MaverickPoolSwap, at: str) -> _Told:
    first = event.first_in if isinstance(event, fills.MaverickSwap) else event.asked[1]
    sides = _named(1 - first, event.amount_in, int(first), event.amount_out)
    return at, "maverick", sides, event.sender, event.recipient


def _mooniswap(event: fills.MooniswapSwap | fills.OneInchPoolSwap, at: str) -> _Told:
    sides = _named(event.token_in, event.amount_in, event.token_out, event.amount_out)
    if isinstance(event, fills.MooniswapSwap):
        return at, "mooniswap", sides, event.account, None
    return at, "mooniswap", sides, event.sender, event.receiver


def _solidly(event: fills.SolidlySwap, at: str) -> _Told:
    sides = _pair(event.amount0_in - event.amount0_out, event.amount1_in - event.amount1_out)
    return at, "solidly", sides, event.sender, event.to


def _token_bought(event: fills.TokenPurchase, at: str) -> _Told:
    sides = _named(ETHER, event.ether_sold, 0, event.tokens_bought)
    return at, "uniswap_v1", sides, event.buyer, None


def _ether_bought(event: fills.EtherPurchase, at: str) -> _Told:
    sides = _named(0, event.tokens_sold, ETHER, event.ether_bought)
    return at, "uniswap_v1", sides, event.buyer, None


LOGGED: dict[type[LogEvent], Callable[[Any, str], _Told]] = {
    uniswap.V2Swap: _v2,
    uniswap.V3Swap: _v3,
    uniswap.PancakeV3Swap: _v3,
    uniswap.V4Swap: _v4,
    venues.CurveExchange: _curve,
    venues.CurveExchangeUnderlying: _curve,
    venues.CurveCryptoExchange: _curve,
    venues.BalancerV1Swap: _balancer(1),
    venues.BalancerSwap: _balancer(2),
    venues.BalancerV3Swap: _balancer(3),
    fills.BancorConversion: _bancor,
    fills.BancorTrade: _bancor,
    fills.LimitFill: _order,
    fills.RfqFill: _order,
    fills.DodoSwap: _dodo,
    fills.MaverickSwap: _maverick,
    fills.MaverickPoolSwap: _maverick,
    fills.MooniswapSwap: _mooniswap,
    fills.OneInchPoolSwap: _mooniswap,
    fills.SolidlySwap: _solidly,
    fills.TokenPurchase: _token_bought,
    fills.EtherPurchase: _ether_bought,
}
"""How the event of a swap is read."""
ORDERED = frozenset({"uniswap_v2", "uniswap_v3", "pancake_v3", "uniswap_v4", "maverick", "solidly"})
"""Protocols whose pools have their tokens in the order of their addresses."""
