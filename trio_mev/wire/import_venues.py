"""Recorded exchange sockets in cryptofeed's format as tapes.

Its lines: ``<url> <-> <time>`` opens, ``<url> <- <time>: <json>`` was sent,
``<url> -> <time>: <body>`` is an HTTP answer, ``<time>: <json>`` was received. Times are seconds
since the epoch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from ..errors import ConfigError
from .tape import Direction, FeedHeader, Record
from .updates import Pair
from .venue import VenueAdapter
from .venues import ADAPTERS, kind_of_url

_TIME = r"([0-9]{1,10}(?:\.[0-9]{1,18})?)"
_URL = re.compile(r"(\S+) <-> ")
_OPENED = re.compile(rf"(\S+) <-> {_TIME}")
_SENT = re.compile(rf"(\S+) <- {_TIME}: (.*)")
_ANSWERED = re.compile(rf"\S+ -> {_TIME}: ")
_RECEIVED = re.compile(rf"{_TIME}: (.*)")
_LATEST = 2**63
"""Nanoseconds that a tape can hold."""


class CryptofeedImport:
    """One recorded file; read it twice, once for ``header`` and once for ``records``.

    Args:
        feed: the alias that the tape shall give it.
        problems: where what cannot be used is counted.
    """

    def __init__(self, feed: str, problems: Counter[str] | None = None) -> None:
        self.feed = feed
        self.problems: Counter[str] = Counter() if problems is None else problems

    @staticmethod
    def kind(lines: Iterable[str]) -> str:
        """Which exchange it is, from the first line that opens a connection.

        Raises:
            ConfigError: there is none, or it is one that cannot be read.
        """
        for line in lines:
            opened = _URL.match(line)
            if opened:
                return kind_of_url(opened[1])
        raise ConfigError("no line opens a connection: it is not a recording of cryptofeed")

    def header(self, lines: Iterable[str]) -> FeedHeader:
        """What the recording subscribed to.

        Raises:
            ConfigError: as ``kind``, and where nothing that can be decoded was subscribed to.
        """
        every = [line for line in lines if _URL.match(line) or _SENT.match(line)]
        kind = self.kind(every)
        adapter = ADAPTERS[kind]
        asked = {pair for pair in _asked(every, adapter) if pair[0] in adapter.known_channels}
        symbols = {symbol: _instrument(symbol, adapter) for symbol in sorted({s for _, s in asked})}
        wanted = {channel for channel, _ in asked}
        channels = [channel for channel in adapter.known_channels if channel in wanted]
        if not symbols:
            raise ConfigError("the recording subscribes to nothing that can be decoded")
        return FeedHeader(kind, "", symbols, channels)

    def records(self, lines: Iterable[str]) -> Iterator[Record]:
        """The recording's frames; lines of no known form are counted in ``problems``."""
        for line in lines:
            text = line.rstrip("\r\n")
            if not text:
                continue
            if received := _RECEIVED.fullmatch(text):
                yield from self._record(received[1], Direction.IN, received[2])
            elif sent := _SENT.fullmatch(text):
                yield from self._record(sent[2], Direction.OUT, sent[3])
            elif opened := _OPENED.fullmatch(text):
                yield from self._record(opened[2], Direction.OPEN)
            else:
                self.problems["http_answer" if _ANSWERED.match(text) else "bad_line"] += 1

    def _record(self, seconds: str, direction: Direction, frame: str = "") -> Iterator[Record]:
        at = int(Decimal(seconds) * 10**9)
        if at < _LATEST:
            yield Record(at, at, self.feed, direction, frame.encode())
        else:
            self.problems["bad_line"] += 1


def _instrument(symbol: str, adapter: type[VenueAdapter]) -> str:
    try:
        return str(adapter.read(symbol))
    except ValueError as error:
        raise ConfigError(f"product {symbol!r} is no instrument: {error}") from None


def _asked(lines: Iterable[str], adapter: type[VenueAdapter]) -> Iterator[Pair]:
    """What the URLs and the messages that were sent subscribe to."""
    for line in lines:
        opened, sent = _URL.match(line), _SENT.match(line)
        if opened:
            yield from adapter.asked_by(opened[1])
        if sent:
            try:
                message = msgspec.json.decode(sent[3])
            except (msgspec.DecodeError, RecursionError):
                continue
            yield from adapter.asked(message)
