"""An Ethereum node's WebSocket as a feed."""

from __future__ import annotations

import random
from functools import partial

from ..errors import ConfigError
from ..model.settings import EthereumSettings
from ..wire.node import EthereumSession
from .connection import Connection, Tap
from .websocket import Dial


class EthereumWebSocketClient(Connection):
    """Heads, pending transactions and logs of one node.

    Raises:
        ConfigError: the settings name no endpoint.
    """

    def __init__(
        self,
        settings: EthereumSettings,
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if settings.endpoint is None:
            raise ConfigError(f"feed {settings.name} has no endpoint: name one, or set ETH_RPC_URL")
        session = partial(EthereumSession, settings)
        super().__init__(settings, settings.endpoint, session, dial, tap, rng)
