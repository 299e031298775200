"""What only a configuration as a whole can show: settings that do not go together."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from ..model.identity import Instrument, Venue
from ..model.settings import EthereumSettings, Settings, VenueSettings
from ..pricing.joins import Joinable
from ..processors.wanted import address_of
from ..wire.venues import ADAPTERS, quoting


def contradictions(settings: Settings) -> Iterator[str]:
    """A line for each problem, with its place and what to do."""
    yield from _quoted_twice(settings)
    yield from _unknown_fees(settings)
    yield from _alerts_on_nothing(settings)
    yield from _unknown_tokens(settings)
    yield from _unreadable_pools(settings)
    yield from _nothing_to_try(settings)
    yield from _unreadable_positions(settings)


def chain_of(settings: Settings) -> EthereumSettings | None:
    """The feed whose chain's pools are watched: the first one that is a node."""
    return next((one for one in settings.feeds if isinstance(one, EthereumSettings)), None)


def _unknown_tokens(settings: Settings) -> Iterator[str]:
    chain = chain_of(settings)
    elsewhere = chain is not None and chain.chain_id not in {None, 1}
    for number, token in enumerate(settings.pools.tokens):
        try:
            address_of(token)
        except ValueError as error:
            yield f"pools.tokens[{number}]: {error}"
            continue
        if elsewhere and not token.startswith("0x"):
            yield (
                f"pools.tokens[{number}]: the {token} that is known is on chain 1, and the feed "
                "is of another; give its address"
            )


def _unreadable_pools(settings: Settings) -> Iterator[str]:
    pools, chain = settings.pools, chain_of(settings)
    if not pools.enabled or not settings.feeds:  # a replay brings its own feeds
        return
    if chain is None:
        yield 'pools: no feed is a node; add one with kind = "ethereum"'
    elif not (chain.follow and chain.heads):
        yield "pools: they need whole blocks; set follow and heads of the node's feed to true"
    elif pools.tokens and chain.chain_id not in {None, 1} and not pools.factories:
        yield (
            f"pools.factories: none is known on chain {chain.chain_id}; name those whose pools "
            "are to be looked for"
        )


def _unreadable_positions(settings: Settings) -> Iterator[str]:
    chosen, chain = settings.liquidations, chain_of(settings)
    if not chosen.enabled or not settings.feeds:  # a replay brings its own feeds
        return
    if chain is None:
        yield 'liquidations: no feed is a node; add one with kind = "ethereum"'
    elif not (chain.follow and chain.heads):
        yield (
            "liquidations: they need whole blocks; set follow and heads of the node's feed to true"
        )
    elif chosen.pool is None and chain.chain_id not in {None, 1}:
        yield f"liquidations.pool: none is known on chain {chain.chain_id}; give its address"


def expected_quotes(settings: Settings) -> Mapping[tuple[Venue, Instrument], int]:
    """Who shall quote what, and the place of the feed that brings it."""
    found: dict[tuple[Venue, Instrument], int] = {}
    for number, feed in enumerate(settings.feeds):
        if isinstance(feed, VenueSettings) and _quotes(feed):
            for instrument in feed.instruments:
                found.setdefault((ADAPTERS[feed.kind].venue, instrument), number)
    return found


def _quotes(feed: VenueSettings) -> bool:
    return quoting(ADAPTERS[feed.kind], feed.channels) is not None


def _quoted_twice(settings: Settings) -> Iterator[str]:
    known = expected_quotes(settings)
    for number, feed in enumerate(settings.feeds):
        if not (isinstance(feed, VenueSettings) and _quotes(feed)):
            continue
        for instrument in feed.instruments:
            before = known[ADAPTERS[feed.kind].venue, instrument]
            if before != number:
                yield (
                    f"feeds[{number}].instruments: feeds[{before}] brings {feed.kind}'s quotes of "
                    f"{instrument} already; two feeds' would be in no order"
                )


def _unknown_fees(settings: Settings) -> Iterator[str]:
    venues = [adapter.venue for adapter in ADAPTERS.values()]
    for name in settings.prices.fees:
        if name not in venues:
            close = difflib.get_close_matches(name, venues, 1)
            hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(venues)}"
            yield f"prices.fees: there is no venue {name}{hint}"


def _alerts_on_nothing(settings: Settings) -> Iterator[str]:
    quoted = {instrument for _, instrument in expected_quotes(settings)}
    if not quoted:  # a replay brings its own feeds
        return
    joinable = Joinable(settings.prices.bases, settings.prices.joined)
    for instrument in sorted(quoted, key=str):
        joinable.learn(instrument)
    priced = quoted | set(joinable.instruments())
    for number, alert in enumerate(settings.prices.alerts):
        if alert.instrument not in priced:
            yield (
                f"prices.alerts[{number}].instrument: no feed quotes {alert.instrument}, and no "
                "two others make it"
            )


def _nothing_to_try(settings: Settings) -> Iterator[str]:
    if not settings.referee.enabled or not settings.feeds:  # a replay brings its own feeds
        return
    nodes = [feed for feed in settings.feeds if isinstance(feed, EthereumSettings)]
    if not nodes:
        yield "referee.enabled: no feed is a node that could be asked; add one, or leave it out"
    elif all(feed.pending == "off" for feed in nodes):
        yield (
            "referee.enabled: every node's pending is off, so there is no transaction to try; "
            "set pending to bodies or hashes, or leave it out"
        )
