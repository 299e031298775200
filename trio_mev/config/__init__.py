"""The configuration: TOML and the environment into frozen settings.

Every problem is reported at once, with its key path and what to do. A secret is written as
``env:NAME`` and read from the environment; an endpoint may be.
"""

from __future__ import annotations

import os
import random
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import cattrs

from ..chain.contracts import aave, chainlink
from ..chain.logs import known_events
from ..chain.pools.changes import TOPICS as POOL_TOPICS
from ..chain.pools.learning import TOPICS as NEW_POOL_TOPICS
from ..errors import ConfigError
from ..feeds.connection import Connection, Tap
from ..feeds.ethereum import EthereumFeed, EthereumWebSocketClient
from ..feeds.venues import VenueClient
from ..feeds.websocket import Dial, obstacles
from ..flow.processor import Factory
from ..model.identity import Instrument, Venue
from ..model.settings import (
    AnyFeed,
    EthereumSettings,
    FilterSettings,
    LogFilter,
    Settings,
    VenueSettings,
)
from ..processors.arbitrage import ArbitrageDetector
from ..processors.blocks import BlockAnalyzer
from ..processors.filters import EventFilter
from ..processors.jit import JitDetector
from ..processors.landed import BlockInspector
from ..processors.ledger import PredictionLedger
from ..processors.liquidations import LiquidationDetector
from ..processors.mempool import MempoolAnalyzer
from ..processors.opportunities import OpportunityWatch
from ..processors.pool_prices import PoolPrices
from ..processors.pools import PoolTracker
from ..processors.prices import PriceDataProcessor
from ..processors.referee import Referee
from ..processors.refereed import TransactionReferee
from ..processors.sandwich import SandwichDetector
from ..processors.transactions import TransactionAnalyzer
from ..wire.venues import ADAPTERS, quoting
from .explain import explain
from .structure import make_converter
from .whole import chain_of, contradictions, expected_quotes

PREFIX = "TRIO_MEV_"
TABLES = frozenset(
    {
        *("stream", "prices", "transactions", "mempool", "pools", "arbitrage", "referee"),
        *("liquidations", "exposure", "store"),
    }
)
"""What the environment may override."""
LENDING_TOPICS = (
    *aave.EVENTS,
    *aave.TOKEN_EVENTS,
    *aave.CONFIGURATION_EVENTS,
    *[topic for topic, text in chainlink.EVENTS.items() if text.startswith("AnswerUpdated(")],
)
"""The first topics of logs that change what a position is worth."""
RPC_VARIABLES = ("ETH_RPC_URL", "WEB3_WS_PROVIDER_URI")
"""Where an Ethereum feed without an endpoint looks for one, in this order."""

LONGEST_LINE = 500


