"""What consumers lost when a tape was recorded: on the tape, so that a replay loses the same.

A replay has time for everything; a live run may not have had it. Which deliveries it gave up is no
matter of the frames, and is therefore recorded beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..model.event import DataEvent
from .order import Order, Orders
from .session import decode


class Decision(msgspec.Struct, frozen=True):
    """Deliveries of one consumer that were given up together: the body of a tape's record."""

    consumer: str
    """The processor's or handler's name, as it is counted under."""
    lane: str
    reason: str
    """As in the books, or ``timed_out``."""
    events: list[str]
    """Each as ``type:source#sequence.ordinal``, with ``<`` and its cause where it has one, and with
    ``~2`` behind it where another had the same name before."""


_DECISION = msgspec.json.Decoder(Decision)
_ENCODER = msgspec.json.Encoder()


def event_key(event: DataEvent) -> str:
    """What tells an event from all others of its run, in a replay as well."""
    cause = event.metadata.get("cause")
    key = f"{event.event_type.value}:{event.name}"
    return key if cause is None else f"{key}<{cause}"


def encode_decision(consumer: str, lane: str, reason: str, events: Sequence[str]) -> bytes:
    """The body of the record."""
    return _ENCODER.encode(Decision(consumer, lane, reason, list(events)))


class Decided:
    """The decisions between where tapes are read ahead and where they are played.

    What is lost is known when its event comes up, since a decision follows its event within the
    time that is read ahead.
    """

    def __init__(self) -> None:
        self._by_consumer: dict[str, dict[str, tuple[str, str]]] = {}
        self.orders = Orders()
        """In which order they took what came to them."""

    def script(self, consumer: str) -> Order | None:
        """In which order a consumer took what came to it; None where no tape says that."""
        return self.orders.of(consumer)

    def read_ahead(self, frame: bytes) -> None:
        """A tape will come to this decision.

        Raises:
            MalformedFrame: it is none.
        """
        made = decode(_DECISION, frame)
        known = self._by_consumer.setdefault(made.consumer, {})
        known.update(dict.fromkeys(made.events, (made.lane, made.reason)))

    def concerns(self, consumer: str) -> bool:
        """Whether anything is decided about a consumer now."""
        return bool(self._by_consumer.get(consumer))

    def take(self, consumer: str, event: str) -> tuple[str, str] | None:
        """By which lane and why a consumer lost the event of this name; None where it did not."""
        known = self._by_consumer.get(consumer)
        return known.pop(event, None) if known else None

    def over(self, frame: bytes) -> int:
        """The tape has come to this decision: how many of its events did not come up.

        Raises:
            MalformedFrame: it is none.
        """
        made = decode(_DECISION, frame)
        known = self._by_consumer.get(made.consumer, {})
        return sum(known.pop(one, None) is not None for one in made.events)
