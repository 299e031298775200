"""A day at Bybit's markets, whose servers keep the rules of its documentation."""

from __future__ import annotations

import abc
import json
from collections.abc import Iterable
from typing import Any

import pytest
import trio

from trio_mev.model.identity import Instrument

from .rules_server import BreachError, Rate, Rules, Tick, VenueServer, Visit
from .watching import assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USDT"), Instrument("BTC", "USDC")
ETH_PERPETUAL = Instrument.parse("ETH/USDT:perpetual")
BTC_PERPETUAL = Instrument.parse("BTC/USDC:perpetual")


class BybitServer(VenueServer, abc.ABC):
    """Version 5: 500 connections in five minutes, and who says nothing for ten is cut."""

    quotes: str
    """The topic of quotes."""
    pings = 0

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        request = json.loads(text)
        answer = {"success": True, "ret_msg": "", "conn_id": str(visit.number)}
        if request["op"] == "ping":
            self.pings += 1
            yield json.dumps(answer | {"ret_msg": "pong", "op": "ping", "req_id": ""})
            return
        topics = request["args"]
        known = {f"{c}.{s}" for c in (self.quotes, "publicTrade") for s in self.symbols}
        if not set(topics) <= known or sum(map(len, topics)) > 21_000:
            raise BreachError(f"no such topics: {topics}")
        if request["op"] == "subscribe" and any(topic in visit.wants for topic in topics):
            raise BreachError(f"already subscribed: {topics}")
        change = {"subscribe": self.want, "unsubscribe": self.drop}[request["op"]]
        change(visit, topics)
        yield json.dumps(answer | {"op": request["op"], "req_id": request["req_id"]})
        for topic in topics if request["op"] == "subscribe" else ():
            channel, _, symbol = topic.rpartition(".")
            if channel == self.quotes and symbol in self.last:
                self.delivered.add(self.last[symbol].sides)
                yield self.whole(visit, self.last[symbol])

    def push(self, channel: str, tick: Tick, kind: str, data: Any, **more: object) -> str:
        topic = f"{channel}.{tick.symbol}"
        return json.dumps(
            {"topic": topic, "type": kind, "ts": tick.milliseconds, "data": data, **more}
        )

    @abc.abstractmethod
    def whole(self, visit: Visit, tick: Tick) -> str:
        """A snapshot."""

    @abc.abstractmethod
    def change(self, visit: Visit, tick: Tick) -> str:
        """What is sent when the quote changes."""

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        if f"{self.quotes}.{tick.symbol}" in visit.wants:
            yield self.change(visit, tick)
        if f"publicTrade.{tick.symbol}" in visit.wants:
            trade = {
                "T": tick.milliseconds, "s": tick.symbol, "S": "Buy", "v": "0.1",
                "p": str(tick.ask), "i": trade_id(tick), "BT": False, "seq": tick.number // 2,
            }  # fmt: skip
            yield self.push("publicTrade", tick, "snapshot", [trade])


def trade_id(tick: Tick) -> str:
    return f"20f43950-d8dd-5b31-9112-{tick.number:012x}"


class SpotServer(BybitServer):
    """Ten topics a request; the whole of one level each time."""

    rules = Rules(connects=Rate(500, 300.0), silence=600.0, most_per_request=10)
    quotes = "orderbook.1"

    def whole(self, visit: Visit, tick: Tick) -> str:
        data = {
            "s": tick.symbol, "b": [[str(tick.bid), str(tick.bid_size)]],
            "a": [[str(tick.ask), str(tick.ask_size)]], "u": tick.number, "seq": tick.number * 3,
        }  # fmt: skip
        return self.push("orderbook.1", tick, "snapshot", data, cts=tick.milliseconds - 1)

    change = whole


