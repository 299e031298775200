"""Calls to a node that is played from a tape: the tape has what it said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import attrs
import trio
import trio.testing

from ..errors import RpcTimeout, RpcUnmatched, StreamConnectionError
from ..flow.rpc import asking
from ..flow.status import FeedStatus
from ..flow.unmatched import count_unmatched
from ..wire.jsonrpc import Message
from ..wire.recorded import RecordedCall, RecordedCalls, call_key
from .rpc import Messages, named

_history: ContextVar[bytes] = ContextVar("history", default=b"")
"""All that a task has asked so far, and the tasks that it came from before it began.

Trio runs tasks in any order. Who asks the same as another at the same time is told from it by
this, so that both get the same answers in each replay."""


@attrs.define(eq=False)
class _Question:
    history: bytes
    key: bytes
    name: str
    scope: trio.CancelScope
    limit: float
    matched: bool = False
    recorded: RecordedCall | None = None
    news: trio.Event = attrs.Factory(trio.Event)

    @property
    def answerable(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.matched and (self.recorded is None or self.recorded.over)

    def moved(self) -> None:
        """The tape has come to where it was sent, answered or lost."""
        assert self.recorded is not None
        if self.recorded.sent:
            # Who asked when the tape was recorded may have done so a little later.
            self.scope.deadline = max(self.scope.deadline, self.recorded.at + self.limit)
        if self.recorded.over:
            self.news.set()


class TapeRpc(Messages):
    """Calls whose answers come when the tape comes to them.

    Each is matched with the first recorded one that asks the same and that nobody has asked for
    yet. The answer is the recorded one, whatever it was: a result, an error, silence, or the loss
    of the connection. What the tape does not have is an error of its own.

    Args:
        calls: those of the tapes.
        tapes: their names.
        status: of the feed under which what does not match is counted.
    """

    def __init__(self, calls: RecordedCalls, tapes: str, status: FeedStatus) -> None:
        super().__init__()
        self.over = False
        """Whether the tape has ended: nothing is answered any more."""
        self._calls = calls
        self._tapes = tapes
        self._status = status
        self._lives: dict[tuple[int, str], int] = {}
        self._count = 0
        self._fresh: list[_Question] = []
        self._waiting: set[_Question] = set()

    # The connection, as it was.

    def opened(self, tape: int, feed: str) -> None:
        """A recorded connection to a node begins."""
        self._count += 1
        self._lives[tape, feed] = self._count

    def used(self, tape: int, feed: str) -> None:
        """Something was sent by it: a tape may begin in the middle of its life."""
        if (tape, feed) not in self._lives:
            self.opened(tape, feed)

    def closed(self, tape: int, feed: str) -> None:
        """It has ended."""
        self._lives.pop((tape, feed), None)

    @property
    def peer(self) -> object | None:
        """As ``Rpc.peer``: the life of a connection to a node on the tape."""
        return next(iter(self._lives.values()), None)

    # Who waits.

    async def rest(self) -> None:
        """Return once everybody is blocked."""
        await trio.testing.wait_all_tasks_blocked()

    @property
    def owed(self) -> bool:
        """Whether somebody waits for what the tape will come to."""
        return any(not one.answerable for one in self._waiting)

    def match(self) -> bool:
        """Find, for what was asked since the last time, what is on the tape; whether anybody can
        go on at once."""
        fresh, self._fresh = self._fresh, []
        fresh.sort(key=lambda one: (one.history, one.key))
        at_once = False
        for one in fresh:
            one.matched = True
            one.recorded = found = self._calls.claim(one.key, one.scope.deadline, one.name)
            if found is None:
                one.news.set()
            else:
                found.moved = one.moved
                one.moved()
            at_once |= one.answerable
        return at_once

    def end(self) -> None:
        """The tape is over: nobody waits any longer."""
        self.over = True
        for one in (*self._fresh, *self._waiting):
            one.news.set()
        self._fresh.clear()

    async def ask(self, calls: Sequence[tuple[str, Sequence[Any]]], limit: float) -> list[Message]:
        """As ``Messages.ask``.

        Raises:
            RpcUnmatched: the tape does not have it.
        """
        if self.peer is None or self.over:
            await trio.lowlevel.checkpoint()
            raise StreamConnectionError("there is no connection to call through")
        key, history = call_key(calls), _history.get()
        with trio.move_on_after(limit) as scope:
            question = asking.get()
            name = "" if question is None else question.name
            one = _Question(history, key, name, scope, limit)
            self._fresh.append(one)
            self._waiting.add(one)
            try:
                await one.news.wait()
            finally:
                self._leave(one)
        _history.set(hashlib.blake2b(history + key, digest_size=16).digest())
        if scope.cancelled_caught:
            raise RpcTimeout(f"{named(calls)}: no answer within {limit:g} s")
        return self._outcome(one, calls)

    def _leave(self, one: _Question) -> None:
        self._waiting.discard(one)
        if one in self._fresh:
            self._fresh.remove(one)
        if one.recorded is not None:
            one.recorded.moved = None

    def _outcome(self, one: _Question, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Message]:
        recorded = one.recorded
        if recorded is not None and recorded.over and not recorded.lost:
            return [recorded.answers[number] for number in recorded.numbers]
        if recorded is not None or self.over:
            raise StreamConnectionError("the connection was lost before the answer")
        count_unmatched(self._status, named(calls))
        raise RpcUnmatched(named(calls), self._tapes)
