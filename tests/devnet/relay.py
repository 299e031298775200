"""A relay between a client and a node, on real WebSockets, that does to frames what it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

import trio

from tests.devnet.link import Did, Link, Post
from tests.devnet.side import GONE, Over, accept, dial
from tests.devnet.weather import Calm, Decision, Fault, Passing

HANDSHAKE = 5.0


def _at_once(passing: Passing) -> float:
    return 0.0


def _nothing(passing: Passing) -> None:
    pass


class Relay:
    """Where it listens, what it is to do, and what it did.

    Args:
        target: the node's URL.
        weather: what happens to frames.
        latency: seconds by which a frame for the client is late; those behind it wait.
        stamp: sees every frame at the moment that the node's socket gives it.
        oversize: bytes that are more than the client takes.
    """

    def __init__(
        self,
        target: str,
        weather: Calm,
        latency: Callable[[Passing], float] = _at_once,
        stamp: Callable[[Passing], None] = _nothing,
        oversize: int = 2**20,
    ) -> None:
        self.target = target
        self.weather = weather
        self.oversize = oversize
        self.port = 0
        self.lives = 0
        self._post = Post(self._decide, self._removal, latency, stamp, oversize)
        self._links: set[Link] = set()
        self._calmed = False

    @property
    def url(self) -> str:
        """For the client."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def done(self) -> Sequence[Did]:
        """What it did, in order."""
        return self._post.done

    @property
    def withheld(self) -> Sequence[Did]:
        """Frames that did not reach the client, or not as they were."""
        return self._post.withheld

    @property
    def frames(self) -> int:
        """That were to pass, both ways."""
        return self._post.frames.total()

    def calm(self) -> None:
        """From now on everything passes; what has ended stays ended."""
        self._calmed = True

    def counts(self) -> Counter[str]:
        """What it did, by fault."""
        return Counter(did.fault.value for did in self.done)

    def stall(self) -> None:
        """Let every connection stall now, as by the fault of that name."""
        for link in list(self._links):
            link.end(Fault.STALL)

    def _decide(self, life: int, number: int, passing: Passing) -> Decision:
        return Decision() if self._calmed else self.weather.frame(life, number, passing)

    def _removal(self, life: int, number: int) -> tuple[int, ...]:
        return () if self._calmed else self.weather.removal(life, number)

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection of a client."""
        life, self.lives = self.lives, self.lives + 1
        try:
            if not self._calmed and self.weather.connection(life).fault is not None:
                self._post.done.append(Did(life, "up", -1, Fault.REFUSED, "connection"))
                return
            with suppress(Over, *GONE):
                await self._relay(life, stream)
        finally:
            await trio.aclose_forcefully(stream)

    async def _relay(self, life: int, stream: trio.SocketStream) -> None:
        where = urlsplit(self.target)
        assert where.hostname is not None
        assert where.port is not None
        try:
            upstream = await trio.open_tcp_stream(where.hostname, where.port)
        except OSError:
            return
        try:
            with trio.fail_after(HANDSHAKE):
                client, node = await accept(stream), await dial(upstream, self.target)
            link = Link(self._post, life, client, node)
            self._links.add(link)
            try:
                await link.run()
            finally:
                self._links.discard(link)
        except trio.TooSlowError:
            return
        finally:
            await trio.aclose_forcefully(upstream)


@asynccontextmanager
async def open_relay(
    target: str, weather: Calm | None = None, **how: object
) -> AsyncIterator[Relay]:
    """A relay that listens for as long as the block lasts; its connections end with it.

    Args:
        target: the node's WebSocket.
        weather: what happens to frames; by default nothing.
        how: other arguments of ``Relay``.
    """
    relay = Relay(target, weather or Calm(), **how)  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        listeners: list[trio.SocketListener] = await nursery.start(
            partial(trio.serve_tcp, relay.serve, 0, host="127.0.0.1")
        )
        relay.port = listeners[0].socket.getsockname()[1]
        yield relay
        nursery.cancel_scope.cancel()
