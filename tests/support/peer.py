"""A WebSocket server on memory streams, so that time can be virtual and every byte can be ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
import trio.testing
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from trio_mev.model.identity import Endpoint


class PeerConnection:
    """The server's end of one connection."""

    def __init__(self, stream: trio.StapledStream, max_size: int | None = None) -> None:
        self.stream = stream
        self.protocol = ServerProtocol(max_size=max_size)
        self.request = None
        self._texts: list[str] = []

    async def accept(self, status: int | None = None) -> None:
        """Answer the handshake, with an error where a status is given."""
        while self.request is None:
            data = await self.stream.receive_some()
            if not data:
                raise trio.BrokenResourceError("the client left before its handshake")
            self.protocol.receive_data(data)
            for event in self.protocol.events_received():
                self.request = event
        if status is None:
            response = self.protocol.accept(self.request)
        else:
            response = self.protocol.reject(status, "no")
        self.protocol.send_response(response)
        await self.flush()

    async def flush(self) -> None:
        data = b"".join(self.protocol.data_to_send())
        if data:
            await self.stream.send_all(data)

    async def receive(self) -> str | None:
        """The next text message; None when the client has gone."""
        while not self._texts:
            data = await self.stream.receive_some()
            if not data:
                return None
            self.protocol.receive_data(data)
            for frame in self.protocol.events_received():
                assert isinstance(frame, Frame)
                if frame.opcode is Opcode.TEXT:
                    self._texts.append(frame.data.decode())
                elif frame.opcode is Opcode.CLOSE:
                    await self.flush()
                    return None
            await self.flush()
        return self._texts.pop(0)

    async def send(self, *texts: str | bytes) -> None:
        """Send text messages with one write."""
        for text in texts:
            self.protocol.send_text(text if isinstance(text, bytes) else text.encode())
        await self.flush()

    async def hold(self) -> None:
        """Read and answer pings until the client has gone."""
        while await self.receive() is not None:
            pass


Script = Callable[[PeerConnection], Awaitable[None]]


class Peer:
    """Dialled by a client in place of a network; runs a script for each connection."""

    def __init__(self, nursery: trio.Nursery, script: Script) -> None:
        self.nursery = nursery
        self.script = script
        self.up = True
        self.dials = 0
        self.connections: list[PeerConnection] = []

    async def dial(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.dials += 1
        await trio.lowlevel.checkpoint()
        if not self.up:
            raise OSError("connection refused")
        ours, theirs = trio.testing.memory_stream_pair()
        connection = PeerConnection(theirs)
        self.connections.append(connection)
        self.nursery.start_soon(self._run, connection)
        return ours

    async def _run(self, connection: PeerConnection) -> None:
        try:
            await self.script(connection)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # we were cut, or the client has gone
        finally:
            await trio.aclose_forcefully(connection.stream)

    async def go_down(self) -> None:
        """Cut every connection and refuse new ones."""
        self.up = False
        for connection in self.connections:
            await trio.aclose_forcefully(connection.stream)
