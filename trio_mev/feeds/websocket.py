"""The way to a socket: dial, then open a WebSocket by the transport that the settings name."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Awaitable, Callable, Iterator

import trio

from ..errors import ConfigError
from ..model.identity import Endpoint, Secret
from ..model.settings import ConnectionSettings, FeedSettings
from . import sansio, triowebsocket
from .transport import FrameSocket, renamed

Dial = Callable[[Endpoint], Awaitable[trio.abc.Stream]]
"""Opens the byte stream to an endpoint, TLS included."""


@functools.cache
def system_tls() -> ssl.SSLContext:
    """The system's authorities, and host names that are checked."""
    # Made once: reading the authorities takes longer than many a reconnect.
    return ssl.create_default_context()


def dialer(context: ssl.SSLContext | None = None) -> Dial:
    """A way to dial over TCP, and TLS for ``wss``.

    Args:
        context: trusts other authorities than the system's; it must verify all the same.

    Raises:
        ConfigError: the context does not verify certificates or host names.
    """
    if context and (context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname):
        raise ConfigError("the TLS context must verify certificates and host names")

    async def dial(endpoint: Endpoint) -> trio.abc.Stream:
        tcp = await trio.open_tcp_stream(endpoint.host, endpoint.port)
        if not endpoint.secure:
            return tcp
        tls = context or system_tls()
        stream = trio.SSLStream(tcp, tls, server_hostname=endpoint.host, https_compatible=True)
        try:
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    return dial


async def connect(
    nursery: trio.Nursery,
    endpoint: Endpoint,
    settings: ConnectionSettings,
    token: Secret | None = None,
    dial: Dial | None = None,
) -> FrameSocket:
    """Open a connection and do the handshake, all within the connect timeout.

    Args:
        nursery: outlives the socket; what a transport has to run beside it runs there, raises
            nothing there, and ends when the socket is closed, not when it is cancelled.
        endpoint: where to.
        settings: the transport, and its bounds.
        token: who we are.
        dial: opens the byte stream, where it is not TCP and the system's TLS.

    Raises:
        StreamConnectionError: it failed, or took too long.
        SubscriptionRejected: the server refuses it for good.
    """
    errors = *sansio.LIBRARY_ERRORS, *triowebsocket.LIBRARY_ERRORS
    where = f"{endpoint.host}:{endpoint.port}"
    with renamed(where, *errors), trio.fail_after(settings.connect_timeout):
        stream = await (dial or dialer())(endpoint)
        try:
            if settings.transport == "websockets":
                return await sansio.open_socket(stream, endpoint, settings, token)
            return await triowebsocket.open_socket(nursery, stream, endpoint, settings, token)
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise


def obstacles(settings: FeedSettings) -> Iterator[tuple[str, str]]:
    """Why no connection can be made with these settings: the key, and what to do."""
    conn = settings.connection
    if conn.compression and conn.transport != "websockets":
        yield (
            "connection.compression",
            f'the transport {conn.transport} has none; set transport = "websockets", or leave'
            " compression out",
        )
