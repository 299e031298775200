"""What a processor may ask a node, without knowing of sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import attrs


@attrs.define(eq=False)
class Question:
    """What a task asks a node, where its place among others matters."""

    name: str
    """Tells it from all others, those that ask the same among them."""
    sent: Callable[[str, int], None]
    """Is told by which feed it was sent and under which number; of several the first."""
    answered_at: tuple[float, float] | None = None
    """When the answer came by the feed's socket: seconds, and its place among the feed's events.
    None where it came by another way."""


asking: ContextVar[Question | None] = ContextVar("asking", default=None)
"""What a task waits for an answer to; it has a turn of its own when it is there."""


class Rpc(Protocol):
    """JSON-RPC calls. Replies pass by the lanes of events."""

    @property
    def peer(self) -> object | None:
        """What stands for the connection that a call would go through now: equal as long as it is
        the same one. None where there is none."""
        ...

    async def call(
        self,
        method: str,
        params: Sequence[Any] = (),
        kind: Any = Any,
        within: float | None = None,
    ) -> Any:
        """The result of one call.

        Args:
            method: such as ``eth_call``.
            params: its parameters, as JSON has them.
            kind: the type that the result must have; anything by default.
            within: seconds for the answer; the client's own where it is None.

        Raises:
            RpcFailed: the node answers with an error, whose code and data it carries.
            RpcTimeout: there was no answer in time.
            StreamConnectionError: there is no connection whose node has proven to be of the
                chain, or it was lost, or replaced as planned, before the answer: call again.
            MalformedFrame: the result is not of that kind.
        """
        ...

    async def batch(
        self,
        calls: Sequence[tuple[str, Sequence[Any]]],
        within: float | None = None,
    ) -> list[Any]:
        """The results of several calls in one message, in their order.

        In place of a result stands an ``RpcFailed`` where that call alone failed.

        Raises:
            RpcTimeout, StreamConnectionError: as ``call``.
            ValueError: there are more than 1000 calls.
        """
        ...
