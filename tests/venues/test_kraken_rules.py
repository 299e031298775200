"""A day at Kraken, whose server keeps the rules of its documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
import trio

from trio_mev.model.identity import Instrument

from .rules_server import BreachError, Rate, Rules, Tick, VenueServer, Visit
from .watching import assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USD"), Instrument("BTC", "USD")


class KrakenServer(VenueServer):
    """Version 2. How often one may connect is believed; the documentation names no age. Its
    heartbeats come every second; here they are thinner."""

    rules = Rules(connects=Rate(150, 600.0))
    beat_interval = 15.0
    pings = 0

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        request = json.loads(text)
        if request["method"] == "ping":
            self.pings += 1
            yield json.dumps({"method": "pong", "time_in": "x", "time_out": "x"})
            return
        params = request["params"]
        channel, symbols = params["channel"], params["symbol"]
        if channel not in {"ticker", "trade"} or not set(symbols) <= set(self.symbols):
            raise BreachError(f"no such channel: {params}")
        change = {"subscribe": self.want, "unsubscribe": self.drop}[request["method"]]
        change(visit, [f"{channel}:{symbol}" for symbol in symbols])
        for symbol in symbols:
            result = {"channel": channel, "symbol": symbol}
            yield json.dumps({"method": request["method"], "success": True, "result": result})
            if channel == "ticker" and params.get("snapshot") and symbol in self.last:
                self.delivered.add(self.last[symbol].sides)
                yield self.ticker(self.last[symbol], "snapshot")

    def ticker(self, tick: Tick, kind: str) -> str:
        # JSON's numbers, as they are.
        return (
            f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{tick.symbol}",'
            f'"bid":{tick.bid},"bid_qty":{tick.bid_size},"ask":{tick.ask},'
            f'"ask_qty":{tick.ask_size},"last":{tick.ask},"timestamp":"{moment(tick)}"}}]}}'
        )

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        if f"ticker:{tick.symbol}" in visit.wants:
            yield self.ticker(tick, "update")
        if f"trade:{tick.symbol}" in visit.wants:
            yield (
                f'{{"channel":"trade","type":"update","data":[{{"symbol":"{tick.symbol}",'
                f'"side":"buy","price":{tick.ask},"qty":0.10000001,"ord_type":"market",'
                f'"trade_id":{tick.number},"timestamp":"{moment(tick)}"}}]}}'
            )

    def beat(self, visit: Visit) -> Iterable[str]:
        yield '{"channel":"heartbeat"}'


def moment(tick: Tick) -> str:
    return datetime.fromtimestamp(tick.at, UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.no_cover
async def test_a_day_with_rotations_loses_no_quote_and_no_trade(autojump_clock):
    server = KrakenServer({"ETH/USD": ETH, "BTC/USD": BTC})
    settings = venue_settings(server, "kraken", rotate_after=7 * 3600.0)
    client, heard = await watch(server, settings)
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "3 up", "2 down", "4 up", "3 down", "4 down"]
    assert len(server.ticks) > 15_000
    assert heard.trades == dict.fromkeys(((t.instrument, t.number) for t in server.ticks), 1)
    assert server.pings >= 24 * 3600 // 20 - len(server.log)


async def test_a_server_that_answers_no_ping_is_left(autojump_clock):
    server = KrakenServer({"ETH/USD": ETH})

    async def fall_silent(client: object) -> None:
        await trio.sleep(600)
        server.deaf = True
        await trio.sleep(200)
        server.deaf = False

    client, _ = await watch(server, venue_settings(server, "kraken"), 1200, fall_silent)
    assert server.broken == []
    assert client.status.failures >= 1
    assert client.status.ready_at > 800