class LinearServer(BybitServer):
    """Tickers whole at first, and then what has changed."""

    rules = Rules(connects=Rate(500, 300.0), silence=600.0)
    quotes = "tickers"
    faulty = 0
    """Of the coming changes so many have a bid over the ask."""

    @staticmethod
    def fields(tick: Tick) -> dict[str, str]:
        return {
            "symbol": tick.symbol, "bid1Price": str(tick.bid), "bid1Size": str(tick.bid_size),
            "ask1Price": str(tick.ask), "ask1Size": str(tick.ask_size),
            "lastPrice": str(tick.ask),
        }  # fmt: skip

    def whole(self, visit: Visit, tick: Tick) -> str:
        visit.wants[f"tickers.{tick.symbol}"] = fields = self.fields(tick)
        return self.push("tickers", tick, "snapshot", fields, cs=tick.number)

    def change(self, visit: Visit, tick: Tick) -> str:
        before = visit.wants[f"tickers.{tick.symbol}"]
        if before is None:
            return self.whole(visit, tick)
        now = self.fields(tick)
        visit.wants[f"tickers.{tick.symbol}"] = now
        changed = {k: v for k, v in now.items() if k == "symbol" or v != before[k]}
        if self.faulty:
            self.faulty -= 1
            changed["bid1Price"] = "9999999"
        return self.push("tickers", tick, "delta", changed, cs=tick.number)


SPOT = {"ETHUSDT": ETH, "BTCUSDC": BTC}
LINEAR = {"ETHUSDT": ETH_PERPETUAL, "BTCPERP": BTC_PERPETUAL}


@pytest.mark.parametrize(
    ("kind", "make"),
    [("bybit", lambda: SpotServer(SPOT)), ("bybit_linear", lambda: LinearServer(LINEAR))],
)
@pytest.mark.no_cover
async def test_a_day_with_rotations_loses_no_quote_and_no_trade(kind, make, autojump_clock):
    server = make()
    settings = venue_settings(server, kind, rotate_after=7 * 3600.0)
    client, heard = await watch(server, settings)
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "3 up", "2 down", "4 up", "3 down", "4 down"]
    assert len(server.ticks) > 15_000
    assert heard.trades == dict.fromkeys(((t.instrument, trade_id(t)) for t in server.ticks), 1)


async def test_a_quiet_market_does_not_cost_the_connection(autojump_clock):
    server = SpotServer(SPOT, pace=1500.0)
    client, heard = await watch(server, venue_settings(server, "bybit"))
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "1 down"]
    assert server.pings > 4000


async def test_many_instruments_are_asked_for_within_the_limits(autojump_clock):
    symbols = {f"A{n}USDT": Instrument(f"A{n}", "USDT") for n in range(200)}
    server = SpotServer(symbols)
    client, heard = await watch(server, venue_settings(server, "bybit"), 3600.0)
    assert_nothing_lost(server, client, heard)
    assert len(client.status.subscriptions) == 400


async def test_a_state_that_cannot_be_believed_is_asked_for_anew(autojump_clock):
    server = LinearServer({"ETHUSDT": ETH_PERPETUAL})

    async def err(client: object) -> None:
        await trio.sleep(600)
        server.faulty = 1

    client, heard = await watch(server, venue_settings(server, "bybit_linear"), 1200.0, err)
    assert server.broken == []
    assert client.status.failures == 0
    assert [fault.reason for fault in heard.faults] == ["crossed_book"]
    # What was sent crossed came whole with the next snapshot.
    assert heard.quotes == dict.fromkeys(server.delivered, 1)


async def test_a_server_that_answers_no_ping_is_left(autojump_clock):
    server = SpotServer(SPOT)

    async def fall_silent(client: object) -> None:
        await trio.sleep(600)
        server.deaf = True
        await trio.sleep(200)
        server.deaf = False

    client, _ = await watch(server, venue_settings(server, "bybit"), 1200, fall_silent)
    assert server.broken == []
    assert client.status.failures >= 1
    assert client.status.ready_at > 800
