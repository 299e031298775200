"""A feed over a real WebSocket, in memory: it comes back after the peer has closed well."""

from __future__ import annotations

import json
import random

import pytest
import trio
import trio_websocket

from trio_mev.feeds.venues import BinanceWebSocketClient
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import ConnectionSettings, VenueSettings

TICKER = {"u": 1, "s": "ETHUSDT", "b": "2000.0", "B": "1", "a": "2001.0", "A": "1"}


@pytest.fixture
async def venue(nursery):
    """A venue that confirms, sends one quote, stays for as long as told, and closes with 1000."""

    class Venue:
        def __init__(self):
            self.opened_at = []
            self.stays = {}

        async def serve(self, stream):
            number = len(self.opened_at)
            self.opened_at.append(trio.current_time())
            request = await trio_websocket.wrap_server_stream(nursery, stream)
            socket = await request.accept()
            asked = json.loads(await socket.get_message())
            await socket.send_message(json.dumps({"result": None, "id": asked["id"]}))
            ticker = {"stream": "ethusdt@bookTicker", "data": TICKER | {"u": number + 1}}
            await socket.send_message(json.dumps(ticker))
            await trio.sleep(self.stays.get(number, 0))
            await socket.aclose(1000, "maintenance")

        async def dial(self, endpoint):
            client, server = trio.testing.memory_stream_pair()
            nursery.start_soon(self.serve, server)
            return client

    return Venue()


async def test_a_feed_restarts_after_a_clean_close_and_its_delays_begin_anew_after_health(
    venue, opened, autojump_clock
):
    settings = VenueSettings(
        kind="binance",
        name="binance",
        instruments=(Instrument("ETH", "USDT"),),
        channels=("bookTicker",),
        endpoint=Endpoint("ws://venue.test/stream"),
        connection=ConnectionSettings(
            first_delay=4.0, factor=2.0, settle_after=20.0, ping_interval=7.0
        ),
    )
    venue.stays = {2: 30.0, 3: 1e6}
    drawn = random.Random(5)
    first, second, again = (whole * drawn.uniform(0.5, 1.0) for whole in (4.0, 8.0, 4.0))
    feed = BinanceWebSocketClient(settings, venue.dial, rng=random.Random(5))
    bids = []
    async with opened([feed]) as stream:
        stream.add_event_handler(DataType.QUOTE, lambda event: bids.append(event.data.bid))
        await trio.sleep(60)
        snapshot = stream.manager.snapshots()[0]
    expected = [0.0, first, first + second, first + second + 30 + again]
    assert venue.opened_at == pytest.approx(expected)
    assert (snapshot.state.value, snapshot.reconnects, snapshot.failures) == ("ready", 3, 3)
    assert [str(bid) for bid in bids] == ["2000.0"] * 4
