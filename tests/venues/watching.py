"""A real client at a venue's server, and what it got of what the server sent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs
import trio

from tests.support.peer import Peer
from trio_mev.feeds.venues import VenueClient
from trio_mev.flow.outstanding import Outstanding
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.market import MarketFault
from trio_mev.model.settings import ConnectionSettings, VenueSettings

from .rules_server import WALL, VenueServer

DAY = 24 * 3600.0
ENDPOINT = Endpoint("ws://venue.test/ws")


@attrs.define(eq=False)
class Heard:
    """What a client emitted."""

    quotes: Counter[tuple[Any, ...]] = attrs.Factory(Counter)
    """By instrument, bid, ask and both sizes."""
    trades: Counter[tuple[Any, ...]] = attrs.Factory(Counter)
    """By instrument and the venue's number."""
    faults: list[MarketFault] = attrs.Factory(list)
    lags: list[float] = attrs.Factory(list)
    numbers: dict[Any, int] = attrs.Factory(dict)
    in_order: bool = True
    """Whether no quote came after a later one of its instrument."""

    def emit(self, events: Sequence[DataEvent]) -> None:
        for event in events:
            data = event.data
            if event.event_type is DataType.QUOTE:
                sides = data.instrument, data.bid, data.ask, data.bid_size, data.ask_size
                self.quotes[sides] += 1
                number = int(data.bid_size * 1000)
                self.in_order &= number > self.numbers.get(data.instrument, 0)
                self.numbers[data.instrument] = number
                if event.lag is not None:
                    self.lags.append(event.lag)
            elif event.event_type is DataType.TRADE:
                self.trades[data.instrument, data.trade_id] += 1
            else:
                self.faults.append(data)


def venue_settings(
    server: VenueServer, kind: str, *channels: str, endpoint: Endpoint = ENDPOINT, **connection: Any
) -> VenueSettings:
    """A feed of all that the server trades."""
    return VenueSettings(
        kind=kind,
        name=kind,
        endpoint=endpoint,
        instruments=tuple(server.symbols.values()),
        channels=channels,
        connection=ConnectionSettings(**connection),
    )


async def watch(
    server: VenueServer,
    settings: VenueSettings,
    seconds: float = DAY,
    meanwhile: Callable[[VenueClient], Awaitable[None]] | None = None,
) -> tuple[VenueClient, Heard]:
    """Let the client follow the venue's market for so long."""
    heard = Heard()
    async with trio.open_nursery() as nursery:
        client = VenueClient(settings, Peer(nursery, server).dial, rng=random.Random(1))
        client.wall = lambda: int((WALL + trio.current_time()) * 1e9)
        nursery.start_soon(client.run, heard.emit, Outstanding())
        if meanwhile is not None:
            nursery.start_soon(meanwhile, client)
        await server.trade(seconds)
        nursery.cancel_scope.cancel()
    return client, heard


def assert_nothing_lost(server: VenueServer, client: VenueClient, heard: Heard) -> None:
    """No rule was broken, no connection lost; each tick that was sent was heard once, and since
    the first of them no tick was sent to nobody."""
    assert server.broken == []
    assert client.status.failures == 0
    assert heard.quotes == dict.fromkeys(server.delivered, 1)
    first = next(n for n, tick in enumerate(server.ticks) if tick.sides in server.delivered)
    assert {tick.sides for tick in server.ticks[first:]} == server.delivered
    assert heard.in_order
    assert heard.faults == []
    assert client.status.refused == {}
