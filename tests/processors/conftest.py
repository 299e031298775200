"""What the tests of the processors share: events of each kind, and a way to feed a processor."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.judging import JudgingNode, connected
from trio_mev.model.chain import Block, Life, PendingLife, Transaction
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Quote

ETH_USD = Instrument("ETH", "USD")


def event_of(kind, data, at=0.0, sequence=0, **fields):
    return DataEvent(kind, EventPriority.NORMAL, data, "feed", at, sequence=sequence, **fields)


@pytest.fixture
def make_event():
    return event_of


@pytest.fixture
def transaction():
    """The event of a pending transaction."""

    def make(number=0, at=0.0, **fields):
        values = {
            "hash": f"0x{number:064x}",
            "sender": "0x" + "11" * 20,
            "to": "0x" + "22" * 20,
            "nonce": 0,
            "value": 0,
            "gas": 21_000,
            "input": b"",
            "gas_price": 10**9,
        }
        return event_of(DataType.TRANSACTION, Transaction(**values | fields), at)

    return make


@pytest.fixture
def announced():
    """The event of a pending transaction's hash."""

    def make(number, at=0.0):
        return event_of(DataType.MEMPOOL, PendingLife(f"0x{number:064x}", Life.ANNOUNCED), at)

    return make


@pytest.fixture
def lived():
    """The event of a step in a pending transaction's life."""

    def make(number, life, at=0.0):
        return event_of(DataType.MEMPOOL, PendingLife(f"0x{number:064x}", life), at)

    return make


@pytest.fixture
def block():
    """The event of a block; ``included`` are numbers of transactions."""

    def make(number=1, at=0.0, included=None, **fields):
        values = {
            "number": number,
            "hash": f"0xb{number:063x}",
            "parent": f"0xb{number - 1:063x}",
            "timestamp": 1_700_000_000 + 12 * number,
            "gas_limit": 30_000_000,
            "gas_used": 15_000_000,
            "base_fee": 100,
            "transactions": None if included is None else tuple(f"0x{n:064x}" for n in included),
        }
        return event_of(DataType.BLOCK, Block(**values | fields), at)

    return make


@pytest.fixture
def quote():
    """The event of a venue's quote; prices as text."""

    def make(venue, bid, ask, at=0.0, instrument=ETH_USD, sizes=(None, None)):
        bid_size, ask_size = (None if size is None else Decimal(size) for size in sizes)
        found = Quote(Venue(venue), instrument, Decimal(bid), Decimal(ask), bid_size, ask_size)
        return event_of(DataType.QUOTE, found, at)

    return make


@pytest.fixture
def feed():
    """Give a processor some events; all that it emits."""

    async def run(processor, *events):
        emitted = []
        for event in events:
            made = list(await processor.process_event(event))
            assert all(one.event_type in processor.emits for one in made)
            emitted += made
        return emitted

    return run


@pytest.fixture
def node():
    """A node that is asked to try transactions."""
    return JudgingNode()


@pytest.fixture
async def client(nursery, node):
    """A client that is connected to it."""
    return await connected(nursery, node)
