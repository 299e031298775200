"""The first transport: websockets' sans-I/O ``ClientProtocol``.

Reading and writing are ours, so that one read yields all the frames that came with it.
"""

from __future__ import annotations

import dataclasses
import os
from contextlib import suppress

import trio
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, PayloadTooBig, ProtocolError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from ..errors import HeartbeatLost, StreamConnectionError
from ..model.identity import Endpoint, Secret
from ..model.settings import ConnectionSettings
from .transport import (
    MAX_UNSENT,
    READ_SIZE,
    TOO_BIG,
    ClosedForSize,
    FrameSocket,
    HttpStatus,
    MessageTooBig,
    authorization,
    renamed,
)

LIBRARY_ERRORS = InvalidHandshake, ProtocolError
_GONE = trio.BrokenResourceError, trio.ClosedResourceError, OSError
_TEXT, _BINARY, _CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
FLOOD = 16 * 1024
"""Bytes that are read at once at first; behind as many there is likely to be more already."""
COMPRESSED_READ_SIZE = 8 * 1024
"""A byte may become a thousand, and all that one read brings is unpacked at once."""


async def open_socket(
    stream: trio.abc.Stream,
    endpoint: Endpoint,
    settings: ConnectionSettings,
    token: Secret | None,
) -> SansIOSocket:
    """Do the handshake over a stream, which stays the caller's should it fail.

    Raises:
        HttpStatus: the server answers with an error.
        InvalidHandshake: it answers with anything else, or not to the end.
    """
    # Who we are is said below, once; the library would add what the URL says to it.
    uri = dataclasses.replace(parse_uri(endpoint.url), username=None, password=None)
    # Any window that the server likes: what is refused for its size is of use to nobody.
    offers = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]
    protocol = ClientProtocol(
        uri, extensions=offers if settings.compression else None, max_size=settings.max_message
    )
    socket = SansIOSocket(stream, protocol, settings.close_timeout)
    await socket.handshake(authorization(endpoint, token))
    return socket


class SansIOSocket(FrameSocket):
    """Frames over a stream, a batch a read."""

    def __init__(
        self, stream: trio.abc.Stream, protocol: ClientProtocol, close_timeout: float
    ) -> None:
        self._stream = stream
        self._protocol = protocol
        self._close_timeout = close_timeout
        self._messages: list[bytes] = []
        self._fragments = bytearray()
        self._read_size = READ_SIZE
        self._flooded = False
        self._descriptor = (
            stream.socket.fileno()
            if os.name == "posix" and isinstance(stream, trio.SocketStream)
            else None
        )
        self._unsent = bytearray()
        self._writing = False
        self._bell: trio.Event | None = None
        self._pings = 0
        self._pongs: dict[bytes, trio.Event] = {}

    async def handshake(self, credentials: str | None) -> None:
        """Ask for the upgrade and check the answer."""
        request = self._protocol.connect()
        if credentials is not None:
            request.headers["Authorization"] = credentials
        self._protocol.send_request(request)
        await self._stream.send_all(b"".join(self._protocol.data_to_send()))
        while self._protocol.state is State.CONNECTING:
            data = await self._stream.receive_some(READ_SIZE)
            self._feed(data)
            failure = self._protocol.handshake_exc
            if isinstance(failure, InvalidStatus):
                raise HttpStatus(failure.response.status_code)
            if failure is not None:
                raise failure
        if self._protocol.extensions:
            self._read_size = COMPRESSED_READ_SIZE

    async def receive(self) -> list[bytes]:
        """All whole messages of the next read that brings any."""
        try:
            while not self._messages:
                if self._protocol.state is not State.OPEN:
                    raise self._ended()
                self._feed(await self._receive_some())
        except _GONE:
            with renamed("reading"):
                raise
        messages, self._messages = self._messages, []
        return messages

    async def _receive_some(self) -> bytes | bytearray:
        """The next bytes of the stream; none at its end.

        A socket's own way begins with an attempt that is in vain wherever messages come one at
        a time, and costs as much as the decoding. So that is done only in a flood.
        """
        if self._descriptor is None:
            return await self._stream.receive_some(self._read_size)
        if self._flooded:  # more will come while others have their turn
            size = self._read_size
            await trio.lowlevel.checkpoint()
        else:
            size = min(self._read_size, FLOOD)
            await trio.lowlevel.wait_readable(self._descriptor)
        while True:
            try:
                data = os.read(self._descriptor, size)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._descriptor)
            else:
                self._flooded = len(data) >= FLOOD
                return data

    def _feed(self, data: bytes | bytearray) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if type(event) is Frame:
                if event.opcode is _TEXT and event.fin and not self._fragments:
                    self._messages.append(bytes(event.data))
                else:
                    self._frame(event)
            else:
                assert isinstance(event, Response)
        self._pull()

    def _frame(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is _TEXT or opcode is _CONT or opcode is _BINARY:
            if frame.fin and not self._fragments:
                self._messages.append(bytes(frame.data))
                return
            self._fragments += frame.data
            if frame.fin:
                self._messages.append(bytes(self._fragments))
                self._fragments.clear()
        elif opcode is Opcode.PONG:
            waiting = self._pongs.pop(bytes(frame.data), None)
            if waiting is not None:
                waiting.set()

    def _ended(self) -> StreamConnectionError:
        broken, closing = self._protocol.parser_exc, self._protocol.close_rcvd
        if isinstance(broken, PayloadTooBig):
            return MessageTooBig(f"a message was over the limit: {broken}")
        if closing is not None:
            kind = ClosedForSize if closing.code == TOO_BIG else StreamConnectionError
            return kind(f"the peer closed with {closing.code} {closing.reason!r}")
        if broken is None or isinstance(broken, EOFError):
            return StreamConnectionError("the connection was cut without a closing handshake")
        return StreamConnectionError(f"the connection ended: {broken}")

    def send(self, text: str) -> None:
        """Queue a text message; ``write`` sends it."""
        if self._protocol.state is not State.OPEN:
            raise self._ended()
        self._protocol.send_text(text.encode())
        self._pull()

    def _pull(self) -> None:
        """Take what the protocol wants sent, and wake the writer."""
        waiting = self._protocol.data_to_send()
        if not waiting:
            return
        self._unsent += b"".join(waiting)
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
        """Seconds that the peer took to answer a ping."""
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
