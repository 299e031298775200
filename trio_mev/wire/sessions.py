"""Sessions and tape headers by kind of feed."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ConfigError
from ..model.identity import Instrument
from ..model.settings import AnyFeed, EthereumSettings, VenueSettings
from .binance import BinanceAdapter
from .coinbase import CoinbaseAdapter
from .node import EthereumSession
from .session import Session
from .tape import FeedHeader
from .venue import VenueAdapter

ADAPTERS: Mapping[str, type[VenueAdapter]] = {
    "binance": BinanceAdapter,
    "coinbase": CoinbaseAdapter,
}


def replay_session(name: str, header: FeedHeader) -> Session:
    """A session that reads a feed's frames off a tape.

    Raises:
        ConfigError: the feed is of a kind that is not known, or names instruments that cannot
            be read.
    """
    if header.kind == "ethereum":
        return EthereumSession(EthereumSettings(name=name), replaying=True)
    adapter = ADAPTERS.get(header.kind)
    if adapter is None:
        raise ConfigError(f"feed {name} is of the unknown kind {header.kind!r}")
    symbols = read_symbols(name, header)
    return adapter(name, symbols.values(), header.channels, symbols)


def read_symbols(name: str, header: FeedHeader) -> dict[str, Instrument]:
    """The header's symbols.

    Raises:
        ConfigError: an instrument cannot be read.
    """
    try:
        return {symbol: Instrument.parse(text) for symbol, text in header.symbols.items()}
    except ValueError as error:
        raise ConfigError(f"feed {name}: {error}") from None


def feed_header(settings: AnyFeed, endpoint: str) -> FeedHeader:
    """What a tape must know of a feed; the endpoint has been redacted."""
    if isinstance(settings, VenueSettings):
        adapter = ADAPTERS[settings.kind](
            settings.name, settings.instruments, settings.channels, settings.symbols
        )
        symbols = {symbol: str(item) for symbol, item in adapter.symbols.items()}
        return FeedHeader(settings.kind, endpoint, symbols, list(settings.channels))
    assert isinstance(settings, EthereumSettings)
    return FeedHeader(settings.kind, endpoint)
