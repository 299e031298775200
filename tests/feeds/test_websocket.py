"""The socket, against real servers and against one whose every byte is ours."""

from __future__ import annotations

import ssl

import pytest
import trio
import trio.testing
import trustme
from trio_websocket import serve_websocket
from websockets.frames import Frame, Opcode

from tests.support.peer import Peer, PeerConnection
from tests.support.sockets import (
    accept_and_hold,
    certified,
    collect,
    serve_echo,
    trusting,
)
from trio_mev.errors import (
    ConfigError,
    HeartbeatLost,
    StreamConnectionError,
    SubscriptionRejected,
)
from trio_mev.feeds.transport import MAX_UNSENT, MessageTooBig
from trio_mev.feeds.websocket import dialer
from trio_mev.model.identity import Endpoint, Secret


async def test_frames_travel_both_ways_over_a_real_socket(nursery, opened):
    server = await nursery.start(serve_websocket, serve_echo, "127.0.0.1", 0, None)
    socket = await opened(endpoint=Endpoint(f"ws://127.0.0.1:{server.port}"))
    async with trio.open_nursery() as tasks:
        tasks.start_soon(socket.write)
        for text in ("one", "two", "é"):
            socket.send(text)
        received = await collect(socket, 3)
        tasks.cancel_scope.cancel()
    assert received == [b"one", b"two", "é".encode()]
    await socket.aclose()
    nursery.cancel_scope.cancel()


async def test_tls_with_a_trusted_certificate(nursery, opened):
    authority = trustme.CA()
    server = await nursery.start(
        serve_websocket, serve_echo, "localhost", 0, certified(authority, "localhost")
    )
    endpoint = Endpoint(f"wss://localhost:{server.port}")
    socket = await opened(dialer(trusting(authority)), endpoint)
    async with trio.open_nursery() as tasks:
        tasks.start_soon(socket.write)
        socket.send("secret")
        assert await socket.receive() == [b"secret"]
        tasks.cancel_scope.cancel()
    await socket.aclose()
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("name", ["localhost", "elsewhere.test"])
async def test_an_unknown_authority_and_a_wrong_name_are_refused(nursery, opened, name):
    authority = trustme.CA()
    server = await nursery.start(
        serve_websocket, serve_echo, "localhost", 0, certified(authority, name)
    )
    context = ssl.create_default_context()
    if name != "localhost":
        authority.configure_trust(context)
    with pytest.raises(StreamConnectionError, match="certificate verify failed"):
        await opened(dialer(context), Endpoint(f"wss://localhost:{server.port}"))
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("weakness", ["verify_mode", "check_hostname"])
def test_a_context_that_does_not_verify_is_refused(weakness):
    context = ssl.create_default_context()
    context.check_hostname = False
    if weakness == "verify_mode":
        context.verify_mode = ssl.CERT_NONE
    with pytest.raises(ConfigError, match="must verify"):
        dialer(context)


async def test_nobody_listens(nursery, opened):
    with pytest.raises(StreamConnectionError, match=r"127\.0\.0\.1:1"):
        await opened(endpoint=Endpoint("ws://127.0.0.1:1"))


async def test_the_token_is_sent_and_nothing_shows_it(nursery, opened):
    peer = Peer(nursery, accept_and_hold)
    socket = await opened(peer.dial, token=Secret("hunter2"))
    headers = peer.connections[0].request.headers
    assert headers["Authorization"] == "Bearer hunter2"
    assert "hunter2" not in repr(Secret("hunter2")) + str(Secret("hunter2"))
    await socket.aclose()


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, SubscriptionRejected), (404, SubscriptionRejected), (503, StreamConnectionError)],
)
async def test_an_http_refusal_is_final_and_an_http_failure_is_not(nursery, opened, status, error):
    peer = Peer(nursery, lambda connection: connection.accept(status))
    with pytest.raises(error, match=f"HTTP {status}"):
        await opened(peer.dial)


async def test_a_server_that_never_answers_the_handshake(nursery, opened, settings, autojump_clock):
    async def stay_silent(connection: PeerConnection) -> None:
        await trio.sleep_forever()

    peer = Peer(nursery, stay_silent)
    start = trio.current_time()
    with pytest.raises(StreamConnectionError, match="no answer in time"):
        await opened(peer.dial)
    assert trio.current_time() - start == settings.connect_timeout
    nursery.cancel_scope.cancel()


async def test_a_server_that_is_no_websocket_server(nursery, opened):
    async def http(connection: PeerConnection) -> None:
        await connection.stream.send_all(b"SMTP ready\r\n\r\n")

    peer = Peer(nursery, http)
    with pytest.raises(StreamConnectionError, match=r"peer\.test:80"):
        await opened(peer.dial)


async def test_a_server_that_hangs_up_before_it_has_read_a_byte(opened, autojump_clock):
    async def dial(endpoint: Endpoint) -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        await trio.aclose_forcefully(theirs)
        return ours

    with pytest.raises(StreamConnectionError, match=r"peer\.test:80"):
        await opened(dial)
    assert trio.current_time() == 0


