"""Nouns of the chain. Amounts are integers in the smallest unit; hashes and addresses are
lower-case ``0x`` strings."""

from __future__ import annotations

import enum
from decimal import Decimal

import attrs

from .intents import SwapIntent
from .mempool import NextBlock, Rivals
from .noun import Noun


@attrs.frozen
class Block:
    """A head that a node announced, with the hashes of its transactions where they are known."""

    number: int
    hash: str
    parent: str
    timestamp: int
    """Seconds since the epoch, as in the header."""
    gas_limit: int
    gas_used: int
    base_fee: int | None = None
    """Wei a gas; None before the London fork."""
    miner: str | None = None
    transactions: tuple[str, ...] | None = None
    """In block order; None where the node did not deliver them."""
    complete: bool = False
    """Whether the block's logs were fetched and not only overheard."""
    logs: tuple[Log, ...] | None = None
    """By the feed's log filters, in block order; None where they were not fetched."""


@attrs.frozen
class Gap:
    """Blocks that no head announced: while there was no connection, or because the node did
    not say."""

    first: int
    last: int
    filled: bool
    """Whether they were fetched, and follow as blocks."""
    reason: str = ""
    """Why not, where they were not."""

    def __str__(self) -> str:
        """For an operator."""
        what = "fetched" if self.filled else f"not fetched: {self.reason}"
        return f"no head announced blocks {self.first} to {self.last}; they are {what}"


@attrs.frozen
class Reorg:
    """A reorganisation: the chain is another one from its ancestor on."""

    ancestor: int
    """The last block that both have in common."""
    ancestor_hash: str
    """Empty where it is further below than is remembered; then what else was below may be gone
    too."""
    retracted: tuple[Block, ...]
    """No longer of the chain, newest first."""
    added: tuple[str, ...]
    """Hashes of the blocks in their place, oldest first; they follow as blocks."""

    def __str__(self) -> str:
        """For an operator: all that the blocks hold would be too long."""
        gone, new = len(self.retracted), len(self.added)
        return f"the chain was reorganised after block {self.ancestor}: {gone} retracted, {new} new"


class Transaction(Noun, frozen=True):
    """The body of a pending transaction."""

    hash: str
    sender: str
    to: str | None
    """None creates a contract."""
    nonce: int
    value: int
    gas: int
    input: bytes
    type: int = 0
    """EIP-2718 type: 0 to 4."""
    gas_price: int | None = None
    max_fee: int | None = None
    """EIP-1559 fee cap, wei a gas; None for types 0 and 1."""
    max_priority_fee: int | None = None
    chain_id: int | None = None

    @property
    def selector(self) -> str | None:
        """The called method's first four bytes as ``0x`` text; None where there are not four."""
        return "0x" + self.input[:4].hex() if len(self.input) >= 4 else None

    def fee_per_gas(self, base_fee: int | None) -> int | None:
        """Wei a gas that would be paid in a block with this base fee (EIP-1559).

        Without a base fee the cap is the answer. None where the node named no price at all.
        """
        cap = self.max_fee if self.max_fee is not None else self.gas_price
        if cap is None or base_fee is None or self.max_fee is None:
            return cap
        return min(cap, base_fee + (self.max_priority_fee or 0))


class Log(Noun, frozen=True):
    """One event log as a node streamed it."""

    block_hash: str
    block_number: int
    log_index: int
    transaction: str
    transaction_index: int
    address: str
    topics: tuple[str, ...]
    data: bytes
    removed: bool = False
    """A hint that a reorganisation retracted it."""
    complete: bool = False
    """Whether it comes from a whole block and not from the stream alone."""


class Life(enum.Enum):
    """A station in the life of a pending transaction."""

    ANNOUNCED = "announced"
    """Its hash was seen, its body not yet."""
    REPLACED = "replaced"
    """Another one of the same sender and nonce took its place."""
    INCLUDED = "included"
    """A block of the chain has it."""
    RETURNED = "returned"
    """A reorganisation took its block from the chain; it is pending again."""
    DROPPED = "dropped"
    """The node does not know it any more."""
    EXPIRED = "expired"
    """It is no longer watched: it was pending for too long, or too many were."""


