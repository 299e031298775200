"""What only real sockets show: descriptors, and how long an end takes."""

from __future__ import annotations

import json
import os
import time
from functools import partial

import trio
from trio_websocket import ConnectionClosed, WebSocketRequest, serve_websocket

from tests.support.books import assert_balanced
from tests.support.peer import PeerConnection
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings
from trio_mev.stream import open_stream

QUICK = ConnectionSettings(first_delay=0.001, max_delay=0.002, subscribe_interval=0)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def client(port: int, name: str = "node", **settings: object) -> EthereumWebSocketClient:
    endpoint = Endpoint(f"ws://127.0.0.1:{port}")
    made = EthereumSettings(name=name, endpoint=endpoint, connection=QUICK, pending="off")
    return EthereumWebSocketClient(made)


async def confirm(ws) -> None:
    request = json.loads(await ws.get_message())
    await ws.send_message(json.dumps({"id": request["id"], "result": "0x1"}))


async def test_a_hundred_reconnects_leave_no_descriptor_and_no_task(nursery):
    enough = trio.Event()
    served = 0

    async def confirm_and_hang_up(request: WebSocketRequest) -> None:
        nonlocal served
        ws = await request.accept()
        async with ws:
            try:
                await confirm(ws)
            except ConnectionClosed:
                return
            served += 1
            if served == 100:
                enough.set()

    server = await nursery.start(serve_websocket, confirm_and_hang_up, "127.0.0.1", 0, None)
    before = descriptors()
    tasks = trio.lowlevel.current_statistics().tasks_living
    feed = client(server.port)
    async with open_stream([feed]) as stream:
        await enough.wait()
    assert feed.status.connections >= 100
    assert_balanced(stream)
    # The server's own ends close a moment later than ours.
    with trio.fail_after(10):
        while descriptors() > before or trio.lowlevel.current_statistics().tasks_living > tasks:
            await trio.testing.wait_all_tasks_blocked(0.01)
    nursery.cancel_scope.cancel()


async def test_the_end_with_hung_peers_takes_less_than_two_seconds(nursery):
    async def hang(stream: trio.SocketStream) -> None:
        peer = PeerConnection(stream)
        await peer.accept()
        request = json.loads(await peer.receive() or "null")
        await peer.send(json.dumps({"id": request["id"], "result": "0x1"}))
        await trio.sleep_forever()

    listeners = await nursery.start(partial(trio.serve_tcp, hang, 0, host="127.0.0.1"))
    port = listeners[0].socket.getsockname()[1]
    feeds = [client(port, f"node {number}") for number in range(4)]
    async with open_stream(feeds):
        for feed in feeds:
            await feed.status.wait_for(FeedState.READY)
        start = time.monotonic()
    assert time.monotonic() - start < 2
    nursery.cancel_scope.cancel()
