"""The second transport: trio-websocket, on a stream that stays ours.

The library would leave a stream to the garbage collector when the server closes first, and does
not wake those who wait when a handshake is cut. So it gets our stream in a thin cover, which
tells when the reading is over, and the stream is closed here.
"""

from __future__ import annotations

import re
from collections import deque
from contextlib import suppress

import h11
import trio
from trio_websocket import (
    ConnectionClosed,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)
from websockets.headers import build_host
from websockets.uri import parse_uri
from wsproto.utilities import ProtocolError

from ..errors import HeartbeatLost, StreamConnectionError
from ..flow.supervise import leaves
from ..model.identity import Endpoint, Secret
from ..model.settings import ConnectionSettings
from .transport import (
    MAX_UNSENT,
    READ_SIZE,
    TOO_BIG,
    ClosedForSize,
    FrameSocket,
    HttpStatus,
    MessageNotText,
    MessageTooBig,
    authorization,
    renamed,
)

LIBRARY_ERRORS = ConnectionClosed, HandshakeError, ProtocolError, h11.ProtocolError, UnicodeError
"""Those of the library and of what it stands on: it passes on what it does not expect."""
STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3})")


class _Cover(trio.abc.Stream):
    """Our stream as the library sees it."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.head = b""
        """The first bytes that came: the status line, of which the library tells too little."""
        self.over = trio.Event()
        """Nothing more will come: it has ended, or it is broken."""
        self.torn = False
        """A write is under way, or was cut short: nothing sent after it would be understood."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        self.torn = True
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.over.set()
            raise
        self.torn = False

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data: bytes | bytearray = b""
        try:
            data = await self._stream.receive_some(max_bytes)
        finally:
            if not data:
                self.over.set()
        if len(self.head) < 16:
            self.head += data[:16]
        return data

    async def aclose(self) -> None:
        self.over.set()
        await self._stream.aclose()


async def open_socket(
    nursery: trio.Nursery,
    stream: trio.abc.Stream,
    endpoint: Endpoint,
    settings: ConnectionSettings,
    token: Secret | None,
) -> TrioWebSocket:
    """Do the handshake over a stream, which stays the caller's should it fail.

    Args:
        nursery: runs the library's reader until the socket is closed, even when cancelled.

    Raises:
        HttpStatus: the server answers with an error.
        HandshakeError: it answers with anything else, or not to the end.
    """
    socket = TrioWebSocket(stream, settings)
    await nursery.start(socket.serve, endpoint, authorization(endpoint, token))
    return socket


