"""What contracts log, read from topics and data; without I/O and without state.

An event is told by its first topic, the number of its topics and the length of its data: three
protocols name an event ``Mint(address,uint256,uint256)``, and it means something else each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...model.chain import Log
from ...model.intents import Undecoded, Unread
from ..abi import BadData
from . import aave, fills, lenders, uniswap, venues
from .event import Event, LogEvent

__all__ = ["Event", "LogDecoder", "LogEvent", "events_of", "known_events"]

_Told = tuple[type[LogEvent], Mapping[str, str], str]


def _event(told: _Told) -> tuple[str, Event]:
    made, signatures, start = told
    for topic, signature in signatures.items():
        if signature.startswith(start if "(" in start else f"{start}("):
            return topic, Event(made, signature)
    raise LookupError(f"no event begins with {start}")


def _table() -> Mapping[str, tuple[Event, ...]]:
    found: dict[str, tuple[Event, ...]] = {}
    for told in (*uniswap.EVENTS, *venues.EVENTS, *fills.EVENTS, *aave.EVENTS, *lenders.EVENTS):
        topic, event = _event(told)
        found[topic] = (*found.get(topic, ()), event)
    return found


_EVENTS = _table()
_EXACT: Mapping[tuple[str, int, int], Callable[[Log], LogEvent]] = {
    (topic, event.topics, event.size): event.read
    for topic, events in _EVENTS.items()
    for event in events
    if not event.dynamic and event.made is not uniswap.V2Mint
}
"""Those that topic and shape tell from all others."""
_SHARES_TOPIC, _SHARES_MINT = _event(aave.SHARES_MINT)


def known_events() -> Iterable[tuple[str, Event]]:
    """Every event with its topic."""
    for topic, events in _EVENTS.items():
        for event in events:
            yield topic, event
    yield _SHARES_TOPIC, _SHARES_MINT


def events_of(made: type[LogEvent]) -> Mapping[str, Event]:
    """The events that say a kind of thing, by topic."""
    return {topic: event for topic, event in known_events() if event.made is made}


class LogDecoder:
    """Reads logs.

    Args:
        shares: addresses of aTokens of Aave V2, whose mints have the shape of a V2 pair's.
    """

    __slots__ = ("_shares",)

    def __init__(self, shares: Iterable[str] = ()) -> None:
        self._shares = frozenset(shares)

    def decode(self, log: Log) -> LogEvent | Undecoded | None:
        """What a log says; None where no event of its topic and shape is known.

        It does not know whether the contract is what it seems to be: that is the reader's to check,
        by the log's address.

        Returns:
            ``Undecoded`` where the shape is right and a value is not.
        """
        topics = log.topics
        if not topics:
            return None
        known = _EXACT.get((topics[0], len(topics), len(log.data)))
        if known is not None:
            try:
                return known(log)
            except BadData as error:
                return Undecoded(Unread.MALFORMED, str(error))
        if topics[0] == _SHARES_TOPIC and log.address in self._shares:
            candidates: tuple[Event, ...] = (_SHARES_MINT,)
        else:
            candidates = _EVENTS.get(topics[0], ())
        for event in candidates:
            if event.fits(log):
                return _read(event, log)
        return None


def _read(event: Event, log: Log) -> LogEvent | Undecoded:
    try:
        return event.read(log)
    except BadData as error:
        return Undecoded(Unread.MALFORMED, str(error))
