"""What goes wrong with connections, on both transports: what is seen, and that it is regained."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket as sockets
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing
import trustme

from tests.support.books import assert_balanced
from tests.support.nodes import HEAD, announce, confirm, listen, note
from tests.support.peer import Peer, PeerConnection
from tests.support.sockets import ENDPOINT, certified, trusting
from trio_mev.errors import StreamConnectionError
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.websocket import Dial, connect, dialer
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings
from trio_mev.stream import RealtimeDataStream, open_stream

ROOT = Path(__file__).parent.parent.parent
QUICK = {"first_delay": 0.001, "max_delay": 0.002, "subscribe_interval": 0.0, "restarts": 10**6}


@pytest.fixture
def quick(settings: ConnectionSettings) -> ConnectionSettings:
    """Lost connections are tried again at once; for real sockets, where time is real."""
    return attrs.evolve(settings, **QUICK)


def node(
    connection: ConnectionSettings, dial: Dial | None = None, endpoint: Endpoint = ENDPOINT
) -> EthereumWebSocketClient:
    settings = EthereumSettings(
        name="node", endpoint=endpoint, connection=connection, pending="off"
    )
    return EthereumWebSocketClient(settings, dial)


def at(port: int) -> Endpoint:
    return Endpoint(f"ws://127.0.0.1:{port}")


@asynccontextmanager
async def running(
    feed: EthereumWebSocketClient, limit: float = 20
) -> AsyncIterator[RealtimeDataStream]:
    """A stream of one feed, for so many seconds at most, whose books balance at the end."""
    with trio.fail_after(limit):
        async with open_stream([feed]) as stream:
            yield stream
    assert_balanced(stream)


# --- the connection is not made


async def test_refused_until_somebody_listens(nursery, quick):
    """A port that is bound but does not listen refuses; nobody else can take it."""
    with sockets.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        feed = node(quick, endpoint=at(bound.getsockname()[1]))
        async with running(feed) as stream:
            heads = stream.subscribe(DataType.BLOCK)
            await feed.status.wait_for(FeedState.WAITING)
            assert "refused" in feed.status.detail
            assert feed.status.connections == 0
            bound.listen()
            bound.setblocking(False)
            listener = trio.SocketListener(trio.socket.from_stdlib_socket(bound))
            serve = partial(trio.serve_listeners, partial(_serve, announce), [listener])
            await nursery.start(serve)
            await heads.__anext__()
        nursery.cancel_scope.cancel()


async def _serve(script, stream) -> None:
    try:
        await script(PeerConnection(stream))
    finally:
        await trio.aclose_forcefully(stream)


async def test_a_tls_handshake_that_does_not_go_on(nursery, settings):
    hello = []

    async def say_nothing(stream: trio.SocketStream) -> None:
        hello.append(await stream.receive_some(1))
        await trio.sleep_forever()

    listeners = await nursery.start(partial(trio.serve_tcp, say_nothing, 0, host="127.0.0.1"))
    port = listeners[0].socket.getsockname()[1]
    bounded = attrs.evolve(settings, connect_timeout=0.1)
    start = time.monotonic()
    with pytest.raises(StreamConnectionError, match=rf"127\.0\.0\.1:{port}: no answer in time"):
        await connect(nursery, Endpoint(f"wss://127.0.0.1:{port}"), bounded)
    assert 0.1 <= time.monotonic() - start < 2
    assert hello == [b"\x16"]  # a handshake record of TLS: it had begun
    nursery.cancel_scope.cancel()


async def test_a_wrong_certificate_until_there_is_a_right_one(nursery, quick):
    """It is weather: certificates expire and are renewed."""
    authority = trustme.CA()
    contexts = [certified(authority, "elsewhere.test"), certified(authority, "localhost")]

    async def serve(stream: trio.SocketStream) -> None:
        context = contexts.pop(0) if len(contexts) > 1 else contexts[0]
        secure = trio.SSLStream(stream, context, server_side=True)
        try:
            await announce(PeerConnection(secure))
        except trio.BrokenResourceError:
            pass  # refused, as it should be
        finally:
            await trio.aclose_forcefully(secure)

    listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
    endpoint = Endpoint(f"wss://localhost:{listeners[0].socket.getsockname()[1]}")
    feed = node(quick, dialer(trusting(authority)), endpoint)
    async with running(feed) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        await feed.status.wait_for(FeedState.WAITING)
        assert "certificate verify failed" in feed.status.detail
        await heads.__anext__()
    assert feed.status.connections == 1
    nursery.cancel_scope.cancel()


# --- the connection is lost


async def test_reset(nursery, quick):
    lives = 0

    async def reset_once(peer: PeerConnection) -> None:
        nonlocal lives
        lives += 1
        if lives > 1:
            return await announce(peer)
        await confirm(peer)
        # Closing a socket that does not linger sends RST.
        linger = struct.pack("ii", 1, 0)
        peer.stream.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
        return peer.stream.socket.close()

    feed = node(quick, endpoint=at(await listen(nursery, reset_once)))
    async with running(feed) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        await feed.status.wait_for(FeedState.WAITING)
        assert "reset" in feed.status.detail or "cut" in feed.status.detail
        await heads.__anext__()
    assert feed.status.connections == 2
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ((1012, "restart"), "closed with 1012 'restart'"),
        ((1000, ""), "closed with 1000"),
        (None, "cut without a closing handshake"),
    ],
)
async def test_closed_with_and_without_a_frame(nursery, settings, autojump_clock, frame, words):
    numbers = itertools.count(1)

    async def end(peer: PeerConnection) -> None:
        await confirm(peer)
        # A life may be cut before its head was read; the next one brings the same.
        await peer.send(note(min(2, next(numbers))))
        if frame is not None:
            peer.protocol.send_close(*frame)
            await peer.flush()
            await peer.hold()

    feed = node(settings, Peer(nursery, end).dial)
    async with running(feed) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        await heads.__anext__()
        await feed.status.wait_for(FeedState.WAITING)
        assert words in feed.status.detail
        await heads.__anext__()  # a later life's: what came before the end is not lost
        assert feed.status.connections >= 2


async def test_a_peer_that_neither_reads_nor_closes_while_we_write(
    nursery, settings, autojump_clock
):
    """A full pipe does not hold up the ping's deadline, nor the closing."""

    async def stop(peer: PeerConnection) -> None:
        await confirm(peer)
        await trio.sleep_forever()

    async def dial(endpoint: Endpoint) -> trio.abc.Stream:
        stream = await Peer(nursery, stop).dial(endpoint)
        return Clogging(stream, after=2)

    feed = node(settings, dial)
    async with running(feed, 100):
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "no pong within 20 s"
        # The ping after 30 s, its limit; and no goodbye, which nobody would understand.
        assert trio.current_time() == 50
    nursery.cancel_scope.cancel()