class TrioWebSocket(FrameSocket):
    """Messages from the library's queue, one at a time: it has a checkpoint for each."""

    _ws: WebSocketConnection

    def __init__(self, stream: trio.abc.Stream, settings: ConnectionSettings) -> None:
        self._cover = _Cover(stream)
        self._settings = settings
        self._opened = self._closing = False
        self._failure = ""
        self._oversized = False
        self._served = trio.CancelScope()
        self._goodbye = trio.CancelScope()
        self._unsent: deque[str] = deque()
        self._unsent_size = 0
        self._bell = trio.Event()
        self._pings = 0

    async def serve(
        self,
        endpoint: Endpoint,
        credentials: str | None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run the library's reader; started when the handshake is done."""
        with self._served:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._notice_cut, nursery.cancel_scope)
                    await self._shake(nursery, endpoint, credentials)
                    # Not shielded before it is sure that somebody will close us.
                    await trio.lowlevel.checkpoint_if_cancelled()
                    self._opened = True
                    task_status.started()
                    self._served.shield = True
            except* LIBRARY_ERRORS as group:
                # The reader dies of a ping that comes while we are closing.
                self._failure = f"the connection ended: {next(leaves(group))}"
            finally:
                self._goodbye.cancel()
        if not self._opened:
            raise self._refusal()

    async def _notice_cut(self, scope: trio.CancelScope) -> None:
        await self._cover.over.wait()
        if not self._opened:
            scope.cancel()

    async def _shake(
        self, nursery: trio.Nursery, endpoint: Endpoint, credentials: str | None
    ) -> None:
        uri = parse_uri(endpoint.url)
        headers = [] if credentials is None else [(b"Authorization", credentials.encode())]
        self._ws = await wrap_client_stream(
            nursery,
            self._cover,  # type: ignore[arg-type]  # any stream will do, whatever they say
            build_host(uri.host, uri.port, uri.secure),
            uri.resource_name,
            extra_headers=headers,
            # What waits in the queue would be lost where a later message is over the limit.
            message_queue_size=0,
            max_message_size=self._settings.max_message,
            receive_buffer_size=READ_SIZE,
        )

    def _refusal(self) -> Exception:
        status = STATUS_LINE.match(self._cover.head)
        if status is not None and status[1] != b"101":
            return HttpStatus(int(status[1]))
        return HandshakeError("did not receive a valid answer")

    async def receive(self) -> list[bytes]:
        """The next message."""
        with renamed("reading", *LIBRARY_ERRORS):
            try:
                message = await self._ws.get_message()
            except ConnectionClosed:
                raise self._ended() from None
        data = message if isinstance(message, bytes) else message.encode()
        # The library counts characters.
        if len(data) > self._settings.max_message:
            self._oversized = True
            raise self._ended()
        return [data]

    def _ended(self) -> StreamConnectionError:
        closed = self._ws.closed
        code, words = (1006, "") if closed is None else (closed.code, closed.reason or "")
        # The library's own verdicts look like a peer's; their words tell them apart.
        if self._oversized or (code == 1009 and words.startswith("Exceeded maximum")):
            return MessageTooBig(f"a message was over the limit of {self._settings.max_message} B")
        if code == 1007 and words.startswith("'utf-8' codec"):
            return MessageNotText(f"a text message is not UTF-8: {words}")
        if code == 1006:
            cut = "the connection was cut without a closing handshake"
            return StreamConnectionError(self._failure or cut)
        kind = ClosedForSize if code == TOO_BIG else StreamConnectionError
        return kind(f"the connection was closed with {code} {words!r}")

    def _check(self) -> None:
        if self._ws.closed is not None or self._oversized or self._cover.over.is_set():
            raise self._ended()

    def send(self, text: str) -> None:
        """Queue a text message; ``write`` sends it."""
        self._check()
        self._unsent.append(text)
        self._unsent_size += len(text.encode())
        if self._unsent_size > MAX_UNSENT:
            raise StreamConnectionError(f"the peer does not read: {self._unsent_size} B wait")
        self._bell.set()

    async def write(self) -> None:
        """Send what is queued, until cancelled. One task runs it."""
        with renamed("writing", *LIBRARY_ERRORS):
            while True:
                self._bell = trio.Event()
                await self._send_queued()
                await self._bell.wait()

    async def _send_queued(self) -> None:
        while self._unsent:
            try:
                await self._ws.send_message(self._unsent[0])
            except ConnectionClosed:
                raise self._ended() from None
            self._unsent_size -= len(self._unsent.popleft().encode())

    async def ping(self, limit: float) -> float:
        """Seconds that the peer took to answer a ping."""
        self._check()
        self._pings += 1
        start = trio.current_time()
        with renamed("ping", *LIBRARY_ERRORS), trio.move_on_after(limit):
            try:
                await self._ws.ping(self._pings.to_bytes(4, "big"))
            except ConnectionClosed:
                raise self._ended() from None
            return trio.current_time() - start
        raise HeartbeatLost(f"no pong within {limit:g} s")

    async def aclose(self) -> None:
        """Close: the handshake under its bound, then the stream at once. Safe when cancelled."""
        if self._closing:
            return
        self._closing = True
        gone = StreamConnectionError, trio.BrokenResourceError, trio.ClosedResourceError
        with trio.CancelScope(shield=True):
            self._goodbye.deadline = trio.current_time() + self._settings.close_timeout
            with self._goodbye, suppress(*gone, *LIBRARY_ERRORS):
                await self._say_goodbye()
            await trio.aclose_forcefully(self._cover)
            self._served.cancel()

    async def _say_goodbye(self) -> None:
        if not self._cover.torn:
            await self._send_queued()
            await self._ws.aclose()
