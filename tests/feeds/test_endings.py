"""Ends at awkward moments: a peer that drops as we leave, feeds removed at once, tapes' time."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.support.books import assert_balanced
from tests.support.peer import Peer, PeerConnection
from trio_mev.errors import ConfigError
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.manager import WebSocketStreamManager
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.replay import ReplayFeed
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.clock import TapeClock
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.status import FeedState
from trio_mev.loopback.demo import TAPE
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import EthereumSettings, StreamConfig
from trio_mev.stream import open_stream
from trio_mev.wire.tape import Direction


async def confirm_and_hold(peer: PeerConnection) -> None:
    await peer.accept()
    request = json.loads(await peer.receive() or "null")
    await peer.send(json.dumps({"id": request["id"], "result": "0x1"}))
    await peer.hold()


def client(peer: Peer, name: str = "node") -> EthereumWebSocketClient:
    settings = EthereumSettings(name=name, endpoint=Endpoint("ws://peer.test"), pending="off")
    return EthereumWebSocketClient(settings, peer.dial)


@pytest.mark.parametrize("way", ["leave", "cancel", "remove"])
async def test_a_peer_that_drops_as_we_leave_is_weather(nursery, autojump_clock, way):
    for _ in range(30):  # the two race within one turn of the scheduler
        peer = Peer(nursery, confirm_and_hold)
        feed = client(peer)
        with trio.CancelScope() as scope:
            async with open_stream([feed]) as stream:
                await feed.status.wait_for(FeedState.READY)
                await wait_all_tasks_blocked()
                peer.connections[0].stream.send_stream.close()
                if way == "cancel":
                    scope.cancel()
                elif way == "remove":
                    stream.manager.remove("node")
                    await wait_all_tasks_blocked()
        assert_balanced(stream)


async def test_a_feed_that_is_removed_at_once_does_not_run(nursery, autojump_clock):
    peer = Peer(nursery, confirm_and_hold)
    first, second = client(peer, "first"), client(peer, "second")
    async with open_stream([first]) as stream:
        await first.status.wait_for(FeedState.READY)
        stream.manager.add(second)
        stream.manager.remove("second")
        stream.manager.remove("first")
        with pytest.raises(ConfigError, match="still closing"):
            stream.manager.add(first)
        await wait_all_tasks_blocked()
        assert peer.dials == 1
        await first.status.wait_for(FeedState.ENDED)
        stream.manager.add(first)
        await first.status.wait_for(FeedState.READY)


def test_an_idle_manager_forgets_without_closing():
    manager = WebSocketStreamManager()
    feed = EthereumWebSocketClient(EthereumSettings(name="a", endpoint=Endpoint("ws://peer.test")))
    manager.add(feed)
    manager.remove("a")
    manager.add(feed)
    assert manager.feeds == (feed,)


async def test_records_keep_their_order_when_the_recorder_closes_while_it_writes(tmp_path):
    path = tmp_path / "a.tape"
    async with open_recorder(path, tape_header([])) as recorder:
        recorder._waiting.clear()
        async with trio.open_nursery() as nursery:
            for number in range(50):
                recorder.tap("x", Direction.IN, str(number).encode() * 1000)
                if number == 25:
                    nursery.start_soon(recorder.flush)
                    await trio.lowlevel.checkpoint()
    tape = Tape(path)
    assert list(tape.records()) == []
    assert tape.problems == {"unknown_feed": 50}


class Sleeper(DataProcessor):
    consumes = frozenset({DataType.BLOCK})
    seconds = 0.05

    async def process_event(self, event):
        await trio.sleep(self.seconds)
        return [event.finding(event.data.number)]


class Stuck(Sleeper):
    seconds = 1e9


def test_time_passes_for_processors_that_wait_for_it_in_a_replay():
    async def main():
        async with open_stream([ReplayFeed([TAPE])], [Sleeper, Stuck]) as stream:
            await stream.ended.wait()
        return stream.get_stats()

    stats = trio.run(main, clock=TapeClock())
    sleeper, stuck = stats.consumers
    assert (sleeper.books.processed, sleeper.timing.timeouts) == (26, 0)
    assert (stuck.books.failed, stuck.timing.timeouts) == (26, 26)


def test_a_drain_is_bounded_in_a_replay_too():
    async def main():
        config = StreamConfig(budget=1e6, max_age=1e6, drain_timeout=2.0)
        async with open_stream((), [Stuck], config) as stream:
            block = next(iter(await one_block()))
            stream.emit_event(block)
            await wait_all_tasks_blocked()
        return stream.get_stats().books

    async def one_block():
        found = []
        async with open_stream([ReplayFeed([TAPE], end=20.0)]) as stream:
            stream.add_event_handler(DataType.BLOCK, found.append)
            await stream.ended.wait()
        return found

    books = trio.run(main, clock=TapeClock())
    assert books.lost_by == {"vital:drain": 1}
