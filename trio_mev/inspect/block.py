"""A block as it is inspected: its transactions in order, each with what it left behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from ..model.chain import Block, Log, Transaction
from .calls import Calls


@attrs.frozen
class Mined:
    """One transaction of a block. What its source does not say is None."""

    hash: str
    place: int
    """In the block, from 0."""
    logs: tuple[Log, ...] = ()
    """In the order of the block; a reverted transaction has none."""
    sender: str | None = None
    to: str | None = None
    """None where it is not known, and where a contract is created."""
    gas_used: int | None = None
    gas_price: int | None = None
    """Wei a gas that was paid."""
    succeeded: bool | None = None
    builder_wei: int | None = None
    """What it sent to the block's builder beside its fees. No log shows that: None but where a
    trace tells."""
    calls: Calls | None = None
    """What it called, where traces are known."""

    @property
    def gas_wei(self) -> int | None:
        """What was paid for gas."""
        if self.gas_used is None or self.gas_price is None:
            return None
        return self.gas_used * self.gas_price


@attrs.frozen
class MinedBlock:
    """A block and its transactions, in order."""

    number: int
    hash: str
    transactions: tuple[Mined, ...]
    base_fee: int | None = None
    """Wei a gas."""
    miner: str | None = None
    timestamp: int | None = None
    """Seconds since the epoch."""


def mined_block(block: Block, bodies: Mapping[str, Transaction] | None = None) -> MinedBlock:
    """A block of a feed, from its logs alone.

    Args:
        block: with all of its logs.
        bodies: transactions that were seen pending, by hash; they say who sent what to whom.

    Raises:
        ValueError: the block's logs were not fetched.
    """
    if block.logs is None:
        raise ValueError(f"the logs of block {block.number} are not known")
    held, known = by_transaction(block.logs), bodies or {}
    names = block.transactions
    places = dict.fromkeys(held) if names is None else dict.fromkeys((*names, *held))
    return MinedBlock(
        block.number,
        block.hash,
        tuple(
            _mined(name, place, held.get(name, ()), known.get(name), names is None)
            for place, name in enumerate(places)
        ),
        block.base_fee,
        block.miner,
        block.timestamp,
    )


def _mined(
    name: str, place: int, logs: Iterable[Log], body: Transaction | None, sparse: bool
) -> Mined:
    own = tuple(logs)
    return Mined(
        name,
        # Where only those with logs are known, each says its own place.
        own[0].transaction_index if sparse else place,
        own,
        None if body is None else body.sender,
        None if body is None else body.to,
    )


def by_transaction(logs: Iterable[Log]) -> dict[str, list[Log]]:
    """Logs in the order of their block, by the transaction that left them."""
    held: dict[str, list[Log]] = {}
    for log in sorted(logs, key=lambda one: one.log_index):
        held.setdefault(log.transaction, []).append(log)
    return held
