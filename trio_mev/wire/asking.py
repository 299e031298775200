"""Questions to a node that are under way: asked again after a while, and given up at last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from .limits import pause

BY_HASH = "eth_getBlockByHash"
BY_NUMBER = "eth_getBlockByNumber"
LOGS = "eth_getLogs"


@attrs.frozen
class Question:
    """One request, known by what it asks and not by an id: a tape's ids are its own."""

    method: str
    text: str
    """The parameters as JSON."""

    @classmethod
    def of(cls, method: str, params: Sequence[Any]) -> Question:
        """The question with these parameters."""
        return cls(method, msgspec.json.encode(params).decode())

    @property
    def params(self) -> list[Any]:
        """The parameters."""
        made: list[Any] = msgspec.json.decode(self.text)
        return made


@attrs.define(eq=False)
class _State:
    due: float
    attempts: int
    failures: int = 0
    resting: bool = False
    """Whether it is not under way, and to be asked again when it is due."""


class Desk:
    """The questions of one connection that have no answer yet.

    Args:
        timeout: seconds that an answer may take.
        attempts: how often one is asked before it is given up.
        jitter: draws from 0 to below 1 for each pause.
    """

    def __init__(self, timeout: float, attempts: int, jitter: Callable[[], float]) -> None:
        self._timeout = timeout
        self._attempts = attempts
        self._jitter = jitter
        self._open: dict[Question, _State] = {}
        self._to_send: list[Question] = []

    def __contains__(self, question: object) -> bool:
        return question in self._open

    def count(self, method: str) -> int:
        """How many of a method have no answer yet."""
        return sum(question.method == method for question in self._open)

    def ask(self, question: Question, now: float, once: bool = False) -> None:
        """Ask, unless the same is asked already.

        Args:
            question: what.
            now: the time.
            once: whether it is given up at the first failure.
        """
        if question not in self._open:
            attempts = 1 if once else self._attempts
            self._open[question] = _State(now + self._timeout, attempts)
            self._to_send.append(question)

    def answered(self, question: Question) -> bool:
        """Whether somebody waits for this answer; nobody does from now on."""
        return self._open.pop(question, None) is not None

    def failed(self, question: Question, now: float, again: bool) -> bool:
        """A question was answered with an error: whether it is given up.

        Args:
            question: one that is open.
            now: the time.
            again: whether asking again may help.
        """
        state = self._open[question]
        state.failures += 1
        if not again or state.failures >= state.attempts:
            del self._open[question]
            return True
        state.resting = True
        state.due = now + pause(state.failures, self._jitter())
        return False

    def next_due(self) -> float | None:
        """When ``expire`` has something to do."""
        return min((state.due for state in self._open.values()), default=None)

    def expire(self, now: float) -> list[Question]:
        """Those that had no answer in time and are given up; others are asked again."""
        given_up: list[Question] = []
        for question, state in list(self._open.items()):
            if state.due > now:
                continue
            if not state.resting:
                state.failures += 1
                if state.failures >= state.attempts:
                    del self._open[question]
                    given_up.append(question)
                    continue
            state.resting = False
            state.due = now + self._timeout
            self._to_send.append(question)
        return given_up

    def to_send(self) -> list[Question]:
        """What is to be sent now, each once."""
        sending, self._to_send = self._to_send, []
        return [question for question in sending if question in self._open]
