"""The event: one typed, frozen thing that happened, on its way through the stream."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from .noun import Noun


class Stage(enum.IntEnum):
    """How far an event is on the one way from socket to verdict.

    A processor emits only stages later than every stage that it consumes.
    """

    RAW = 0
    STATE = 1
    PRICE = 2
    FINDING = 3
    VERDICT = 4
    SUMMARY = 5


_STAGES = {
    "block_summary": Stage.STATE,
    "health": Stage.STATE,
    "mempool_view": Stage.STATE,
    "pools": Stage.STATE,
    "effect": Stage.STATE,
    "lending": Stage.STATE,
    "price": Stage.PRICE,
    "landed": Stage.PRICE,
    "arbitrage": Stage.FINDING,
    "liquidation": Stage.FINDING,
    "alert": Stage.FINDING,
    "finding": Stage.FINDING,
    "verdict": Stage.VERDICT,
    "mempool_snapshot": Stage.SUMMARY,
}


class DataType(enum.Enum):
    """What an event is about."""

    BLOCK = "block"
    TRANSACTION = "transaction"
    """The body of a pending transaction."""
    LOG = "log"
    MEMPOOL = "mempool"
    """A step in the life of a pending transaction."""
    QUOTE = "quote"
    TRADE = "trade"
    FAULT = "fault"
    """A venue sent what cannot be believed, or left something out."""
    GAP = "gap"
    """Blocks that no head announced, and whether they follow."""
    REORG = "reorg"
    """Blocks were retracted; those in their place follow."""
    LOST = "lost"
    """A consumer's own lanes lost something; it gets this in place of it, if it consumes it."""
    HEALTH = "health"
    """Something has gone wrong with the stream itself, or is right again."""
    BLOCK_SUMMARY = "block_summary"
    MEMPOOL_VIEW = "mempool_view"
    POOLS = "pools"
    """What every watched pool holds, as of a block."""
    EFFECT = "effect"
    """What a pending transaction would do to pools in the next block."""
    LENDING = "lending"
    """How near the positions that are watched are to their liquidation, as of a block."""
    PRICE = "price"
    ARBITRAGE = "arbitrage"
    LIQUIDATION = "liquidation"
    ALERT = "alert"
    FINDING = "finding"
    """What a processor found, where no narrower type fits."""
    LANDED = "landed"
    """What a block's logs show of swaps and MEV."""
    VERDICT = "verdict"
    """What became of a prediction, or that nobody had predicted what landed."""
    MEMPOOL_SNAPSHOT = "mempool_snapshot"
    """What is pending, and the opportunities that are open."""

    stage: Stage

    def __init__(self, value: str) -> None:
        self.stage = _STAGES.get(value, Stage.RAW)

    # Members are singletons; the inherited hash is a Python call on every routed event.
    __hash__ = object.__hash__


VITAL = frozenset({DataType.BLOCK, DataType.GAP, DataType.REORG, DataType.LOST})
"""Types that are never shed and never expire."""

FINDINGS = frozenset(t for t in DataType if t.stage in {Stage.FINDING, Stage.VERDICT})
"""The types that ``stream.findings`` yields."""


class EventPriority(enum.IntEnum):
    """Which lane an event takes; a lower number is served first."""

    HIGH = 1
    NORMAL = 2
    LOW = 3

    @classmethod
    def of(cls, value: object) -> EventPriority:
        """The priority of a number or name; NORMAL for anything unknown."""
        if isinstance(value, str):
            return cls.__members__.get(value.upper(), cls.NORMAL)
        return next((p for p in cls if p == value), cls.NORMAL)


class Lost(Noun, frozen=True):
    """Deliveries that one consumer lost, between two that it got."""

    lane: str
    count: int
    first: str
    """The first one lost, as ``source#sequence.ordinal``."""
    last: str


NO_METADATA: Mapping[str, Any] = MappingProxyType({})


class DataEvent(msgspec.Struct, frozen=True):
    """A typed event. It never changes; what a processor finds is a new event."""

    event_type: DataType
    priority: EventPriority
    data: Any
    """The payload: a frozen noun of ``trio_mev.model``, or a plug-in's own class."""
    source: str
    """Alias of the feed or name of the processor that made it; never a URL."""
    received_at: float
    """Arrival, in seconds of the stream's monotonic clock. What is derived keeps the arrival
    of the event that caused it."""
    occurred_at: int | None = None
    """When it happened, by the source's wall clock, in nanoseconds since the epoch."""
    sequence: int = 0
    """Rises from frame to frame on a feed: one more than the events before it. Of what is
    derived, that of its cause."""
    ordinal: int = 0
    """Place among the events that came of one frame or of one processed event."""
    size: int = 256
    """Bytes that it stands for in a lane's bound: those of its frame."""
    metadata: Mapping[str, Any] = NO_METADATA
    """``connection_id`` and ``subscription_id`` of raw events; ``cause`` of derived ones."""
    lag: float | None = None
    """Seconds from its happening, by the source's wall clock, to its arrival, by ours; under zero
    where the source's clock is ahead. None where the source says no time, and of what is
    derived."""

    @property
    def name(self) -> str:
        """``source#sequence.ordinal``."""
        return f"{self.source}#{self.sequence}.{self.ordinal}"

    def age(self, now: float) -> float:
        """Seconds since the arrival, on the same clock."""
        return now - self.received_at

    def age_ms(self, now: float) -> float:
        """Milliseconds since the arrival, on the same clock."""
        return (now - self.received_at) * 1000

    def finding(
        self,
        data: Any,
        event_type: DataType = DataType.FINDING,
        priority: EventPriority = EventPriority.HIGH,
    ) -> DataEvent:
        """A new event that this one caused; the pump adds the processor's name and the ordinal."""
        return DataEvent(
            event_type,
            priority,
            data,
            "",
            self.received_at,
            self.occurred_at,
            self.sequence,
            metadata={"cause": self.name},
        )
