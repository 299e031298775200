"""JSON-RPC over a node's WebSocket, one request at a time: what a test asks, in plain calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import trio
from trio_websocket import WebSocketConnection, wrap_client_stream

LARGEST = 64 * 2**20
"""A whole state is sent as one message."""
PATIENCE = 30.0
"""Seconds that one request may take; the slowest, a trace of a large block, takes 11."""

Hex = str
Json = dict[str, Any]


class RpcError(Exception):
    """The node's refusal, with its code and data."""

    def __init__(self, method: str, error: Json) -> None:
        super().__init__(f"{method}: {error.get('message')} ({error.get('code')})")
        self.code: int = error.get("code", 0)
        self.data: Any = error.get("data")


class Rpc:
    """A client with one socket; several tasks may share it, and take turns."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self._turn = trio.Lock()
        self._asked = 0

    async def call(self, method: str, *params: Any) -> Any:
        """The result.

        Raises:
            RpcError: the node refuses.
            trio.TooSlowError: it does not answer.
        """
        (reply,) = await self._exchange([(method, params)], single=True)
        return _result(method, reply)

    async def batch(
        self, calls: Iterable[tuple[str, list[Any]]], refusals: bool = False
    ) -> list[Any]:
        """The results of several calls in one message, in their order; errors as in ``call``.

        The node works on them at the same time, so none may depend on another. Where refusals
        are awaited, None takes their place.
        """
        asked = [(method, tuple(params)) for method, params in calls]
        if not asked:
            return []
        replies = await self._exchange(asked, single=False)
        if refusals:
            return [reply.get("result") for reply in replies]
        return [_result(method, reply) for (method, _), reply in zip(asked, replies, strict=True)]

    async def _exchange(self, calls: list[tuple[str, tuple[Any, ...]]], single: bool) -> list[Json]:
        async with self._turn:
            first = self._asked
            self._asked += len(calls)
            messages = [
                {"jsonrpc": "2.0", "id": first + n, "method": method, "params": params}
                for n, (method, params) in enumerate(calls)
            ]
            body = msgspec.json.encode(messages[0] if single else messages)
            with trio.fail_after(PATIENCE):
                await self._socket.send_message(body.decode())
                return await self._replies(first, len(calls))

    async def _replies(self, first: int, count: int) -> list[Json]:
        """The replies to these ids; others answer requests whose caller was cancelled."""
        while True:
            message = msgspec.json.decode(await self._socket.get_message())
            replies = message if isinstance(message, list) else [message]
            found = {reply["id"]: reply for reply in replies}
            if first in found:
                return [found[first + number] for number in range(count)]

    async def number(self, method: str, *params: Any) -> int:
        """A result that is a quantity."""
        return int(await self.call(method, *params), 16)


def _result(method: str, reply: Json) -> Any:
    if "error" in reply:
        raise RpcError(method, reply["error"])
    return reply["result"]


@asynccontextmanager
async def open_socket(url: str) -> AsyncIterator[WebSocketConnection]:
    """A WebSocket to the node, on a stream that is closed whichever side ends it."""
    where = urlsplit(url)
    assert where.hostname is not None
    assert where.port is not None
    stream = await trio.open_tcp_stream(where.hostname, where.port)
    try:
        async with trio.open_nursery() as nursery:
            socket = await wrap_client_stream(
                nursery, stream, where.netloc, where.path or "/", max_message_size=LARGEST
            )
            yield socket
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def open_rpc(url: str) -> AsyncIterator[Rpc]:
    """A client of the node at a WebSocket URL."""
    async with open_socket(url) as socket:
        yield Rpc(socket)
