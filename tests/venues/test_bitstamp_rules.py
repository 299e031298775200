"""A day at Bitstamp, whose server keeps the rules of its documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
import trio

from trio_mev.model.identity import Instrument

from .rules_server import BreachError, Rules, Tick, VenueServer, Visit
from .watching import assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USD"), Instrument("BTC", "USD")


class BitstampServer(VenueServer):
    """Channels one by one, heartbeats on request, as "WebSocket API v2" has them. How often one
    may connect it does not say; its own pings were seen by others every 54 s."""

    rules = Rules(
        ping_interval=54.0,
        pong_within=54.0,
        most_per_request=1,
        most_subscriptions=1024,
        most_bytes=511,
        max_age=90 * 86_400.0,
    )
    heartbeats = 0

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        request = json.loads(text)
        if request == {"event": "bts:heartbeat"}:
            self.heartbeats += 1
            yield self.words("bts:heartbeat", "", {"status": "success"})
            return
        name = request["data"]["channel"]
        if name not in {f"{c}_{s}" for c in ("order_book", "live_trades") for s in self.symbols}:
            raise BreachError(f"no such channel: {name}")
        if request["event"] == "bts:subscribe":
            self.want(visit, [name])
            yield self.words("bts:subscription_succeeded", name, {})
        else:
            self.drop(visit, [name])
            yield self.words("bts:unsubscription_succeeded", name, {})

    @staticmethod
    def words(event: str, channel: str, data: Any) -> str:
        return json.dumps({"event": event, "channel": channel, "data": data})

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        at = f"{round(tick.at * 1e6)}"
        book, trades = f"order_book_{tick.symbol}", f"live_trades_{tick.symbol}"
        if book in visit.wants:
            bids = [[str(tick.bid), str(tick.bid_size)], ["1.00", "9.5"]]
            asks = [[str(tick.ask), str(tick.ask_size)], ["9000000.00", "9.5"]]
            yield self.words("data", book, {"microtimestamp": at, "bids": bids, "asks": asks})
            if trades in visit.wants:
                trade = {
                    "id": trade_id(tick), "type": 1, "price_str": str(tick.bid),
                    "amount_str": "0.5", "microtimestamp": at,
                }  # fmt: skip
                yield self.words("trade", trades, trade)

    def farewell(self, visit: Visit) -> Iterable[str]:
        yield self.words("bts:request_reconnect", "", None)


def trade_id(tick: Tick) -> int:
    """Trades of all pairs are counted together."""
    return 2**60 + 7 * tick.number


@pytest.mark.no_cover
async def test_a_day_with_requests_to_reconnect_loses_no_quote_and_no_trade(autojump_clock):
    server = BitstampServer({"ethusd": ETH, "btcusd": BTC}, pace=8.0)

    async def mend(client: object) -> None:
        for _ in range(3):
            await trio.sleep(6 * 3600)
            await server.retire(30.0)

    client, heard = await watch(server, venue_settings(server, "bitstamp"), meanwhile=mend)
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "3 up", "2 down", "4 up", "3 down", "4 down"]
    assert len(server.ticks) > 10_000
    sold = ((tick.instrument, trade_id(tick)) for tick in server.ticks)
    assert heard.trades == dict.fromkeys(sold, 1)
    assert server.heartbeats >= 24 * 3600 // 20 - len(server.log)


async def test_a_server_that_answers_no_heartbeat_is_left(autojump_clock):
    server = BitstampServer({"ethusd": ETH})

    async def fall_silent(client: object) -> None:
        await trio.sleep(600)
        server.deaf = True
        await trio.sleep(200)
        server.deaf = False

    client, _ = await watch(server, venue_settings(server, "bitstamp"), 1200, fall_silent)
    assert server.broken == []
    assert client.status.failures >= 1
    assert server.log[-1] == f"{len(server.log) // 2} down"
    assert client.status.ready_at > 800


async def test_very_many_pairs_are_asked_for_anew_before_the_old_connection_is_left(autojump_clock):
    """Their requests take longer than connecting and confirming may."""
    pairs = {f"c{n}usd": Instrument(f"C{n}", "USD") for n in range(140)}
    server = BitstampServer(pairs, pace=1.0)

    async def mend(client: object) -> None:
        await trio.sleep(300)
        await server.retire(120.0)

    client, heard = await watch(server, venue_settings(server, "bitstamp"), 600, meanwhile=mend)
    # Pairs are heard from when their turn to be asked for has come.
    assert (server.broken, client.status.failures) == ([], 0)
    assert set(heard.quotes) == server.delivered
    assert set(heard.quotes.values()) == {1}
    assert server.log == ["1 up", "2 up", "1 down", "2 down"]
