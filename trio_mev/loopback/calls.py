"""Processors' calls to a node that a tape plays: answered when the tape comes to the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import attrs
import msgspec
import trio
import trio.testing
from msgspec import UNSET
from trio_websocket import ConnectionClosed, WebSocketConnection

from ..errors import DataStreamError, MalformedFrame
from ..flow.status import FeedStatus
from ..flow.unmatched import count_unmatched
from ..wire.jsonrpc import Message, SentRequest, parse_requests
from ..wire.node import EthereumSession
from ..wire.order import parse_taken
from ..wire.recorded import KEPT, RecordedCall, RecordedCalls, call_key
from ..wire.sessions import replay_session
from ..wire.tape import FeedHeader, Record

NOT_THERE = -32001
"""EIP-1474's code for what is not found."""
SEND_TIMEOUT = 10.0
_JSON = msgspec.json.Encoder()


@attrs.define(eq=False)
class _Question:
    ws: WebSocketConnection
    requests: Sequence[SentRequest]
    batch: bool
    otherwise: str | None
    """The answer where it is not on the tape."""
    recorded: RecordedCall | None = None

    @property
    def over(self) -> bool:
        return self.recorded is None or self.recorded.over

    def answer(self) -> str | None:
        """What the node said, under the numbers of who asked; None where it said nothing."""
        if self.recorded is None and self.otherwise is not None:
            return self.otherwise
        if self.recorded is None:
            text = f"the tape does not have this call: {self.requests[0].method}"
            error = {"code": NOT_THERE, "message": text}
            bodies = [{"jsonrpc": "2.0", "id": one.id, "error": error} for one in self.requests]
        elif self.recorded.lost:
            return None
        else:
            said = [self.recorded.answers[number] for number in self.recorded.numbers]
            bodies = [_body(*both) for both in zip(self.requests, said, strict=True)]
        return _JSON.encode(bodies if self.batch else bodies[0]).decode()


def _body(asked: SentRequest, said: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": asked.id}
    if said.error is not None:
        body["error"] = said.error
    elif said.result is not UNSET:
        body["result"] = said.result
    return body


@attrs.define(eq=False)
class PlayedCalls:
    """Answers what is asked over sockets with what the tapes hold of it.

    Args:
        headers: of the tapes' feeds.
        visitors: the connections of those who may ask.
    """

    headers: Mapping[str, FeedHeader]
    visitors: Callable[[], Sequence[WebSocketConnection]]
    statuses: Mapping[str, FeedStatus] = {}
    """Of the feeds of who asks, where calls that no tape has are counted."""
    asked: Callable[[], int] | None = None
    """How many messages were sent here, where that is known: then it is waited for that none is on
    its way."""
    names: Mapping[int, str] = {}
    """Of who has asked under a number here, where that is known."""
    taken: int = 0
    """How many have come."""
    _recorded: RecordedCalls = attrs.Factory(RecordedCalls)
    _sessions: dict[tuple[int, str], EthereumSession] = attrs.Factory(dict)
    """What understands a node's answers to calls, for each life on a tape."""
    _fresh: list[tuple[str, _Question]] = attrs.Factory(list)
    _waiting: list[_Question] = attrs.Factory(list)

    # The tape.

    def read_ahead(self, tape: int, record: Record, at: float) -> None:
        """A frame that was sent to the node, which the tape will come to at this time."""
        self._recorded.read_ahead(tape, record, at)

    def name(self, tape: int, record: Record) -> None:
        """The tape may say who asked; behind the frame that was sent."""
        with suppress(MalformedFrame):
            taken = parse_taken(record.frame)
            if taken.call is not None:
                self._recorded.name(tape, record.feed, taken.call, taken.taken[0])

    def sent(self, tape: int, record: Record, at: float) -> None:
        """The tape has come to the next frame that was sent to the node."""
        session = self._sessions.get((tape, record.feed))
        if session is None:
            made = replay_session(record.feed, self.headers[record.feed])
            assert isinstance(made, EthereumSession)
            session = self._sessions[tape, record.feed] = made
        session.sent(record.frame)
        call = self._recorded.sent(tape, record.feed, at)
        if call is not None:
            session.overhear(call.numbers, call.answered)

    def replied(self, tape: int, record: Record) -> None:
        """The tape has come to something that the node said to who had asked."""
        session = self._sessions.get((tape, record.feed))
        if session is not None:
            try:
                session.receive(record.frame, 0.0, 0)
            except DataStreamError:  # it refused a subscription: whoever visits is told so as well
                return

    def closed(self, tape: int, feed: str) -> None:
        """A recorded connection has ended."""
        session = self._sessions.pop((tape, feed), None)
        if session is not None:
            session.finish()

    # Who asks.

    def take(
        self, name: str, ws: WebSocketConnection, frame: str, otherwise: str | None = None
    ) -> bool:
        """Take a visitor's frame, if it is a request.

        Args:
            name: of the feed.
            ws: the visitor's connection.
            frame: what came.
            otherwise: the answer where it is not on the tape; without one it is a processor's call,
                and an error is.
        """
        try:
            requests = parse_requests(frame.encode())
        except MalformedFrame:
            requests = []
        if not requests:
            return False
        self.taken += otherwise is None
        question = _Question(ws, requests, frame.startswith("["), otherwise)
        self._fresh.append((name, question))
        return True

    def match(self) -> bool:
        """Find, for what was asked since the last time, what is on the tapes; whether anything of
        it can be answered at once."""
        fresh, self._fresh = self._fresh, []
        now = trio.current_time()
        for name, one in fresh:
            key = call_key([(each.method, each.params) for each in one.requests])
            known = self.names.get(one.requests[0].id, "")
            one.recorded = self._recorded.claim(key, now + KEPT, known)
            unknown = one.recorded is None and one.otherwise is None
            if unknown and name in self.statuses:
                count_unmatched(self.statuses[name], one.requests[0].method)
            self._waiting.append(one)
        return any(one.over for _, one in fresh)

    @property
    def owed(self) -> bool:
        """Whether somebody waits for what the tapes will come to."""
        return bool(self._waiting)

    async def answer(self) -> None:
        """Send what there is an answer to by now, and return when it has arrived."""
        due = [one for one in self._waiting if one.over]
        self._waiting = [one for one in self._waiting if not one.over]
        for one in due:
            text = one.answer()
            if text is not None:
                await _within(one.ws, partial(one.ws.send_message, text))
        for ws in {id(one.ws): one.ws for one in due}.values():
            await _within(ws, ws.ping)

    async def rest(self) -> None:
        """Answer, and return once everybody is blocked and nothing is on its way."""
        await self.answer()
        await trio.testing.wait_all_tasks_blocked()
        while self.asked is not None and self.taken < self.asked():
            visitors = self.visitors()
            if not [await _within(ws, ws.ping) for ws in visitors].count(True):
                self.taken = self.asked()  # who asked has gone
            await trio.testing.wait_all_tasks_blocked()

    def gone(self, ws: WebSocketConnection) -> None:
        """A visitor has left: nobody waits for its answers."""
        self._fresh = [both for both in self._fresh if both[1].ws is not ws]
        self._waiting = [one for one in self._waiting if one.ws is not ws]


async def _within(ws: WebSocketConnection, act: Callable[[], Awaitable[None]]) -> bool:
    """Whether something at a connection could be done; one that does not read is closed."""
    try:
        with trio.move_on_after(SEND_TIMEOUT) as scope:
            await act()
        if scope.cancelled_caught:
            await ws.aclose(1008, "too slow")
    except ConnectionClosed:
        return False
    return not scope.cancelled_caught
