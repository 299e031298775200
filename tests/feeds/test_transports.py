"""What a transport asks for and what it bears: the handshake, compression, and hostile bytes."""

from __future__ import annotations

import random
import tracemalloc

import attrs
import pytest
import trio
import trio.testing
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from tests.support.peer import Peer, PeerConnection
from tests.support.sockets import accept_and_hold, collect
from trio_mev.config import loads
from trio_mev.errors import ConfigError, StreamConnectionError, SubscriptionRejected
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.sansio import COMPRESSED_READ_SIZE
from trio_mev.feeds.transport import MessageNotText, MessageTooBig
from trio_mev.feeds.websocket import connect
from trio_mev.model.identity import Endpoint, Secret
from trio_mev.model.settings import ConnectionSettings, EthereumSettings

DEFLATE = ConnectionSettings(compression=True)


async def saying(peer: PeerConnection, answer: bytes, then_close: bool = True) -> None:
    """Read the request, and answer with bytes of our own."""
    await peer.stream.receive_some()
    await peer.stream.send_all(answer)
    if not then_close:
        await trio.sleep_forever()


# --- the handshake


@pytest.mark.parametrize(
    "url",
    [
        "ws://peer.test/ws",
        "ws://peer.test:8545/v3/key?a=b&c=d",
        "wss://peer.test",
        "ws://[::1]:8546/",
        "ws://münchen.test/straße",
    ],
)
async def test_the_request_is_the_same(nursery, url):
    asked = []
    for name in ("websockets", "trio-websocket"):
        peer = Peer(nursery, accept_and_hold)
        settings = ConnectionSettings(transport=name)
        socket = await connect(nursery, Endpoint(url), settings, dial=peer.dial)
        request = peer.connections[0].request
        asked.append((request.path, request.headers["Host"], "Authorization" in request.headers))
        await socket.aclose()
    assert asked[0] == asked[1]


async def test_who_we_are_is_said_once(nursery, opened):
    endpoint = Endpoint("ws://us%3Aer:pass@peer.test/")
    for token, header in ((None, "Basic dXM6ZXI6cGFzcw=="), (Secret("key"), "Bearer key")):
        peer = Peer(nursery, accept_and_hold)
        await opened(peer.dial, endpoint, token)
        assert peer.connections[0].request.headers.get_all("Authorization") == [header]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"HTTP/1.1 401 No\r\n\r\n<html>ends with the stream", SubscriptionRejected, "HTTP 401"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", SubscriptionRejected, "HTTP 403"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", SubscriptionRejected, "HTTP 404"),
        (b"HTTP/1.1 302 No\r\nLocation: /\r\n\r\n", StreamConnectionError, "HTTP 302"),
        (b"HTTP/1.1 429 Slow\r\n\r\n", StreamConnectionError, "HTTP 429"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", StreamConnectionError, "HTTP 503"),
        (b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n", StreamConnectionError, "peer.test:80"),
        (b"HTTP/1.1 101 Go\r\n", StreamConnectionError, "peer.test:80"),
        (b"HTTP/1.1 1\xff1 Go\r\n\r\n", StreamConnectionError, "peer.test:80"),
        (b"\x00\xff" * 40_000, StreamConnectionError, "peer.test:80"),
        (b"", StreamConnectionError, "peer.test:80"),
    ],
)
async def test_an_answer_that_is_no_upgrade(nursery, opened, autojump_clock, answer, error, words):
    async def script(peer: PeerConnection) -> None:
        await saying(peer, answer)

    with pytest.raises(error, match=words) as caught:
        await opened(Peer(nursery, script).dial)
    assert type(caught.value) is error
    assert trio.current_time() == 0


async def test_headers_that_cannot_be_read_are_the_peers_fault(nursery, opened, autojump_clock):
    async def script(peer: PeerConnection) -> None:
        head = b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        await saying(peer, head + b"Sec-WebSocket-Protocol: \xff\xfe\r\n\r\n")

    with pytest.raises(StreamConnectionError, match=r"peer\.test:80"):
        await opened(Peer(nursery, script).dial)


async def test_what_came_with_the_handshake_is_not_lost(nursery, opened):
    async def script(peer: PeerConnection) -> None:
        flush, peer.flush = peer.flush, trio.lowlevel.checkpoint
        await peer.accept()
        peer.flush = flush
        await peer.send("one", "two")

    socket = await opened(Peer(nursery, script).dial)
    assert await collect(socket, 2) == [b"one", b"two"]
    with pytest.raises(StreamConnectionError, match="cut without"):
        await socket.receive()


# --- closing


