"""A way between a feed and a node that hands over one frame at a time.

A node's subscriptions have no order among themselves, and its answers come when they come. Here
the feed gets a frame when it has dealt with the one before and all its questions are answered;
so what a tape shows does not depend on how fast anybody was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import trio
import trio.testing
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    serve_websocket,
)

from tests.devnet.rpc import Hex, Json, open_socket

PATIENCE = 30.0
"""Seconds for a frame that the node owes us, or for the feed to ask all that it has to."""

MOST = 1000
"""Questions that may wait for the one before."""


REST = 0.002
"""Seconds without anything to do after which nothing more follows by itself."""


def name_of(message: Json | list[Json]) -> int:
    """The number of a question or an answer; of several in one message the least."""
    return min(one["id"] for one in message) if isinstance(message, list) else message["id"]


class InStep:
    """Holds back what the node announces until the scenario has it handed over."""

    def __init__(self) -> None:
        self._client: WebSocketConnection | None = None
        self._asked = 0
        self._owed: set[int] = set()
        self._pending: dict[Hex, str] = {}
        self._heads: dict[Hex, str] = {}
        self._logs: dict[Hex, dict[int, str]] = {}
        self.connections = 0
        self.released: Counter[str] = Counter()
        """Frames that were handed over, by kind."""
        self._news = trio.Event()

    async def serve(self, node_url: str, request: WebSocketRequest) -> None:
        """One feed's connection; the node has one of its own for it."""
        client = await request.accept()
        self.connections += 1
        async with client, open_socket(node_url) as node, trio.open_nursery() as nursery:
            self._client = client
            nursery.start_soon(self._down, node, client)
            questions, asked = trio.open_memory_channel[str](MOST)
            nursery.start_soon(self._up, asked, node)
            try:
                while True:
                    message = await client.get_message()
                    self._asked += 1
                    self._owed.add(name_of(msgspec.json.decode(message)))
                    await questions.send(message)
            except ConnectionClosed:
                self._client = None
                nursery.cancel_scope.cancel()

    async def _up(self, asked: trio.MemoryReceiveChannel[str], node: WebSocketConnection) -> None:
        """One question after the other: the node would answer several in any order."""
        async for message in asked:
            number = name_of(msgspec.json.decode(message))
            await node.send_message(message)
            while number in self._owed:
                await self._news.wait()

    async def _down(self, node: WebSocketConnection, client: WebSocketConnection) -> None:
        while True:
            frame = await node.get_message()
            message = msgspec.json.decode(frame)
            if isinstance(message, list) or "id" in message:
                await client.send_message(frame)
                self._owed.discard(name_of(message))
            else:
                self._hold(frame, message["params"]["result"])
            self._news.set()
            self._news = trio.Event()

    def _hold(self, frame: str, result: Json) -> None:
        if "topics" in result:
            self._logs.setdefault(result["blockHash"], {})[int(result["logIndex"], 16)] = frame
        elif "parentHash" in result:
            self._heads[result["hash"]] = frame
        else:
            self._pending[result["hash"]] = frame

    async def pending(self, transaction: Hex) -> None:
        """Hand over the transaction when the node announces it, and what else it announced."""
        with trio.fail_after(PATIENCE):
            while transaction not in self._pending:
                await self._news.wait()
            await self._release_pending()

    async def block(self, block_hash: Hex, logs: int) -> None:
        """Hand over the head, and then its logs in their order."""
        with trio.fail_after(PATIENCE):
            while block_hash not in self._heads or len(self._logs.get(block_hash, ())) < logs:
                await self._news.wait()
            await self._release_pending()
            await self._release("head", self._heads.pop(block_hash))
            for _, frame in sorted(self._logs.pop(block_hash, {}).items()):
                await self._release("log", frame)

    async def _release_pending(self) -> None:
        while self._pending:
            first = next(iter(self._pending))
            await self._release("pending", self._pending.pop(first))

    async def _release(self, kind: str, frame: str) -> None:
        assert self._client is not None, "no feed is connected"
        await self._client.send_message(frame)
        self.released[kind] += 1
        await self.settle()

    async def settle(self) -> None:
        """Return when the feed has dealt with what it was sent, and has all its answers."""
        client = self._client
        assert client is not None, "no feed is connected"
        asked = -1
        while asked != self._asked or self._owed:
            asked = self._asked
            while self._owed:
                await self._news.wait()
            # A pong may overtake the question that the frame before the ping brings about.
            for _ in range(3):
                await client.ping()
            # Who has its answer may have another question.
            await trio.testing.wait_all_tasks_blocked(REST)


@asynccontextmanager
async def open_in_step(node_url: str) -> AsyncIterator[tuple[str, InStep]]:
    """Where a feed connects in place of the node, and what hands over its frames."""
    between = InStep()
    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            partial(serve_websocket, partial(between.serve, node_url), "127.0.0.1", 0, None)
        )
        yield f"ws://127.0.0.1:{server.port}", between
        nursery.cancel_scope.cancel()
