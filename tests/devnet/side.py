"""One end of a relay: a stream, and what speaks WebSocket on it."""

from __future__ import annotations

import trio
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

READ = 256 * 1024
GONE = trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError


class Over(Exception):
    """A connection is over, by whoever's will."""


class Side:
    """One end: a stream and what speaks the protocol on it."""

    def __init__(self, stream: trio.abc.Stream, protocol: ServerProtocol | ClientProtocol) -> None:
        self.stream = stream
        self.protocol = protocol
        self._turn = trio.Lock()
        self._part = b""

    async def flush(self) -> None:
        """Send what the protocol has to say."""
        async with self._turn:
            data = b"".join(self.protocol.data_to_send())
            if data:
                await self.stream.send_all(data)

    async def send(self, text: bytes) -> None:
        """Send a text message, valid UTF-8 or not."""
        if self.protocol.state is not State.OPEN:
            raise Over
        self.protocol.send_text(text)
        await self.flush()

    async def receive(self) -> list[bytes]:
        """The next whole messages; pings are answered.

        Raises:
            Over: there will be none.
        """
        messages: list[bytes] = []
        while not messages:
            data = await self.stream.receive_some(READ)
            if not data:
                raise Over
            self.protocol.receive_data(data)
            for event in self.protocol.events_received():
                if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.CONT}:
                    self._part += event.data
                    if event.fin:
                        messages.append(self._part)
                        self._part = b""
            await self.flush()
            if self.protocol.state is not State.OPEN:
                raise Over
        return messages


async def accept(stream: trio.abc.Stream) -> Side:
    """The server's end, when the handshake is done.

    Raises:
        Over: the client has gone.
    """
    side = Side(stream, ServerProtocol(max_size=None))
    while True:
        data = await stream.receive_some(READ)
        if not data:
            raise Over
        side.protocol.receive_data(data)
        for event in side.protocol.events_received():
            assert isinstance(event, Request)
            assert isinstance(side.protocol, ServerProtocol)
            side.protocol.send_response(side.protocol.accept(event))
            await side.flush()
            return side


async def dial(stream: trio.abc.Stream, url: str) -> Side:
    """The client's end, when the handshake is done.

    Raises:
        Over: the server has gone.
    """
    protocol = ClientProtocol(parse_uri(url), max_size=None)
    side = Side(stream, protocol)
    protocol.send_request(protocol.connect())
    await side.flush()
    while protocol.state is State.CONNECTING:
        data = await stream.receive_some(READ)
        if not data:
            raise Over
        protocol.receive_data(data)
        protocol.events_received()
    return side
