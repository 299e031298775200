"""What a tape has of a stream's consumers, beside the frames of its feeds."""

from __future__ import annotations

from collections.abc import Sequence

from ..feeds.life import Tap
from ..flow.journal import Journal, Made
from ..flow.lanes import OnLoss
from ..flow.pump import Pump
from ..model.event import DataEvent
from ..wire.decisions import encode_decision
from ..wire.order import encode_taken
from ..wire.tape import Direction


def record_consumer(pump: Pump, tap: Tap | None, feeds: Sequence[str], made: Made) -> None:
    """Put on a tape what a consumer loses, and the order in which it takes what comes.

    Args:
        pump: the consumer's.
        tap: the recorder's; None to put no more on it.
        feeds: of the stream; one of them is said to be where a record comes from.
        made: what all processors of the stream have made.
    """
    lanes = pump.lanes
    lanes.on_loss = lanes.journal = None
    if tap is None or not feeds:
        return
    lanes.on_loss = _on_loss(pump.name, tap, feeds, made)
    if pump.processor.emits:  # of who finds nothing the order is no matter
        lanes.journal = _journal(pump.name, tap, feeds[0], made)


def _journal(consumer: str, tap: Tap, first: str, made: Made) -> Journal:
    def took(names: Sequence[str], feed: str | None, number: int | None) -> None:
        tap(feed or first, Direction.TAKEN, encode_taken(consumer, names, number))

    return Journal(made, took)


def _on_loss(consumer: str, tap: Tap, feeds: Sequence[str], made: Made) -> OnLoss:
    def lost(lane: str, reason: str, events: Sequence[DataEvent]) -> None:
        body = encode_decision(consumer, lane, reason, list(map(made.name, events)))
        feed = events[0].source if events[0].source in feeds else feeds[0]
        tap(feed, Direction.DECISION, body)

    return lost
