"""The socket: WebSocket frames over a Trio stream, a batch a read.

The only client-side importer of a WebSocket library. The protocol is websockets' sans-I/O
``ClientProtocol``; reading and writing are ours, so that one read yields all the frames that
came with it. Library errors are renamed here, once.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import trio
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, PayloadTooBig, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from ..errors import ConfigError, HeartbeatLost, StreamConnectionError, SubscriptionRejected
from ..flow.supervise import leaves
from ..model.identity import Endpoint, Secret
from ..model.settings import ConnectionSettings

READ_SIZE = 256 * 1024
MAX_UNSENT = 2**20
"""Bytes that may wait for a peer that does not read."""
REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 410})
"""HTTP statuses that another try would not change."""

Dial = Callable[[Endpoint], Awaitable[trio.abc.Stream]]
"""Opens the byte stream to an endpoint, TLS included."""


class MessageTooBig(StreamConnectionError):
    """The peer sent a message over the limit; the protocol has no way but to close."""


def dialer(context: ssl.SSLContext | None = None) -> Dial:
    """A way to dial over TCP, and TLS for ``wss``.

    Args:
        context: trusts other authorities than the system's; it must verify all the same.

    Raises:
        ConfigError: the context does not verify certificates or host names.
    """
    tls = context or ssl.create_default_context()
    if tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
        raise ConfigError("the TLS context must verify certificates and host names")

    async def dial(endpoint: Endpoint) -> trio.abc.Stream:
        tcp = await trio.open_tcp_stream(endpoint.host, endpoint.port)
        if not endpoint.secure:
            return tcp
        stream = trio.SSLStream(tcp, tls, server_hostname=endpoint.host, https_compatible=True)
        try:
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    return dial


@contextmanager
def renamed(what: str) -> Iterator[None]:
    """Rename the errors of Trio, TLS and the protocol; what is shown never holds a URL's path."""
    try:
        yield
    except trio.TooSlowError:
        raise StreamConnectionError(f"{what}: no answer in time") from None
    except InvalidStatus as error:
        status = error.response.status_code
        kind = SubscriptionRejected if status in REFUSALS else StreamConnectionError
        raise kind(f"{what}: the server answers HTTP {status}") from error
    except (InvalidHandshake, ProtocolError) as error:
        raise StreamConnectionError(f"{what}: {type(error).__name__}: {error}") from error
    except (trio.BrokenResourceError, trio.ClosedResourceError, OSError) as error:
        # Of several addresses that were tried in vain, the first says why.
        cause = next(leaves(error.__cause__ or error))
        detail = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise StreamConnectionError(f"{what}: {detail}") from error


async def connect(
    endpoint: Endpoint,
    settings: ConnectionSettings,
    token: Secret | None = None,
    dial: Dial | None = None,
) -> FrameSocket:
    """Open a connection and do the handshake, all within the connect timeout.

    Raises:
        StreamConnectionError: it failed, or took too long.
        SubscriptionRejected: the server refuses it for good.
    """
    with renamed(f"{endpoint.host}:{endpoint.port}"), trio.fail_after(settings.connect_timeout):
        stream = await (dial or dialer())(endpoint)
        protocol = ClientProtocol(parse_uri(endpoint.url), max_size=settings.max_message)
        socket = FrameSocket(stream, protocol, settings.close_timeout)
        try:
            await socket.handshake(token)
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
    return socket