async def test_a_socket_says_goodbye_when_all_around_it_is_cancelled(settings, autojump_clock):
    heard: list[int] = []

    async def listen(peer: PeerConnection) -> None:
        await accept_and_hold(peer)
        heard.append(peer.protocol.close_rcvd.code)

    async with trio.open_nursery() as servers:
        async with trio.open_nursery() as keeper:
            dial = Peer(servers, listen).dial
            socket = await connect(keeper, Endpoint("ws://peer.test"), settings, dial=dial)
            try:
                socket.send("queued")
                keeper.cancel_scope.cancel()
                await trio.sleep_forever()
            finally:
                await socket.aclose()
    assert heard == [1000]
    assert trio.current_time() == 0


async def test_a_ping_that_comes_while_we_close(nursery, opened, autojump_clock):
    async def ping_late(peer: PeerConnection) -> None:
        await peer.accept()
        data = await peer.stream.receive_some()  # our closing frame
        peer.protocol.send_ping(b"still there?")
        await peer.flush()
        await trio.testing.wait_all_tasks_blocked()
        peer.protocol.receive_data(data)
        await peer.flush()
        await peer.stream.aclose()

    socket = await opened(Peer(nursery, ping_late).dial)
    await socket.aclose()
    await socket.aclose()
    assert trio.current_time() == 0


