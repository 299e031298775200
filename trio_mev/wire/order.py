"""In which order a consumer took what came to it: on the tape, where a replay would have it
otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import attrs
import msgspec

from .session import decode


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one consumer took: the body of a tape's record."""

    consumer: str
    """The processor's name, as it is counted under."""
    taken: list[str]
    """One directly after the other; the first, empty at the very beginning, is there to say after
    what. Events as in decisions; ``answer:`` with a hash of what was asked, ``step:`` with a
    number. Where there is none the consumer's order is on the tape from here on."""
    call: int | None = None
    """Where there is one, nothing was taken yet: this is the number of the message of ours that
    asks for the answer, or of the first of its calls."""


_TAKEN = msgspec.json.Decoder(Taken)
_ENCODER = msgspec.json.Encoder()


def encode_taken(consumer: str, taken: Sequence[str], call: int | None = None) -> bytes:
    """The body of the record."""
    return _ENCODER.encode(Taken(consumer, list(taken), call))


def parse_taken(frame: bytes) -> Taken:
    """A record's body.

    Raises:
        MalformedFrame: it is none.
    """
    return decode(_TAKEN, frame)


def begins_order(frame: bytes) -> bool:
    """Whether a record's body says that a consumer's order is on the tape from there on."""
    return frame.endswith(b'"taken":[]}')


@attrs.define(eq=False)
class Order:
    """One consumer's order between where tapes are read ahead and where they are played."""

    given_up: Callable[[Sequence[str]], None] | None = None
    """Is told of names that the tape has come to and that nobody waits for any longer."""
    _next: dict[str, str] = attrs.Factory(dict)
    _before: dict[str, str] = attrs.Factory(dict)

    def read_ahead(self, taken: Sequence[str]) -> None:
        """A tape will come to this."""
        for name, then in pairwise(taken):
            self._next[name] = then
            self._before[then] = name

    def next_of(self, name: str) -> str | None:
        """What was taken directly after this; None where the tape does not say."""
        return self._next.get(name)

    def knows(self, name: str) -> bool:
        """Whether the tape says after what this was taken."""
        return name in self._before

    def done(self, name: str) -> None:
        """It has been taken."""
        before = self._before.pop(name, None)
        if before is not None:
            self._next.pop(before, None)

    def waits_for(self, taken: Sequence[str]) -> bool:
        """Whether something of it has not been taken yet."""
        return any(name in self._before for name in taken[1:])

    def over(self, taken: Sequence[str]) -> int:
        """The tape has come to this: how much of it was not taken."""
        left = [name for name in taken[1:] if name in self._before]
        for name in left:
            self.done(name)
        if not left or self.given_up is None:  # nobody of that name is here
            return 0
        self.given_up(left)
        return len(left)

    def end(self) -> None:
        """The tapes are over: nobody waits any longer."""
        left = list(self._before)
        self._before.clear()
        self._next.clear()
        if self.given_up is not None:
            self.given_up(left)


class Orders:
    """Every consumer's."""

    def __init__(self) -> None:
        self._by_consumer: dict[str, Order] = {}

    def read_ahead(self, frame: bytes) -> Taken:
        """A tape will come to this record.

        Raises:
            MalformedFrame: it is none.
        """
        made = parse_taken(frame)
        self._by_consumer.setdefault(made.consumer, Order()).read_ahead(made.taken)
        return made

    def of(self, consumer: str) -> Order | None:
        """A consumer's; None where no tape has it."""
        return self._by_consumer.get(consumer)

    def waits_for(self, frame: bytes) -> bool:
        """Whether something of a record has not been taken yet.

        Raises:
            MalformedFrame: it is none.
        """
        made = parse_taken(frame)
        return self._by_consumer[made.consumer].waits_for(made.taken)

    def over(self, frame: bytes) -> int:
        """The tape has come to this record: how much of it was not taken.

        Raises:
            MalformedFrame: it is none.
        """
        made = parse_taken(frame)
        return self._by_consumer[made.consumer].over(made.taken)

    def end(self) -> None:
        """The tapes are over: nobody waits any longer."""
        for order in self._by_consumer.values():
            order.end()
