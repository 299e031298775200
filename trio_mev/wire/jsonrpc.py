"""JSON-RPC 2.0 over a socket, as Ethereum nodes speak it: requests out, replies matched by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..errors import MalformedFrame
from .session import decode


class RpcError(msgspec.Struct):
    """The error object of a reply."""

    code: int
    message: str = ""
    data: Any = None
    """What the node adds, such as the reason of a revert."""


class Notification(msgspec.Struct):
    """The parameters of an ``eth_subscription`` message."""

    subscription: str
    result: Raw


class Message(msgspec.Struct):
    """A reply or a notification."""

    id: int | str | None = None
    method: str = ""
    params: Notification | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: RpcError | None = None
    """Some nodes write null beside every result."""


class SentRequest(msgspec.Struct):
    """A request as a tape shows it."""

    id: int
    method: str
    params: list[Any] = []


MAX_PENDING = 10_000
CALL = "call"
"""The label of what is asked on somebody's behalf."""
_BATCH = msgspec.json.Decoder(list[Message])
_MESSAGE = msgspec.json.Decoder(Message)
_REQUEST = msgspec.json.Decoder(SentRequest)
_REQUESTS = msgspec.json.Decoder(list[SentRequest])


@attrs.frozen
class Request:
    """What was asked, for whoever reads the reply."""

    method: str
    params: tuple[Any, ...]
    label: str = ""
    """The subscription that it asks for, if it does."""


def parse_message(frame: bytes) -> Message:
    """A reply or notification.

    Raises:
        MalformedFrame: it is neither.
    """
    return decode(_MESSAGE, frame)


def parse_batch(frame: bytes) -> list[Message]:
    """The replies to a batch.

    Raises:
        MalformedFrame: it is none.
    """
    replies = decode(_BATCH, frame)
    if not replies:
        raise MalformedFrame("wrong_shape", "an empty batch")
    return replies


def parse_requests(frame: bytes) -> list[SentRequest]:
    """The requests in one frame that was sent.

    Raises:
        MalformedFrame: it is no request, and no batch of some.
    """
    return decode(_REQUESTS, frame) if frame.startswith(b"[") else [decode(_REQUEST, frame)]


@attrs.define(eq=False)
class RpcBook:
    """Requests under way, by id; the oldest of too many that are never answered are forgotten."""

    next_id: int = 1
    pending: dict[int, Request] = attrs.Factory(dict)
    called: dict[int, Request] = attrs.Factory(dict)
    """Those on somebody's behalf: however many they are, they push out none of the session's."""

    def request(self, method: str, params: Sequence[Any], label: str = "") -> tuple[int, str]:
        """A new request's id and frame."""
        number = self.next_id
        self.next_id += 1
        self._await(number, Request(method, tuple(params), label))
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
        return number, msgspec.json.encode(body).decode()

    def calls(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> tuple[list[int], str]:
        """Several requests on somebody's behalf: their ids, and one frame for them all."""
        bodies: list[dict[str, Any]] = []
        for method, params in calls:
            number = self.next_id
            self.next_id += 1
            self._await(number, Request(method, tuple(params), CALL))
            bodies.append(
                {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            )
        frame = msgspec.json.encode(bodies[0] if len(bodies) == 1 else bodies).decode()
        return [body["id"] for body in bodies], frame

    def learn(self, frame: bytes) -> list[tuple[int, Request]]:
        """Requests that a tape shows were sent, with their ids, by which their replies are known.

        Raises:
            MalformedFrame: it is no request, and no batch of some.
        """
        learned: list[tuple[int, Request]] = []
        for sent in parse_requests(frame):
            request = Request(sent.method, tuple(sent.params))
            self._await(sent.id, request)
            self.next_id = max(self.next_id, sent.id + 1)
            learned.append((sent.id, request))
        return learned

    def _await(self, number: int, request: Request) -> None:
        waiting = self.called if request.label == CALL else self.pending
        if len(waiting) >= MAX_PENDING:
            del waiting[next(iter(waiting))]
        waiting[number] = request

    def hand_over(self, number: int) -> None:
        """A request that a tape shows was sent on somebody's behalf."""
        self._await(number, attrs.evolve(self.pending.pop(number), label=CALL))

    def settle(self, message: Message) -> Request:
        """The request that a reply answers; it is no longer pending.

        Raises:
            MalformedFrame: ``error_without_id``, ``unknown_reply`` or ``unknown_message``.
        """
        if message.id is None:
            if message.error is not None:
                text = f"{message.error.code} {message.error.message[:200]}"
                raise MalformedFrame("error_without_id", text)
            raise MalformedFrame("unknown_message", message.method[:40])
        if isinstance(message.id, int):
            for waiting in (self.pending, self.called):
                if message.id in waiting:
                    return waiting.pop(message.id)
        raise MalformedFrame("unknown_reply", str(message.id)[:40])
