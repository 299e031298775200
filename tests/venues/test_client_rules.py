"""What a client does for any venue: its pings, its pongs, its pace, one host for several feeds."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import attrs
import pytest
import trio

from tests.support.peer import Peer
from trio_mev.feeds.venues import VenueClient
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.status import FeedState
from trio_mev.model.identity import Endpoint
from trio_mev.wire.coinbase import CoinbaseAdapter
from trio_mev.wire.venue import VenueRules
from trio_mev.wire.venues import ADAPTERS

from .rules_server import Rate, Rules, Visit
from .test_coinbase_rules import ETH, CoinbaseServer
from .watching import ENDPOINT, Heard, assert_nothing_lost, venue_settings, watch


class PingedAdapter(CoinbaseAdapter):
    """A venue like Coinbase that wants to be pinged by text."""

    rules = VenueRules(ping="ping", ping_interval=20.0, connect_interval=2.0)

    def decode_frame(self, frame: bytes) -> list[Any]:
        if frame == b"pong":
            self.ponged()
            self.ignore("pong")
            return []
        return super().decode_frame(frame)


class PingedServer(CoinbaseServer):
    rules = Rules(silence=30.0, connects=Rate(1, 2.0))
    beat_interval = None
    answers = True

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        if text == "ping":
            return ["pong"] if self.answers else []
        return super().answer(visit, text)


@pytest.fixture
def pinged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, "coinbase", PingedAdapter)


async def test_a_venue_that_cuts_who_is_silent_is_pinged_by_text(autojump_clock, pinged):
    server = PingedServer({"ETH-USD": ETH}, pace=50.0)
    settings = venue_settings(server, "coinbase", "ticker", rotate_after=4000.0)
    client, heard = await watch(server, settings, 3 * 3600)
    assert_nothing_lost(server, client, heard)
    assert client.status.connections == 3
    assert client.status.ignored["pong"] == pytest.approx(3 * 3600 / 20, abs=5)


async def test_without_its_pings_that_venue_would_cut_it(autojump_clock):
    server = PingedServer({"ETH-USD": ETH}, pace=50.0)
    await watch(server, venue_settings(server, "coinbase", "ticker"), 100)
    assert server.broken == ["silent for too long"]


async def test_a_venue_that_answers_no_ping_is_left_though_it_answers_the_protocols(
    autojump_clock, pinged
):
    class Silent(PingedServer):
        answers = False

    server = Silent({"ETH-USD": ETH}, pace=5.0)
    settings = venue_settings(server, "coinbase", "ticker", silence=50.0, first_delay=1.0)
    client, _ = await watch(server, settings, 200)
    assert client.status.failures >= 3
    assert server.broken == []


async def test_several_feeds_of_one_host_connect_one_after_the_other(autojump_clock, pinged):
    """The venue counts connections by address, whoever makes them."""
    server = PingedServer({"ETH-USD": ETH})
    heard = Heard()
    async with trio.open_nursery() as nursery:
        peer = Peer(nursery, server)
        clients = [
            VenueClient(
                attrs.evolve(venue_settings(server, "coinbase", "ticker"), name=name),
                peer.dial,
                rng=random.Random(1),
            )
            for name in ("a", "b", "c", "d")
        ]
        for client in clients:
            nursery.start_soon(client.run, heard.emit, Outstanding())
        for client in clients:
            await client.status.wait_for(FeedState.READY)
        nursery.cancel_scope.cancel()
    assert server.broken == []
    begun = sorted(client.status.last_connected_at for client in clients)
    assert [later - begun[0] for later in begun] == pytest.approx([0, 2, 4, 6])


async def test_feeds_of_different_hosts_do_not_wait_for_each_other(autojump_clock, pinged):
    heard, start = Heard(), trio.current_time()
    async with trio.open_nursery() as nursery:
        clients = []
        for host in ("one", "two"):
            server = PingedServer({"ETH-USD": ETH}, latency=0.0)
            endpoint = Endpoint(f"ws://{host}.test/ws")
            settings = venue_settings(server, "coinbase", "ticker", endpoint=endpoint)
            clients.append(VenueClient(settings, Peer(nursery, server).dial))
            nursery.start_soon(clients[-1].run, heard.emit, Outstanding())
        for client in clients:
            await client.status.wait_for(FeedState.READY)
        nursery.cancel_scope.cancel()
    assert {client.status.last_connected_at for client in clients} == {start}


async def test_a_rotation_that_finds_no_new_connection_goes_on_with_the_old(autojump_clock):
    server = CoinbaseServer({"ETH-USD": ETH}, pace=1.0)

    async def shut(client: VenueClient) -> None:
        await client.status.wait_for(FeedState.READY)
        server.open = False
        await trio.sleep(400)
        server.open = True

    settings = venue_settings(server, "coinbase", "ticker", "matches", rotate_after=100.0)
    client, heard = await watch(server, settings, 1000, shut)
    assert_nothing_lost(server, client, heard)
    assert server.log[:3] == ["1 up", "2 up", "1 down"]
    assert client.endpoint == ENDPOINT


async def test_what_a_new_connection_cannot_hold_until_the_old_one_ends_is_counted(
    autojump_clock, monkeypatch
):
    monkeypatch.setattr("trio_mev.feeds.connection.MOST", 3)
    server = CoinbaseServer({"ETH-USD": ETH}, pace=0.1)
    settings = venue_settings(server, "coinbase", "ticker", rotate_after=100.0)
    client, heard = await watch(server, settings, 150)
    lost = client.status.refused["handover_full"]
    assert lost > 3
    twice = client.status.ignored["delivered_before"]
    assert client.status.events == heard.quotes.total() + twice + lost
    assert set(heard.quotes.values()) == {1}
