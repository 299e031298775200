"""Calls on somebody's behalf, by the socket that a session has for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from .jsonrpc import CALL, Message, Request, RpcBook

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

    def ask(
        self, calls: Sequence[tuple[str, Sequence[object]]], answered: Answered
    ) -> tuple[list[int], str]:
        """The numbers of several calls, and the one frame that asks them."""
        numbers, frame = self.book.calls(calls)
        self._callers.update(dict.fromkeys(numbers, answered))
        return numbers, frame

    def forget(self, numbers: Iterable[int]) -> None:
        """Nobody waits for these any more."""
        for number in numbers:
            self._callers.pop(number, None)

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
        for number, caller in callers.items():
            caller(number, None)