async def test_what_follows_a_closing_frame_does_not_hide_it(nursery, opened):
    async def close_and_ping(peer: PeerConnection) -> None:
        await peer.accept()
        ping = Frame(Opcode.PING, b"").serialize(mask=False)
        close = Frame(Opcode.CLOSE, b"\x03\xf4restart").serialize(mask=False)
        await peer.stream.send_all(close + ping)
        await trio.sleep_forever()

    socket = await opened(Peer(nursery, close_and_ping).dial)
    with pytest.raises(StreamConnectionError, match="closed with 1012 'restart'"):
        await socket.receive()
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("way", ["send", "ping"])
async def test_a_pipe_that_breaks_as_we_write(nursery, opened, autojump_clock, way):
    async def stop_reading(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.stream.receive_stream.aclose()
        await trio.sleep_forever()

    socket = await opened(Peer(nursery, stop_reading).dial)
    await trio.testing.wait_all_tasks_blocked()
    if way == "send":
        socket.send("lost")
        with pytest.raises(StreamConnectionError):
            await socket.write()
    else:
        with pytest.raises(StreamConnectionError):
            await socket.ping(5)
    nursery.cancel_scope.cancel()


# --- messages


async def test_the_limit_is_of_bytes_not_of_characters(nursery, opened):
    async def speak(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.send("é" * 500, "é" * 501)
        await peer.hold()

    socket = await opened(Peer(nursery, speak).dial, max_message=1000)
    assert await socket.receive() == ["é".encode() * 500]
    with pytest.raises(MessageTooBig):
        await socket.receive()


async def test_what_came_before_an_oversized_message_is_not_lost(nursery, opened):
    async def speak(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.send("1", "2", "3", "4", "x" * 1001)
        await peer.hold()

    socket = await opened(Peer(nursery, speak).dial, max_message=1000)
    await trio.testing.wait_all_tasks_blocked()
    assert await collect(socket, 4) == [b"1", b"2", b"3", b"4"]
    with pytest.raises(MessageTooBig):
        await socket.receive()


async def test_an_endless_message_ends_at_the_limit(nursery, opened):
    async def speak(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.send("before")
        peer.protocol.send_frame(Frame(Opcode.TEXT, b"x" * 400, fin=False))
        while True:
            await peer.flush()
            peer.protocol.send_frame(Frame(Opcode.CONT, b"x" * 400, fin=False))

    socket = await opened(Peer(nursery, speak).dial, max_message=1000)
    assert await socket.receive() == [b"before"]
    with pytest.raises(MessageTooBig):
        await socket.receive()
    nursery.cancel_scope.cancel()


async def test_text_that_is_not_utf8(nursery, transport, opened):
    async def speak(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.send("good", b"\xff\xfe", "more")
        await peer.hold()

    socket = await opened(Peer(nursery, speak).dial)
    if transport == "websockets":  # whose sessions look at the text anyway
        assert await collect(socket, 3) == [b"good", b"\xff\xfe", b"more"]
    else:
        assert await collect(socket, 1) == [b"good"]
        with pytest.raises(MessageNotText):
            await socket.receive()


async def test_any_bytes_are_messages_or_an_end(nursery, opened):
    rng = random.Random(7)

    async def babble(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.stream.send_all(rng.randbytes(200))

    for _ in range(100):
        socket = await opened(Peer(nursery, babble).dial)
        with pytest.raises(StreamConnectionError):
            await collect(socket, 200)
        await socket.aclose()


# --- compression


async def compressing(peer: PeerConnection) -> None:
    """Accept, with compression where it is offered."""
    peer.protocol = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()])
    await peer.accept()


async def test_compression_is_negotiated_and_both_ways_use_it(nursery, opened):
    text = "the same words again and again, " * 1000
    heard: list[object] = []

    async def speak(peer: PeerConnection) -> None:
        await compressing(peer)
        await peer.send(text)
        data = await peer.stream.receive_some()
        peer.protocol.receive_data(data)
        heard.extend([len(data), *peer.protocol.events_received()])

    socket = await connect(
        nursery, Endpoint("ws://peer.test"), DEFLATE, dial=Peer(nursery, speak).dial
    )
    async with trio.open_nursery() as tasks:
        tasks.start_soon(socket.write)
        assert await socket.receive() == [text.encode()]
        socket.send(text)
        await trio.testing.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert heard[0] < 500
    assert heard[1].data == text.encode()
    await socket.aclose()


async def test_compression_is_not_offered_unless_it_is_asked_for(nursery, opened):
    peer = Peer(nursery, accept_and_hold)
    await opened(peer.dial)
    assert "Sec-WebSocket-Extensions" not in peer.connections[0].request.headers
    # A server need not take the offer.
    plain = Peer(nursery, accept_and_hold)
    socket = await connect(nursery, Endpoint("ws://peer.test"), DEFLATE, dial=plain.dial)
    headers = plain.connections[0].request.headers
    assert headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate")
    await socket.aclose()


def bomb(size: int, pieces: int) -> bytes:
    """Zeros, a thousand times as many as bytes that travel, whole or in fragments."""
    deflate = [PerMessageDeflate(False, False, 15, 15)]
    zeros = bytes(size // pieces)
    return b"".join(
        Frame(Opcode.CONT if n else Opcode.TEXT, zeros, fin=n == pieces - 1).serialize(
            mask=False, extensions=deflate
        )
        for n in range(pieces)
    )


@pytest.mark.parametrize("pieces", [1, 64])
async def test_a_bomb_does_not_go_off(nursery, pieces):
    wire = bomb(2**26, pieces)

    async def throw(peer: PeerConnection) -> None:
        await compressing(peer)
        await peer.stream.send_all(wire)
        await peer.hold()

    settings = attrs.evolve(DEFLATE, max_message=2**20)
    peer = Peer(nursery, throw)
    socket = await connect(nursery, Endpoint("ws://peer.test"), settings, dial=peer.dial)
    tracemalloc.start()
    try:
        with pytest.raises(MessageTooBig):
            await socket.receive()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * 2**20
    await socket.aclose()


async def test_many_small_bombs_do_not_go_off_at_once(nursery):
    """Each message is within the limit; a read brings few of them."""
    deflate = [PerMessageDeflate(False, True, 15, 15)]
    one = Frame(Opcode.TEXT, bytes(2**20)).serialize(mask=False, extensions=deflate)

    async def throw(peer: PeerConnection) -> None:
        await compressing(peer)
        await peer.stream.send_all(one * 64)
        await peer.hold()

    settings = attrs.evolve(DEFLATE, max_message=2**20)
    peer = Peer(nursery, throw)
    socket = await connect(nursery, Endpoint("ws://peer.test"), settings, dial=peer.dial)
    for _ in range(8):
        batch = await socket.receive()
        assert sum(map(len, batch)) <= settings.max_message + 1032 * COMPRESSED_READ_SIZE
    await socket.aclose()


# --- what cannot be


def test_compression_of_the_other_transport_is_refused():
    connection = ConnectionSettings(transport="trio-websocket", compression=True)
    endpoint = Endpoint("ws://a.test")
    settings = EthereumSettings(name="n", endpoint=endpoint, connection=connection)
    with pytest.raises(ConfigError, match=r'feed n: connection\.compression: .*"websockets"'):
        EthereumWebSocketClient(settings)


def test_the_configuration_picks_the_transport():
    text = """
        [[feeds]]
        kind = "binance"
        name = "a"
        instruments = ["ETH/USDT"]
        [[feeds]]
        kind = "ethereum"
        name = "b"
        endpoint = "ws://a.test"
        token = "env:NODE_TOKEN"
        [feeds.connection]
        transport = "trio-websocket"
    """
    feeds = loads(text, {"NODE_TOKEN": "hunter2"}).settings.feeds
    assert [feed.connection.transport for feed in feeds] == ["websockets", "trio-websocket"]
    with pytest.raises(ConfigError) as caught:
        loads(f"{text} \ncompression = true", {"NODE_TOKEN": "hunter2"})
    assert caught.value.problems == (
        "feeds[1].connection.compression: the transport trio-websocket has none; set"
        ' transport = "websockets", or leave compression out',
    )
    with pytest.raises(ConfigError, match=r"feeds\[1\]\.connection\.transport: 'smtp' is not"):
        loads(text.replace("trio-websocket", "smtp"), {"NODE_TOKEN": "hunter2"})
