"""What the transports have in common: an open WebSocket as a life sees it, and its errors.

Library errors are renamed at this edge, once; nothing above sees one of Trio or of a WebSocket
library.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import unquote, urlsplit

import trio

from ..errors import StreamConnectionError, SubscriptionRejected
from ..flow.supervise import leaves
from ..model.identity import Endpoint, Secret

READ_SIZE = 128 * 1024
"""Bytes of one read: as many frames as are decoded before others have their turn."""
MAX_UNSENT = 2**20
"""Bytes that may wait for a peer that does not read."""
TOO_BIG = 1009
"""RFC 6455: a message is too big to process."""
REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 410})
"""HTTP statuses that another try would not change."""


class UnusableMessage(StreamConnectionError):
    """The peer sent a message after which the protocol has no way but to close."""

    reason: str
    """The short name under which the loss is counted."""


class MessageTooBig(UnusableMessage):
    """The message was over the limit."""

    reason = "oversized"


class MessageNotText(UnusableMessage):
    """The message was said to be text and is not UTF-8."""

    reason = "not_utf8"


class ClosedForSize(StreamConnectionError):
    """The peer closed the connection with 1009: a message was too big for it or for us."""


class HttpStatus(Exception):
    """The server answered the handshake with a status that opens nothing."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class FrameSocket(Protocol):
    """An open WebSocket. Its owner runs ``write`` beside the reading, and closes it."""

    async def receive(self) -> list[bytes]:
        """Whole messages, as many as have come, at least one.

        Raises:
            UnusableMessage: one was over the limit, or unreadable.
            StreamConnectionError: the connection is over.
        """
        ...

    def send(self, text: str) -> None:
        """Queue a text message; ``write`` sends it.

        Raises:
            StreamConnectionError: too much waits already, or the connection is over.
        """
        ...

    async def write(self) -> None:
        """Send what is queued, until cancelled. One task runs it.

        Raises:
            StreamConnectionError: the connection is over.
        """
        ...

    async def ping(self, limit: float) -> float:
        """Seconds that the peer took to answer a ping; somebody must be receiving meanwhile.

        Raises:
            HeartbeatLost: it did not within ``limit`` seconds.
            StreamConnectionError: the connection is over.
        """
        ...

    async def aclose(self) -> None:
        """Close: the handshake under its bound, then the stream at once. Safe when cancelled."""
        ...


@contextmanager
def renamed(what: str, *library: type[Exception]) -> Iterator[None]:
    """Rename the errors of Trio, TLS and a library; what is shown never holds a URL's path.

    Args:
        what: was tried; the errors begin with it.
        library: the errors of the protocol's library.

    Raises:
        StreamConnectionError: it failed; another try may mend it.
        SubscriptionRejected: the server's HTTP status refuses it for good.
    """
    try:
        yield
    except trio.TooSlowError:
        raise StreamConnectionError(f"{what}: no answer in time") from None
    except HttpStatus as error:
        kind = SubscriptionRejected if error.status in REFUSALS else StreamConnectionError
        raise kind(f"{what}: the server answers HTTP {error.status}") from error
    except library as error:
        raise StreamConnectionError(f"{what}: {type(error).__name__}: {error}") from error
    except (trio.BrokenResourceError, trio.ClosedResourceError, OSError) as error:
        # Of several addresses that were tried in vain, the first says why.
        cause = next(leaves(error.__cause__ or error))
        detail = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise StreamConnectionError(f"{what}: {detail}") from error


def authorization(endpoint: Endpoint, token: Secret | None) -> str | None:
    """The header that says who we are: the token, or else the URL's user and password."""
    if token is not None:
        return f"Bearer {token.value}"
    parts = urlsplit(endpoint.url)
    if parts.username is None:
        return None
    both = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(both.encode()).decode()}"
