"""What a tape repeats of the tape before it, so that it can be played by itself.

Of each connection's present life: that it began, what it subscribed to, and the answers without
which what comes cannot be told apart. What came is not repeated: a book of an hour ago would be
taken for one of now.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import msgspec

from .order import begins_order
from .tape import FeedHeader
from .tape_lines import encode_line

MOST = 1000
"""Frames of one life that are repeated; what is subscribed to later is not."""
MOST_BYTES = 2**20
"""Of these frames together."""
_LONGEST_ANSWER = 1000


class _Request(msgspec.Struct):
    id: int
    method: str


class _Answer(msgspec.Struct):
    id: int


_REQUEST = msgspec.json.Decoder(_Request)
_ANSWER = msgspec.json.Decoder(_Answer)


@attrs.define(eq=False)
class _Life:
    node: bool
    numbered: bool
    """Whether the venue gives numbers to what is subscribed to."""
    frames: list[tuple[str, bytes]] = attrs.Factory(list)
    size: int = 0
    asked: set[int] = attrs.Factory(set)
    """Requests whose answers have not come."""

    def keep(self, kind: str, frame: bytes) -> None:
        if len(self.frames) < MOST and self.size + len(frame) <= MOST_BYTES:
            self.frames.append((kind, frame))
            self.size += len(frame)

    def sent(self, frame: bytes) -> None:
        if b"ubscribe" not in frame and b"UBSCRIBE" not in frame:
            return
        if self.node:
            try:
                request = _REQUEST.decode(frame)
            except msgspec.DecodeError:
                return
            if request.method != "eth_subscribe" or len(self.asked) >= MOST:
                return
            self.asked.add(request.id)
        self.keep("out", frame)

    def received(self, frame: bytes) -> None:
        if len(frame) > _LONGEST_ANSWER:
            return
        if self.numbered:
            if b'"subscribed"' in frame:
                self.keep("in", frame)
        else:
            try:
                answer = _ANSWER.decode(frame)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return
            if answer.id in self.asked:
                self.asked.discard(answer.id)
                self.keep("in", frame)


class Beginnings:
    """How the present lives of a tape's connections began.

    Args:
        feeds: the tape's.
    """

    def __init__(self, feeds: Mapping[str, FeedHeader]) -> None:
        self._feeds = feeds
        self._lives: dict[str, _Life] = {}
        self._orders: dict[bytes, str] = {}
        """The records that say that a consumer's order is on the tape, and their feeds."""

    def note(self, feed: str, kind: str, frame: bytes) -> None:
        """A record goes on the tape.

        Args:
            feed: the connection's alias.
            kind: the direction, in its word.
            frame: the record's.
        """
        life = self._lives.get(feed)
        if kind == "in":
            if life is not None and (life.asked or life.numbered):
                life.received(frame)
        elif kind == "out":
            if life is not None:
                life.sent(frame)
        elif kind == "open":
            known = self._feeds.get(feed)
            name = "" if known is None else known.kind
            self._lives[feed] = _Life(name == "ethereum", name == "bitfinex")
        elif kind == "close":
            self._lives.pop(feed, None)
        elif kind == "taken" and begins_order(frame) and len(self._orders) < MOST:
            self._orders[frame] = feed

    def lines(self, wall: int, mono: int) -> list[bytes]:
        """What a tape that begins now repeats; times as a record's."""
        begun = [
            (feed, kind, frame)
            for feed, life in self._lives.items()
            for kind, frame in [("open", b""), *life.frames]
        ]
        begun += [(feed, "taken", frame) for frame, feed in self._orders.items()]
        return [encode_line(wall, mono, *each, carried=True) for each in begun]
