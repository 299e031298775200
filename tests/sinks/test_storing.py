"""A stream that is stored: nothing is lost at its end, and it never waits for the disk."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest
import trio
from loguru import logger
from trio.testing import wait_all_tasks_blocked

from tests.sinks.stored import EPOCH, NOON, of_each_kind, opened, pending, query, quote
from tests.sinks.test_daystore import full_disk
from tests.support.books import assert_balanced
from trio_mev.flow.clock import replay_clock
from trio_mev.model.settings import LaneSettings, StoreSettings
from trio_mev.sinks.daystore import DayStore
from trio_mev.sinks.storing import LANES, PATIENCE, StreamStore
from trio_mev.stream import open_stream


@pytest.fixture
def said():
    """What is logged from warnings on."""
    lines: list[str] = []
    logger.enable("trio_mev")
    number = logger.add(lines.append, level="INFO", format="{level} {message}")
    yield lines
    logger.remove(number)
    logger.disable("trio_mev")


def sink(folder: Path, **settings) -> StreamStore:
    return StreamStore(opened(folder, **settings), EPOCH)


def added(store: StreamStore):
    return lambda stream: stream.add_sink(store.run, *store.kinds, lanes=LANES)


async def test_all_that_was_emitted_is_stored_when_the_stream_has_ended(tmp_path):
    store = sink(tmp_path)
    async with open_stream(prepare=added(store)) as stream:
        stream.emit_events(of_each_kind())
        for number in range(3000):
            stream.emit_event(quote(number + 1))
    assert store.store.written["quote"] == 3001
    assert len(query(tmp_path, "quote", "sequence")) == 3001
    assert query(tmp_path, "finding", "count(*)") == [(7,)]
    stats = stream.get_stats()
    assert stats.books.lost == 0
    assert_balanced(stream)
    store.store.close()


class Watched(StreamStore):
    """Tells of each time that it has written, or tried to."""

    def watch(self) -> trio.MemoryReceiveChannel[None]:
        self.told, wrote = trio.open_memory_channel[None](math.inf)
        return wrote

    async def _write(self, events):
        await super()._write(events)
        self.told.send_nowait(None)


def watched(folder: Path, **settings) -> Watched:
    return Watched(opened(folder, **settings), EPOCH)


def count(folder: Path) -> int:
    return query(folder, "quote", "count(*)")[0][0]


async def test_what_waits_is_written_when_its_time_has_come(tmp_path, mock_clock):
    store = watched(tmp_path, flush_seconds=10.0)
    wrote = store.watch()
    async with open_stream(prepare=added(store)) as stream:
        stream.emit_event(quote(1))
        await wait_all_tasks_blocked()
        mock_clock.jump(9.9)
        stream.emit_event(quote(2))
        await wait_all_tasks_blocked()
        assert count(tmp_path) == 0
        mock_clock.jump(0.1)
        await wrote.receive()
        assert count(tmp_path) == 2
        stream.emit_event(quote(3))
        await wait_all_tasks_blocked()
        mock_clock.jump(9.9)
        await wait_all_tasks_blocked()
        assert count(tmp_path) == 2
        mock_clock.jump(0.1)
        await wrote.receive()
        assert count(tmp_path) == 3
    store.store.close()


@pytest.mark.parametrize("bound", [{"flush_rows": 4}, {"flush_bytes": 1024}])
async def test_what_waits_is_written_when_it_is_enough(tmp_path, bound, mock_clock):
    store = watched(tmp_path, **bound)
    wrote = store.watch()
    async with open_stream(prepare=added(store)) as stream:
        stream.emit_events([quote(n) for n in range(3)])
        await wait_all_tasks_blocked()
        assert count(tmp_path) == 0
        stream.emit_event(quote(3))
        await wrote.receive()
        assert count(tmp_path) == 4
    store.store.close()


async def test_while_the_disk_takes_nothing_the_stream_goes_on_and_it_is_tried_again(
    tmp_path, mock_clock, said
):
    store = watched(tmp_path, flush_seconds=10.0)
    wrote = store.watch()
    begun = trio.current_time()
    async with open_stream(prepare=added(store)) as stream:
        with full_disk():
            pauses = []
            for number in range(8):
                stream.emit_event(quote(number))
                await wait_all_tasks_blocked()
                due = trio.lowlevel.current_statistics().seconds_to_next_deadline
                assert due <= 60
                mock_clock.jump(store._due - trio.current_time())
                await wrote.receive()
                pauses.append(store._due - trio.current_time())
        # Each from half to all of 10, 20, 40, and then 60 s.
        assert all(b / 2 <= a <= b for a, b in zip(pauses, (10, 20, 40, *[60] * 5), strict=True))
        assert trio.current_time() - begun <= 10 + 10 + 20 + 40 + 60 * 4
        tried = [line for line in said if "it cannot be written to" in line]
        assert len(tried) == 8
        assert "File too large" in tried[0]
        assert count(tmp_path) == 0
        mock_clock.jump(60)
        await wrote.receive()
        assert any("it can be written to again" in line for line in said)
        assert count(tmp_path) == 8
    assert stream.get_stats().books.lost == 0
    assert_balanced(stream)
    store.store.close()


async def test_rows_are_made_while_it_is_not_the_time_for_another_try(tmp_path, mock_clock, said):
    store = watched(tmp_path, flush_rows=10, waiting_bytes=4000)
    wrote = store.watch()
    async with open_stream(prepare=added(store)) as stream:
        with full_disk():
            for _ in range(20):
                stream.emit_events([quote(n) for n in range(10)])
                await wrote.receive()
        assert len([line for line in said if "it cannot be written to" in line]) == 1
        lost = store.store.lost["disk"]
        assert lost > 100
        assert_balanced(stream)
    assert stream.get_stats().books.lost_by == {"taken:disk": lost}
    assert count(tmp_path) == 200 - lost
    assert_balanced(stream)
    store.store.close()


async def test_what_cannot_be_written_in_the_end_is_lost_in_the_books(tmp_path, said):
    store = sink(tmp_path)
    with full_disk():
        async with open_stream(prepare=added(store)) as stream:
            stream.emit_events([quote(1), quote(2), pending(1)])
    assert stream.get_stats().books.lost_by == {"taken:disk": 3}
    assert_balanced(stream)
    (line,) = [line for line in said if "nothing is stored" in line]
    assert line.startswith(f"ERROR {tmp_path}: of 3 events nothing is stored: ")
    assert "File too large" in line
    store.store.close()


async def test_a_run_that_is_cancelled_writes_what_it_has(tmp_path):
    store = sink(tmp_path)
    with trio.CancelScope() as scope:
        async with open_stream(prepare=added(store)) as stream:
            stream.emit_events([quote(1), quote(2)])
            await wait_all_tasks_blocked()
            scope.cancel()
    assert scope.cancelled_caught
    assert query(tmp_path, "quote", "count(*)") == [(2,)]
    assert_balanced(stream)
    store.store.close()


class Stuck(DayStore):
    """A disk that does not answer until it may."""

    def hold(self) -> None:
        self.may, self.asked = threading.Event(), trio.Event()
        self.token = trio.lowlevel.current_trio_token()

    def flush(self):
        self.token.run_sync_soon(self.asked.set)
        self.may.wait(60)
        return super().flush()


def stuck(folder: Path, **settings) -> StreamStore:
    store = Stuck(folder, StoreSettings(**settings))
    store.begin(NOON * 10**6, live=True)
    store.hold()
    return StreamStore(store, EPOCH)


async def test_a_disk_that_never_answers_is_left_behind(tmp_path, mock_clock, said):
    store = stuck(tmp_path)

    async def pass_time():
        await store.store.asked.wait()
        mock_clock.jump(PATIENCE)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pass_time)
        async with open_stream(prepare=added(store)) as stream:
            stream.emit_events([quote(1), quote(2)])
    assert stream.get_stats().books.lost_by == {"taken:disk": 2}
    assert_balanced(stream)
    assert f"ERROR {tmp_path}: of 2 events nothing is stored: it takes too long\n" in said
    store.store.may.set()


async def test_a_disk_that_stops_answering_in_the_middle_is_left_behind_too(
    tmp_path, autojump_clock, said
):
    store = stuck(tmp_path, flush_rows=2)
    async with open_stream(prepare=added(store)) as stream:
        stream.emit_events([quote(1), quote(2)])
        await store.store.asked.wait()
        stream.emit_event(quote(3))  # nobody takes it any more
    books = stream.get_stats().books
    assert (books.lost_by["taken:disk"], books.lost) == (2, 3)
    assert_balanced(stream)
    assert f"ERROR {tmp_path}: of 2 events nothing is stored: it takes too long\n" in said
    store.store.may.set()


async def test_a_run_that_is_cancelled_in_the_middle_of_a_write_waits_for_it(tmp_path):
    store = stuck(tmp_path, flush_rows=2)
    with trio.CancelScope() as scope:
        async with open_stream(prepare=added(store)) as stream:
            stream.emit_events([quote(1), quote(2)])
            await store.store.asked.wait()
            scope.cancel()
            store.store.may.set()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert count(tmp_path) == 2
    assert stream.get_stats().books.lost == 0
    assert_balanced(stream)
    store.store.close()


async def test_a_slow_disk_sheds_what_finds_no_place_and_holds_up_nobody(tmp_path):
    store = stuck(tmp_path, flush_rows=1)

    def prepare(stream):
        stream.add_sink(store.run, *store.kinds, lanes=LaneSettings(normal=10))

    async with open_stream(prepare=prepare) as stream:
        stream.emit_event(quote(0))
        await store.store.asked.wait()
        for number in range(1, 100):
            stream.emit_event(quote(number))
        assert stream.get_stats().books.lost_by == {"normal:shed": 89}
        store.store.may.set()
    assert count(tmp_path) == 11
    assert_balanced(stream)
    store.store.close()


def test_on_a_tapes_clock_there_is_no_timer(tmp_path):
    """Hours of a tape pass in seconds; a write for every ten of them would be for nothing."""
    store = sink(tmp_path)

    async def main():
        async with open_stream(prepare=added(store)) as stream:
            stream.emit_event(quote(1))
            await wait_all_tasks_blocked()
            trio.lowlevel.current_clock().advance_to(3600.0)
            await wait_all_tasks_blocked()
            assert not store.store.written["quote"]
            assert trio.lowlevel.current_statistics().seconds_to_next_deadline <= math.inf
            stream.emit_event(quote(2, 3600.0))
        assert query(tmp_path, "quote", "count(*)") == [(2,)]

    trio.run(main, clock=replay_clock(None))
    store.store.close()


async def test_what_lies_in_a_time_that_is_held_is_lost_in_the_books(tmp_path):
    held = sink(tmp_path, at=NOON + 10)
    async with open_stream(prepare=added(held)) as stream:
        stream.emit_event(quote(1, 10.0))
    held.store.close()
    store = sink(tmp_path, live=False)
    async with open_stream(prepare=added(store)) as stream:
        stream.emit_events([quote(2, 9.0), quote(3, 11.0)])
    assert stream.get_stats().books.lost_by == {"taken:stored_before": 1}
    assert sorted(query(tmp_path, "quote", "sequence")) == [(1,), (2,)]
    store.store.close()


def test_it_is_subscribed_to_what_it_stores(tmp_path):
    store = sink(tmp_path, datasets=("price", "block_summary"))
    assert {kind.value for kind in store.kinds} == {"price", "block_summary"}
    store.store.close()
