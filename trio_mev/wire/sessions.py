"""Sessions and tape headers by kind of feed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import msgspec

from ..errors import ConfigError, MalformedFrame
from ..model.identity import Endpoint, Instrument
from ..model.settings import (
    AnyFeed,
    ConnectionSettings,
    EthereumSettings,
    NodeSettings,
    VenueSettings,
)
from .jsonrpc import RpcBook
from .node import BODIES, HEADS, EthereumSession
from .session import Session
from .tape import FeedHeader, Header
from .tracking import make_trunk, read_filter
from .trunk import Trunk
from .venues import ADAPTERS, adapter_of


def replay_trunk(header: Header, name: str) -> Trunk | None:
    """What the sessions of a tape's feed share; None where they share nothing.

    Raises:
        ConfigError: the tape has no such feed.
    """
    mine = header.feeds[name]
    if mine.kind != "ethereum":
        return None
    group = [n for n, h in header.feeds.items() if mine.group and h.group == mine.group]
    return make_trunk(EthereumSettings(name=name), group)


def replay_session(name: str, header: FeedHeader, trunk: Trunk | None = None) -> Session:
    """A session that reads a feed's frames off a tape.

    Args:
        name: the feed's alias.
        header: the feed's, on the tape.
        trunk: what it shares with the sessions before it, and with others of its group.

    Raises:
        ConfigError: the feed is of a kind that is not known, or names instruments that cannot
            be read.
    """
    if header.kind == "ethereum":
        settings = EthereumSettings(name=name, follow=header.follow)
        return EthereumSession(settings, replaying=True, trunk=trunk)
    adapter = adapter_of(header.kind, f"feed {name}")
    symbols = read_symbols(name, header)
    try:
        return adapter(name, symbols.values(), header.channels, symbols)
    except ValueError as error:
        raise ConfigError(f"feed {name}: {error}") from None


def tape_settings(
    name: str,
    header: FeedHeader,
    endpoint: Endpoint,
    requests: Iterable[bytes],
    connection: ConnectionSettings | None = None,
) -> AnyFeed:
    """Settings that ask a peer for what a tape holds of a feed.

    Args:
        name: the feed's alias.
        header: the feed's, on the tape.
        endpoint: where the peer is.
        requests: the frames that were sent when the tape was recorded.
        connection: how to connect.

    Raises:
        ConfigError: as ``replay_session``, or nothing can be asked for.
    """
    replay_session(name, header)
    common: dict[str, Any] = {
        "name": name,
        "endpoint": endpoint,
        "connection": connection or ConnectionSettings(),
    }
    try:
        if header.kind == "ethereum":
            return EthereumSettings(**common, **_node_settings(requests), follow=header.follow)
        symbols = read_symbols(name, header)
        common |= {
            "instruments": tuple(symbols.values()),
            "symbols": symbols,
            "channels": tuple(header.channels),
        }
        return VenueSettings(kind=header.kind, **common)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"feed {name}: {error}") from None


def grouped(name: str, feeds: Iterable[AnyFeed]) -> EthereumSettings:
    """One feed of several nodes, from the settings of each."""
    several = [feed for feed in feeds if isinstance(feed, EthereumSettings)]
    nodes = [
        NodeSettings(feed.name, feed.endpoint) for feed in several if feed.endpoint is not None
    ]
    return attrs.evolve(several[0], name=name, endpoint=None, nodes=tuple(nodes))


def _node_settings(requests: Iterable[bytes]) -> dict[str, Any]:
    book = RpcBook()
    asked: list[tuple[Any, ...]] = []
    for frame in requests:
        try:
            learned = book.learn(frame)
        except MalformedFrame:
            continue
        asked += [r.params for _, r in learned if r.method == "eth_subscribe" and r.params]
    pending = "off"
    if (BODIES,) in asked:
        pending = "hashes"
    if (BODIES, True) in asked:
        pending = "bodies"
    filters = [params[1] if len(params) > 1 else {} for params in asked if params[0] == "logs"]
    return {
        "heads": (HEADS,) in asked,
        "pending": pending,
        "logs": tuple(read_filter(one) for one in filters),
    }


def read_symbols(name: str, header: FeedHeader) -> dict[str, Instrument]:
    """The header's symbols.

    Raises:
        ConfigError: an instrument cannot be read.
    """
    try:
        return {symbol: Instrument.parse(text) for symbol, text in header.symbols.items()}
    except ValueError as error:
        raise ConfigError(f"feed {name}: {error}") from None


def feed_headers(settings: AnyFeed) -> dict[str, FeedHeader]:
    """What a tape must know of a feed, by the aliases of its connections."""
    if isinstance(settings, EthereumSettings) and settings.nodes:
        several = (settings.of_node(node) for node in settings.nodes)
        return {one.name: feed_header(one, str(one.endpoint), settings.name) for one in several}
    return {settings.name: feed_header(settings, str(settings.endpoint or ""))}


def feed_header(settings: AnyFeed, endpoint: str, group: str = "") -> FeedHeader:
    """What a tape must know of one connection; the endpoint has been redacted."""
    if isinstance(settings, VenueSettings):
        adapter = ADAPTERS[settings.kind](
            settings.name, settings.instruments, settings.channels, settings.symbols
        )
        symbols = {symbol: str(item) for symbol, item in adapter.symbols.items()}
        return FeedHeader(settings.kind, endpoint, symbols, list(adapter.channels))
    assert isinstance(settings, EthereumSettings)
    return FeedHeader(settings.kind, endpoint, follow=settings.follow, group=group)
