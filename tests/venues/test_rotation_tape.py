"""What was recorded while connections took over from each other replays as it was told."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.support.peer import Peer
from trio_mev import ReplayFeed, replay_clock
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.venues import VenueClient
from trio_mev.flow.outstanding import Outstanding

from .rules_server import WALL
from .test_binance_rules import BTC, ETH, BinanceServer
from .watching import Heard, assert_nothing_lost, venue_settings


@pytest.mark.no_cover
def test_a_tape_of_rotations_replays_alike(tmp_path: Path):
    path = tmp_path / "rotations.tape"
    live, again = Heard(), Heard()
    told: list[int] = []

    async def record() -> None:
        server = BinanceServer({"ETHUSDT": ETH, "BTCUSDT": BTC}, 3, pace=0.05, latency=1.0)
        settings = venue_settings(server, "binance", rotate_after=20.0)
        async with (
            trio.open_nursery() as nursery,
            open_recorder(path, tape_header([settings])) as tape,
        ):
            dial = Peer(nursery, server).dial
            client = VenueClient(settings, dial, tape.tap, random.Random(1))
            client.wall = lambda: int((WALL + trio.current_time()) * 1e9)
            nursery.start_soon(client.run, live.emit, Outstanding())
            await server.trade(60)
            nursery.cancel_scope.cancel()
        assert_nothing_lost(server, client, live)
        assert client.status.connections == 3
        told.append(client.status.ignored["delivered_before"])

    async def replay() -> None:
        feed = ReplayFeed([path])
        await feed.run(again.emit, Outstanding())
        told.append(feed.statuses[0].ignored["delivered_before"])

    trio.run(record, clock=trio.testing.MockClock(autojump_threshold=0.01))
    trio.run(replay, clock=replay_clock(None))
    assert list(again.quotes.items()) == list(live.quotes.items())
    assert list(again.trades.items()) == list(live.trades.items())
    assert again.in_order
    assert told[0] == told[1] > 0
