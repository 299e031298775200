"""The calls of a transaction, as one flat list in the order in which they began.

Each call knows which call it was made by, and where those that it made itself end: what happened
within a call is a slice of the list. So a call of any depth costs nothing but its own place.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from ..model.noun import Noun


class How(enum.IntEnum):
    """By what a frame was begun."""

    CALL = 0
    DELEGATE = 1
    """Another contract's code, in the caller's name and with its storage; ``callcode`` too."""
    STATIC = 2
    CREATE = 3
    ENDED = 4
    """A contract destroys itself and sends away what ether it has."""


class Call(Noun, frozen=True):
    """One frame. Addresses are in lower case; data is hexadecimal text as the node wrote it, and is
    checked by whoever reads it."""

    how: How
    source: str
    """In whose name it is made: of a delegate call, whose storage it has."""
    target: str
    """What is called; of a delegate call, whose code it is. Empty where a contract could not be
    created."""
    input: str
    output: str
    value: int
    """Wei that go with it; 0 where they do not move, as with a delegate call."""
    failed: bool
    """Whether it, or a call that it is inside of, was reverted: then nothing of it took effect."""
    broke: bool
    """Whether it was reverted itself."""
    number: int
    """Which one it is of those that the call above it made."""
    depth: int
    """How many calls it is inside of."""
    up: int
    """The place of the call that made it, or -1."""
    logs_before: int = 0
    """The number in the block of the next log after it began, where logs are known."""


class Calls:
    """All calls of one transaction, the outermost first.

    Args:
        calls: in the order in which they began, each after the one that made it.
    """

    __slots__ = ("_calls", "ends")

    def __init__(self, calls: list[Call]) -> None:
        self._calls = calls
        self.ends = ends = list(range(1, len(calls) + 1))
        """For each call the place after the last one within it."""
        for place in range(len(calls) - 1, 0, -1):
            up = calls[place].up
            ends[up] = max(ends[up], ends[place])

    def __getitem__(self, place: int) -> Call:
        return self._calls[place]

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    def path(self, place: int) -> tuple[int, ...]:
        """The trace address of a call."""
        numbers: list[int] = []
        while (call := self._calls[place]).up >= 0:
            numbers.append(call.number)
            place = call.up
        return tuple(reversed(numbers))

    def rank(self, place: int) -> int:
        """When a call came to its end: its number in the order of the ends.

        Those within it have the numbers right before its own.
        """
        return self.ends[place] - 1 - self._calls[place].depth

    def first_within(self, place: int) -> int:
        """The rank of what ended first within a call."""
        return self.rank(place) - (self.ends[place] - place) + 1

    def made_by(self, place: int) -> Iterator[tuple[int, Call]]:
        """The calls that a call made itself, those among them that its delegates made in its
        name."""
        end, at = self.ends[place], place + 1
        while at < end:
            call = self._calls[at]
            if call.how is How.DELEGATE:
                at += 1  # what is within it is next
                continue
            yield at, call
            at = self.ends[at]
