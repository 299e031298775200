"""What the tests of feeds share: both transports, so that each test of a socket runs on each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import pytest
import trio

from tests.support.sockets import ENDPOINT
from trio_mev.feeds.transport import FrameSocket
from trio_mev.feeds.websocket import Dial, connect
from trio_mev.model.identity import Endpoint, Secret
from trio_mev.model.settings import ConnectionSettings


@pytest.fixture(params=["websockets", "trio-websocket"])
def transport(request: pytest.FixtureRequest) -> str:
    """The name of a transport, as in the configuration."""
    return request.param


@pytest.fixture
def settings(transport: str) -> ConnectionSettings:
    """The defaults, but for the transport."""
    return ConnectionSettings(transport=transport)


@pytest.fixture
async def opened(
    nursery: trio.Nursery, settings: ConnectionSettings
) -> AsyncIterator[Callable[..., Awaitable[FrameSocket]]]:
    """Connects; what is still open at the end of the test is closed, also where it failed."""
    sockets: list[FrameSocket] = []

    async def connect_to(
        dial: Dial | None = None,
        endpoint: Endpoint = ENDPOINT,
        token: Secret | None = None,
        **changes: object,
    ) -> FrameSocket:
        changed = attrs.evolve(settings, **changes)
        socket = await connect(nursery, endpoint, changed, token, dial)
        sockets.append(socket)
        return socket

    yield connect_to
    for socket in sockets:
        await socket.aclose()
