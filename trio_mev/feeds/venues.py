"""Exchanges as feeds: thin shells over the adapters of ``wire``."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ..model.identity import Endpoint, Instrument
from ..model.settings import BinanceSettings, CoinbaseSettings, VenueSettings
from ..wire.binance import BinanceAdapter
from ..wire.coinbase import CoinbaseAdapter
from ..wire.session import Session
from ..wire.venue import VenueAdapter
from .connection import Connection, Tap
from .websocket import Dial


class VenueClient(Connection):
    """One connection to an exchange; it carries every instrument and channel of its settings."""

    adapter: type[VenueAdapter]

    def __init__(
        self,
        settings: VenueSettings,
        channels: Iterable[str],
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.instruments = list(settings.instruments)
        self.channels = tuple(channels)
        self._symbols = dict(settings.symbols)
        endpoint = settings.endpoint or Endpoint(self.adapter.endpoint)
        super().__init__(settings, endpoint, self._new_session, dial, tap, rng)

    def _new_session(self) -> Session:
        return self.adapter(self.settings.name, self.instruments, self.channels, self._symbols)


class BinanceWebSocketClient(VenueClient):
    """Binance spot: all streams combined on one socket."""

    adapter = BinanceAdapter

    def __init__(
        self,
        settings: BinanceSettings,
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(settings, settings.channels, dial, tap, rng)

    def subscribe(self, instrument: Instrument) -> None:
        """Add an instrument, now if there is a life and in every life to come."""
        if instrument in self.instruments:
            return
        self.instruments.append(instrument)
        session = self.session
        if isinstance(session, BinanceAdapter):
            symbol = session.spell(instrument)
            session.symbols[symbol] = instrument
            session.subscribe([f"{symbol.lower()}@{c}" for c in self.channels])
            self.flush()

    def unsubscribe(self, instrument: Instrument) -> None:
        """Remove an instrument."""
        if instrument not in self.instruments:
            return
        self.instruments.remove(instrument)
        session = self.session
        if isinstance(session, BinanceAdapter):
            symbol = session.spell(instrument)
            session.unsubscribe([f"{symbol.lower()}@{c}" for c in self.channels])
            self.flush()


class CoinbaseWebSocketClient(VenueClient):
    """Coinbase Exchange."""

    adapter = CoinbaseAdapter

    def __init__(
        self,
        settings: CoinbaseSettings,
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(settings, settings.channels, dial, tap, rng)
