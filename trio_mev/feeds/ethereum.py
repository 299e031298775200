"""An Ethereum node's WebSocket as a feed; or several nodes' of one chain."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial

import trio

from ..errors import ConfigError, RestartLimitReached
from ..flow.feed import Emit
from ..flow.outstanding import Outstanding
from ..flow.status import FeedStatus
from ..model.settings import EthereumSettings
from ..wire.node import EthereumSession
from ..wire.session import Session
from ..wire.sources import SourceFigures
from ..wire.tracking import make_trunk
from ..wire.trunk import Trunk
from .connection import Connection, Tap
from .rpc import SocketRpc
from .websocket import Dial


class EthereumWebSocketClient(Connection):
    """Heads, pending transactions and logs of one node.

    Args:
        settings: of one node.
        dial: as ``Connection``.
        tap: as ``Connection``.
        rng: as ``Connection``; it draws the jitter of requests, too.
        trunk: what it shares with other nodes of the same feed.

    Raises:
        ConfigError: the settings name no endpoint, or several.
    """

    def __init__(
        self,
        settings: EthereumSettings,
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
        trunk: Trunk | None = None,
    ) -> None:
        if settings.nodes:
            raise ConfigError(f"feed {settings.name} has several nodes; make an EthereumFeed")
        if settings.endpoint is None:
            raise ConfigError(f"feed {settings.name} has no endpoint: name one, or set ETH_RPC_URL")
        rng = rng or random.Random()
        self.trunk = trunk or make_trunk(settings)
        session = partial(EthereumSession, settings, trunk=self.trunk, jitter=rng.random)
        super().__init__(settings, settings.endpoint, session, dial, tap, rng)
        self.rpc: SocketRpc | None = SocketRpc(self._calling)
        """For processors; None where a tape is played to it that has no calls."""

    def _calling(self) -> tuple[EthereumSession, Connection] | None:
        """The connection's session, once its node has proven to be of the right chain."""
        session: Session | None = self.session
        if isinstance(session, EthereumSession) and session.proven:
            return session, self
        return None


class EthereumFeed:
    """Several nodes of one chain at once: each block, log and transaction counts once.

    Args:
        settings: with nodes.
        dial: as ``Connection``.
        tap: as ``Connection``.
        rng: as ``Connection``.

    Raises:
        ConfigError: the settings name no nodes.
    """

    def __init__(
        self,
        settings: EthereumSettings,
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if not settings.nodes:
            raise ConfigError(f"feed {settings.name} has no nodes: name some, or an endpoint")
        self.settings = settings
        self.trunk = make_trunk(settings)
        rng = rng or random.Random()
        self.connections = tuple(
            EthereumWebSocketClient(settings.of_node(node), dial, tap, rng, self.trunk)
            for node in settings.nodes
        )
        self.rpc: SocketRpc | None = SocketRpc(self._calling)
        """As that of one node."""

    @property
    def statuses(self) -> Sequence[FeedStatus]:
        """One for each node, by its alias."""
        return tuple(connection.status for connection in self.connections)

    @property
    def current(self) -> str | None:
        """The alias of the node that is believed where they disagree."""
        return self.trunk.current

    def figures(self) -> Mapping[tuple[str, str], SourceFigures]:
        """Who was first and by how much, and who missed what, by alias and kind."""
        return self.trunk.figures()

    async def run(self, emit: Emit, outstanding: Outstanding) -> None:
        """Run every connection; one that is refused leaves the others alone.

        Raises:
            RestartLimitReached: the feed is required, and every node is refused.
        """
        async with trio.open_nursery() as nursery:
            for connection in self.connections:
                nursery.start_soon(connection.run, emit, outstanding)
        if self.settings.required:
            raise RestartLimitReached(f"feed {self.settings.name}: every node is refused")

    def _calling(self) -> tuple[EthereumSession, Connection] | None:
        """A connection to call through: that of the believed node, or any."""
        able = sorted(self.connections, key=lambda one: one.status.name != self.current)
        return next((found for one in able if (found := one._calling()) is not None), None)