async def test_one_read_brings_a_batch(nursery, transport, opened):
    async def burst(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.receive()
        await peer.send(*(str(number) for number in range(500)))
        await peer.hold()

    socket = await opened(Peer(nursery, burst).dial)
    async with trio.open_nursery() as tasks:
        tasks.start_soon(socket.write)
        socket.send("go")
        got = await (socket.receive() if transport == "websockets" else collect(socket, 500))
        assert got == [str(number).encode() for number in range(500)]
        tasks.cancel_scope.cancel()
    await socket.aclose()


async def test_fragments_become_one_message_and_binary_is_a_message(nursery, opened):
    async def pieces(peer: PeerConnection) -> None:
        await peer.accept()
        peer.protocol.send_frame(Frame(Opcode.TEXT, b"ab", fin=False))
        peer.protocol.send_ping(b"between")
        peer.protocol.send_frame(Frame(Opcode.CONT, b"cd", fin=False))
        peer.protocol.send_frame(Frame(Opcode.CONT, b"ef", fin=True))
        peer.protocol.send_binary(b"\x00\xff")
        await peer.flush()
        await peer.hold()

    socket = await opened(Peer(nursery, pieces).dial)
    assert await collect(socket, 2) == [b"abcdef", b"\x00\xff"]
    await socket.aclose()


async def test_an_oversized_message_ends_the_connection_under_its_own_name(nursery, opened):
    async def boast(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.send("small")
        await peer.send("x" * 1001)
        await peer.hold()

    socket = await opened(Peer(nursery, boast).dial, max_message=1000)
    assert await socket.receive() == [b"small"]
    with pytest.raises(MessageTooBig):
        await socket.receive()
    with pytest.raises(MessageTooBig):
        socket.send("too late")
    with pytest.raises(MessageTooBig):
        await socket.ping(1)
    await socket.aclose()


@pytest.mark.parametrize(
    ("ending", "words"),
    [("close", "closed with 1012 'restart'"), ("cut", "without a closing handshake")],
)
async def test_every_ending_is_an_error_that_says_how(nursery, opened, ending, words):
    async def end(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.send("last")
        if ending == "close":
            peer.protocol.send_close(1012, "restart")
            await peer.flush()
            await peer.hold()

    socket = await opened(Peer(nursery, end).dial)
    assert await socket.receive() == [b"last"]
    with pytest.raises(StreamConnectionError, match=words):
        await socket.receive()
    await socket.aclose()


async def test_a_frame_that_breaks_the_protocol_ends_the_connection(nursery, opened):
    async def nonsense(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.stream.send_all(b"\xff\xff\xff")
        await trio.sleep_forever()

    socket = await opened(Peer(nursery, nonsense).dial)
    with pytest.raises(StreamConnectionError, match=r"ended|closed with 1002"):
        await socket.receive()
    nursery.cancel_scope.cancel()
    await socket.aclose()


async def test_a_ping_is_answered_and_timed_and_a_silent_peer_is_lost(
    nursery, opened, autojump_clock
):
    async def answer_once(peer: PeerConnection) -> None:
        await peer.accept()
        await trio.sleep(0.25)
        peer.protocol.receive_data(await peer.stream.receive_some())
        await peer.flush()
        await trio.sleep_forever()

    socket = await opened(Peer(nursery, answer_once).dial)
    async with trio.open_nursery() as tasks:
        tasks.start_soon(socket.write)

        async def read() -> None:
            await socket.receive()

        tasks.start_soon(read)
        assert await socket.ping(5) == pytest.approx(0.25)
        start = trio.current_time()
        with pytest.raises(HeartbeatLost, match="no pong within 5 s"):
            await socket.ping(5)
        assert trio.current_time() - start == 5
        tasks.cancel_scope.cancel()
    nursery.cancel_scope.cancel()
    await socket.aclose()


async def test_a_peer_that_does_not_read_is_given_up(nursery, opened):
    socket = await opened(Peer(nursery, accept_and_hold).dial)
    socket.send("x" * (MAX_UNSENT - 100))
    with pytest.raises(StreamConnectionError, match="does not read"):
        socket.send("x" * 101)
    await socket.aclose()


async def test_closing_on_a_hung_peer_takes_the_close_timeout_and_no_more(
    nursery, opened, settings, autojump_clock
):
    async def hang(peer: PeerConnection) -> None:
        await peer.accept()
        await trio.sleep_forever()

    socket = await opened(Peer(nursery, hang).dial)
    start = trio.current_time()
    await socket.aclose()
    assert trio.current_time() - start == settings.close_timeout
    nursery.cancel_scope.cancel()


async def test_closing_says_goodbye_even_when_cancelled(nursery, opened):
    heard: list[str | None] = []
    gone = trio.Event()

    async def listen(peer: PeerConnection) -> None:
        await peer.accept()
        heard.append(await peer.receive())
        heard.append(str(peer.protocol.close_rcvd.code))
        gone.set()

    socket = await opened(Peer(nursery, listen).dial)
    with trio.CancelScope() as scope:
        scope.cancel()
        await socket.aclose()
    await gone.wait()
    assert heard == [None, "1000"]
