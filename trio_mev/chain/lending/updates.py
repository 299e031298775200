"""Pending reports of prices to the aggregators that a pool's prices come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...model.chain import Transaction
from ...model.intents import OracleUpdate
from ...model.noun import Noun
from ..calldata import CallDecoder, Kind
from .market import Feed, Market

MOST_UPDATES = 256
"""Pending reports that are remembered; the oldest go first."""


class Update(Noun, frozen=True):
    """A pending report."""

    hash: str
    aggregator: str
    answer: int


class Updates:
    """Knows reports when it sees them, and which are pending.

    Args:
        named: contracts that bring prices, beside those that the pool's feeds name.
    """

    def __init__(self, named: Mapping[str, Kind]) -> None:
        self._named = dict(named)
        self._feeds: dict[str, Feed] = {}
        self._kinds: Mapping[str, Kind] = self._named
        self._decoder = CallDecoder(self._kinds)
        self._known: dict[str, Update] = {}
        self._away: set[str] = set()
        """Those of the known that are in a block."""

    @property
    def aggregators(self) -> frozenset[str]:
        """Contracts that are named as aggregators."""
        kinds = {Kind.CHAINLINK_AGGREGATOR, Kind.SETTABLE_FEED}
        return frozenset(one for one, kind in self._named.items() if kind in kinds)

    def learn(self, market: Market) -> None:
        """Take in whose reports count."""
        feeds = [feed for feed in market.feeds.values() if feed.aggregator is not None]
        self._feeds = {str(feed.aggregator): feed for feed in feeds}
        forwarders = {one for feed in feeds for one in feed.transmitters}
        kinds = {
            **dict.fromkeys(forwarders, Kind.CHAINLINK_FORWARDER),
            **dict.fromkeys(self._feeds, Kind.CHAINLINK_AGGREGATOR),
            **self._named,
        }
        if kinds != self._kinds:
            self._kinds, self._decoder = kinds, CallDecoder(kinds)

    def take(self, body: Transaction) -> Update | None:
        """The report that a pending transaction makes, where it makes one that counts."""
        if body.to not in self._kinds:
            return None
        intents = self._decoder.decode(body.to, body.input, body.sender, body.value)
        for intent in intents:
            if isinstance(intent, OracleUpdate) and self._counts(intent, body):
                update = Update(body.hash, intent.aggregator, intent.answer)
                self._known[body.hash] = update
                if len(self._known) > MOST_UPDATES:
                    self.forget(next(iter(self._known)))
                return update
        return None

    def _counts(self, intent: OracleUpdate, body: Transaction) -> bool:
        """Whether the aggregator would take it: from one who may, within its bounds."""
        feed = self._feeds.get(intent.aggregator)
        if feed is None or intent.answer <= 0:
            return False
        settable = self._named.get(intent.aggregator) is Kind.SETTABLE_FEED
        via = body.sender if body.to == intent.aggregator else body.to
        if not settable and feed.transmitters and via not in feed.transmitters:
            return False
        above = feed.least is None or intent.answer >= feed.least
        return above and (feed.most is None or intent.answer <= feed.most)

    def pending(self) -> Iterator[Update]:
        """Those that are in no block, the oldest first."""
        return (one for one in self._known.values() if one.hash not in self._away)

    def include(self, hashes: Iterable[str]) -> None:
        """Some are in a block now."""
        self._away |= self._known.keys() & set(hashes)

    def bring_back(self, hash_: str) -> Update | None:
        """One is in no block any more; None where it is not remembered."""
        self._away.discard(hash_)
        return self._known.get(hash_)

    def forget(self, hash_: str) -> None:
        """One will not be in any block."""
        self._known.pop(hash_, None)
        self._away.discard(hash_)
