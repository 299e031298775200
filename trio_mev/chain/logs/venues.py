"""Events of Curve and Balancer, and of tokens and price feeds."""

from __future__ import annotations

from collections.abc import Mapping

from ..contracts import balancer, chainlink, curve, tokens
from .event import LogEvent


class CurveExchange(LogEvent, frozen=True):
    """Coins by their places in the pool."""

    buyer: str
    sold: int
    amount_sold: int
    bought: int
    amount_bought: int


class CurveExchangeUnderlying(LogEvent, frozen=True):
    """Coins by their places among those underneath the pool's own."""

    buyer: str
    sold: int
    amount_sold: int
    bought: int
    amount_bought: int


class CurveCryptoExchange(LogEvent, frozen=True):
    """Of a pool of unlike coins: as the first, with the fee and the new scale of prices."""

    buyer: str
    sold: int
    amount_sold: int
    bought: int
    amount_bought: int
    fee: int
    price_scale: int


class BalancerSwap(LogEvent, frozen=True):
    """Of a pool of version 2, logged by the vault."""

    pool: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int


class BalancerBalances(LogEvent, frozen=True):
    """A pool is joined or left: by how much each of its tokens changes, and the fees of it."""

    pool: str
    provider: str
    tokens: tuple[str, ...]
    deltas: tuple[int, ...]
    fees: tuple[int, ...]


class BalancerV1Swap(LogEvent, frozen=True):
    """Logged by the pool itself."""

    caller: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int


class BalancerV3Swap(LogEvent, frozen=True):
    """Of a pool of version 3, logged by its vault."""

    pool: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    fee_percentage: int
    fee_amount: int


class Transfer(LogEvent, frozen=True):
    """Of an ERC-20 token; one of a collectible has a topic more, and is not read."""

    source: str
    target: str
    amount: int


class WethDeposit(LogEvent, frozen=True):
    """Ether is wrapped."""

    account: str
    amount: int


class WethWithdrawal(LogEvent, frozen=True):
    """Ether is unwrapped."""

    account: str
    amount: int


class AnswerUpdated(LogEvent, frozen=True):
    """By the aggregator behind a feed's proxy."""

    answer: int
    round: int
    updated_at: int


class NewTransmission(LogEvent, frozen=True):
    """A report with its observations."""

    round: int
    answer: int
    transmitter: str
    observed_at: int
    observations: tuple[int, ...]
    observers: bytes
    juels: int
    config: bytes
    epoch: int


class FirstNewTransmission(LogEvent, frozen=True):
    """A report of the first generation."""

    round: int
    answer: int
    transmitter: str
    observations: tuple[int, ...]
    observers: bytes
    context: bytes


EVENTS: tuple[tuple[type[LogEvent], Mapping[str, str], str], ...] = (
    (CurveExchange, curve.EVENTS, "TokenExchange(address*,int128,uint256,int128,uint256)"),
    (CurveExchangeUnderlying, curve.EVENTS, "TokenExchangeUnderlying"),
    (CurveExchange, curve.EVENTS, "TokenExchange(address*,uint256,uint256,uint256,uint256)"),
    (
        CurveCryptoExchange,
        curve.EVENTS,
        "TokenExchange(address*,uint256,uint256,uint256,uint256,uint256,uint256)",
    ),
    (BalancerSwap, balancer.EVENTS, "Swap(bytes32*"),
    (BalancerBalances, balancer.EVENTS, "PoolBalanceChanged"),
    (BalancerV1Swap, balancer.EVENTS, "LOG_SWAP"),
    (BalancerV3Swap, balancer.EVENTS, "Swap(address*"),
    (Transfer, tokens.EVENTS, "Transfer"),
    (WethDeposit, tokens.WETH_EVENTS, "Deposit"),
    (WethWithdrawal, tokens.WETH_EVENTS, "Withdrawal"),
    (AnswerUpdated, chainlink.EVENTS, "AnswerUpdated"),
    (NewTransmission, chainlink.EVENTS, "NewTransmission(uint32*,int192,address,uint32"),
    (FirstNewTransmission, chainlink.EVENTS, "NewTransmission(uint32*,int192,address,int192[]"),
)
"""Class, where its signature is, and how that begins."""
