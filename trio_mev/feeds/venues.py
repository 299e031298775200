"""Exchanges as feeds: thin shells over the adapters of ``wire``."""

from __future__ import annotations

import math
import random
from typing import ClassVar

from ..errors import ConfigError
from ..model.identity import Endpoint, Instrument
from ..model.settings import VenueSettings
from ..wire.session import Session
from ..wire.venue import VenueAdapter
from ..wire.venues import adapter_of
from .connection import Connection, Tap
from .websocket import Dial

HANDOVER = 2.0
"""Seconds; connections to one venue are not so far behind each other."""


class VenueClient(Connection):
    """One connection to an exchange; it carries every instrument and channel of its settings.

    It keeps the exchange's rules: how often one may connect, ask and ping, and at what age a
    connection is replaced, where the settings do not name an earlier one.

    Args:
        settings: of any exchange's feed.
        dial: opens the byte stream, where it is not TCP and the system's TLS.
        tap: gets every frame, for a recording.
        rng: draws the backoff's jitter.

    Raises:
        ConfigError: the exchange is not known, or does not have what is wanted of it.
    """

    kind: ClassVar[str | None] = None
    """The only kind that it takes, of a class for one exchange."""

    def __init__(
        self,
        settings: VenueSettings,
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if self.kind is not None and settings.kind != self.kind:
            raise ConfigError(f"feed {settings.name} is of kind {settings.kind}, not {self.kind}")
        self.adapter = adapter_of(settings.kind, f"feed {settings.name}")
        self.instruments = list(settings.instruments)
        self._settings = settings
        try:
            self._new_session()
            endpoint = settings.endpoint or Endpoint(self.adapter.address(settings.channels))
        except ValueError as error:
            raise ConfigError(f"feed {settings.name}: {error}") from None
        super().__init__(settings, endpoint, self._new_session, dial, tap, rng)
        rules, asked = self.adapter.rules, settings.connection.rotate_after
        ages = [age for age in (asked, rules.rotate_after) if age is not None]
        self.rotate_after = min(ages, default=math.inf)
        self.connect_interval = rules.connect_interval
        self.handover = HANDOVER

    def _new_session(self) -> Session:
        settings = self._settings
        return self.adapter(settings.name, self.instruments, settings.channels, settings.symbols)

    def subscribe(self, instrument: Instrument) -> None:
        """Add an instrument, now if there is a life and in every life to come.

        Raises:
            ConfigError: the exchange has no such instrument, or no room for more.
        """
        if instrument in self.instruments:
            return
        self.instruments.append(instrument)
        try:
            self._new_session()
        except ValueError as error:
            self.instruments.remove(instrument)
            raise ConfigError(f"feed {self.settings.name}: {error}") from None
        session = self.session
        if isinstance(session, VenueAdapter):
            session.add(instrument)
            self.flush()

    def unsubscribe(self, instrument: Instrument) -> None:
        """Remove an instrument."""
        if instrument not in self.instruments:
            return
        self.instruments.remove(instrument)
        session = self.session
        if isinstance(session, VenueAdapter):
            session.remove(instrument)
            self.flush()


class BinanceWebSocketClient(VenueClient):
    """Binance spot: all streams combined on one socket."""

    kind = "binance"


class CoinbaseWebSocketClient(VenueClient):
    """Coinbase Exchange."""

    kind = "coinbase"
