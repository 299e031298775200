"""What is made from settings: feeds, and factories of processors."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import attrs

from ..chain.contracts import aave, chainlink
from ..chain.logs import known_events
from ..chain.pools.changes import TOPICS as POOL_TOPICS
from ..chain.pools.learning import TOPICS as NEW_POOL_TOPICS
from ..feeds.connection import Connection, Tap
from ..feeds.ethereum import EthereumFeed, EthereumWebSocketClient
from ..feeds.venues import VenueClient
from ..feeds.websocket import Dial
from ..flow.processor import Factory
from ..model.identity import Instrument, Venue
from ..model.settings import AnyFeed, EthereumSettings, LogFilter, Settings, VenueSettings
from ..processors.arbitrage import ArbitrageDetector
from ..processors.blocks import BlockAnalyzer
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
from ..wire.venues import ADAPTERS
from .whole import chain_of, expected_quotes

LENDING_TOPICS = (
    *aave.EVENTS,
    *aave.TOKEN_EVENTS,
    *aave.CONFIGURATION_EVENTS,
    *[topic for topic, text in chainlink.EVENTS.items() if text.startswith("AnswerUpdated(")],
)
"""The first topics of logs that change what a position is worth."""


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
