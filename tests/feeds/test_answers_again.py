"""Answers of a node and blocks that come together: who took which first does so again."""

from __future__ import annotations

import json
import random

import trio

from tests.feeds.test_order_again import without
from tests.support.again import played_directly, played_over_sockets
from tests.support.nodes import note
from tests.support.peer import Peer
from trio_mev.errors import RpcFailed
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.clock import replay_clock
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings
from trio_mev.stream import open_stream
from trio_mev.wire.order import parse_taken
from trio_mev.wire.tape import Direction

SETTINGS = EthereumSettings(
    name="n",
    endpoint=Endpoint("ws://peer.test"),
    pending="off",
    follow=False,
    connection=ConnectionSettings(first_delay=0.01, max_delay=0.01),
)
BLOCKS = 12


class Besides(DataProcessor):
    """Asks the same from two tasks after each block, and tells with the next what it knows."""

    consumes = frozenset({DataType.BLOCK})

    def __init__(self):
        self.known = ["", ""]
        self.moved = trio.Event()

    async def process_event(self, event):
        self.moved.set()
        return [event.finding({"known": " ".join(self.known)})]

    async def attend(self):
        while True:
            await self.moved.wait()
            self.moved = trio.Event()
            async with trio.open_nursery() as nursery:
                for place in range(2):
                    nursery.start_soon(self.ask, place)

    async def ask(self, place):
        try:
            await self.rpc.call("eth_call", [place])
            self.known[place] = await self.rpc.call("eth_gasPrice")
        except RpcFailed as error:
            self.known[place] = str(error.code)


class Within(DataProcessor):
    """Asks in the middle of a block."""

    consumes = frozenset({DataType.BLOCK})
    budget = 60.0

    async def process_event(self, event):
        (said,) = await self.rpc.batch([("eth_call", [event.data.number])])
        return [event.finding({"said": said})]


class Hears(DataProcessor):
    """Tells in which order it hears of blocks and of what was found."""

    consumes = frozenset({DataType.BLOCK, DataType.FINDING})
    emits = frozenset({DataType.VERDICT})

    def __init__(self):
        self.heard = ""

    async def process_event(self, event):
        self.heard += f"{event.event_type.value[0]}{event.sequence}:{event.source[0]} "
        return [event.finding({"heard": self.heard}, DataType.VERDICT)]


PROCESSORS = [Besides, Within, Hears]


class Node:
    """Answers when it announces a head, all in one piece and in an order of its own."""

    def __init__(self):
        self.random = random.Random(5)
        self.waiting = []
        self.asked = trio.Event()
        self.price = 0

    async def __call__(self, peer):
        self.peer = peer
        await peer.accept()
        while (text := await peer.receive()) is not None:
            message = json.loads(text)
            if isinstance(message, dict) and message["method"] == "eth_subscribe":
                await peer.send(json.dumps({"id": message["id"], "result": "0x1"}))
                continue
            self.waiting.append(message)
            if len(self.waiting) == 3:
                self.asked.set()

    def answer(self, message):
        self.price += 1
        if isinstance(message, list):
            return json.dumps([{"id": one["id"], "result": hex(self.price)} for one in message])
        if self.price % 5 == 0 and message["method"] == "eth_gasPrice":
            error = {"code": self.price, "message": "no"}
            return json.dumps({"id": message["id"], "error": error})
        return json.dumps({"id": message["id"], "result": hex(self.price)})

    async def announce(self, number):
        """The next head, when all has been asked because of the last; before, between or behind
        the answers."""
        if number > 1:
            await self.asked.wait()
        self.asked = trio.Event()
        waiting, self.waiting = self.waiting, []
        said = [*map(self.answer, waiting), note(number)]
        self.random.shuffle(said)
        await self.peer.send(*said)


async def record(path):
    node = Node()
    async with (
        trio.open_nursery() as nursery,
        open_recorder(path, tape_header([SETTINGS])) as recorder,
    ):
        dial = Peer(nursery, node).dial
        feed = EthereumWebSocketClient(SETTINGS, dial, recorder.tap, random.Random(1))

        def prepare(stream):
            stream.record_losses(recorder.tap)

        async with open_stream([feed], PROCESSORS, prepare=prepare) as stream:
            await feed.status.wait_for(FeedState.READY)
            with trio.fail_after(10):
                for number in range(1, BLOCKS + 1):
                    await node.announce(number)
                await node.asked.wait()
        nursery.cancel_scope.cancel()
    return stream.get_stats()


async def replay(path):
    return (await played_directly(path, PROCESSORS)).get_stats()


async def over_sockets(path):
    return (await played_over_sockets(path, PROCESSORS)).get_stats()


def test_answers_are_taken_where_they_were_in_the_live_run(tmp_path):
    path = tmp_path / "a.tape"
    live = trio.run(record, path)
    assert live.findings["alert"] > 3 * BLOCKS
    bodies = [one.frame for one in Tape(path).records() if one.direction is Direction.TAKEN]
    found = [parse_taken(body) for body in bodies]
    assert {one.consumer for one in found} == {"Besides", "Within", "Hears"}
    assert len({one.taken[0] for one in found if one.call is not None}) == 3 * BLOCKS
    for way in (replay, over_sockets):
        again = trio.run(way, path, clock=replay_clock(None))
        assert (again.digest, again.findings) == (live.digest, live.findings)
        assert "taken_unused" not in again.feeds[0].ignored
        assert not again.feeds[0].refused


def test_without_the_order_on_the_tape_it_is_another(tmp_path):
    path = tmp_path / "a.tape"
    live = trio.run(record, path)
    bare = trio.run(replay, without(path, Direction.TAKEN), clock=replay_clock(None))
    assert bare.digest != live.digest


async def test_of_two_that_ask_the_same_all_the_time_each_has_a_turn(tmp_path, nursery):
    """Which of them is which nothing says; but one of them has each answer."""

    class Twins(Besides):
        async def ask(self, place):
            self.known[place] = await self.rpc.call("eth_gasPrice")

    node = Node()
    async with open_recorder(tmp_path / "a.tape", tape_header([SETTINGS])) as recorder:
        feed = EthereumWebSocketClient(
            SETTINGS, Peer(nursery, node).dial, recorder.tap, random.Random(1)
        )
        stream_of = open_stream(
            [feed], [Twins, Within], prepare=lambda stream: stream.record_losses(recorder.tap)
        )
        async with stream_of as stream:
            await feed.status.wait_for(FeedState.READY)
            await node.announce(1)
            await node.announce(2)
            await node.asked.wait()
    taken = [
        parse_taken(one.frame)
        for one in Tape(tmp_path / "a.tape").records()
        if one.direction is Direction.TAKEN
    ]
    names = [one.taken[0] for one in taken if one.call and one.consumer == "Twins"]
    first, second = sorted(names[:2])
    assert second == f"{first}~2"
    assert stream.get_stats().findings["alert"] >= 3
