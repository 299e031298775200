"""Several tapes on one time line."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import attrs

from .tape import Header, Record

LONGEST = 75 * 10**9
"""Nanoseconds that are read ahead: what became of an event is told within a minute of it."""
OVERHEAD = 300
"""Bytes of a record that waits, beside its frame."""
MOST_AHEAD = 128 * 2**20
"""Bytes of the frames that are read ahead; where more would be, it is less far."""

NOTHING = "nothing is played: it was to begin at {:g} s, and the tapes end at {:.1f} s"
"""What is said where a part begins behind the last frame."""


class RecordedTape(Protocol):
    """A tape, wherever its records are."""

    @property
    def header(self) -> Header:
        """The first line."""
        ...

    @property
    def first(self) -> Record | None:
        """The first record; None of an empty tape."""
        ...

    def records(self) -> Iterator[Record]:
        """Every record, from the start; may be called again."""
        ...


@attrs.frozen(order=True)
class Moment:
    """A record at its place on the common time line."""

    at: int
    """Nanoseconds since the time line's start."""
    tape: int
    """Which of the tapes."""
    record: Record = attrs.field(order=False)


def first_wall(tapes: Sequence[RecordedTape]) -> int:
    """When the earliest of several tapes begins, in nanoseconds since the epoch."""
    return min((tape.first.wall for tape in tapes if tape.first is not None), default=0)


def timeline(tapes: Sequence[RecordedTape], align: bool = False) -> Iterator[Moment]:
    """The records of several tapes in the order of their times.

    Within a tape its steady clock counts; between tapes their wall clocks do, or, aligned, all
    begin at once.
    """
    origin = first_wall(tapes)
    return heapq.merge(
        *(_moments(number, tape, 0 if align else origin) for number, tape in enumerate(tapes))
    )


def _moments(number: int, tape: RecordedTape, origin: int) -> Iterator[Moment]:
    if tape.first is None:
        return
    shift = (tape.first.wall - origin if origin else 0) - tape.first.mono
    for record in tape.records():
        yield Moment(record.mono + shift, number, record)


def read_ahead(
    moments: Iterable[Moment],
    note: Callable[[Moment], None],
    span: int = LONGEST,
    most: int = MOST_AHEAD,
) -> Iterator[Moment]:
    """The same moments, each of them after those of a while behind it were noted.

    Args:
        moments: in their order.
        note: gets each one when it is read.
        span: nanoseconds to read ahead.
        most: bytes of frames that may wait; one frame may be larger.
    """
    waiting: deque[Moment] = deque()
    size = 0
    for moment in moments:
        note(moment)
        waiting.append(moment)
        size += len(moment.record.frame) + OVERHEAD
        while len(waiting) > 1 and (moment.at - waiting[0].at > span or size > most):
            first = waiting.popleft()
            size -= len(first.record.frame) + OVERHEAD
            yield first
    yield from waiting
