"""Price feeds by venue and instrument, put together into as few connections as there are venues."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..errors import ConfigError
from ..model.identity import Instrument
from ..model.settings import VenueSettings
from ..wire.venues import ADAPTERS
from .connection import Connection
from .venues import VenueClient


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
        if venue not in ADAPTERS:
            raise ConfigError(f"venue {venue!r} is not known; known are {', '.join(ADAPTERS)}")
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
            settings = VenueSettings(kind=venue, name=venue, instruments=tuple(instruments))
            yield VenueClient(settings)
