"""A day at OKX, whose server keeps the rules of its documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import pytest
import trio

from trio_mev.model.identity import Instrument

from .rules_server import BreachError, Rate, Rules, Tick, VenueServer, Visit, Window
from .watching import assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USDT"), Instrument("BTC", "USDC")


class OkxServer(VenueServer):
    """Version 5: three connections a second, 480 requests an hour on each, arguments of 64 KB, and
    who is sent nothing for 30 s must ask for it with the text ``ping``."""

    rules = Rules(connects=Rate(3, 1.0), silence=30.0, pushes=True, most_bytes=2**16)

    def __init__(self, symbols: Mapping[str, Instrument], pace: float = 5.0) -> None:
        super().__init__(symbols, pace=pace)
        self.pings = 0
        self._requests: dict[int, Window] = {}

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        if text == "ping":
            self.pings += 1
            yield "pong"
            return
        requests = self._requests.setdefault(visit.number, Window(Rate(480, 3600.0)))
        if requests.full(trio.current_time()):
            raise BreachError("requests too often")
        request = json.loads(text)
        for arg in request["args"]:
            channel, symbol = arg["channel"], arg["instId"]
            if channel not in {"bbo-tbt", "trades"} or symbol not in self.symbols:
                raise BreachError(f"no such channel: {arg}")
            change = {"subscribe": self.want, "unsubscribe": self.drop}[request["op"]]
            change(visit, [f"{channel}:{symbol}"])
            yield json.dumps({"event": request["op"], "arg": arg, "connId": str(visit.number)})
            if channel == "bbo-tbt" and symbol in self.last:
                self.delivered.add(self.last[symbol].sides)
                yield self.best(self.last[symbol])

    def best(self, tick: Tick) -> str:
        data = {
            "asks": [[str(tick.ask), str(tick.ask_size), "0", "1"]],
            "bids": [[str(tick.bid), str(tick.bid_size), "0", "1"]],
            "ts": str(tick.milliseconds),
            "seqId": tick.number * 7,
        }
        arg = {"channel": "bbo-tbt", "instId": tick.symbol}
        return json.dumps({"arg": arg, "data": [data]})

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        if f"bbo-tbt:{tick.symbol}" in visit.wants:
            yield self.best(tick)
        if f"trades:{tick.symbol}" in visit.wants:
            trade = {
                "instId": tick.symbol, "tradeId": str(tick.number * 2), "px": str(tick.ask),
                "sz": "0.1", "side": "buy", "ts": str(tick.milliseconds), "count": "2",
            }  # fmt: skip
            yield json.dumps({"arg": {"channel": "trades", "instId": tick.symbol}, "data": [trade]})

    def farewell(self, visit: Visit) -> Iterable[str]:
        yield json.dumps({"event": "notice", "code": "64008", "msg": "service upgrade"})


@pytest.mark.no_cover
async def test_a_day_with_upgrades_loses_no_quote_and_no_trade(autojump_clock):
    server = OkxServer({"ETH-USDT": ETH, "BTC-USDC": BTC})

    async def upgrade(client: object) -> None:
        for _ in range(3):
            await trio.sleep(6 * 3600)
            await server.retire(60.0)

    client, heard = await watch(server, venue_settings(server, "okx"), meanwhile=upgrade)
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "3 up", "2 down", "4 up", "3 down", "4 down"]
    assert len(server.ticks) > 15_000
    assert heard.trades == dict.fromkeys(((t.instrument, t.number * 2) for t in server.ticks), 1)


async def test_a_quiet_market_does_not_cost_the_connection(autojump_clock):
    server = OkxServer({"ETH-USDT": ETH}, pace=300.0)
    client, heard = await watch(server, venue_settings(server, "okx"), 6 * 3600.0)
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "1 down"]
    assert server.pings > 1000


async def test_a_server_that_answers_no_ping_is_left(autojump_clock):
    server = OkxServer({"ETH-USDT": ETH})

    async def fall_silent(client: object) -> None:
        await trio.sleep(600)
        server.deaf = True
        await trio.sleep(200)
        server.deaf = False

    client, _ = await watch(server, venue_settings(server, "okx"), 1200, fall_silent)
    assert server.broken == []
    assert client.status.failures >= 1
    assert client.status.ready_at > 800
