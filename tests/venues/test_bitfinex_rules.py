"""A day at Bitfinex, whose server keeps the rules of its documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
import trio

from trio_mev.model.identity import Instrument

from .rules_server import BreachError, Rate, Rules, Tick, VenueServer, Visit
from .watching import assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USD"), Instrument("BTC", "USDT")


class BitfinexServer(VenueServer):
    """Numbered channels with heartbeats of their own, as "WebSocket API v2" has them."""

    rules = Rules(connects=Rate(20, 60.0), most_per_request=1, most_subscriptions=25)
    beat_interval = 15.0
    code = 20051
    """Of what it says before it leaves."""

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        request = json.loads(text)
        if not visit.wants:
            yield json.dumps({"event": "info", "version": 2, "platform": {"status": 1}})
        if request["event"] == "unsubscribe":
            (name,) = (n for n, number in visit.wants.items() if number == request["chanId"])
            self.drop(visit, [name])
            yield json.dumps({"event": "unsubscribed", "status": "OK", **request})
            return
        channel, symbol = request["channel"], request["symbol"]
        if channel not in {"ticker", "trades"} or symbol not in self.symbols:
            raise BreachError(f"no such channel: {request}")
        name = f"{channel}:{symbol}"
        if name in visit.wants:
            raise BreachError(f"subscribes twice to {name}")
        self.want(visit, [name])
        number = visit.wants[name] = 1000 * visit.number + len(visit.wants)
        yield json.dumps({**request, "event": "subscribed", "chanId": number, "pair": symbol[1:]})
        if (last := self.last.get(symbol)) is not None:
            if channel == "ticker":
                self.delivered.add(last.sides)
                yield ticker(number, last)
            else:
                yield f"[{number},[{trade(last)}]]"

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        quotes, trades = (visit.wants.get(f"{c}:{tick.symbol}") for c in ("ticker", "trades"))
        if quotes is not None:
            yield ticker(quotes, tick)
            if trades is not None:
                yield f'[{trades},"te",{trade(tick)}]'
                yield f'[{trades},"tu",{trade(tick)}]'

    def beat(self, visit: Visit) -> Iterable[str]:
        for number in visit.wants.values():
            yield f'[{number},"hb"]'

    def farewell(self, visit: Visit) -> Iterable[str]:
        yield json.dumps({"event": "info", "code": self.code, "msg": "please reconnect"})


def ticker(number: int, tick: Tick) -> str:
    best = f"{tick.bid},{tick.bid_size},{tick.ask},{tick.ask_size}"
    return f"[{number},[{best},-1.5,-0.0261,{tick.bid},6096.31022294,9463.3,9030]]"


def trade(tick: Tick) -> str:
    return f"[{trade_id(tick)},{tick.milliseconds},-0.5,{tick.bid}]"


def trade_id(tick: Tick) -> int:
    """Trades of all pairs are counted together."""
    return 401_597_393 + 3 * tick.number


@pytest.mark.no_cover
async def test_a_day_with_restarts_of_the_server_loses_no_quote_and_no_trade(autojump_clock):
    server = BitfinexServer({"tETHUSD": ETH, "tBTCUST": BTC}, pace=8.0)

    async def restart(client: object) -> None:
        for server.code in (20051, 20061, 20051):
            await trio.sleep(6 * 3600)
            await server.retire(30.0)

    client, heard = await watch(server, venue_settings(server, "bitfinex"), meanwhile=restart)
    assert_nothing_lost(server, client, heard)
    assert server.log == ["1 up", "2 up", "1 down", "3 up", "2 down", "4 up", "3 down", "4 down"]
    assert len(server.ticks) > 10_000
    sold = ((tick.instrument, trade_id(tick)) for tick in server.ticks)
    assert heard.trades == dict.fromkeys(sold, 1)
    assert client.status.ignored["tu"] >= len(server.ticks)


async def test_a_channel_without_data_and_heartbeats_is_begun_anew(autojump_clock):
    """Another channel's traffic does not hide it."""
    server = BitfinexServer({"tETHUSD": ETH, "tBTCUST": BTC})

    async def forget(client: object) -> None:
        await trio.sleep(600)
        (visit,) = server.visits
        server.drop(visit, ["ticker:tETHUSD", "trades:tETHUSD"])

    client, _ = await watch(server, venue_settings(server, "bitfinex"), 1200, forget)
    assert server.broken == []
    assert client.status.failures == 1
    assert server.log == ["1 up", "1 down", "2 up", "2 down"]


async def test_it_connects_no_more_often_than_it_may(autojump_clock):
    server = BitfinexServer({"tETHUSD": ETH})

    async def cut(client: object) -> None:
        for _ in range(60):
            await trio.sleep(2)
            for visit in list(server.visits):
                await trio.aclose_forcefully(visit.peer.stream)

    settings = venue_settings(server, "bitfinex", first_delay=0.1, factor=1.0, settle_after=1.0)
    await watch(server, settings, 300, cut)
    assert server.broken == []
    assert len(server.log) > 30
