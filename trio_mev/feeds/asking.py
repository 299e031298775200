"""A node that is asked and not listened to: calls by WebSocket or HTTP, for as long as a block
lasts."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from ..errors import DataStreamError, RpcFailed, RpcTimeout, StreamConnectionError
from ..flow.backoff import Backoff
from ..flow.outstanding import Outstanding
from ..flow.rpc import Rpc
from ..flow.status import FeedState
from ..model.identity import Endpoint, Secret, redact
from ..model.settings import ConnectionSettings, EthereumSettings
from ..wire.node import QUOTA
from .ethereum import EthereumWebSocketClient
from .http import open_http

T = TypeVar("T")

MAX_MESSAGE = 512 * 2**20
"""Bytes of one answer: a block's traces may have tens of millions."""
NAME = "rpc"
TRIES = 5
"""Of one call, where another try may mend it."""
_CONNECTION = ConnectionSettings(
    max_message=MAX_MESSAGE, first_delay=0.5, factor=2.0, max_delay=10.0, restarts=6
)
_OTHER = {"http": "ws", "https": "wss"}
"""What a URL of HTTP is checked as: the two differ in nothing else."""


def check_url(url: str) -> str:
    """A URL that can be called.

    Raises:
        ValueError: it cannot; what may be a key is not shown.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in {"ws", "wss", *_OTHER}:
        raise ValueError(f"{redact(url)!r} does not begin with ws://, wss://, http:// or https://")
    Endpoint(f"{_OTHER.get(scheme, scheme)}://{rest}")
    return url


@asynccontextmanager
async def open_rpc(url: str, token: Secret | None = None) -> AsyncIterator[Rpc]:
    """Calls to a node.

    A WebSocket that is lost is made anew; calls fail meanwhile.

    Args:
        url: of WebSocket or HTTP, as ``check_url`` takes it.
        token: who we are.

    Raises:
        StreamConnectionError: there is no connection to begin with.
        RestartLimitReached: there is none any more; in a group, and the block is cancelled.
    """
    if url.partition("://")[0] in _OTHER:
        async with open_http(url, token) as rpc:
            yield rpc
        return
    settings = EthereumSettings(
        name=NAME,
        endpoint=Endpoint(url),
        token=token,
        required=True,
        connection=_CONNECTION,
        follow=False,
        heads=False,
        pending="off",
    )
    client = EthereumWebSocketClient(settings)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.run, _nothing, Outstanding())
        state = await client.status.wait_for(
            FeedState.READY, FeedState.WAITING, FeedState.REFUSED, FeedState.LOST
        )
        if state is FeedState.READY:
            assert client.rpc is not None, "it is no tape"
            yield client.rpc
        nursery.cancel_scope.cancel()
    if state is not FeedState.READY:
        raise StreamConnectionError(client.status.detail)


def _nothing(_: object) -> None:
    """Nothing is subscribed to, so that there are no events."""


async def patiently(ask: Callable[[], Awaitable[T]], rng: random.Random, tries: int = TRIES) -> T:
    """Ask until there is an answer, with pauses that grow.

    Args:
        ask: one try.
        rng: draws the pauses' jitter.
        tries: how many there are at most.

    Raises:
        DataStreamError: of the last try, or of one that another would not mend.
    """
    backoff = Backoff(0.5, 2.0, 10.0, rng)
    while True:
        try:
            return await ask()
        except DataStreamError as error:
            if backoff.attempts >= tries - 1 or not _passing(error):
                raise
        await trio.sleep(backoff.next_delay())


def _passing(error: DataStreamError) -> bool:
    """Whether another try may mend it."""
    if isinstance(error, RpcFailed):
        return error.code in QUOTA
    return isinstance(error, StreamConnectionError | RpcTimeout)
