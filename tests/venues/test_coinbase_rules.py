"""A day at Coinbase Exchange, whose server keeps the rules of its documentation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import trio

from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault

from .rules_server import WALL, BreachError, Rate, Rules, Tick, VenueServer, Visit
from .watching import assert_nothing_lost, venue_settings, watch

ETH, BTC = Instrument("ETH", "USD"), Instrument("BTC", "USD")
CHANNELS = frozenset({"ticker", "matches", "heartbeat"})


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class CoinbaseServer(VenueServer):
    """As "WebSocket Overview", "Channels" and "Rate Limits" of Coinbase Exchange have it. It begins
    with the last ticker and the last match, which recordings show."""

    rules = Rules(
        connects=Rate(8, 1.0),
        messages=Rate(8, 1.0),
        control=True,
        subscribe_within=5.0,
    )
    beat_interval = 1.0
    withheld: frozenset[int] = frozenset()
    """Ticks whose match gets lost on the way."""

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        request = json.loads(text)
        names = [f"{c['name']}:{p}" for c in request["channels"] for p in c["product_ids"]]
        for name in names:
            channel, _, product = name.partition(":")
            if channel not in CHANNELS or product not in self.symbols:
                raise BreachError(f"no {name}")
        fresh = [name for name in names if name not in visit.wants]
        change = {"subscribe": self.want, "unsubscribe": self.drop}[request["type"]]
        change(visit, names)
        channels: dict[str, list[str]] = {}
        for name in visit.wants:
            channels.setdefault(name.partition(":")[0], []).append(name.partition(":")[2])
        answer = [{"name": name, "product_ids": ids} for name, ids in channels.items()]
        yield json.dumps({"type": "subscriptions", "channels": answer})
        for name in fresh:
            channel, _, product = name.partition(":")
            if product in self.last and channel != "heartbeat":
                word = self.words(self.last[product])[channel]
                yield json.dumps(word | ({"type": "last_match"} if channel == "matches" else {}))

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        for channel, word in self.words(tick).items():
            lost = channel == "matches" and tick.number in self.withheld
            if f"{channel}:{tick.symbol}" in visit.wants and not lost:
                yield json.dumps(word)

    @staticmethod
    def words(tick: Tick) -> dict[str, dict[str, object]]:
        """By channel. The sequence counts more than trades."""
        about = {
            "product_id": tick.symbol, "sequence": 7 * tick.number, "trade_id": tick.number,
            "price": str(tick.ask), "time": iso(tick.at),
        }  # fmt: skip
        best = {
            "best_bid": str(tick.bid), "best_bid_size": str(tick.bid_size),
            "best_ask": str(tick.ask), "best_ask_size": str(tick.ask_size),
        }  # fmt: skip
        return {
            "matches": {"type": "match", "side": "sell", "size": "1", **about},
            "ticker": {"type": "ticker", "side": "buy", "last_size": "1", **best, **about},
        }

    def beat(self, visit: Visit) -> Iterable[str]:
        for product, tick in self.last.items():
            if f"heartbeat:{product}" in visit.wants:
                yield json.dumps({
                    "type": "heartbeat", "product_id": product, "sequence": 7 * tick.number + 1,
                    "last_trade_id": tick.number, "time": iso(WALL + trio.current_time()),
                })  # fmt: skip


class Quiet(CoinbaseServer):
    """A server whose heart nobody listens to."""

    beat_interval = None


@pytest.mark.no_cover
async def test_a_day_with_rotations_every_few_hours_loses_nothing(autojump_clock):
    server = Quiet({"ETH-USD": ETH, "BTC-USD": BTC})
    settings = venue_settings(server, "coinbase", "ticker", "matches", rotate_after=5 * 3600.0)
    client, heard = await watch(server, settings)
    assert_nothing_lost(server, client, heard)
    assert client.status.connections == 5
    assert len(server.ticks) > 15_000
    assert heard.trades == dict.fromkeys(((t.instrument, t.number) for t in server.ticks), 1)


@pytest.mark.no_cover
async def test_heartbeats_that_name_what_has_come_tell_of_no_loss(autojump_clock):
    server = CoinbaseServer({"ETH-USD": ETH, "BTC-USD": BTC}, pace=1.0)
    client, heard = await watch(server, venue_settings(server, "coinbase"), 2 * 3600)
    assert_nothing_lost(server, client, heard)
    assert client.status.ignored["heartbeat"] > 2 * 7000


async def test_a_match_that_is_lost_is_told_by_the_heartbeats_after_it(autojump_clock):
    class Forgetful(CoinbaseServer):
        withheld = frozenset({20, 40, 41})

    server = Forgetful({"ETH-USD": ETH}, pace=10.0)
    client, heard = await watch(server, venue_settings(server, "coinbase"), 3600)
    assert Counter(heard.faults) == {
        MarketFault("coinbase", ETH, "missed"): 3,
    }
    assert client.status.ignored["missed"] == 3
    lost = {(ETH, number) for number in Forgetful.withheld}
    every = {(t.instrument, t.number) for t in server.ticks}
    assert heard.trades == dict.fromkeys(every - lost, 1)
    assert Decimal("0.020") in {sides[3] for sides in heard.quotes}


async def test_a_silent_heartbeat_ends_the_connection_though_tickers_come(autojump_clock):
    server = Quiet({"ETH-USD": ETH})
    client, _ = await watch(server, venue_settings(server, "coinbase", first_delay=1.0), 1000)
    assert client.status.failures >= 5
    assert server.broken == []
