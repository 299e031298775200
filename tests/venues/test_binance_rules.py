"""A day at Binance, whose server keeps the rules of its documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable

import attrs
import pytest
import trio

from trio_mev.feeds.venues import VenueClient
from trio_mev.model.identity import Instrument
from trio_mev.wire.binance import BinanceAdapter

from .rules_server import BreachError, Rate, Rules, Tick, VenueServer, Visit
from .watching import DAY, assert_nothing_lost, venue_settings, watch

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


class Undisturbed(BinanceServer):
    """It does not say that it will end."""

    rules = attrs.evolve(BinanceServer.rules, notice=None)


@pytest.mark.no_cover
async def test_a_day_with_its_rotation_loses_no_quote_and_no_trade(autojump_clock):
    server = BinanceServer({"ETHUSDT": ETH, "BTCUSDT": BTC})
    client, heard = await watch(server, venue_settings(server, "binance"))
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "2 down"]
    assert len(server.ticks) > 15_000
    assert heard.trades == dict.fromkeys(((t.instrument, t.number) for t in server.ticks), 1)


@pytest.mark.no_cover
async def test_a_servers_notice_is_followed_at_once_and_nothing_is_lost(autojump_clock):
    server = BinanceServer({"ETHUSDT": ETH, "BTCUSDT": BTC}, pace=0.1)

    async def maintain(client: VenueClient) -> None:
        await trio.sleep(60)
        await server.retire(600.0)

    client, heard = await watch(server, venue_settings(server, "binance"), 900, maintain)
    assert_nothing_lost(server, client, heard)
    assert server.log[:3] == ["1 up", "2 up", "1 down"]
    assert client.status.connections == 2


@pytest.mark.no_cover
async def test_who_does_not_rotate_is_cut_at_the_age_of_a_day(autojump_clock, monkeypatch):
    """Else a rotation would prove nothing."""
    rules = attrs.evolve(BinanceAdapter.rules, rotate_after=None)
    monkeypatch.setattr(BinanceAdapter, "rules", rules)
    server = Undisturbed({"ETHUSDT": ETH}, pace=600.0)
    await watch(server, venue_settings(server, "binance"), DAY + 60)
    assert server.broken == ["stays too long"]


async def test_a_hundred_instruments_added_in_an_instant_are_asked_for_at_the_venues_pace(
    autojump_clock,
):
    symbols = {f"A{n}USDT": Instrument(f"A{n}", "USDT") for n in range(100)}
    server = BinanceServer(symbols, pace=0.5)
    settings = venue_settings(server, "binance", "bookTicker")
    first, *others = settings.instruments

    async def add(client: VenueClient) -> None:
        await trio.sleep(5)
        for instrument in others:
            client.subscribe(instrument)

    client, _ = await watch(server, attrs.evolve(settings, instruments=(first,)), 120, add)
    assert server.broken == []
    assert client.status.failures == 0
    assert len(client.status.subscriptions) == 100
    assert set(client.status.subscriptions) == {f"{s.lower()}@bookTicker" for s in symbols}
    assert "pending" not in client.status.subscriptions.values()


async def test_as_many_streams_as_a_connection_may_carry_are_asked_for_in_time(autojump_clock):
    symbols = {f"A{n}USDT": Instrument(f"A{n}", "USDT") for n in range(512)}
    server = BinanceServer(symbols, pace=0.2)
    client, heard = await watch(server, venue_settings(server, "binance"), 120)
    assert server.broken == []
    assert client.status.failures == 0
    assert len(client.status.subscriptions) == 1024
    assert len(heard.quotes) > 100


class BinanceUsServer(BinanceServer):
    """As Binance's streams were until 2025: it asks for life signs less often."""

    rules = attrs.evolve(BinanceServer.rules, ping_interval=180.0, pong_within=600.0)


@pytest.mark.no_cover
async def test_a_day_at_binance_us(autojump_clock):
    server = BinanceUsServer({"ETHUSDT": ETH, "BTCUSDT": BTC})
    client, heard = await watch(server, venue_settings(server, "binance_us"))
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "2 down"]


class UsdmServer(BinanceServer):
    """The USD-M futures' ``/public`` or ``/market``, of which each has only its own streams."""

    rules = Rules(
        connects=Rate(300, 300.0),
        messages=Rate(10, 1.0),
        control=True,
        ping_interval=180.0,
        pong_within=600.0,
        most_subscriptions=1024,
        max_age=24 * 3600.0,
    )
    route = "public"

    def words(self, tick: Tick) -> dict[str, dict[str, object]]:
        words = super().words(tick)
        if self.route == "market":
            return {"aggTrade": words["aggTrade"]}
        at = tick.milliseconds
        timed = {"e": "bookTicker", "T": at, "E": at + 3, **words["bookTicker"]}
        return {"bookTicker": timed}


PERPETUAL = Instrument.parse("ETH/USDT:perpetual")
DATED = Instrument.parse("BTC/USDT:future-2027-03-26")


@pytest.mark.no_cover
async def test_a_day_of_quotes_of_usd_m_futures(autojump_clock):
    server = UsdmServer({"ETHUSDT": PERPETUAL, "BTCUSDT_270326": DATED})
    client, heard = await watch(server, venue_settings(server, "binance_usdm"))
    assert_nothing_lost(server, client, heard)
    assert len(heard.lags) == len(server.ticks)
    assert all(-0.001 <= lag <= server.latency + 2.0 for lag in heard.lags)


@pytest.mark.no_cover
async def test_a_day_of_trades_of_usd_m_futures(autojump_clock):
    class Market(UsdmServer):
        route = "market"

    server = Market({"ETHUSDT": PERPETUAL})
    client, heard = await watch(server, venue_settings(server, "binance_usdm", "aggTrade"))
    assert server.broken == []
    assert client.status.failures == 0
    assert heard.trades == dict.fromkeys(((t.instrument, t.number) for t in server.ticks), 1)
    assert heard.faults == []


@pytest.mark.parametrize("seed", range(3))
async def test_a_rotation_loses_nothing_however_late_each_connection_is(autojump_clock, seed):
    server = BinanceServer({"ETHUSDT": ETH, "BTCUSDT": BTC}, seed, pace=0.02, latency=1.5)
    settings = venue_settings(server, "binance", rotate_after=5.0)
    client, heard = await watch(server, settings, 60)
    assert_nothing_lost(server, client, heard)
    assert client.status.connections > 4
