"""What only real sockets show: how long an end takes."""

from __future__ import annotations

import json
import time
from functools import partial

import trio

from tests.support.peer import PeerConnection
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings
from trio_mev.stream import open_stream


def client(port: int, name: str, connection: ConnectionSettings) -> EthereumWebSocketClient:
    endpoint = Endpoint(f"ws://127.0.0.1:{port}")
    made = EthereumSettings(name=name, endpoint=endpoint, connection=connection, pending="off")
    return EthereumWebSocketClient(made)


async def test_the_end_with_hung_peers_takes_less_than_two_seconds(nursery, settings):
    async def hang(stream: trio.SocketStream) -> None:
        peer = PeerConnection(stream)
        await peer.accept()
        request = json.loads(await peer.receive() or "null")
        await peer.send(json.dumps({"id": request["id"], "result": "0x1"}))
        await trio.sleep_forever()

    listeners = await nursery.start(partial(trio.serve_tcp, hang, 0, host="127.0.0.1"))
    port = listeners[0].socket.getsockname()[1]
    feeds = [client(port, f"node {number}", settings) for number in range(4)]
    async with open_stream(feeds):
        for feed in feeds:
            await feed.status.wait_for(FeedState.READY)
        start = time.monotonic()
    assert time.monotonic() - start < 2
    nursery.cancel_scope.cancel()
