"""The server that keeps a venue's rules cuts whoever breaks one; else no client could fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import attrs
import pytest
import trio
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from tests.support.peer import Peer
from trio_mev.model.identity import Instrument

from .rules_server import BreachError, Rate, Rules, Tick, VenueServer, Visit
from .watching import ENDPOINT

ETH = Instrument("ETH", "USDT")


class Parrot(VenueServer):
    """A venue that subscribes to every word it hears and repeats them at every tick."""

    beat_interval = 10.0

    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        if text == "no":
            raise BreachError("says no")
        self.want(visit, text.split())
        yield f"you said {text}"

    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        return [f"{word} {tick.number}" for word in visit.wants]

    def beat(self, visit: Visit) -> Iterable[str]:
        return ["beat"]

    def farewell(self, visit: Visit) -> Iterable[str]:
        return ["bye"]


@attrs.define(eq=False)
class RawClient:
    """A client that pongs only if told to."""

    stream: trio.abc.Stream
    pongs: bool = True
    heard: list[str] = attrs.Factory(list)
    code: int | None = None
    status: int | None = None
    protocol: ClientProtocol = attrs.Factory(lambda: ClientProtocol(parse_uri(ENDPOINT.url)))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until the server has gone."""
        self.protocol.send_request(self.protocol.connect())
        await self.flush()
        with suppress(trio.BrokenResourceError):  # the server has gone
            await self._read(task_status)

    async def _read(self, task_status: trio.TaskStatus[None]) -> None:
        begun = False
        while data := await self.stream.receive_some():
            self.protocol.receive_data(data)
            for event in self.protocol.events_received():
                if not isinstance(event, Frame):
                    self.status = event.status_code
                elif event.opcode is Opcode.TEXT:
                    self.heard.append(event.data.decode())
                elif event.opcode is Opcode.CLOSE:
                    self.code = int.from_bytes(event.data[:2])
            if self.pongs:
                await self.flush()
            if not begun:
                begun = True
                task_status.started()

    async def flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                await self.stream.send_all(data)

    async def say(self, *texts: str) -> None:
        for text in texts:
            self.protocol.send_text(text.encode())
        await self.flush()


def parrot(rules: Rules) -> Parrot:
    return type("RuledParrot", (Parrot,), {"rules": rules})({"E": ETH})


@asynccontextmanager
async def visiting(server: VenueServer, pongs: bool = True) -> AsyncIterator[RawClient]:
    async with trio.open_nursery() as nursery:
        client = RawClient(await Peer(nursery, server).dial(ENDPOINT), pongs)
        await nursery.start(client.run)
        yield client
        nursery.cancel_scope.cancel()


PONG = Rules(ping_interval=20.0, pong_within=60.0)


@pytest.mark.parametrize(
    ("rules", "pongs", "texts", "cut_at", "breach"),
    [
        (PONG, False, ["a"], 80.0, "no pong in time"),
        (Rules(subscribe_within=5.0), True, [], 5.0, "subscribes late"),
        (Rules(silence=30.0), True, ["a"], 30.0, "silent for too long"),
        (Rules(max_age=100.0), True, ["a"], 100.0, "stays too long"),
        (Rules(messages=Rate(2, 1.0)), True, ["a", "b", "c"], 0.0, "messages too often"),
        (Rules(most_per_request=2), True, ["a b c"], 0.0, "3 subscriptions in one request"),
        (Rules(most_subscriptions=2), True, ["a b", "c"], 0.0, "3 subscriptions on one connection"),
        (Rules(most_bytes=4), True, ["a b c"], 0.0, "a message of 5 bytes"),
        (Rules(), True, ["no"], 0.0, "says no"),
    ],
)
async def test_who_breaks_a_rule_is_cut_at_that_moment(
    autojump_clock, rules, pongs, texts, cut_at, breach
):
    server = parrot(rules)
    async with visiting(server, pongs) as client:
        await client.say(*texts)
        if cut_at:
            await trio.sleep(cut_at - 0.1)
            assert server.broken == []
        await trio.sleep(0.2)
        assert server.broken == [breach]
        assert (server.visits, client.code) == ([], 1008)


async def test_who_keeps_the_rules_stays(autojump_clock):
    rules = Rules(
        connects=Rate(1, 1.0), messages=Rate(1, 1.0), subscribe_within=5.0, ping_interval=20.0,
        silence=30.0, pushes=True, most_per_request=2, most_subscriptions=2, most_bytes=10,
    )  # fmt: skip
    server = parrot(rules)
    async with visiting(server) as client:
        await client.say("a b")
        await trio.sleep(1000)
        assert server.broken == []
        assert client.heard == ["you said a b"] + ["beat"] * 99


@pytest.mark.parametrize(("control", "broken"), [(False, []), (True, ["messages too often"])])
async def test_pings_and_pongs_count_as_messages_where_the_venue_counts_them(
    autojump_clock, control, broken
):
    server = parrot(Rules(messages=Rate(2, 1.0), control=control))
    async with visiting(server) as client:
        client.protocol.send_ping(b"")
        await client.say("a", "b")
        await trio.sleep(0.1)
        assert server.broken == broken


async def test_a_pong_that_nobody_asked_for_does_not_help(autojump_clock):
    server = parrot(PONG)
    async with visiting(server, pongs=False) as client:
        await client.say("a")
        for _ in range(79):
            client.protocol.data_to_send()  # the answers to pings are thrown away
            client.protocol.send_pong(b"here I am")
            await client.flush()
            await trio.sleep(1)
        assert server.broken == []
        await trio.sleep(1.1)
        assert server.broken == ["no pong in time"]


async def test_who_connects_too_often_is_refused(autojump_clock):
    server = parrot(Rules(connects=Rate(2, 300.0)))
    async with visiting(server), visiting(server):
        await trio.sleep(299)
        assert server.broken == []
        async with visiting(server) as third:
            assert third.status == 429
    assert server.broken == ["connects too often"]


async def test_who_does_not_leave_when_asked_to_is_cut(autojump_clock):
    server = parrot(Rules())
    async with visiting(server) as client:
        await client.say("a")
        await server.retire(600.0)
        await trio.sleep(0.1)
        assert client.heard[-1] == "beat"
        assert "bye" in client.heard
    assert server.broken == ["does not leave"]


async def test_a_tick_is_told_in_order_to_those_who_want_it_and_noted(autojump_clock):
    server = parrot(Rules())
    async with visiting(server) as deaf, visiting(server) as client:
        await server.trade(60)
        assert server.ticks
        assert server.delivered == set()
        unheard = len(server.ticks)
        await client.say("a")
        await server.trade(600)
    told = [word for word in client.heard if word.startswith("a ")]
    assert told == [f"a {tick.number}" for tick in server.ticks[unheard:]]
    assert [tick.number for tick in server.ticks] == list(range(1, len(server.ticks) + 1))
    assert server.delivered == {tick.sides for tick in server.ticks[unheard:]}
    assert all(tick.bid < tick.ask for tick in server.ticks)
    assert server.ticks[0].bid_size == Decimal("0.001")
    assert set(deaf.heard) == {"beat"}


async def test_the_same_seed_is_the_same_market(autojump_clock):
    first, second = parrot(Rules()), parrot(Rules())
    await first.trade(100)
    await second.trade(100)
    assert [t.sides for t in first.ticks] == [t.sides for t in second.ticks]
