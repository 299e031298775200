"""MEV: what could be taken, what was, and what became of a prediction.

Amounts are integers in a token's smallest unit; ether is the zero address inside, and is written
as 0xeeee…eeee in lines of JSON. What is not known is None.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import attrs


class Kind(enum.Enum):
    """What somebody does, or could do."""

    ARBITRAGE = "arbitrage"
    """A cycle through pools that ends with more than it began with."""
    SANDWICH = "sandwich"
    LIQUIDATION = "liquidation"
    JIT = "jit"
    """Liquidity that is there for one swap."""
    CEX_DEX = "cex_dex"
    """A pool's price against those of exchanges."""
    SWAP = "swap"


class Status(enum.Enum):
    """What became of it."""

    PREDICTED = "predicted"
    LANDED = "landed"
    """Seen in a block."""
    MISSED = "missed"
    """It could have been taken until it expired, and was not."""
    WITHDRAWN = "withdrawn"
    """The block that it came of is no longer of the chain."""
    SUPERSEDED = "superseded"
    """The transaction that it came of was replaced or dropped, or a newer prediction took its
    place."""


class Grounds(enum.Enum):
    """How it was come by."""

    ARITHMETIC = "arithmetic"
    """Exact arithmetic on known state."""
    REFEREED = "refereed"
    """Confirmed by a node's simulation."""
    HEURISTIC = "heuristic"


class Verdict(enum.Enum):
    """How a prediction compares with what landed."""

    TAKEN = "taken"
    """Somebody did it."""
    COMPETED = "competed"
    """Somebody took it in another way, or a part of it."""
    EXPIRED = "expired"
    """Nobody did, though it could be done."""
    WRONG = "wrong"
    """It could not be done as predicted."""
    UNSEEN = "unseen"
    """It landed, and nobody had predicted it."""


Amounts: TypeAlias = Mapping[str, int]
"""Token to an amount, gained or, under zero, lost."""


@attrs.frozen
class SwapRecord:
    """A swap in one pool, whether predicted or seen."""

    pool: str
    """Address, or id."""
    protocol: str
    """Such as ``uniswap_v2``."""
    token_in: str
    amount_in: int
    token_out: str
    amount_out: int
    transaction: str | None = None
    log_index: int | None = None
    trace_address: tuple[int, ...] | None = None
    sender: str | None = None
    recipient: str | None = None


@attrs.frozen
class Path:
    """Of an arbitrage: its swaps, in order."""

    path: tuple[SwapRecord, ...]


@attrs.frozen
class Sandwiched:
    """Of a sandwich that landed."""

    frontrun: tuple[SwapRecord, ...]
    victims: tuple[SwapRecord, ...]
    backrun: tuple[SwapRecord, ...]


@attrs.frozen
class Harm:
    """What a pending swap would lose."""

    swap: SwapRecord
    """As it would be alone."""
    limit: int | None
    """As its call has it."""
    loss: int
    """What it would get less, or pay more, of the token that its limit is of."""


@attrs.frozen
class Exposure:
    """What a pending swap leaves open to a sandwich."""

    victim: SwapRecord
    """The swap as it would be alone."""
    limit: int | None
    """Of the victim, as its call has it."""
    loss: int
    """What the victim would get less, or pay more, of the token that its limit is of."""
    attacker_in: int
    attacker_profit: int
    """In the token that the victim pays, gross of gas."""
    limit_that_prevents: int | None
    """With which no sandwich would pay, gas included; None where none does, and of several swaps
    together."""
    front_running: int
    """What of the loss the front run alone would cause: the part that needs no back run. Of several
    together it has what those before it cause."""
    others: tuple[Harm, ...] = ()
    """The other swaps of a sandwich about several, in the order of the block."""


@attrs.frozen
class Liquidation:
    """A position that can be, or was, liquidated."""

    protocol: str
    user: str
    debt_token: str
    debt_amount: int
    collateral_token: str
    collateral_amount: int
    """What the liquidator gets."""
    health_factor: int | None
    """Times 10**18."""


