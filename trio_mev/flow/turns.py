"""In which order one consumer took what came to it, kept to in a replay; ``journal.py`` wrote it
down.

What the journal has nothing of is taken in the order in which it comes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import trio

from .outstanding import Outstanding


class Script(Protocol):
    """What a tape has of one consumer's order, as far as it has been read ahead."""

    given_up: Callable[[Sequence[str]], None] | None
    """Is told of names that the tape has come to and that nobody waits for any longer."""

    def next_of(self, name: str) -> str | None:
        """What was taken directly after this; None where the tape does not say."""
        ...

    def knows(self, name: str) -> bool:
        """Whether the tape says after what this was taken."""
        ...

    def done(self, name: str) -> None:
        """It has been taken."""
        ...


@attrs.define(eq=False)
class _Taken:
    name: str
    begin: Callable[[], None]
    event: bool


class Turns:
    """Has a consumer take one after the other what comes to it, as it did live.

    What the tape says nothing of is taken in the order in which it comes, behind what is due.

    Args:
        script: what the tape says.
        outstanding: where it is counted who waits for what only the tape can bring.
    """

    def __init__(self, script: Script, outstanding: Outstanding) -> None:
        self._script = script
        self._outstanding = outstanding
        self._last = ""
        self._event = False
        """Whether an event is in work or about to be."""
        self._starting: _Taken | None = None
        """What was let go and has not gone on yet."""
        self._released = False
        self._waiting: deque[_Taken] = deque()
        self._overdue: deque[_Taken] = deque()
        """What the tape has come to the turn of, in its order; it comes before what waits."""
        self._held: dict[str, _Taken] = {}
        """What is due after something that has not been taken yet."""
        script.given_up = self._give_up

    def offer(self, name: str, begin: Callable[[], None]) -> None:
        """An event is there; ``begin`` puts it before the consumer when it is its turn."""
        self._add(_Taken(name, begin, event=True))

    def begun(self) -> None:
        """The consumer has begun with the event."""
        self._starting = None
        self._go_on()

    def finished(self) -> None:
        """The consumer has finished with the event, or refused it."""
        if self._event:
            self._event = False
            if self._starting is not None and self._starting.event:
                self._starting = None
            self._go_on()

    async def turn(self, name: str) -> None:
        """Return when it is the turn of this, which is no event."""
        there = trio.Event()
        taken = _Taken(name, there.set, event=False)
        self._add(taken)
        self._outstanding.held += 1
        try:
            await there.wait()
        finally:
            self._outstanding.held -= 1
            if self._starting is taken:
                self._starting = None
            elif self._held.get(name) is taken:
                del self._held[name]
            elif not there.is_set():
                (self._overdue if taken in self._overdue else self._waiting).remove(taken)
            self._go_on()

    def release(self) -> None:
        """Let everybody go on at once, from now on too: nothing more will come."""
        self._released = True
        left = [*self._overdue, *self._held.values(), *self._waiting]
        self._overdue.clear()
        self._held.clear()
        self._waiting.clear()
        for taken in left:
            taken.begin()

    def _add(self, taken: _Taken) -> None:
        if self._released:
            taken.begin()
            return
        if self._script.knows(taken.name) and taken.name not in self._held:
            self._held[taken.name] = taken
        else:
            self._waiting.append(taken)
        self._go_on()

    def _go_on(self) -> None:
        while self._starting is None and (taken := self._due()) is not None:
            if taken.event and self._event:
                return
            if self._held.get(taken.name) is taken:
                del self._held[taken.name]
            else:
                (self._overdue or self._waiting).popleft()
            if taken.name not in self._held:
                self._script.done(taken.name)
            self._last, self._starting = taken.name, taken
            self._event |= taken.event
            taken.begin()

    def _due(self) -> _Taken | None:
        """What comes next, if it is there."""
        name = self._script.next_of(self._last)
        if name is not None:
            return self._held.get(name)
        left = self._overdue or self._waiting
        return left[0] if left else None

    def _give_up(self, names: Sequence[str]) -> None:
        self._overdue += [self._held.pop(name) for name in names if name in self._held]
        self._go_on()
