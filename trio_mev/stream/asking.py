"""A processor's calls to a node, whose answers have their place among its events."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Sequence
from contextvars import ContextVar
from itertools import chain, count
from typing import Any, TypeVar

from ..errors import DataStreamError
from ..flow.lanes import Lanes
from ..flow.rpc import Question, Rpc, asking
from ..flow.steps import besides
from ..wire.recorded import call_key

T = TypeVar("T")

_history: ContextVar[bytes] = ContextVar("asked", default=b"")
"""All that a task has asked so far, and the tasks that it came from before it began: it tells its
answers from those that others get to the same questions."""


class ConsumerRpc:
    """As the ``Rpc`` behind it. While a tape is recorded, what comes of a call is noted in its
    place among the processor's events; while one is played, it comes in that place.

    Args:
        rpc: who asks.
        lanes: the processor's.
    """

    def __init__(self, rpc: Rpc, lanes: Lanes) -> None:
        self.node = rpc
        """Who answers."""
        self._lanes = lanes
        self._under_way: set[str] = set()

    @property
    def peer(self) -> object | None:
        """As ``Rpc.peer``."""
        return self.node.peer

    async def call(
        self,
        method: str,
        params: Sequence[Any] = (),
        kind: Any = Any,
        within: float | None = None,
    ) -> Any:
        """As ``Rpc.call``."""
        return await self._ask([(method, params)], self.node.call(method, params, kind, within))

    async def batch(
        self,
        calls: Sequence[tuple[str, Sequence[Any]]],
        within: float | None = None,
    ) -> list[Any]:
        """As ``Rpc.batch``."""
        return await self._ask(calls, self.node.batch(calls, within))

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]], asked: Awaitable[T]) -> T:
        if not self._lanes.in_turn:
            return await asked
        history = hashlib.blake2b(_history.get() + call_key(calls), digest_size=8)
        _history.set(history.digest())
        name = self._unused(f"answer:{self._lanes.steps}:{history.hexdigest()}")
        question = Question(name, self._sent)
        self._under_way.add(name)
        before = asking.set(question)
        try:
            try:
                found = await asked
            except DataStreamError:
                await self._lanes.answered(question, besides.get())
                raise
            await self._lanes.answered(question, besides.get())
            return found
        finally:
            asking.reset(before)
            self._under_way.discard(name)

    def _unused(self, name: str) -> str:
        """A name that no other has that is under way: of two tasks that have always asked the same
        nothing says which is which."""
        numbered = (f"{name}~{number}" for number in count(2))
        return next(one for one in chain((name,), numbered) if one not in self._under_way)

    def _sent(self, feed: str, number: int) -> None:
        question = asking.get()
        assert question is not None
        self._lanes.asked(question, feed, number)
