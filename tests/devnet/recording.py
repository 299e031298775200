"""The frames of a node's socket during a scenario, each at the scenario's time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
import trio
from trio_websocket import WebSocketConnection

from tests.devnet.deploy import BLOCK_TIME
from tests.devnet.rpc import Hex, Json, open_socket
from tests.devnet.stage import SECOND

SUBSCRIPTIONS = {
    "newHeads": ["newHeads"],
    "pendingFull": ["newPendingTransactions", True],
    "logs": ["logs", {}],
}
"""What is asked for, by the names of the ``frames`` format."""
FRAMES, IDS, TRUTH = "frames.jsonl", "subscriptions.json", "truth.json"
PATIENCE = 30.0
"""Seconds for a frame that the node owes us."""
_STEP = 1_000
"""Nanoseconds between frames of one moment."""


class Recorder:
    """Writes frames as they come, and lets the scenario go on only when it has what it caused."""

    def __init__(self, socket: WebSocketConnection, out: BinaryIO) -> None:
        self.frames = 0
        self._socket = socket
        self._out = out
        self._now = 0
        self._pending: set[Hex] = set()
        self._heads: set[Hex] = set()
        self._logs: Counter[Hex] = Counter()
        self._news = trio.Event()

    async def subscribe(self) -> dict[str, Hex]:
        """The ids of the subscriptions by name."""
        ids: dict[str, Hex] = {}
        for number, (name, params) in enumerate(SUBSCRIPTIONS.items()):
            asked = {"jsonrpc": "2.0", "id": number, "method": "eth_subscribe", "params": params}
            await self._socket.send_message(msgspec.json.encode(asked).decode())
            ids[name] = msgspec.json.decode(await self._socket.get_message())["result"]
        return ids

    async def read(self) -> None:
        """Take in frames until cancelled."""
        while True:
            frame = msgspec.Raw((await self._socket.get_message()).encode())
            self._now += _STEP
            self._out.write(msgspec.json.encode({"t": self._now, "frame": frame}) + b"\n")
            self.frames += 1
            self._note(msgspec.json.decode(frame)["params"]["result"])
            self._news.set()
            self._news = trio.Event()

    def _note(self, result: Json) -> None:
        if "topics" in result:
            self._logs[result["blockHash"]] += 1
        elif "parentHash" in result:
            self._heads.add(result["hash"])
        else:
            self._pending.add(result["hash"])

    async def go_to(self, now: int) -> None:
        """Frames from now on are of this time; it never goes back."""
        self._now = max(self._now, now)

    async def pending(self, transaction: Hex) -> None:
        """Return when the transaction was announced."""
        with trio.fail_after(PATIENCE):
            while transaction not in self._pending:
                await self._news.wait()
        # It may come again after a reorganisation.
        self._pending.discard(transaction)

    async def block(self, block_hash: Hex, logs: int) -> None:
        """Return when the head and all its logs are here."""
        with trio.fail_after(PATIENCE):
            while block_hash not in self._heads or self._logs[block_hash] < logs:
                await self._news.wait()


@asynccontextmanager
async def open_recorder(url: str, folder: Path) -> AsyncIterator[Recorder]:
    """A recorder that writes into a folder while the block lasts.

    Raises:
        FileExistsError: there is a recording already.
    """
    await trio.Path(folder).mkdir(parents=True, exist_ok=True)
    with (folder / FRAMES).open("xb") as out:
        async with open_socket(url) as socket, trio.open_nursery() as nursery:
            recorder = Recorder(socket, out)
            ids = await recorder.subscribe()
            (folder / IDS).write_bytes(msgspec.json.encode(ids))
            nursery.start_soon(recorder.read)
            yield recorder
            nursery.cancel_scope.cancel()


class Pacer:
    """Lets a scenario happen at its own time: a block every twelve seconds."""

    def __init__(self, start: int) -> None:
        self._begin = (start - BLOCK_TIME) * SECOND
        self._origin = trio.current_time()

    async def go_to(self, now: int) -> None:
        """Sleep until then."""
        await trio.sleep_until(self._origin + (now - self._begin) / SECOND)

    async def pending(self, transaction: Hex) -> None:
        """Nothing has to be waited for."""

    async def block(self, block_hash: Hex, logs: int) -> None:
        """Nothing has to be waited for."""
