"""In which order one consumer took what came to it, written down; ``turns.py`` keeps to it.

A replay plays one frame, lets everything come to rest, and plays the next. Live, several come at
once, urgent ones overtake others, and who waited for an answer goes on when Trio lets it. What a
consumer makes of two events may depend on which of them it took first. So where its order is not
the one that a replay would have by itself, it is written on the tape.

What a consumer takes are events, and where it does something besides them, steps and answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..model.event import DataEvent, DataType

MOST_MADE = 10_000
"""Events that are remembered until all their consumers have taken them, for sure."""
_LOST = DataType.LOST

Moment = tuple[float, float]
"""When something came that a consumer goes on from: seconds, and the feed's number of the event."""
_EVER: Moment = (-math.inf, 0.0)
Write = Callable[[Sequence[str], str | None, int | None], None]
"""Gets names of what was taken, one directly after the other, behind the name of what is known to
have been taken before; none where the journal begins; or the name of a question, by which feed it
was asked, and its number there."""


class Made:
    """What processors have made: names, by which a replay knows it again, and moments.

    One for all consumers of a stream.

    Args:
        key: what tells an event from most others.
    """

    def __init__(self, key: Callable[[DataEvent], str]) -> None:
        self._key = key
        self._keys: dict[str, int] = {}
        self._again: dict[int, tuple[DataEvent, int]] = {}
        self._late: dict[int, tuple[DataEvent, Moment]] = {}

    def note(self, event: DataEvent) -> None:
        """A processor has made this of what another one made, and its key may not be its alone."""
        key = self._key(event)
        count = self._keys[key] = self._keys.get(key, 0) + 1
        if count > 1:
            self._again[id(event)] = event, count
        _bound(self._keys)
        _bound(self._again)

    def name(self, event: DataEvent) -> str:
        """Its key, and where others had that before, the how manieth it is."""
        again = self._again.get(id(event))
        return self._key(event) if again is None else f"{self._key(event)}~{again[1]}"

    def late(self, event: DataEvent, moment: Moment) -> None:
        """It was made later than what it is made of arrived: its producer had taken something
        newer already, of this moment. A replay has it then and no earlier."""
        self._late[id(event)] = event, moment
        _bound(self._late)

    def was_late(self, event: DataEvent) -> bool:
        """Whether it was."""
        return id(event) in self._late

    def moment(self, event: DataEvent) -> Moment:
        """When it can be there in a replay."""
        known = self._late.get(id(event)) if self._late else None
        return (event.received_at, event.sequence) if known is None else known[1]


def _bound(known: dict[Any, Any]) -> None:
    if len(known) > MOST_MADE:
        del known[next(iter(known))]


class Journal:
    """Writes down where a consumer's order is not the one that a replay would have by itself.

    By itself a replay has what comes at a later moment later, and what comes at the same moment in
    the order in which it was put.

    Args:
        made: what all processors of the stream have made.
        write: gets what is to be written.
    """

    def __init__(
        self,
        made: Made,
        write: Write,
    ) -> None:
        self._made = made
        self._name = made.name
        self._write = write
        self._newest = _EVER
        self._peak: DataEvent | None = None
        """The event that was the newest when it was taken; None where it was no event."""
        self._last: DataEvent | str = ""
        self._chain: list[str] = []
        self._begun = False

    def took(self, events: Iterable[DataEvent]) -> None:
        """The consumer has taken these, in this order."""
        self._begin()
        for event in events:
            if event.event_type is _LOST:  # its own lanes tell it
                continue
            moment = self._made.moment(event)
            if moment > self._newest or (moment == self._newest and self._follows(event)):
                self._flush()
                self._newest, self._peak = moment, event
            else:
                self._enchain(self._name(event))
            self._last = event
        self._flush()

    def asked(self, name: str, feed: str, number: int) -> None:
        """It has asked a node, by this feed and under this number."""
        self._begin()
        self._write((name,), feed, number)

    def answered(self, name: str, moment: Moment | None, besides: bool) -> None:
        """It goes on with what came of a question: at this moment, where that is known.

        Args:
            name: the answer's.
            moment: when it came.
            besides: whether it goes on besides its events, or in the middle of one.
        """
        newer = moment is not None and moment > self._newest
        if newer:
            assert moment is not None
            self._newest, self._peak = moment, None
        if besides:
            if not newer:
                self._enchain(name)
            self._last = name
            self._flush()

    def stepped(self, name: str) -> None:
        """It goes on besides its events, whyever."""
        self._enchain(name)
        self._last = name
        self._flush()

    def made(self, event: DataEvent, derived: bool) -> None:
        """It has made an event of what it has taken.

        Args:
            event: what it made.
            derived: whether that is of something that a processor made.
        """
        if derived:
            self._made.note(event)
        if self._newest > (event.received_at, event.sequence):
            self._made.late(event, self._newest)

    def _follows(self, event: DataEvent) -> bool:
        """Whether an event of the same moment as the newest is put behind that one for sure."""
        peak = self._peak
        if peak is None or self._made.was_late(peak) or self._made.was_late(event):
            return False
        cause, before = event.metadata.get("cause"), peak.metadata.get("cause")
        if before is None and cause is not None:
            return True
        alike = event.source == peak.source and cause == before
        return (alike and event.ordinal > peak.ordinal) or cause == peak.name

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._write((), None, None)

    def _enchain(self, name: str) -> None:
        self._begin()
        if not self._chain:
            last = self._last
            self._chain.append(last if isinstance(last, str) else self._name(last))
        self._chain.append(name)

    def _flush(self) -> None:
        if self._chain:
            chain, self._chain = self._chain, []
            self._write(chain, None, None)
