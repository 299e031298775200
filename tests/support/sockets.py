"""What tests of sockets share."""

from __future__ import annotations

import ssl

import trio
import trustme
from trio_websocket import ConnectionClosed, WebSocketRequest

from tests.support.peer import PeerConnection
from trio_mev.feeds.transport import FrameSocket
from trio_mev.model.identity import Endpoint

ENDPOINT = Endpoint("ws://peer.test/ws")
"""Where a dialled ``Peer`` seems to be."""


async def collect(socket: FrameSocket, count: int) -> list[bytes]:
    """So many messages, in as many batches as it takes."""
    messages: list[bytes] = []
    while len(messages) < count:
        messages += await socket.receive()
    return messages


async def accept_and_hold(peer: PeerConnection) -> None:
    """A script: nothing but a sound connection."""
    await peer.accept()
    await peer.hold()


async def accept_and_hang(peer: PeerConnection) -> None:
    """A script: accept, and read no more."""
    await peer.accept()
    await trio.sleep_forever()


async def serve_echo(request: WebSocketRequest) -> None:
    """A real server's handler: every message goes back."""
    ws = await request.accept()
    async with ws:
        try:
            while True:
                await ws.send_message(await ws.get_message())
        except ConnectionClosed:
            pass


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """A server's context."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
