"""Calls on somebody's behalf, by the socket that a session has for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from .jsonrpc import CALL, Message, Request, RpcBook, RpcError

NOT_ANSWERED = -32603
"""JSON-RPC's code for an error of the server's own."""

Answered = Callable[[int, Message | None], None]
"""Gets a call's number and its reply; None where the life is over."""


@attrs.define(eq=False)
class Calls:
    """Who waits for which reply.

    Args:
        book: the session's requests, whose numbers the calls share.
    """

    book: RpcBook
    _callers: dict[int, Answered] = attrs.Factory(dict)
    _batches: dict[int, tuple[int, ...]] = attrs.Factory(dict)
    """Each number that was asked with others to all of these."""

    def ask(
        self, calls: Sequence[tuple[str, Sequence[object]]], answered: Answered
    ) -> tuple[list[int], str]:
        """The numbers of several calls, and the one frame that asks them."""
        numbers, frame = self.book.calls(calls)
        self.overhear(numbers, answered)
        return numbers, frame

    def overhear(self, numbers: Sequence[int], answered: Answered) -> None:
        """Somebody wants the replies to requests that a tape shows were sent."""
        self._callers.update(dict.fromkeys(numbers, answered))
        if len(numbers) > 1:
            self._batches.update(dict.fromkeys(numbers, tuple(numbers)))

    def forget(self, numbers: Iterable[int]) -> None:
        """Nobody waits for these any more."""
        for number in numbers:
            self._callers.pop(number, None)
            self._batches.pop(number, None)

    def complete(self, messages: Sequence[Message]) -> None:
        """A batch was answered, in one message as the protocol demands: what is not in it will
        not come. A node that refuses a batch as too large answers its first call alone."""
        last = next((message.error for message in reversed(messages) if message.error), None)
        error = last or RpcError(NOT_ANSWERED, "left out of the answer to its batch")
        for message in messages:
            whole = self._batches.get(message.id, ()) if isinstance(message.id, int) else ()
            self._fail(whole, error)

    def refuse(self, message: Message) -> bool:
        """Whether an error that names no call is the answer to a batch: to the only one."""
        batches = set(self._batches.values())
        if len(batches) != 1 or message.error is None:
            return False
        self._fail(batches.pop(), message.error)
        return True

    def _fail(self, numbers: Iterable[int], error: RpcError) -> None:
        for number in numbers:
            self._batches.pop(number, None)
            self.book.called.pop(number, None)
            caller = self._callers.pop(number, None)
            if caller is not None:
                caller(number, Message(id=number, error=error))

    def owns(self, request: Request) -> bool:
        """Whether a request was somebody's."""
        return request.label == CALL

    def settle(self, message: Message) -> bool:
        """Whether anybody waits for a reply; who does gets it."""
        number = message.id
        assert isinstance(number, int)
        caller = self._callers.pop(number, None)
        if caller is None:
            return False
        caller(number, message)
        return True

    def end(self) -> None:
        """The life is over: everybody who waits is told."""
        callers, self._callers = self._callers, {}
        self._batches.clear()
        for number, caller in callers.items():
            caller(number, None)
