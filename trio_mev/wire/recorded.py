"""The calls of processors that a tape holds: what each asked, and what came of it.

A call is known by what it asks and not by its number. Of several alike the one that was sent
first goes to whoever asks first, as it was when the tape was recorded.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from ..errors import MalformedFrame
from .jsonrpc import Message, parse_requests
from .tape import Record

KEPT = 10.0
"""Seconds for which an answer waits for somebody to ask: as long as who asked when the tape was
recorded would have waited."""
_ENCODER = msgspec.json.Encoder(order="sorted")


def call_key(calls: Sequence[tuple[str, Sequence[Any]]]) -> bytes:
    """What one message asks, in 16 bytes: the same for the same methods and parameters."""
    text = _ENCODER.encode([[method, list(params)] for method, params in calls])
    return hashlib.blake2b(text, digest_size=16).digest()


@attrs.define(eq=False)
class RecordedCall:
    """One message with calls, and what came of it."""

    key: bytes
    numbers: tuple[int, ...]
    """Of its requests on the tape."""
    at: float
    """When it was sent."""
    sent: bool = False
    """Whether the tape has come to where it was sent."""
    answers: dict[int, Message] = attrs.Factory(dict)
    lost: bool = False
    """Whether the connection was lost before it was answered."""
    name: str = ""
    """Which of those it is that ask the same, where the tape says so."""
    claimed: bool = False
    """Whether somebody has asked the same."""
    moved: Callable[[], None] | None = None
    """Is called when it is sent, answered or lost."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.lost or len(self.answers) == len(self.numbers)

    def send(self) -> None:
        """The tape has come to where it was sent."""
        self.sent = True
        self._tell()

    def answered(self, number: int, message: Message | None) -> None:
        """A reply to one of its requests; None where the connection is over."""
        if message is None:
            self.lost = True
        else:
            self.answers[number] = message
        self._tell()

    def _tell(self) -> None:
        if self.moved is not None:
            self.moved()


class RecordedCalls:
    """The calls on tapes, from where they are read ahead until somebody asked the same.

    Calls that nobody asks for are given up a while after they were sent, so that what is kept
    does not grow with the tape.
    """

    def __init__(self) -> None:
        self._by_key: dict[bytes, deque[RecordedCall]] = {}
        self._ahead: dict[tuple[int, str], deque[RecordedCall | None]] = {}
        self._played: deque[tuple[float, RecordedCall]] = deque()

    def read_ahead(self, tape: int, record: Record, at: float) -> None:
        """A frame of ours that a tape will come to at this time."""
        call: RecordedCall | None = None
        try:
            requests = parse_requests(record.frame)
        except MalformedFrame:  # the session counts it
            requests = []
        if requests:
            key = call_key([(one.method, one.params) for one in requests])
            call = RecordedCall(key, tuple(one.id for one in requests), at)
            self._by_key.setdefault(key, deque()).append(call)
        self._ahead.setdefault((tape, record.feed), deque()).append(call)

    def name(self, tape: int, feed: str, number: int, name: str) -> None:
        """A tape says who asked under a number, behind the frame of ours."""
        for call in reversed(self._ahead.get((tape, feed), ())):
            if call is not None and call.numbers[0] == number:
                call.name = name
                return

    def sent(self, tape: int, feed: str, now: float) -> RecordedCall | None:
        """The tape has come to the next frame of ours; the call that it is, if it is one."""
        while self._played and now - self._played[0][0] > KEPT:
            self._give_up(self._played.popleft()[1])
        call = self._ahead[tape, feed].popleft()
        if call is not None:
            self._played.append((now, call))
            call.send()
        return call

    def _give_up(self, call: RecordedCall) -> None:
        if not call.claimed:
            self._remove(call)

    def claim(self, key: bytes, until: float, name: str = "") -> RecordedCall | None:
        """The recorded call of this name, or the first that has none, that asks this, was sent by
        then, and that nobody has claimed; None where there is none."""
        alike = self._by_key.get(key, ())
        named = (one for one in alike if name and one.name == name)
        call = next(named, None) or next((one for one in alike if not one.name), None)
        call = call or next(iter(alike), None)
        if call is None or call.at > until:
            return None
        self._remove(call)
        call.claimed = True
        return call

    def _remove(self, call: RecordedCall) -> None:
        alike = self._by_key[call.key]
        alike.remove(call)
        if not alike:
            del self._by_key[call.key]