@attrs.frozen
class Liquidity:
    """Added to, or taken from, a pool."""

    pool: str
    owner: str
    tick_lower: int | None
    tick_upper: int | None
    liquidity: int | None
    amount0: int
    amount1: int
    transaction: str | None = None
    log_index: int | None = None


@attrs.frozen
class JustInTime:
    """Liquidity about somebody else's swaps."""

    mint: Liquidity
    swaps: tuple[SwapRecord, ...]
    burn: Liquidity


@attrs.frozen
class CexDex:
    """A pool's price against the aggregated one, without pools."""

    venue_price: Decimal
    pool_price: Decimal
    interval: Decimal
    """Half-width of the venues' price."""
    size: Decimal
    """Base units."""


Detail: TypeAlias = SwapRecord | Path | Sandwiched | Exposure | Liquidation | JustInTime | CexDex


@attrs.frozen
class Outcome:
    """How a prediction compares with what landed."""

    verdict: Verdict
    by: str | None = None
    """Hash of the transaction that did it."""
    their_gross: Amounts | None = None
    why: str | None = None
    """Of what was wrong: what was otherwise than predicted."""
    lead: float | None = None
    """Seconds from the prediction to its block."""


@attrs.frozen
class Landed:
    """What a block's logs show of it."""

    number: int
    hash: str
    transactions: tuple[str, ...]
    """Hashes in block order."""
    swaps: tuple[SwapRecord, ...]
    opportunities: tuple[Opportunity, ...]
    """Of status LANDED."""


@attrs.frozen
class Score:
    """How the predictions of one kind by one detector have fared."""

    kind: Kind
    detector: str
    predicted: int = 0
    """Each opportunity once, however often its amounts changed."""
    open: int = 0
    taken: int = 0
    competed: int = 0
    expired: int = 0
    wrong: int = 0
    withdrawn: int = 0
    superseded: int = 0
    unseen: int = 0
    """Landed of this kind, and not predicted by anybody."""
    error: float | None = None
    """Median of what was predicted over what was made, less one, of what was taken and is of one
    token; None where nothing was."""
    lead: float | None = None
    """Median of the seconds from prediction to block, of what was taken."""
    landed: int = 0
    """Of this kind, whoever predicted it."""
    foreseen: int = 0
    """Of these, each once, those that this detector had predicted, in this way or another."""

    @property
    def precision(self) -> float | None:
        """Share of those that were judged which somebody took, in this way or another."""
        judged = self.taken + self.competed + self.expired + self.wrong
        return (self.taken + self.competed) / judged if judged else None

    @property
    def recall(self) -> float | None:
        """Share of what landed that this detector had predicted; None where nothing landed, or it
        predicts nothing."""
        return self.foreseen / self.landed if self.landed and self.predicted else None


@attrs.frozen
class Opportunity:
    """One finding of MEV: predicted, or seen in a block."""

    kind: Kind
    id: str
    """The same for the same opportunity, whoever looks and however often."""
    detector: str
    status: Status
    grounds: Grounds
    detail: Detail
    cause: str | None = None
    """Hash of the pending transaction, or of the block, that it came of."""
    confidence: float = 1.0
    block: int | None = None
    """Of what landed: where. Of a prediction: the block whose state it is computed on."""
    expires_block: int | None = None
    """Of a prediction: the last block in which it can be done."""
    transactions: tuple[str, ...] = ()
    """Of a sandwich the front first and the back last, victims apart."""
    victims: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    searcher: str | None = None
    gross: Amounts | None = None
    net: Amounts | None = None
    """After gas, and after what the builder was paid where that is known: without ``builder_wei``
    it is the most that can have been kept. None where the gas is not known."""
    gas_wei: int | None = None
    builder_wei: int | None = None
    usd: Decimal | None = None
    """Of the net, or of the gross where there is no net; None where no price is known."""
    reverted: bool = False
    """Whether the attempt is in the block and made nothing; it never counts in totals."""
    alternatives: tuple[Kind, ...] = ()
    """What else the same transactions could be called."""
    outcome: Outcome | None = None
    extra: Mapping[str, Any] | None = None
    """More for the detail, where a rule has more to say."""
    on_state: bool = False
    """Of a prediction: whether it came of a block's own state, and not of a pending
    transaction."""
