"""What a call asks a contract to do, as far as its data says: swaps, loans, prices.

Amounts are integers in the token's smallest unit, addresses lower-case text. Ether is the zero
address where a call trades ether itself; routers that wrap it trade WETH, and say so.
"""

from __future__ import annotations

import enum

from .noun import Noun

ETHER = "0x" + "0" * 40
"""In place of a token's address."""
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
"""Wrapped ether on Ethereum's main network, which has ether's 18 decimals."""


class PoolKind(enum.Enum):
    """By what rule a pool trades."""

    V2 = "v2"
    V3 = "v3"
    V4 = "v4"
    CURVE = "curve"
    CURVE_UNDERLYING = "curve_underlying"
    """A Curve pool that is traded in the coins underneath its own."""
    BALANCER = "balancer"


class Basis(enum.Enum):
    """Where the amount of a swap comes from."""

    GIVEN = "given"
    """The call says it."""
    BALANCE = "balance"
    """All that the router then holds of the token, which only the state can tell."""
    PAID = "paid"
    """What the pool has been sent beforehand."""
    OPEN = "open"
    """What the steps before left owed or owing."""
    SHARE = "share"
    """A part of what the router then holds of the token, which its version tells how to count."""


class Hop(Noun, frozen=True):
    """One pool on the way of a swap; None where the call does not say."""

    kind: PoolKind
    token_in: str | None = None
    token_out: str | None = None
    fee: int | None = None
    """Millionths, where the call names a pool by it."""
    pool: str | None = None
    """Address, or 32-byte id, where the call names it."""
    factory: str | None = None
    """Whose pool of these tokens (and this fee) it is."""
    tick_spacing: int | None = None
    hooks: str | None = None
    """V4's hooks contract; the zero address is none."""
    zero_for_one: bool | None = None
    """Whether token0 of the pool is what it gets."""
    index_in: int | None = None
    """Place of the token among the pool's coins."""
    index_out: int | None = None


class SwapIntent(Noun, frozen=True):
    """Tokens that a call wants exchanged."""

    venue: str
    """Name of the contract that was called."""
    hops: tuple[Hop, ...]
    """In trading order; empty where the call hides its route, or nobody has read it yet."""
    token_in: str | None
    token_out: str | None
    exact_out: bool
    """Whether ``amount`` is what comes out and ``limit`` the most that may go in."""
    amount: int | None
    """None where ``basis`` is not the call."""
    limit: int | None
    """Least that may come out, or most that may go in; None where the call sets none."""
    recipient: str | None = None
    deadline: int | None = None
    """Seconds since the epoch."""
    basis: Basis = Basis.GIVEN
    price_limit: int | None = None
    """Square root of the price, times 2^96, at which a V3 pool shall stop."""
    joint_limit: int | None = None
    """Least that this and other swaps of the call, into the same token, may give together."""
    may_fail: bool = False
    """Whether the rest of the call goes on without it."""
    taxed: bool = False
    """Whether the method allows for tokens that take a fee of each transfer."""
    sources: tuple[int, ...] = ()
    """Where the amount is no number: places, among the call's intents, of the swaps before whose
    results it is made of."""
    funded: int | None = 0
    """What it is made of besides, which the call itself pays in, or takes out if below zero; None
    where the call does not say how much."""
    parts: tuple[int, ...] = ()
    """The parts of the call that it is in and that may fail, the outermost first: what is in one
    happens together or not at all."""
    parent: str | None = None
    """Hash of the block that the call's own must follow on; None where any will do."""


class Lending(enum.Enum):
    """What happens to a position in a lending protocol."""

    SUPPLY = "supply"
    WITHDRAW = "withdraw"
    BORROW = "borrow"
    REPAY = "repay"
    LIQUIDATE = "liquidate"
    ABSORB = "absorb"
    """The protocol itself takes over the position."""
    BUY_COLLATERAL = "buy_collateral"
    """Of a position that was absorbed."""
    SUPPLY_COLLATERAL = "supply_collateral"
    WITHDRAW_COLLATERAL = "withdraw_collateral"
    USE_AS_COLLATERAL = "use_as_collateral"
    NOT_AS_COLLATERAL = "not_as_collateral"
    SET_MODE = "set_mode"
    """Another efficiency mode."""
    SWAP_RATE = "swap_rate"
    """Between a stable and a variable rate."""
    FLASH_LOAN = "flash_loan"


class LendingIntent(Noun, frozen=True):
    """A change of a position in a lending protocol; None where the call does not say."""

    protocol: str
    action: Lending
    contract: str
    """The pool or market that was called."""
    account: str | None
    """Whose position changes."""
    asset: str | None = None
    """The token that is moved; of a liquidation the debt's."""
    amount: int | None = None
    """Of the asset; None also where it is all there is."""
    whole: bool = False
    """Whether the call asks for all there is."""
    shares: int | None = None
    """In the protocol's own shares, in place of an amount."""
    collateral: str | None = None
    """Of a liquidation: what is seized, a token or its market; of Morpho: the market's."""
    collateral_amount: int | None = None
    recipient: str | None = None
    mode: int | None = None
    """Interest rate mode, or efficiency mode."""
    oracle: str | None = None
    """Of a Morpho market, and the two that follow."""
    rate_model: str | None = None
    lltv: int | None = None
    """Loan to value at which it is liquidated, times 10^18."""


class Providing(enum.Enum):
    """What happens to a position of liquidity."""

    ADD = "add"
    """A new one."""
    INCREASE = "increase"
    DECREASE = "decrease"
    """What it then is owed stays with the contract until it is collected."""
    COLLECT = "collect"
    BURN = "burn"
    """An empty one is no more."""


class LiquidityIntent(Noun, frozen=True):
    """A change of a position in a pool of concentrated liquidity; None where the call does not
    say."""

    venue: str
    """Name of the contract that was called."""
    action: Providing
    pool: Hop | None = None
    """Named by its tokens in their order, and by its fee; only a new position's."""
    tick_lower: int | None = None
    tick_upper: int | None = None
    amount0: int | None = None
    """What shall be added, or collected, at most."""
    amount1: int | None = None
    least0: int | None = None
    """What must be added, or taken out, at least."""
    least1: int | None = None
    owner: str | None = None
    """Who gets the position, or what is collected."""
    position: int | None = None
    """Its number with the contract; a new one has none yet."""
    liquidity: int | None = None
    """That is taken out."""
    deadline: int | None = None
    """Seconds since the epoch."""


class OracleUpdate(Noun, frozen=True):
    """A price that an oracle is about to report."""

    aggregator: str
    answer: int
    """The median observation, in the feed's own decimals."""
    observations: int
    observed_at: int | None = None
    """Seconds since the epoch; the first generation of reports has none."""


class Unread(enum.Enum):
    """Why a call, or a part of it, says nothing."""

    NO_CALL = "no_call"
    """It creates a contract, or has less than a selector."""
    UNKNOWN_CONTRACT = "unknown_contract"
    UNKNOWN_METHOD = "unknown_method"
    OPAQUE = "opaque"
    """The method is known, and hides what it does in a code of its own."""
    NO_SWAP = "no_swap"
    """It was read, and exchanges nothing."""
    MALFORMED = "malformed"
    """The data is not what the method takes; the contract would refuse it."""
    TOO_LARGE = "too_large"
    """It nests deeper, or has more steps, than is read."""


class Undecoded(Noun, frozen=True):
    """A call, or a part of it, that says nothing; and why."""

    reason: Unread
    detail: str = ""


Intent = SwapIntent | LendingIntent | LiquidityIntent | OracleUpdate | Undecoded
