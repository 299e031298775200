"""Every exchange that is known: to add one, write its adapter and name it here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ..errors import ConfigError
from .binance import BinanceAdapter
from .binance_us import BinanceUsAdapter
from .binance_usdm import BinanceUsdmAdapter
from .bitfinex import BitfinexAdapter
from .bitstamp import BitstampAdapter
from .bybit import BybitAdapter, BybitLinearAdapter
from .coinbase import CoinbaseAdapter
from .gemini import GeminiAdapter
from .kraken import KrakenAdapter
from .okx import OkxAdapter
from .venue import VenueAdapter

ADAPTERS: Mapping[str, type[VenueAdapter]] = {
    "binance": BinanceAdapter,
    "binance_us": BinanceUsAdapter,
    "binance_usdm": BinanceUsdmAdapter,
    "bitfinex": BitfinexAdapter,
    "bitstamp": BitstampAdapter,
    "bybit": BybitAdapter,
    "bybit_linear": BybitLinearAdapter,
    "coinbase": CoinbaseAdapter,
    "gemini": GeminiAdapter,
    "kraken": KrakenAdapter,
    "okx": OkxAdapter,
}
"""By the ``kind`` of a feed."""


def adapter_of(kind: str, where: str) -> type[VenueAdapter]:
    """The adapter of a kind of feed.

    Raises:
        ConfigError: there is none; ``where`` says whose kind it is.
    """
    adapter = ADAPTERS.get(kind)
    if adapter is None:
        raise ConfigError(f"{where} is of the unknown kind {kind!r}; known are {_known()}")
    return adapter


def kind_of_url(url: str) -> str:
    """The kind of feed that a recorded URL belongs to.

    A venue's markets may share a server: the path tells them apart.

    Raises:
        ConfigError: it is nobody's that is known.
    """
    scheme, _, rest = url.partition("://")
    host, _, path = (rest or scheme).partition("/")
    host = host.partition(":")[0]
    found = [kind for kind, adapter in ADAPTERS.items() if host in hosts_of(adapter)]
    for kind in found:
        if urlsplit(ADAPTERS[kind].endpoint).path == f"/{path}":
            return kind
    if found:
        return found[0]
    known = ", ".join(host for adapter in ADAPTERS.values() for host in hosts_of(adapter))
    raise ConfigError(f"{host} cannot be read; known are {known}")


def hosts_of(adapter: type[VenueAdapter]) -> Iterable[str]:
    """The names of a venue's servers."""
    return urlsplit(adapter.endpoint).hostname or "", *adapter.hosts


def _known() -> str:
    return ", ".join(ADAPTERS)


def quoting(adapter: type[VenueAdapter], channels: Iterable[str]) -> str | None:
    """The channel that brings a feed's quotes; None where it has none.

    Args:
        adapter: of the venue.
        channels: the feed's; the usual ones where none is named.

    Raises:
        ValueError: there are two, whose quotes would be in no order.
    """
    found = sorted(set(tuple(channels) or adapter.usual_channels) & adapter.quote_channels)
    if len(found) > 1:
        raise ValueError(f"channels {' and '.join(found)} both bring quotes; name one of them")
    return found[0] if found else None
