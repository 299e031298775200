"""A day at Binance, whose server keeps the rules of its documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable

from trio_mev.model.identity import Instrument

from .rules_server import BreachError, Rate, Rules, Tick, VenueServer, Visit
from .watching import assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USDT"), Instrument("BTC", "USDT")


class BinanceServer(VenueServer):
    """Combined streams, as "WebSocket Streams for Binance" has them."""

    rules = Rules(
        connects=Rate(300, 300.0),
        messages=Rate(5, 1.0),
        control=True,
        ping_interval=20.0,
        pong_within=60.0,
        most_subscriptions=1024,
        max_age=24 * 3600.0,
        notice=600.0,
    )

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        request = json.loads(text)
        names = request["params"]
        if any(name != self.stream(*reversed(name.split("@"))) for name in names):
            raise BreachError(f"no such streams: {names}")
        change = {"SUBSCRIBE": self.want, "UNSUBSCRIBE": self.drop}[request["method"]]
        change(visit, names)
        yield json.dumps({"result": None, "id": request["id"]})

    @staticmethod
    def stream(channel: str, symbol: str) -> str:
        return f"{symbol.lower()}@{channel}"

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        for channel, data in self.words(tick).items():
            name = self.stream(channel, tick.symbol)
            if name in visit.wants:
                yield json.dumps({"stream": name, "data": data})

    def words(self, tick: Tick) -> dict[str, dict[str, object]]:
        """By channel."""
        at = tick.milliseconds
        best = {
            "b": str(tick.bid), "B": str(tick.bid_size), "a": str(tick.ask),
            "A": str(tick.ask_size),
        }  # fmt: skip
        trade = {
            "e": "aggTrade", "E": at, "s": tick.symbol, "a": tick.number, "p": str(tick.ask),
            "q": "1", "f": tick.number, "l": tick.number, "T": at, "m": False, "M": True,
        }  # fmt: skip
        return {"bookTicker": {"u": tick.number, "s": tick.symbol, **best}, "aggTrade": trade}

    def farewell(self, visit: Visit) -> Iterable[str]:
        yield json.dumps({"e": "serverShutdown", "E": 1})


async def test_a_day_with_its_rotation_loses_no_quote_and_no_trade(autojump_clock):
    server = BinanceServer({"ETHUSDT": ETH, "BTCUSDT": BTC})
    client, heard = await watch(server, venue_settings(server, "binance"))
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "2 down"]
    assert len(server.ticks) > 15_000
    assert heard.trades == dict.fromkeys(((t.instrument, t.number) for t in server.ticks), 1)
