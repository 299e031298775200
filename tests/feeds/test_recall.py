"""Processors' calls in a replay: answered as the tape comes to the answers."""

from __future__ import annotations

import json

import pytest
import trio

from tests.support.books import assert_balanced
from trio_mev.errors import RpcFailed, RpcTimeout, RpcUnmatched, StreamConnectionError
from trio_mev.feeds.replay import ReplayFeed
from trio_mev.flow.clock import TapeClock, replay_clock
from trio_mev.flow.processor import DataProcessor
from trio_mev.model.event import DataType
from trio_mev.stream import open_stream
from trio_mev.wire.tape import (
    Direction,
    FeedHeader,
    Header,
    Record,
    encode_header,
    encode_record,
    pack,
)

SECOND = 10**9
IN, OUT, OPEN, CLOSE = Direction.IN, Direction.OUT, Direction.OPEN, Direction.CLOSE


def request(number, method, *params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def reply(number, **said):
    return {"jsonrpc": "2.0", "id": number, **said}


def head(number):
    result = {
        "number": hex(number),
        "hash": f"0x{number:064x}",
        "parentHash": f"0x{number - 1:064x}",
        "timestamp": "0x1",
        "gasLimit": "0x2",
        "gasUsed": "0x1",
        "transactions": [],
    }
    return {"params": {"subscription": "0x9", "result": result}}


SUBSCRIBED = [
    (0, OPEN, None),
    (0, OUT, request(1, "eth_subscribe", "newHeads")),
    (0, IN, reply(1, result="0x9")),
]


def tape_of(path, rows, opening=SUBSCRIBED):
    """Rows of seconds, direction, and a frame as JSON."""
    header = Header(1, {"n": FeedHeader("ethereum")})
    records = [
        Record(0, round(at * SECOND), "n", way, b"" if said is None else json.dumps(said).encode())
        for at, way, said in [*opening, *rows]
    ]
    path.write_bytes(pack([encode_header(header), *map(encode_record, records)]))
    return path


class Asks(DataProcessor):
    """Calls with each block, and writes down what it is told and when."""

    consumes = frozenset({DataType.BLOCK})
    budget = 60.0

    def __init__(self, diary, ask):
        self.diary, self.ask = diary, ask

    async def process_event(self, event):
        said = "nobody to ask"
        if self.rpc is not None:
            try:
                said = await self.ask(self.rpc, event.data.number)
            except Exception as error:  # noqa: BLE001 - it is written down
                said = error
        self.diary.append((event.data.number, said, trio.current_time()))


async def one(rpc, number):
    return await rpc.call("eth_call", [{"to": hex(number)}, "latest"])


def asked(number, of):
    return request(number, "eth_call", {"to": hex(of)}, "latest")


def played(path, ask=one, clock=None, processors=(), **options):
    """The diary, and the stream's figures."""
    diary = []

    async def main():
        feed = ReplayFeed([path], **options)
        factories = [lambda: Asks(diary, ask), *processors]
        async with open_stream([feed], factories) as stream:
            await stream.ended.wait()
        assert_balanced(stream)
        return stream.get_stats()

    return diary, trio.run(main, clock=clock or replay_clock(None))


def test_an_answer_comes_when_the_tape_comes_to_it(tmp_path):
    path = tape_of(
        tmp_path / "a.tape",
        [
            (1, IN, head(1)),
            (1.5, OUT, asked(7, 1)),
            (3, IN, reply(7, result="0xaa")),
            (4, IN, head(2)),
            (4, OUT, asked(8, 2)),
            (5, IN, reply(8, error={"code": 3, "message": "reverted", "data": "0x1"})),
        ],
    )
    diary, stats = played(path)
    (first, second) = diary
    assert first == (1, "0xaa", 3.0)
    assert second[0::2] == (2, 5.0)
    assert isinstance(second[1], RpcFailed)
    assert (second[1].code, second[1].data) == (3, "0x1")
    assert stats.feeds[0].refused == {}
    assert stats.feeds[0].ignored == {}


@pytest.mark.parametrize("clock", [TapeClock(1000), None])
def test_at_any_pace_it_is_the_same(tmp_path, clock):
    path = tape_of(
        tmp_path / "a.tape",
        [
            (0.1, IN, head(1)),
            (0.1, OUT, asked(7, 1)),
            (0.2, IN, head(2)),
            (0.3, IN, reply(7, result="0xaa")),
            (0.3, OUT, asked(8, 2)),
            (0.4, IN, reply(8, result="0xbb")),
        ],
    )
    diary, _ = played(path, clock=clock)
    assert [row[:2] for row in diary] == [(1, "0xaa"), (2, "0xbb")]


def test_meanwhile_the_tape_goes_on(tmp_path):
    path = tape_of(
        tmp_path / "a.tape",
        [
            (1, IN, head(1)),
            (1, OUT, asked(7, 1)),
            (2, IN, head(2)),
            (3, IN, reply(7, result="0xaa")),
            (3, OUT, asked(8, 2)),
            (4, IN, reply(8, result="0xbb")),
        ],
    )
    seen = []

    class Others(DataProcessor):
        consumes = frozenset({DataType.BLOCK})

        async def process_event(self, event):
            seen.append((event.data.number, trio.current_time()))

    diary, _ = played(path, processors=[Others])
    assert seen == [(1, 1.0), (2, 2.0)]
    assert diary == [(1, "0xaa", 3.0), (2, "0xbb", 4.0)]


def test_who_asks_later_than_then_is_answered_at_once(tmp_path):
    path = tape_of(
        tmp_path / "a.tape",
        [
            (1, IN, head(1)),
            (1, OUT, asked(7, 1)),
            (2, IN, reply(7, result="0xaa")),
            (9, IN, head(2)),
        ],
    )

    async def later(rpc, number):
        await trio.sleep(3)
        return await one(rpc, number)

    diary, _ = played(path, later)
    assert diary[0] == (1, "0xaa", 4.0)


def test_of_several_alike_each_gets_its_own(tmp_path):
    rows = [(1, IN, head(1))]
    for number in range(3):
        rows.append((1, OUT, request(10 + number, "eth_blockNumber")))
    for number in (1, 0, 2):
        rows.append((2 + number, IN, reply(10 + number, result=hex(number))))
    path = tape_of(tmp_path / "a.tape", rows)
    told = []

    async def thrice(rpc, _):
        async def each():
            told.append((await rpc.call("eth_blockNumber"), trio.current_time()))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(each)

    played(path, thrice)
    # The tape is in the order of its records: the second answer came after the first.
    assert sorted(told) == [("0x0", 3.0), ("0x1", 3.0), ("0x2", 4.0)]


def test_who_asks_the_same_is_told_apart_by_what_it_asked_before(tmp_path):
    rows = [(1, IN, head(1)), (1, OUT, asked(10, 1)), (1, OUT, asked(11, 2))]
    rows += [(2, IN, reply(11, result="0xb")), (2, IN, reply(10, result="0xa"))]
    rows += [(3, OUT, request(n, "eth_blockNumber")) for n in (12, 13)]
    rows += [(4, IN, reply(12, result="0x1")), (5, IN, reply(13, result="0x2"))]
    path = tape_of(tmp_path / "a.tape", rows)

    def run():
        told = {}

        async def both(rpc, _):
            async def each(of):
                first = await one(rpc, of)
                told[first] = await rpc.call("eth_blockNumber")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(each, 1)
                nursery.start_soon(each, 2)

        played(path, both)
        return told

    first = run()
    assert sorted(first.values()) == ["0x1", "0x2"]
    assert all(run() == first for _ in range(8))  # whoever of them Trio lets run first


def test_a_batch_is_matched_as_a_whole(tmp_path):
    batch = [request(3, "eth_call", 1), request(4, "eth_call", 2), request(5, "eth_call", 3)]
    rows = [
        (1, IN, head(1)),
        (1, OUT, batch),
        (2, IN, [reply(4, result="0x2"), reply(3, error={"code": 3, "message": "no"})]),
    ]
    path = tape_of(tmp_path / "a.tape", rows)

    async def ask(rpc, _):
        return await rpc.batch([("eth_call", [n]) for n in (1, 2, 3)])

    ((_, said, at),), _ = played(path, ask)
    assert at == 2.0
    # What a batch's answer leaves out failed, as it does on a socket.
    assert [getattr(each, "code", each) for each in said] == [3, "0x2", 3]


def test_a_batch_that_is_refused_without_a_number_is(tmp_path):
    batch = [request(3, "eth_call", 1), request(4, "eth_call", 2)]
    error = {"id": None, "error": {"code": -32600, "message": "batch too large"}}
    path = tape_of(tmp_path / "a.tape", [(1, IN, head(1)), (1, OUT, batch), (2, IN, error)])

    async def ask(rpc, _):
        return await rpc.batch([("eth_call", [n]) for n in (1, 2)])

    ((_, said, _),), _ = played(path, ask)
    assert [each.code for each in said] == [-32600, -32600]


def test_what_was_never_answered_is_not_answered_again(tmp_path):
    path = tape_of(
        tmp_path / "a.tape",
        [(1, IN, head(1)), (1.25, OUT, asked(7, 1)), (30, IN, head(2)), (31, IN, head(3))],
    )
    diary, stats = played(path)
    assert isinstance(diary[0][1], RpcTimeout)
    # Ten seconds, from when it was sent.
    assert diary[0][2] == 11.25
    assert stats.feeds[0].refused["call_not_on_tape"] == 2


def test_what_was_lost_with_the_connection_is_lost_when_the_tape_comes_to_that(tmp_path):
    path = tape_of(
        tmp_path / "a.tape",
        [
            (1, IN, head(1)),
            (1, OUT, asked(7, 1)),
            (2, CLOSE, None),
            (3, OPEN, None),
            (3, OUT, request(1, "eth_subscribe", "newHeads")),
            (3, IN, reply(1, result="0x9")),
            (4, IN, head(2)),
            (4, OUT, asked(2, 2)),
            (5, IN, reply(2, result="0xbb")),
        ],
    )
    peers = []

    async def ask(rpc, number):
        peers.append(rpc.peer)
        try:
            return await one(rpc, number)
        except StreamConnectionError:
            peers.append(rpc.peer)
            with pytest.raises(StreamConnectionError, match="no connection"):
                await one(rpc, number)
            raise

    diary, _ = played(path, ask)
    assert isinstance(diary[0][1], StreamConnectionError)
    assert diary[0][2] == 2.0
    assert diary[1] == (2, "0xbb", 5.0)
    assert peers[1] is None
    assert peers[0] != peers[2]


def test_what_the_tape_does_not_have_is_an_error_that_says_so_and_is_counted(tmp_path, caplog):
    path = tape_of(
        tmp_path / "a.tape",
        [(1, IN, head(1)), (2, IN, head(2)), (2, OUT, asked(7, 2)), (3, IN, reply(7, result="0x"))],
    )
    diary, stats = played(path)
    number, error, at = diary[0]
    assert (number, at) == (1, 1.0)
    assert isinstance(error, RpcUnmatched)
    assert str(error) == "-32001 a.tape: the tape does not have this call: eth_call"
    assert diary[1] == (2, "0x", 3.0)
    assert stats.feeds[0].refused == {"call_not_on_tape": 1}


def test_what_was_sent_long_after_is_not_meant(tmp_path):
    rows = [(1, IN, head(1)), (40, OUT, asked(7, 1)), (41, IN, reply(7, result="0xaa"))]
    diary, _ = played(tape_of(tmp_path / "a.tape", rows))
    assert isinstance(diary[0][1], RpcUnmatched)


def test_at_the_tapes_end_nobody_waits_any_longer(tmp_path):
    rows = [(1, IN, head(1)), (1, OUT, asked(7, 1))]
    diary, _ = played(tape_of(tmp_path / "a.tape", rows))
    assert isinstance(diary[0][1], StreamConnectionError)
    assert diary[0][2] == 1.0


def test_a_tape_without_calls_has_nobody_to_ask(tmp_path):
    rows = [
        (1, IN, head(1)),
        (1, OUT, request(2, "eth_getLogs", {"blockHash": "0x1"})),
        (1, OUT, "junk"),
        (400, OUT, asked(7, 1)),
    ]
    diary, stats = played(tape_of(tmp_path / "a.tape", rows))
    assert diary == [(1, "nobody to ask", 1.0)]
    assert stats.feeds[0].refused["sent_wrong_shape"] == 1


def test_a_node_may_be_reached_only_after_long(tmp_path):
    rows = [(4000, way, said) for _, way, said in SUBSCRIBED]
    rows += [(4001, IN, head(1)), (4001, OUT, asked(7, 1)), (4002, IN, reply(7, result="0xaa"))]
    diary, _ = played(tape_of(tmp_path / "a.tape", rows, [(0, OPEN, None), (0, CLOSE, None)]))
    assert diary == [(1, "0xaa", 4002.0)]


def test_a_tape_may_begin_in_the_middle_of_a_connection(tmp_path):
    rows = [
        (1, OUT, asked(6, 9)),
        (1, IN, head(1)),
        (1, OUT, asked(7, 1)),
        (2, IN, reply(7, result="0xaa")),
    ]
    diary, _ = played(tape_of(tmp_path / "a.tape", rows, SUBSCRIBED[1:]))
    assert diary == [(1, "0xaa", 2.0)]


def test_of_a_part_only_its_own_calls_are_answered(tmp_path):
    rows = [
        (1, IN, head(1)),
        (1, OUT, asked(7, 2)),
        (1, IN, reply(7, result="0xaa")),
        (5, IN, head(2)),
        (6, OUT, asked(8, 2)),
        (7, IN, reply(8, result="0xbb")),
    ]
    diary, stats = played(tape_of(tmp_path / "a.tape", rows), start=5)
    assert diary == [(2, "0xbb", 2.0)]
    assert stats.feeds[0].events == 1


def test_who_is_cancelled_while_it_waits_leaves_nothing(tmp_path):
    rows = [(1, IN, head(1)), (1, OUT, asked(7, 1)), (5, IN, reply(7, result="0xaa"))]

    async def impatient(rpc, number):
        with trio.move_on_after(2):
            await one(rpc, number)
        with trio.CancelScope() as scope:
            scope.cancel()
            await one(rpc, 77)
        assert not rpc.node.owed
        return "gave up"

    diary, stats = played(tape_of(tmp_path / "a.tape", rows), impatient)
    assert diary == [(1, "gave up", 3.0)]
    assert stats.feeds[0].refused == {}


def test_a_job_in_a_thread_is_waited_for_before_the_tape_goes_on(tmp_path):
    rows = [(1, IN, head(1)), (1, OUT, asked(7, 1)), (2, IN, head(2))]
    rows += [(3, IN, reply(7, result="0xaa")), (3, OUT, asked(8, 2))]
    rows += [(4, IN, reply(8, result="0xbb"))]
    order = []

    class Threads(DataProcessor):
        consumes = frozenset({DataType.BLOCK})
        budget = 60.0

        async def process_event(self, event):
            await trio.to_thread.run_sync(order.append, ("thread", event.data.number))
            order.append(("done", event.data.number, trio.current_time()))

    played(tape_of(tmp_path / "a.tape", rows), processors=[Threads])
    assert order == [("thread", 1), ("done", 1, 1.0), ("thread", 2), ("done", 2, 2.0)]
