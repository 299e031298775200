"""A small but whole run, cancelled at every step that its scheduler takes."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.complaints.scripted import AT_ONCE, assert_settled, body, confirm, head, node, note
from tests.support.peer import Peer, PeerConnection
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.subscription import Subscription
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import LaneSettings, StreamConfig
from trio_mev.stream import RealtimeDataStream, open_stream


class CancelAtStep(trio.abc.Instrument):
    """Cancels a scope before the n-th step of any task."""

    def __init__(self, scope: trio.CancelScope, at: int) -> None:
        self.scope = scope
        self.left = at

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()


class Price(DataProcessor):
    """Waits, and fails once."""

    consumes = frozenset({DataType.BLOCK, DataType.TRANSACTION})
    emits = frozenset({DataType.PRICE})

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        await trio.sleep(0.01)
        if event.sequence == 2:
            raise ValueError
        return [event.finding(event.sequence, DataType.PRICE, EventPriority.NORMAL)]


class Finding(DataProcessor):
    """Waits for nothing."""

    consumes = frozenset({DataType.PRICE, DataType.TRANSACTION})

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        return [event.finding(event.sequence, DataType.FINDING)]


async def script(peer: PeerConnection) -> None:
    """Two subscriptions, two heads, four transactions; and waits for the client to go."""
    await confirm(peer, "0xa", "0xb")
    await peer.send(note("0xa", head(1)), *(note("0xb", body(n)) for n in range(3)))
    await trio.sleep(0.02)
    await peer.send(note("0xb", body(4)), note("0xa", head(2)))
    await peer.hold()


async def take_all(events: Subscription) -> None:
    async for _ in events:
        await trio.lowlevel.checkpoint()


def ignore(event: DataEvent) -> None:
    pass


async def small_run(peer: Peer, streams: list[RealtimeDataStream], transport: str) -> None:
    """Feed, two processors of two stages, handler, sink, subscription; 50 ms, and the drain."""

    def prepare(stream: RealtimeDataStream) -> None:
        streams.append(stream)
        stream.add_sink(take_all, DataType.PRICE)
        stream.add_event_handler(DataType.BLOCK, ignore)
        stream.subscribe(DataType.BLOCK)  # which nobody ever takes

    # So short a lane sheds.
    config = StreamConfig(budget=1.0, lanes=LaneSettings(normal=2))
    feed = node(peer, connection=attrs.evolve(AT_ONCE, transport=transport))
    async with open_stream([feed], [Price, Finding], config, prepare) as stream:
        async with stream.subscribe(DataType.TRANSACTION) as unread, stream.findings as findings:
            with trio.move_on_after(0.05):
                await take_all(findings)
            assert unread.lanes.queued


async def cancelled_at(step: int, transport: str) -> tuple[bool, RealtimeDataStream | None]:
    """Whether the run was cut, and its stream, if it came that far."""
    streams: list[RealtimeDataStream] = []
    living = trio.lowlevel.current_statistics().tasks_living
    # A peer whose stream is left open waits for its client for ever.
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            peer = Peer(nursery, script)
            with trio.CancelScope() as scope:
                cancel = CancelAtStep(scope, step)
                trio.lowlevel.add_instrument(cancel)
                try:
                    await small_run(peer, streams, transport)
                finally:
                    trio.lowlevel.remove_instrument(cancel)
    assert trio.lowlevel.current_statistics().tasks_living == living
    for connection in peer.connections:
        with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
            await connection.stream.send_all(b"x")
    for stream in streams:
        assert_settled(stream)
        assert stream.ended.is_set() or not stream.get_stats().total_events
    return scope.cancelled_caught, streams[0] if streams else None


@pytest.mark.parametrize("transport", ["websockets", "trio-websocket"])
@pytest.mark.parametrize("walk", range(2))
def test_cancelled_at_any_step_nothing_is_lost_uncounted_and_nothing_is_left_behind(
    walk, transport
):
    """Walked several times: the order of tasks that can run is random, as it is in Trio."""
    cut = uncut = step = 0
    received: set[int] = set()
    reasons: set[str] = set()
    while uncut < 10:  # the number of steps varies a little
        step += 1
        was_cut, stream = trio.run(
            cancelled_at, step, transport, clock=MockClock(autojump_threshold=0)
        )
        cut += was_cut
        uncut += not was_cut
        if stream is not None:
            books = stream.get_stats().books
            received.add(books.received)
            reasons |= {reason.partition(":")[2] for reason in books.lost_by}
    assert cut > 100
    # It was cut at the beginning, in the middle and at the end.
    assert min(received) == 0
    assert len(received) > 5
    assert {"cancelled", "shed", "unsubscribed", "unread"} <= reasons