@attrs.frozen
class Config:
    """A configuration that has been checked, and what can be made from it."""

    settings: Settings

    def feeds(
        self,
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> list[Connection | EthereumFeed]:
        """The feeds, not yet running."""
        return [make_feed(settings, dial, tap, rng) for settings in with_pool_logs(self.settings)]

    def processors(self) -> list[Factory]:
        """Factories of the processors."""
        settings = self.settings
        classes = {
            ADAPTERS[feed.kind].venue: feed.update_class
            for feed in settings.feeds
            if isinstance(feed, VenueSettings)
        }
        return standard_processors(settings, classes, tuple(expected_quotes(settings)))


def with_pool_logs(settings: Settings) -> tuple[AnyFeed, ...]:
    """The feeds' settings; where pools or positions are watched, the chain's feed streams every
    log that can be read: of pools, of loans, and of tokens that are moved."""
    chain = chain_of(settings)
    if not _predicts(settings) or chain is None:
        return settings.feeds
    known = (topic for topic, _ in known_events())
    topics = {*POOL_TOPICS, *NEW_POOL_TOPICS, *LENDING_TOPICS, *known}
    wanted = LogFilter(topics=(tuple(sorted(topics)),))
    asked = attrs.evolve(chain, logs=(*chain.logs, wanted))
    return tuple(asked if feed is chain else feed for feed in settings.feeds)


def make_feed(
    settings: AnyFeed,
    dial: Dial | None = None,
    tap: Tap | None = None,
    rng: random.Random | None = None,
) -> Connection | EthereumFeed:
    """The feed of one entry."""
    if isinstance(settings, EthereumSettings) and settings.nodes:
        return EthereumFeed(settings, dial, tap, rng)
    if isinstance(settings, EthereumSettings):
        return EthereumWebSocketClient(settings, dial, tap, rng)
    return VenueClient(settings, dial, tap, rng)


def played_by(
    walls: Callable[[str], Callable[[], int]], settings: Iterable[AnyFeed], calls: bool = True
) -> list[Connection | EthereumFeed]:
    """Feeds to which recordings are played: each takes its recording's time for the wall clock's.

    Args:
        walls: the wall clock of the recording of a connection, by its alias.
        settings: of the feeds.
        calls: whether the recordings have what processors asked their node.
    """
    feeds = [make_feed(one) for one in settings]
    for feed in feeds:
        if not calls and isinstance(feed, EthereumFeed | EthereumWebSocketClient):
            feed.rpc = None
        for connection in feed.connections if isinstance(feed, EthereumFeed) else (feed,):
            connection.wall = walls(connection.settings.name)
    return feeds


def standard_processors(
    settings: Settings,
    classes: Mapping[Venue, str] | None = None,
    expected: Sequence[tuple[Venue, Instrument]] = (),
) -> list[Factory]:
    """Factories of every processor that comes with the package.

    Args:
        settings: theirs.
        classes: how often each venue is expected to be heard.
        expected: who should quote what.
    """
    pools = settings.pools
    on_chain = PoolPrices(pools) if pools.enabled and pools.prices else None
    return [
        lambda: PriceDataProcessor(settings.prices, dict(classes or {}), expected, on_chain),
        lambda: TransactionAnalyzer(settings.transactions),
        lambda: MempoolAnalyzer(settings.mempool),
        BlockAnalyzer,
        *_pool_watchers(settings),
        *_liquidations(settings),
        *_judges(settings),
        *(referees(settings) if settings.referee.enabled else ()),
    ]


def referees(settings: Settings) -> list[Factory]:
    """Factories of what has a node try transactions: one for each call that may be under way, all
    with one budget."""
    referee, many = Referee(settings.referee), settings.referee.under_way
    return [
        partial(TransactionReferee, referee, settings.transactions, part=(number, many))
        for number in range(many)
    ]


def _pool_watchers(settings: Settings) -> Iterator[Factory]:
    """Factories of what needs pools, where they are watched."""
    chain = chain_of(settings)
    if settings.pools.enabled:
        chain_id = None if chain is None else chain.chain_id
        sources = None if chain is None else frozenset({chain.name, *chain.aliases})
        yield lambda: PoolTracker(settings.pools, chain_id, sources)
        yield lambda: ArbitrageDetector(settings.arbitrage, settings.pools, settings.prices)
        yield lambda: JitDetector(settings.arbitrage.native, sources)
        yield lambda: SandwichDetector(settings.exposure)


def _predicts(settings: Settings) -> bool:
    return settings.pools.enabled or settings.liquidations.enabled


def _judges(settings: Settings) -> Iterator[Factory]:
    """Factories of what holds predictions against blocks."""
    chain = chain_of(settings)
    if _predicts(settings):
        sources = None if chain is None else frozenset({chain.name, *chain.aliases})
        yield lambda: BlockInspector(sources)
        yield PredictionLedger
        yield OpportunityWatch


def _liquidations(settings: Settings) -> Iterator[Factory]:
    """A factory, where positions are watched."""
    chain = chain_of(settings)
    if settings.liquidations.enabled:
        sources = None if chain is None else frozenset({chain.name, *chain.aliases})
        yield lambda: LiquidationDetector(settings.liquidations, sources)


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read a configuration file.

    Args:
        path: of a TOML file.
        environment: where secrets and overrides come from; the process's own by default.

    Raises:
        ConfigError: a line a problem, all of them.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8") from None
    try:
        return loads(text, environment)
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {problem}" for problem in error.problems)) from None


def loads(text: str, environment: Mapping[str, str] | None = None) -> Config:
    """Read a configuration from TOML text; as ``load``."""
    env = os.environ if environment is None else environment
    try:
        settings, problems = _read(text, env)
    except RecursionError:
        raise ConfigError("its values are nested too deeply") from None
    if settings is None or problems:
        raise ConfigError(*map(_line, problems))
    if problems := list(contradictions(settings)):
        raise ConfigError(*map(_line, problems))
    return Config(settings)


def _line(problem: str) -> str:
    """One line, of a length that can be read."""
    line = " ".join(problem.split())
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _toml(text: str) -> dict[str, Any]:
    """As ``tomllib.loads``.

    Raises:
        TOMLDecodeError: also where a whole number is longer than Python reads.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise tomllib.TOMLDecodeError("a number in it has too many digits") from None


def _read(text: str, env: Mapping[str, str]) -> tuple[Settings | None, list[str]]:
    try:
        values = _toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"it is not TOML: {error}") from None
    problems = _overrides(values, env)
    converter = make_converter(env)
    settings: Settings | None = None
    try:
        settings = converter.structure(values, Settings)
    except cattrs.BaseValidationError as error:
        problems += explain(error)
    problems += _check_feeds(values, converter)
    problems += _check_filters(values, converter)
    return settings, problems


def _overrides(values: dict[str, Any], env: Mapping[str, str]) -> list[str]:
    """Apply ``TRIO_MEV_STREAM__BUDGET=0.2``, and give Ethereum feeds their endpoint."""
    problems: list[str] = []
    for name in sorted(env):
        keys = name.removeprefix(PREFIX).lower().split("__")
        # Other variables of that prefix are for something else, or secrets that are named so.
        if name.startswith(PREFIX) and len(keys) > 1 and keys[0] in TABLES:
            problems += _override(values, name, keys, env[name])
    fallback = next((f"env:{name}" for name in RPC_VARIABLES if env.get(name)), None)
    feeds = values.get("feeds")
    for feed in feeds if isinstance(feeds, list) and fallback else ():
        if isinstance(feed, dict) and feed.get("kind") == "ethereum" and "nodes" not in feed:
            feed.setdefault("endpoint", fallback)
    return problems


def _override(values: dict[str, Any], name: str, keys: list[str], text: str) -> Iterable[str]:
    table: Any = values
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return [f"{name}: {key} is not a table"]
    try:
        table[keys[-1]] = _toml(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[keys[-1]] = text
    return []


def _sound(entries: Any, kind: Any, converter: cattrs.Converter) -> Iterator[tuple[int, Any]]:
    """Those of a list that can be structured, with their places; of the others it is said."""
    for number, value in enumerate(entries if isinstance(entries, list) else ()):
        with suppress(cattrs.BaseValidationError, ValueError):
            yield number, converter.structure(value, kind)


def _check_feeds(values: Mapping[str, Any], converter: cattrs.Converter) -> Iterator[str]:
    """What only a feed as a whole can tell, even where other settings are wrong."""
    for number, feed in _sound(values.get("feeds"), AnyFeed, converter):
        yield from (f"feeds[{number}].{key}: {why}" for key, why in obstacles(feed))
        if isinstance(feed, VenueSettings):
            yield from _spelled(number, feed)
        elif feed.endpoint is None and not feed.nodes:
            names = " or ".join(RPC_VARIABLES)
            yield f"feeds[{number}].endpoint: missing; name one or set {names}"


def _check_filters(values: Mapping[str, Any], converter: cattrs.Converter) -> Iterator[str]:
    """Paths and operators of the filters, even where other settings are wrong."""
    stream = values.get("stream")
    filters = stream.get("filters") if isinstance(stream, dict) else None
    for number, settings in _sound(filters, FilterSettings, converter):
        try:
            EventFilter.of("stream.filters", [settings])
        except ConfigError as error:
            where = f"stream.filters[{number}]"
            yield from (p.replace("stream.filters[0]", where) for p in error.problems)


def _spelled(number: int, feed: Any) -> Iterable[str]:
    adapter = ADAPTERS[feed.kind]
    try:
        adapter(feed.name, feed.instruments, feed.channels, feed.symbols)
        quoting(adapter, feed.channels)
        if feed.endpoint is None:
            adapter.address(feed.channels)
    except ValueError as error:
        yield f"feeds[{number}]: {error}"
