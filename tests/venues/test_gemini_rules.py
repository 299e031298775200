"""A day at Gemini: the client's best bid and ask are those of the book that the server has."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
import trio

from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault

from .rules_server import BreachError, Rules, Tick, VenueServer, Visit
from .watching import DAY, assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USD"), Instrument("BTC", "USD")


class GeminiServer(VenueServer):
    """Whole books, then changes of them, as "Market Data v2" has them; it names no limits. Its
    market has begun before anybody comes."""

    rules = Rules()
    beat_interval = 5.0
    lie: str | None = None
    """A message that takes the place of the next change of a book."""
    snapshots = 0

    def begin(self) -> None:
        """Open the market."""
        for number, symbol in enumerate(self.symbols):
            self._publish(self._tick(symbol, 100_000 + 10_000 * number))

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        request = json.loads(text)
        (feed,) = request["subscriptions"]
        if feed["name"] != "l2" or not set(feed["symbols"]) <= set(self.symbols):
            raise BreachError(f"no such feed: {feed}")
        if request["type"] == "unsubscribe":
            self.drop(visit, feed["symbols"])
            return
        self.want(visit, feed["symbols"])
        for symbol in feed["symbols"]:
            tick = visit.wants[symbol] = self.last[symbol]
            self.delivered.add(tick.sides)
            self.snapshots += 1
            deep = [["buy", "1.00", "5"], ["sell", "9000000.00", "5"]]
            yield self.updates(symbol, [*deep, *levels(tick)], trades=[trade(tick)])

    @staticmethod
    def updates(symbol: str, changes: list[list[str]], **fields: object) -> str:
        return json.dumps({"type": "l2_updates", "symbol": symbol, "changes": changes, **fields})

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        before = visit.wants.get(tick.symbol)
        if before is None:
            return
        visit.wants[tick.symbol] = tick
        if self.lie is not None:
            lie, self.lie = self.lie, None
            yield lie
            return
        gone = [[side, price, "0"] for side, price, _ in levels(before)]
        yield self.updates(tick.symbol, gone + levels(tick))
        yield self.updates(tick.symbol, [["buy", "1.00", str(tick.number)]])  # far from the best
        yield json.dumps(trade(tick))

    def beat(self, visit: Visit) -> Iterable[str]:
        yield json.dumps({"type": "heartbeat", "timestamp": 1})


def levels(tick: Tick) -> list[list[str]]:
    return [
        ["buy", str(tick.bid), str(tick.bid_size)],
        ["sell", str(tick.ask), str(tick.ask_size)],
    ]


def trade(tick: Tick) -> dict[str, object]:
    return {
        "type": "trade", "symbol": tick.symbol, "event_id": 3 * tick.number, "side": "sell",
        "timestamp": tick.milliseconds, "price": str(tick.bid), "quantity": "0.5",
        "tid": tick.number,
    }  # fmt: skip


@pytest.mark.no_cover
async def test_a_day_with_rotations_tells_each_best_bid_and_ask_and_each_trade_once(
    autojump_clock,
):
    server = GeminiServer({"ETHUSD": ETH, "BTCUSD": BTC}, pace=8.0)
    server.begin()
    settings = venue_settings(server, "gemini", rotate_after=DAY / 4 - 60)
    client, heard = await watch(server, settings)
    assert_nothing_lost(server, client, heard)
    assert len(server.log) == 10
    assert len(server.ticks) > 10_000
    new = {(tick.instrument, tick.number) for tick in server.ticks if tick.number > 1}
    assert heard.trades == dict.fromkeys(new, 1)  # those of the first book are no news


async def test_a_crossed_book_costs_its_symbol_one_subscription_and_no_connection(autojump_clock):
    server = GeminiServer({"ETHUSD": ETH, "BTCUSD": BTC}, pace=8.0)
    server.begin()

    async def lie(client: object) -> None:
        await trio.sleep(600)
        server.lie = server.updates("ETHUSD", [["buy", "8000000.00", "1"]])

    client, heard = await watch(server, venue_settings(server, "gemini"), 1200, lie)
    assert server.log == ["1 up", "1 down"]
    assert server.snapshots == 3
    assert heard.faults == [MarketFault("gemini", ETH, "crossed_book")]
    assert client.status.ignored["asked_again"] == 1
    for symbol, instrument in server.symbols.items():
        assert heard.quotes[server.last[symbol].sides] == 1, instrument


async def test_a_connection_without_heartbeats_is_left(autojump_clock):
    server = GeminiServer({"ETHUSD": ETH})
    server.begin()

    async def fall_silent(client: object) -> None:
        await trio.sleep(600)
        server.beat_interval = 10_000.0

    client, _ = await watch(server, venue_settings(server, "gemini"), 900, fall_silent)
    assert client.status.failures == 1
    assert server.log == ["1 up", "1 down", "2 up", "2 down"]
