"""Calls to a node through the socket that its events come by."""

from __future__ import annotations

import abc
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import trio

from ..errors import MalformedFrame, RpcFailed, RpcTimeout, StreamConnectionError
from ..flow.rpc import asking
from ..wire.jsonrpc import Message
from ..wire.node import EthereumSession
from ..wire.session import decode

CALLS = 16
"""At once; more wait for their turn."""
TIMEOUT = 10.0
MOST = 1000
"""Calls in one batch; nodes take fewer by default."""


class Flushes(Protocol):
    """A connection that sends what its session wants sent."""

    def flush(self) -> None:
        """Send it."""
        ...


class Messages(abc.ABC):
    """Calls, one or several in a message, whoever answers them.

    Args:
        timeout: seconds for one message.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout

    async def call(
        self,
        method: str,
        params: Sequence[Any] = (),
        kind: Any = Any,
        within: float | None = None,
    ) -> Any:
        """As ``Rpc.call``."""
        (message,) = await self.ask([(method, params)], self._limit_of(within))
        return result_as(message, kind)

    async def batch(
        self,
        calls: Sequence[tuple[str, Sequence[Any]]],
        within: float | None = None,
    ) -> list[Any]:
        """As ``Rpc.batch``."""
        if not calls:
            return []
        if len(calls) > MOST:
            raise ValueError(f"{len(calls)} calls in one batch; at most {MOST} are")
        found: list[Any] = []
        for message in await self.ask(calls, self._limit_of(within)):
            result = result_of(message)
            found.append(result if isinstance(result, RpcFailed) else decode(_ANY, result))
        return found

    def _limit_of(self, within: float | None) -> float:
        return self._timeout if within is None else within

    @abc.abstractmethod
    async def ask(self, calls: Sequence[tuple[str, Sequence[Any]]], limit: float) -> list[Message]:
        """The replies to a message's calls, in their order.

        Raises:
            RpcTimeout, StreamConnectionError: as ``Rpc.call``.
        """


class SocketRpc(Messages):
    """Calls by whatever connection there is at the moment.

    Args:
        calling: the session to call through and its connection; None where there is none.
        calls: how many messages may be under way at once.
        timeout: seconds for one, the wait for its turn included.
    """

    def __init__(
        self,
        calling: Callable[[], tuple[EthereumSession, Flushes] | None],
        calls: int = CALLS,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(timeout)
        self.sent = 0
        """Messages so far."""
        self.names: dict[int, str] = {}
        """Of those that are under way, by their first numbers, where they have names."""
        self._calling = calling
        self._limit = trio.CapacityLimiter(calls)

    @property
    def under_way(self) -> int:
        """Messages that have no answer yet."""
        return self._limit.borrowed_tokens

    @property
    def peer(self) -> object | None:
        """As ``Rpc.peer``: what stands for the connection's life, and keeps nothing of it."""
        found = self._calling()
        return None if found is None else weakref.ref(found[0])

    async def ask(self, calls: Sequence[tuple[str, Sequence[Any]]], limit: float) -> list[Message]:
        """As ``Messages.ask``."""
        with trio.move_on_after(limit):
            async with self._limit:
                return await self._under_way(calls)
        raise RpcTimeout(f"{named(calls)}: no answer within {limit:g} s")

    async def _under_way(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Message]:
        found = self._calling()
        if found is None:
            raise StreamConnectionError("there is no connection to call through")
        session, connection = found
        answers: dict[int, Message] = {}
        question = asking.get()
        over = trio.Event()

        def answered(number: int, message: Message | None) -> None:
            if message is not None:
                answers[number] = message
            if message is None or len(answers) == len(numbers):
                if question is not None:
                    question.answered_at = session.moment
                over.set()

        numbers = session.call(calls, answered)
        self.sent += 1
        try:
            connection.flush()
            if question is not None:
                self.names[numbers[0]] = question.name
                question.sent(session.source, numbers[0])
            await over.wait()
        finally:
            self.names.pop(numbers[0], None)
            session.forget(numbers)
        if len(answers) < len(numbers):
            raise StreamConnectionError("the connection was lost before the answer")
        return [answers[number] for number in numbers]


def named(calls: Sequence[tuple[str, Sequence[Any]]]) -> str:
    """What a message asks, in words."""
    return calls[0][0] if len(calls) == 1 else f"a batch of {len(calls)} calls"


_ANY = msgspec.json.Decoder(Any)


def result_as(message: Message, kind: Any) -> Any:
    """A reply's result, of a kind; a refusal is raised.

    Raises:
        RpcFailed: the node answers with an error.
        MalformedFrame: the result is not of that kind.
    """
    result = result_of(message)
    if isinstance(result, RpcFailed):
        raise result
    return decode(msgspec.json.Decoder(kind), result)


def result_of(message: Message) -> bytes | RpcFailed:
    """What a reply brings, in JSON; or why it brings nothing.

    Raises:
        MalformedFrame: it says neither.
    """
    error = message.error
    if error is not None:
        return RpcFailed(error.code, error.message, error.data)
    if message.result is msgspec.UNSET:
        raise MalformedFrame("wrong_shape", "a reply with neither result nor error")
    return bytes(message.result)
