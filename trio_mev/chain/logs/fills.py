"""Events of swaps at Bancor, 0x's legacy proxy, DODO, Maverick, Mooniswap, Solidly's descendants
and Uniswap V1."""

from __future__ import annotations

from collections.abc import Mapping

from ..contracts import bancor, dodo, maverick, mooniswap, solidly, uniswap_v1, zerox
from .event import LogEvent


class BancorConversion(LogEvent, frozen=True):
    """One step of a path, logged by the network."""

    anchor: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    trader: str


class BancorTrade(LogEvent, frozen=True):
    """Of the network's third version: all of a trade."""

    context: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    bnt_amount: int
    fee_amount: int
    bnt_fee_amount: int
    trader: str


class LimitFill(LogEvent, frozen=True):
    """An order of 0x is filled, or a part of it. The taker pays what it takes with."""

    order: str
    maker: str
    taker: str
    fee_recipient: str
    maker_token: str
    taker_token: str
    taker_amount: int
    maker_amount: int
    fee_amount: int
    protocol_fee: int
    pool: str


class RfqFill(LogEvent, frozen=True):
    """A quoted order of 0x is filled, or a part of it."""

    order: str
    maker: str
    taker: str
    maker_token: str
    taker_token: str
    taker_amount: int
    maker_amount: int
    pool: str


class DodoSwap(LogEvent, frozen=True):
    """Logged by the pool itself."""

    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    trader: str
    receiver: str


class MaverickSwap(LogEvent, frozen=True):
    """Logged by a pool of the first version."""

    sender: str
    recipient: str
    first_in: bool
    exact_output: bool
    amount_in: int
    amount_out: int
    active_tick: int


class MaverickPoolSwap(LogEvent, frozen=True):
    """Logged by a pool of the second version: what was asked for is an amount, whether the first
    token is paid, whether the amount is what is got, and a limit."""

    sender: str
    recipient: str
    asked: tuple[int, bool, bool, int]
    amount_in: int
    amount_out: int


class MooniswapSwap(LogEvent, frozen=True):
    """Logged by the pool itself, with its balances before."""

    account: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    balance_in: int
    balance_out: int
    supply: int
    referral: str


class OneInchPoolSwap(LogEvent, frozen=True):
    """Logged by one of 1inch's pools, with what is added to its balances for reckoning."""

    sender: str
    receiver: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    addition_in: int
    addition_out: int
    referral: str


class SolidlySwap(LogEvent, frozen=True):
    """Logged by a pair, as by one of Uniswap V2 but with the recipient before the amounts."""

    sender: str
    to: str
    amount0_in: int
    amount1_in: int
    amount0_out: int
    amount1_out: int


class TokenPurchase(LogEvent, frozen=True):
    """Ether is sold to an exchange of Uniswap V1."""

    buyer: str
    ether_sold: int
    tokens_bought: int


class EtherPurchase(LogEvent, frozen=True):
    """Ether is bought of an exchange of Uniswap V1."""

    buyer: str
    tokens_sold: int
    ether_bought: int


EVENTS: tuple[tuple[type[LogEvent], Mapping[str, str], str], ...] = (
    (BancorConversion, bancor.EVENTS, "Conversion"),
    (BancorTrade, bancor.EVENTS, "TokensTraded"),
    (LimitFill, zerox.EVENTS, "LimitOrderFilled"),
    (RfqFill, zerox.EVENTS, "RfqOrderFilled"),
    (DodoSwap, dodo.EVENTS, "DODOSwap"),
    (MaverickSwap, maverick.EVENTS, "Swap"),
    (MaverickPoolSwap, maverick.EVENTS, "PoolSwap"),
    (MooniswapSwap, mooniswap.EVENTS, "Swapped(address*,address*,address*,uint256"),
    (OneInchPoolSwap, mooniswap.EVENTS, "Swapped(address*,address*,address*,address"),
    (SolidlySwap, solidly.EVENTS, "Swap"),
    (TokenPurchase, uniswap_v1.EVENTS, "TokenPurchase"),
    (EtherPurchase, uniswap_v1.EVENTS, "EthPurchase"),
)
"""Class, where its signature is, and how that begins."""
