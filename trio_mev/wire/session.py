"""A session: the sans-I/O state of one connection's life.

Live connections, replays and tests feed the same sessions. A session turns frames into events,
counts what it cannot use, knows what it has subscribed to, and says what is to be sent.
"""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from ..errors import DataStreamError, MalformedFrame
from ..model.event import DataEvent, DataType, EventPriority

PENDING = "pending"
"""What stands for a subscription's id until the server has confirmed it."""

OVERHEAD = 128
"""Bytes of an event beside those of its frame."""
MAX_KINDS = 50
"""Of ignored frames that are counted apart; a peer cannot make more of them."""

T = TypeVar("T")


def decode(decoder: msgspec.json.Decoder[T], frame: bytes | msgspec.Raw) -> T:
    """Decode JSON into what the decoder expects.

    Raises:
        MalformedFrame: ``not_utf8``, ``not_json``, ``wrong_shape`` or ``too_deep``.
    """
    try:
        return decoder.decode(frame)
    except msgspec.ValidationError as error:
        raise MalformedFrame("wrong_shape", str(error)[:200]) from None
    except RecursionError:  # what msgspec raises on deep nesting
        raise MalformedFrame("too_deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        try:
            bytes(frame).decode()
        except UnicodeDecodeError:
            raise MalformedFrame("not_utf8") from None
        raise MalformedFrame("not_json", str(error)[:200]) from None


class Session(abc.ABC):
    """One life of one connection.

    Args:
        source: the feed's alias, for the events.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.refused: Counter[str] = Counter()
        """Frames, or parts of them, that cannot be used, by reason."""
        self.ignored: Counter[str] = Counter()
        """Sound frames that carry nothing for us, by kind."""
        self.subscriptions: dict[str, str] = {}
        """What is subscribed to, to the server's id or ``pending``."""
        self.heard: dict[str, float] = {}
        """Subscriptions with a natural period, to the time each was last heard."""
        self.newest: dict[str, DataEvent] = {}
        """Subscriptions whose last event is the present state, to that event: a new connection
        may begin with it."""
        self.moved = True
        """Whether the latest batch may have brought more than events: something to send, to say
        or to wait for."""
        self.leaving = False
        """Whether the server asks that the connection be made anew soon."""
        self.epoch: int | None = None
        """The wall clock's nanoseconds where the stream's clock is zero, kept up to date by who
        drives the session; without it no event says how late it came."""
        self.request_interval = 0.0
        """Least pause between two of the opening frames, where the server asks for one."""
        self._outbox: list[str] = []
        self._now = 0.0
        self._sequence = 0
        self._ordinal = 0
        self._size = 0
        self._metadata: dict[str, MappingProxyType[str, Any]] = {}

    def count_into(self, refused: Counter[str], ignored: Counter[str]) -> None:
        """Count into the feed's counters, which outlive the life."""
        self.refused, self.ignored = refused, ignored

    def oversized(self) -> None:
        """The connection was closed for the size of a message; call it before ``finish``."""

    def begin(self, now: float) -> None:
        """The connection is open; call it before ``opening``."""
        self._now = now

    def notices(self) -> list[str]:
        """What an operator should read; each is handed out once."""
        return []

    @abc.abstractmethod
    def opening(self) -> list[str]:
        """The frames that subscribe, to be sent once the connection is open."""

    @abc.abstractmethod
    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """The frame's events.

        Raises:
            MalformedFrame: nothing in it can be used.
            SubscriptionRejected: the server refuses a subscription for good.
            SubscriptionLost: the server refuses a subscription for now.
        """

    def receive(self, frame: bytes, now: float, sequence: int) -> list[DataEvent]:
        """The events in one frame, as ``receive_batch``."""
        events: list[DataEvent] = []
        self.receive_batch((frame,), now, sequence, events)
        return events

    def receive_batch(
        self, frames: Sequence[bytes], now: float, sequence: int, into: list[DataEvent]
    ) -> None:
        """Add the events in frames that came together; what cannot be used is counted.

        Args:
            frames: whole messages, text or binary.
            now: their arrival, in seconds of the stream's monotonic clock.
            sequence: what the first event shall bear, if ``into`` is empty; each frame's events
                bear one more than the events before it.
            into: the list to add to; what came before a refusal is in it.

        Raises:
            SubscriptionRejected, SubscriptionLost: as ``decode_frame``; the frames behind are
                counted as refused.
        """
        self._now = now
        self.moved = True
        decode_frame = self.decode_frame
        for place, frame in enumerate(frames):
            self._sequence = sequence + len(into)
            self._ordinal = 0
            self._size = len(frame)
            try:
                into += decode_frame(frame)
            except MalformedFrame as error:
                into += self.refuse(error)
            except DataStreamError:
                if behind := len(frames) - place - 1:
                    self.refused["life_ended"] += behind
                raise

    def refuse(self, error: MalformedFrame) -> list[DataEvent]:
        """Count what cannot be used; the events that tell of it, if any."""
        self.refused[error.reason] += 1
        return []

    def outgoing(self) -> list[str]:
        """The frames to be sent now; each is handed out once."""
        frames, self._outbox = self._outbox, []
        return frames

    def sent(self, frame: bytes) -> None:
        """Learn from a tape what was sent at this point of the recorded life."""

    def next_due(self) -> float | None:
        """When ``expire`` has to be called next, if at all."""
        return None

    def expire(self, now: float) -> list[DataEvent]:
        """Give up what has waited for too long; what can be told without it is returned."""
        return []

    def finish(self) -> list[DataEvent]:
        """The life is over: what can be told without an answer is returned, the rest counted."""
        return []

    @property
    def moment(self) -> tuple[float, float]:
        """When the frame came that is being decoded, and its place among the events: behind the
        last and before the next."""
        return self._now, self._sequence - 0.5

    @property
    def confirmed(self) -> bool:
        """Whether the server has confirmed every subscription."""
        return PENDING not in self.subscriptions.values()

    def confirm(self, label: str, server_id: str) -> None:
        """The server has confirmed a subscription under its own id."""
        self.subscriptions[label] = server_id
        self._described(label, server_id)

    def _unconfirmed(self, label: str) -> MappingProxyType[str, Any]:
        """What arrives confirms the subscription that it comes from."""
        self.confirm(label, label)
        return self._metadata[label]

    def _described(self, label: str, server_id: str) -> MappingProxyType[str, Any]:
        """What a subscription's events say of where they come from, from now on."""
        made = self._metadata[label] = MappingProxyType(
            {"connection_id": self.source, "subscription_id": server_id}
        )
        return made

    def ignore(self, kind: str) -> None:
        """Count a sound frame that carries nothing for us; the peer chose the word."""
        name = kind[:40]
        if name not in self.ignored and len(self.ignored) >= MAX_KINDS:
            name = "other"
        self.ignored[name] += 1

    def event(
        self,
        event_type: DataType,
        priority: EventPriority,
        data: Any,
        occurred_at: int | None,
        label: str,
    ) -> DataEvent:
        """An event of the frame being decoded, from the subscription ``label``."""
        metadata = self._metadata.get(label)
        if metadata is None:
            metadata = self._unconfirmed(label)
        ordinal = self._ordinal
        self._ordinal = ordinal + 1
        lag = None
        if occurred_at is not None and self.epoch is not None:
            lag = (self.epoch + int(self._now * 1e9) - occurred_at) / 1e9
        return DataEvent(
            event_type,
            priority,
            data,
            self.source,
            self._now,
            occurred_at,
            self._sequence,
            ordinal,
            self._size + OVERHEAD,
            metadata,
            lag,
        )
