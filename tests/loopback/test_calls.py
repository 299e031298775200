"""How a loopback node answers processors' calls."""

from __future__ import annotations

import json

import trio

from tests.feeds.test_recall import (
    CLOSE,
    IN,
    OPEN,
    OUT,
    Asks,
    asked,
    head,
    one,
    reply,
    request,
    tape_of,
)
from trio_mev.cli.demo import conductor, count_calls
from trio_mev.config import played_by
from trio_mev.errors import MalformedFrame, RpcFailed, RpcTimeout
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.clock import replay_clock
from trio_mev.loopback.servers import open_loopback
from trio_mev.stream import open_stream

ROWS = [
    (1, IN, head(1)),
    (1, OUT, asked(7, 1)),
    (3, IN, reply(7, result="0xaa")),
    (4, IN, head(2)),
    (4, OUT, [asked(8, 2), asked(9, 3)]),
    (5, IN, [reply(9, result="0xcc"), reply(8, error={"code": 3, "message": "reverted"})]),
]


async def by_number(rpc, number):
    if number == 1:
        return await one(rpc, 1)
    calls = [("eth_call", [{"to": hex(n)}, "latest"]) for n in (2, 3)]
    return [getattr(each, "code", each) for each in await rpc.batch(calls)]


def over_sockets(path, ask, in_step=True, clock=None, speed=1.0, **part):
    """The diary, and the stream's figures."""
    diary = []

    async def main():
        async with open_loopback([Tape(path)], speed=speed, **part) as servers:
            feeds = played_by(servers.wall, servers.settings(in_step), servers.called)
            begin = conductor(servers)

            async def conduct(stream):
                if in_step:
                    servers.outstanding = stream.outstanding
                count_calls(servers, stream)
                await begin(stream)

            async with (
                open_stream(feeds, [lambda: Asks(diary, ask)]) as stream,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(conduct, stream)
                await stream.ended.wait()
                nursery.cancel_scope.cancel()
        return stream.get_stats()

    return diary, trio.run(main, clock=clock or replay_clock(None))


def test_answers_come_when_the_tape_comes_to_them(tmp_path):
    diary, stats = over_sockets(tape_of(tmp_path / "a.tape", ROWS), by_number)
    assert diary == [(1, "0xaa", 3.0), (2, [3, "0xcc"], 5.0)]
    assert stats.feeds[0].refused == {}


def test_where_time_is_not_the_tapes_they_come_too(tmp_path):
    path = tape_of(tmp_path / "a.tape", ROWS)
    diary, stats = over_sockets(path, by_number, in_step=False, clock=replay_clock(100.0))
    assert [row[:2] for row in diary] == [(1, "0xaa"), (2, [3, "0xcc"])]
    assert stats.feeds[0].refused == {}


def test_what_no_tape_has_is_an_error_and_counted(tmp_path):
    async def other(rpc, number):
        return await one(rpc, 100 + number)

    diary, stats = over_sockets(tape_of(tmp_path / "a.tape", ROWS), other)
    assert [(number, at) for number, _, at in diary] == [(1, 1.0), (2, 4.0)]
    errors = [error for _, error, _ in diary]
    assert all(isinstance(error, RpcFailed) and error.code == -32001 for error in errors)
    assert "the tape does not have this call: eth_call" in str(errors[0])
    assert stats.feeds[0].refused == {"call_not_on_tape": 2}


def test_a_tape_without_calls_has_nobody_to_ask(tmp_path):
    rows = [(1, IN, head(1)), (2, IN, head(2))]
    diary, _ = over_sockets(tape_of(tmp_path / "a.tape", rows), one)
    assert diary == [(1, "nobody to ask", 1.0), (2, "nobody to ask", 2.0)]


def test_what_was_lost_with_the_connection_is_not_answered(tmp_path):
    rows = [(1, IN, head(1)), (1, OUT, asked(7, 1)), (2, CLOSE, None), (3, OPEN, None)]
    rows += [(3, OUT, request(1, "eth_subscribe", "newHeads")), (3, IN, reply(1, result="0x9"))]
    rows += [(20, IN, head(2)), (20, OUT, asked(7, 2)), (21, IN, reply(7, result="0xbb"))]
    diary, _ = over_sockets(tape_of(tmp_path / "a.tape", rows), one)
    assert isinstance(diary[0][1], RpcTimeout)
    assert diary[1] == (2, "0xbb", 21.0)


def test_of_a_part_only_its_own_calls_are_answered(tmp_path):
    rows = [(0.5, OUT, asked(6, 2)), (0.5, IN, reply(6, result="0xdd")), *ROWS]
    diary, stats = over_sockets(tape_of(tmp_path / "a.tape", rows), by_number, start=3.5)
    assert diary == [(2, [3, "0xcc"], 1.5)]
    assert stats.feeds[0].refused == {}


async def test_a_stranger_may_ask_and_leave(tmp_path):
    from trio_websocket import open_websocket_url

    path = tape_of(tmp_path / "a.tape", [(0, OUT, asked(7, 1)), (600, IN, reply(7, result="0x"))])
    async with open_loopback([Tape(path)]) as servers:
        url = servers.endpoints["n"].url
        servers.begin.set()
        async with open_websocket_url(url) as ws:
            await ws.send_message("[]")
            assert json.loads(await ws.get_message())["error"]["code"] == -32700
            await ws.send_message(json.dumps(request(5, "eth_getLogs", {})))
            assert json.loads(await ws.get_message())["error"]["code"] == -32601
            await ws.send_message(json.dumps(asked(4, 1)))
            await ws.ping()
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert servers.calls.owed
        while servers.calls.owed:
            await trio.testing.wait_all_tasks_blocked(0.001)


def test_an_answer_that_says_nothing_comes_as_it_was(tmp_path):
    rows = [
        (0, OUT, ["junk"]),
        (0, IN, reply(99, result="0x")),
        (1, IN, head(1)),
        (1, OUT, asked(7, 1)),
        (2, IN, reply(7)),
    ]
    diary, _ = over_sockets(tape_of(tmp_path / "a.tape", rows), one)
    ((number, error, at),) = diary
    assert (number, at) == (1, 2.0)
    assert isinstance(error, MalformedFrame)


async def test_a_tape_of_two_lives_is_played_through(tmp_path):
    rows = [(1, CLOSE, None), (2, OPEN, None), (2, IN, reply(8, result="0x"))]
    rows += [
        (2, OUT, request(2, "eth_subscribe", "newPendingTransactions")),
        (2, IN, reply(2, error={"code": -32601, "message": "no such subscription"})),
        (3, CLOSE, None),
        (3, CLOSE, None),
    ]
    async with open_loopback([Tape(tape_of(tmp_path / "a.tape", rows))], speed=1e6) as servers:
        servers.begin.set()
        await servers.finished.wait()
    assert not servers.calls.owed