class PendingLife(Noun, frozen=True):
    """One step of a pending transaction's life."""

    hash: str
    life: Life
    by: str | None = None
    """What replaced it."""
    block: str | None = None
    """The block that has it, or had it."""
    number: int | None = None
    """That block's."""
    waited: float | None = None
    """Seconds since it was seen first."""


@attrs.frozen
class GasPercentiles:
    """Wei a gas, by the nearest-rank method, over ``count`` transactions."""

    count: int
    p50: int
    p90: int
    p99: int


@attrs.frozen
class MempoolView:
    """What is pending, as of one moment."""

    block: int | None
    """The head that it was taken at; None before the first one."""
    window: float
    """Seconds back that transactions are kept for."""
    pending: int
    """Transactions in the window, announced or whole, that no block has included."""
    without_body: int
    """Of those, announced only."""
    included: int
    """Transactions of the window that a block included."""
    gas: GasPercentiles | None
    """Of every body in the window; None below ten."""
    oldest: float | None
    """Seconds that the oldest pending one has waited; None where none is pending."""
    median_wait: float | None
    """Seconds from first sight to inclusion, of those included in the window."""
    value: int
    """Wei that the pending ones carry."""
    next_block: NextBlock | None = None
    """What they would make of the block after the head; None before the first head."""
    contested: int = 0
    """For how many things several of them compete."""
    rivals: tuple[Rivals, ...] = ()
    """Those who compete, where the most do; bounded."""


@attrs.frozen
class BlockSummary:
    """What a block says about fees and about what was pending before it."""

    number: int
    hash: str
    base_fee: int | None
    next_base_fee: int | None
    """The next block's base fee, which this one determines (EIP-1559)."""
    gas_used: int
    gas_limit: int
    transactions: int | None
    """None where the node did not deliver the hashes."""
    seen_pending: int | None
    """Of those, seen pending before the block came."""
    interval: int | None
    """Seconds since the parent; None where the parent was not seen."""


class Urgency(enum.Enum):
    """Fee and tip against the live distributions: critical is over p99 of one of them, high over
    p90."""

    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


class ValueClass(enum.Enum):
    """By value in USD; the thresholds are settings."""

    LARGE = "large"
    VERY_LARGE = "very_large"
    MEGA = "mega"


class SwapProspect(Noun, frozen=True):
    """What a swap of a pending call would come to in the next block."""

    amount_in: int | None
    """None where it is not known, as the next one."""
    amount_out: int | None
    price_impact: float | None
    """The share that it gives less than at the pools' prices before it, fees included; None where
    a pool's state does not tell its price."""
    slippage_left: float | None
    """The share of what it would give, or take, that it may lose before its limit refuses it;
    under zero where it does already. None without a limit."""
    unknown: str | None = None
    """Why nothing is known of it."""


@attrs.frozen
class Outlook:
    """What would become of a pending call in the next block, on the pools as of the head."""

    block: int
    """The head's number."""
    verdict: str
    """``succeeds``, ``reverts`` or ``unknown``, as far as its swaps decide it."""
    refusal: str | None
    """Why it reverts."""
    swaps: tuple[SwapProspect, ...]
    """One for each swap of the call, up to the one that is refused."""


@attrs.frozen
class TransactionAnalysis:
    """A pending transaction that deserves a look, and why."""

    transaction: str
    sender: str
    to: str | None
    router: str | None
    """Name of a known router, else None."""
    method: str | None
    """Signature, where the selector is known at such a contract."""
    selector: str | None
    value: int
    value_usd: Decimal | None
    """Of the ether that it moves, wrapped or not, and of the tokens that it swaps, where pools
    tell what they are worth in ether; at the aggregated price. None where no price is known, never
    an assumed one; and where it swaps tokens of which no pool tells."""
    value_class: ValueClass | None
    fee_per_gas: int | None
    urgency: Urgency
    swaps: tuple[SwapIntent, ...] = ()
    """What the call says that it exchanges, in its order."""
    undecoded: str | None = None
    """Why the call of a router, or a part of it, could not be read: ``Unread`` and what."""
    tip_per_gas: int | None = None
    """Of the fee, what is over the base fee of the next block, under zero where the cap is; None
    where that base fee is not known."""
    outlook: Outlook | None = None
    """None where no pool of it is known."""