class Clogging(trio.abc.Stream):
    """Takes some writes, then no more."""

    def __init__(self, stream: trio.abc.Stream, after: int) -> None:
        self.stream = stream
        self.left = after

    async def send_all(self, data: bytes) -> None:
        if not self.left:
            await trio.sleep_forever()
        self.left -= 1
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self.stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.stream.aclose()


# --- odd, but no fault


async def test_every_byte_by_itself(nursery, settings, autojump_clock):
    """From the first of the handshake to the last of a head."""

    async def trickle(peer: PeerConnection) -> None:
        async def flush() -> None:
            for byte in b"".join(peer.protocol.data_to_send()):
                await peer.stream.send_all(bytes([byte]))
                await trio.testing.wait_all_tasks_blocked()

        peer.flush = flush
        await announce(peer)

    feed = node(settings, Peer(nursery, trickle).dial)
    async with running(feed) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        assert (await heads.__anext__()).data.gas_used == int(HEAD["gasUsed"], 16)
    assert (feed.status.frames, feed.status.connections) == (2, 1)
    assert feed.status.refused == {}


async def test_text_that_is_not_utf8_is_counted(nursery, settings, autojump_clock):
    """The first transport leaves the text to the session, so that it costs a frame only; to the
    second it is a breach of the protocol, and it costs the connection."""

    async def mumble(peer: PeerConnection) -> None:
        await confirm(peer)
        await peer.send(b'{"method": "\xff\xfe"}', note(1))
        await peer.hold()

    feed = node(settings, Peer(nursery, mumble).dial)
    async with running(feed) as stream:
        if settings.transport == "websockets":
            await stream.subscribe(DataType.BLOCK).__anext__()
        else:
            await feed.status.wait_for(FeedState.WAITING)
            assert "not UTF-8" in feed.status.detail
        assert feed.status.refused == {"not_utf8": 1}
        assert feed.status.connections == 1


# --- a process that stands still


@contextmanager
def a_process() -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "tests.support.nodes"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


async def test_a_server_that_is_stopped_and_continued(quick):
    """Its kernel acknowledges everything, new connections too: only the ping's deadline sees it."""
    hasty = attrs.evolve(quick, ping_interval=0.05, pong_timeout=0.2, connect_timeout=0.2)
    with a_process() as (process, port):
        feed = node(hasty, endpoint=at(port))
        async with running(feed) as stream:
            heads = stream.subscribe(DataType.BLOCK)
            await heads.__anext__()
            process.send_signal(signal.SIGSTOP)
            await feed.status.wait_for(FeedState.WAITING)
            assert feed.status.detail == "no pong within 0.2 s"
            await feed.status.wait_for(FeedState.CONNECTING)
            await feed.status.wait_for(FeedState.WAITING)
            assert feed.status.detail.endswith("no answer in time")
            process.send_signal(signal.SIGCONT)
            await heads.__anext__()
            await feed.status.wait_for(FeedState.READY)


# --- again and again


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


async def test_a_thousand_reconnects_leave_no_descriptor_and_no_task(nursery, quick):
    """Each after a sound life that the server ends, every second one without a closing frame.
    The garbage collector is off: nothing is left to it."""
    served = 0
    enough = trio.Event()

    async def confirm_and_hang_up(peer: PeerConnection) -> None:
        nonlocal served
        await confirm(peer)
        served += 1
        if served > 1000:
            enough.set()
        if served % 2:
            peer.protocol.send_close(1001)
            await peer.flush()

    feed = node(quick, endpoint=at(await listen(nursery, confirm_and_hang_up)))
    gc.disable()
    try:
        await trio.testing.wait_all_tasks_blocked()
        before = descriptors(), tasks()
        async with running(feed):
            await enough.wait()
        # The server's own ends close a moment later than ours.
        with trio.fail_after(10):
            while descriptors() > before[0] or tasks() > before[1]:
                await trio.testing.wait_all_tasks_blocked(0.001)
    finally:
        gc.enable()
    assert feed.status.connections > 1000
    nursery.cancel_scope.cancel()