class FrameSocket:
    """An open WebSocket. Its owner runs ``write`` beside the reading, and closes it."""

    def __init__(
        self, stream: trio.abc.Stream, protocol: ClientProtocol, close_timeout: float
    ) -> None:
        self._stream = stream
        self._protocol = protocol
        self._close_timeout = close_timeout
        self._messages: list[bytes] = []
        self._fragments: list[bytes] = []
        self._unsent = bytearray()
        self._writing = False
        self._bell: trio.Event | None = None
        self._pings = 0
        self._pongs: dict[bytes, trio.Event] = {}

    async def handshake(self, token: Secret | None) -> None:
        """Ask for the upgrade and check the answer."""
        request = self._protocol.connect()
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token.value}"
        self._protocol.send_request(request)
        await self._stream.send_all(b"".join(self._protocol.data_to_send()))
        while self._protocol.state is State.CONNECTING:
            data = await self._stream.receive_some(READ_SIZE)
            self._feed(data)
            if self._protocol.handshake_exc is not None:
                raise self._protocol.handshake_exc

    async def receive(self) -> list[bytes]:
        """All whole messages of the next read that brings any.

        Raises:
            MessageTooBig: a message was over the limit.
            StreamConnectionError: the connection is over.
        """
        with renamed("reading"):
            while not self._messages:
                if self._protocol.state is not State.OPEN:
                    raise self._ended()
                self._feed(await self._stream.receive_some(READ_SIZE))
        messages, self._messages = self._messages, []
        return messages

    def _feed(self, data: bytes | bytearray) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
            else:
                assert isinstance(event, Response)
        self._pull()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            if frame.fin and not self._fragments:
                self._messages.append(bytes(frame.data))
                return
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                self._messages.append(b"".join(self._fragments))
                self._fragments.clear()
        elif frame.opcode is Opcode.PONG:
            waiting = self._pongs.pop(bytes(frame.data), None)
            if waiting is not None:
                waiting.set()

    def _ended(self) -> StreamConnectionError:
        broken, closing = self._protocol.parser_exc, self._protocol.close_rcvd
        if isinstance(broken, PayloadTooBig):
            return MessageTooBig(f"a message was over the limit: {broken}")
        if closing is not None:
            return StreamConnectionError(f"the peer closed with {closing.code} {closing.reason!r}")
        if broken is None or isinstance(broken, EOFError):
            return StreamConnectionError("the connection was cut without a closing handshake")
        return StreamConnectionError(f"the connection ended: {broken}")

    def send(self, text: str) -> None:
        """Queue a text message; ``write`` sends it.

        Raises:
            StreamConnectionError: too much waits already, or the connection is over.
        """
        if self._protocol.state is not State.OPEN:
            raise self._ended()
        self._protocol.send_text(text.encode())
        self._pull()

    def _pull(self) -> None:
        """Take what the protocol wants sent, and wake the writer."""
        self._unsent += b"".join(self._protocol.data_to_send())
        if len(self._unsent) > MAX_UNSENT:
            raise StreamConnectionError(f"the peer does not read: {len(self._unsent)} B wait")
        if self._unsent and self._bell is not None:
            self._bell.set()

    async def write(self) -> None:
        """Send what is queued, until cancelled. One task runs it."""
        with renamed("writing"):
            while True:
                if self._unsent:
                    data, self._unsent = self._unsent, bytearray()
                    self._writing = True
                    await self._stream.send_all(data)
                    self._writing = False
                else:
                    self._bell = trio.Event()
                    await self._bell.wait()

    async def ping(self, limit: float) -> float:
        """Seconds that the peer took to answer a ping.

        Raises:
            HeartbeatLost: it did not within ``limit`` seconds.
            StreamConnectionError: the connection is over.
        """
        if self._protocol.state is not State.OPEN:
            raise self._ended()
        self._pings += 1
        payload = self._pings.to_bytes(4, "big")
        answered = self._pongs[payload] = trio.Event()
        start = trio.current_time()
        self._protocol.send_ping(payload)
        self._pull()
        with trio.move_on_after(limit):
            await answered.wait()
            return trio.current_time() - start
        raise HeartbeatLost(f"no pong within {limit:g} s")

    async def aclose(self) -> None:
        """Close: the handshake under its bound, then the stream at once. Safe when cancelled."""
        with trio.CancelScope(shield=True):
            gone = trio.BrokenResourceError, trio.ClosedResourceError, ProtocolError
            with trio.move_on_after(self._close_timeout), suppress(*gone):
                await self._say_goodbye()
            await trio.aclose_forcefully(self._stream)

    async def _say_goodbye(self) -> None:
        # After a write that was cut short nothing that we send would be understood.
        if self._writing or self._protocol.state is State.CLOSED:
            return
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
        self._unsent += b"".join(self._protocol.data_to_send())
        await self._stream.send_all(bytes(self._unsent))
        while self._protocol.close_rcvd is None:
            data = await self._stream.receive_some(READ_SIZE)
            if not data:
                return
            self._protocol.receive_data(data)
            self._protocol.events_received()
        await self._stream.aclose()
