"""Price feeds by venue and instrument, put together into as few connections as there are venues."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..errors import ConfigError
from ..model.identity import Instrument
from ..model.settings import BinanceSettings, CoinbaseSettings
from .connection import Connection
from .venues import BinanceWebSocketClient, CoinbaseWebSocketClient


@attrs.define(eq=False)
class PriceFeedWebSocketHandler:
    """Collects what is wanted and makes the feeds: one connection a venue.

    Their quotes reach the aggregator through the stream, as every event does; there is no way
    around it.
    """

    wanted: dict[str, list[Instrument]] = attrs.Factory(dict)

    def add(self, venue: str, *instruments: Instrument | str) -> None:
        """Want quotes and trades of instruments at a venue.

        Raises:
            ConfigError: the venue is not known, or an instrument cannot be read.
        """
        if venue not in {"binance", "coinbase"}:
            raise ConfigError(f"venue {venue!r} is not known; known are binance and coinbase")
        known = self.wanted.setdefault(venue, [])
        for instrument in instruments:
            try:
                item = Instrument.parse(instrument) if isinstance(instrument, str) else instrument
            except ValueError as error:
                raise ConfigError(f"{venue}: {error}") from None
            if item not in known:
                known.append(item)

    def feeds(self) -> Iterable[Connection]:
        """One feed for each venue that something is wanted of."""
        for venue, instruments in self.wanted.items():
            name, items = f"{venue}:spot", tuple(instruments)
            if venue == "binance":
                yield BinanceWebSocketClient(BinanceSettings(name=name, instruments=items))
            else:
                yield CoinbaseWebSocketClient(CoinbaseSettings(name=name, instruments=items))
