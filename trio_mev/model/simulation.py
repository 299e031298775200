"""What transactions would do if they came next, as a node says that has tried.

It holds for the block that it was tried on, and for no other: what comes before the transaction in
its own block may change everything. Amounts are integers in the smallest unit.
"""

from __future__ import annotations

import attrs

from .chain import Log, TransactionAnalysis
from .intents import PoolKind
from .noun import Noun


class SimulatedCall(Noun, frozen=True):
    """What one transaction would do."""

    succeeded: bool
    gas_used: int
    logs: tuple[Log, ...] = ()
    """Of no block: their block's hash is empty and its number 0, and indices count from 0 in each
    transaction. Where it reverts there are none."""
    ordered: bool = True
    """Whether they are in the order of their emission. A node that does not say it gives them
    call by call, the caller's own first."""
    returned: bytes = b""
    """What it returns, or reverts with."""
    reason: str = ""
    """Why it reverts: what the contract says, or else the node."""


@attrs.frozen
class Simulation:
    """What transactions would do, one after the other, on top of a block."""

    block: str
    """Its hash, its number as hexadecimal text, or ``latest``."""
    method: str
    """The node's method that was asked."""
    calls: tuple[SimulatedCall, ...]
    """One a transaction, in their order."""


class PoolSwap(Noun, frozen=True):
    """A pool exchanges tokens, by its own event."""

    kind: PoolKind
    pool: str
    """Address, or 32-byte id."""
    token_in: str | None
    """None where neither the event nor the tokens' transfers say."""
    token_out: str | None
    amount_in: int
    amount_out: int


@attrs.frozen
class SimulatedTransaction:
    """A pending transaction whose call does not say what it does, and what it would do."""

    analysis: TransactionAnalysis
    """What its call says."""
    block: str
    """The block that it was tried on: its hash, or ``latest``."""
    number: int | None
    """That block's; None with ``latest``."""
    method: str
    """The node's method that was asked."""
    succeeded: bool
    reason: str
    """Why it reverts; empty where it does not."""
    gas_used: int
    swaps: tuple[PoolSwap, ...]
    """In the order of their events."""
