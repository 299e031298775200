"""Tapes written while frames pass, and played in place of sockets."""

from __future__ import annotations

import json
import math

import pytest
import trio

from tests.support.books import assert_balanced
from trio_mev.cli.importing import import_tape
from trio_mev.errors import ConfigError
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.replay import ReplayFeed
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.clock import TapeClock, replay_clock
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import EthereumSettings, VenueSettings
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

SETTINGS = VenueSettings(
    kind="binance",
    name="b",
    endpoint=Endpoint("wss://host.test/stream?key=abcdef"),
    instruments=(Instrument("ETH", "USDT"),),
)


def book(number: int) -> bytes:
    data = {"u": number, "s": "ETHUSDT", "b": "1", "B": "1", "a": "2", "A": "1"}
    return json.dumps({"stream": "ethusdt@bookTicker", "data": data}).encode()


def tape_of(path, records, feeds=None):
    header = Header(1, feeds or {"b": FeedHeader("binance", "", {"ETHUSDT": "ETH/USDT"})})
    path.write_bytes(pack([encode_header(header), *map(encode_record, records)]))
    return path


async def test_what_is_tapped_is_on_the_tape(tmp_path):
    path = tmp_path / "a.tape"
    async with open_recorder(path, tape_header([SETTINGS])) as recorder:
        recorder.tap("b", Direction.OPEN, b"")
        recorder.tap("b", Direction.IN, b"one")
        await recorder.flush()
        await recorder.flush()
        recorder.tap("b", Direction.IN, b"\xff\xfe")
    tape = Tape(path)
    assert [(r.direction, r.frame) for r in tape.records()] == [
        (Direction.OPEN, b""),
        (Direction.IN, b"one"),
        (Direction.IN, b"\xff\xfe"),
    ]
    assert tape.header.feeds["b"].endpoint == "wss://host.test/stream?key=***"
    assert tape.header.feeds["b"].symbols == {"ETHUSDT": "ETH/USDT"}
    assert (recorder.records, recorder.lost) == (3, 0)
    assert recorder.written == path.stat().st_size


async def test_it_writes_once_a_second_by_itself(tmp_path, mock_clock):
    path = tmp_path / "a.tape"
    async with open_recorder(path, tape_header([])) as recorder:
        empty = path.stat().st_size
        recorder.tap("b", Direction.IN, b"x")
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(1.0)
        while path.stat().st_size == empty:
            await trio.testing.wait_all_tasks_blocked(0.001)


async def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(ConfigError, match="No such file or directory"):
        async with open_recorder(tmp_path / "absent" / "a.tape", tape_header([])):
            pass


def replayed(path, clock=None, **options):
    quotes = []

    async def main():
        feed = ReplayFeed([path], **options)
        async with open_stream([feed]) as stream:
            events = stream.subscribe(DataType.QUOTE, DataType.BLOCK)
            async for event in events:
                quotes.append((event.received_at, event.data, event.sequence))
        assert_balanced(stream)
        return feed

    return trio.run(main, clock=clock or TapeClock()), quotes


def test_a_tape_moves_its_own_time(tmp_path):
    start = 7_000_000_000
    records = [
        Record(start, start + n * 1_500_000_000, "b", Direction.IN, book(n)) for n in range(4)
    ]
    _, quotes = replayed(tape_of(tmp_path / "a.tape", records))
    assert [(at, quote.sequence) for at, quote, _ in quotes] == [
        (0, 0),
        (1.5, 1),
        (3.0, 2),
        (4.5, 3),
    ]
    assert [sequence for _, _, sequence in quotes] == [1, 2, 3, 4]


@pytest.mark.parametrize("clock", [TapeClock(1000), None])
def test_a_paced_replay_gives_the_same_times(tmp_path, clock):
    records = [Record(0, n * 10**9, "b", Direction.IN, book(n)) for n in range(5)]
    _, quotes = replayed(tape_of(tmp_path / "a.tape", records), clock=clock)
    at = [when - quotes[0][0] for when, _, _ in quotes]
    assert at == pytest.approx([0, 1, 2, 3, 4])


def test_the_speed_chooses_the_clock():
    assert isinstance(replay_clock(None), TapeClock)
    assert replay_clock(2.0).rate == 2.0


def test_recorded_lives_show_in_the_status(tmp_path):
    records = [
        Record(0, 0, "b", Direction.OPEN),
        Record(0, 1, "b", Direction.OUT, b'{"method":"SUBSCRIBE","params":["x@y"],"id":1}'),
        Record(0, 2, "b", Direction.IN, b'{"result":null,"id":1}'),
        Record(0, 3, "b", Direction.IN, book(1)),
        Record(0, 4, "b", Direction.CLOSE),
        Record(0, 10**9, "b", Direction.OPEN),
        Record(0, 10**9 + 1, "b", Direction.IN, book(1)),
        Record(0, 10**9 + 2, "b", Direction.IN, b"junk"),
    ]
    feed, quotes = replayed(tape_of(tmp_path / "a.tape", records))
    status = feed.statuses[0].snapshot()
    assert (status.connections, status.reconnects, status.frames) == (2, 1, 4)
    assert status.refused == {"not_json": 1}
    assert status.state is FeedState.ENDED
    assert len(quotes) == 2


def test_a_recorded_refusal_is_shown_and_the_rest_goes_on(tmp_path):
    asked = b'{"id":1,"method":"eth_subscribe","params":["newHeads"]}'
    records = [
        Record(0, 0, "n", Direction.OUT, asked),
        Record(0, 1, "n", Direction.IN, b'{"id":1,"error":{"code":-32601,"message":"no"}}'),
        Record(0, 2, "b", Direction.IN, book(1)),
    ]
    feeds = {
        "n": FeedHeader("ethereum"),
        "b": FeedHeader("binance", "", {"ETHUSDT": "ETH/USDT"}),
    }
    feed, quotes = replayed(tape_of(tmp_path / "a.tape", records, feeds))
    assert feed.statuses[0].state is FeedState.REFUSED
    assert "-32601" in feed.statuses[0].detail
    assert len(quotes) == 1


def test_a_head_without_its_recorded_answer_comes_in_the_end(tmp_path):
    asked = b'{"id":1,"method":"eth_subscribe","params":["newHeads"]}'

    def head(number: int) -> bytes:
        result = {
            "number": hex(number),
            "hash": f"0x{number:064x}",
            "parentHash": f"0x{number - 1:064x}",
            "timestamp": "0x1",
            "gasLimit": "0x2",
            "gasUsed": "0x1",
        }
        return json.dumps({"params": {"subscription": "0x9", "result": result}}).encode()

    second = 10**9
    records = [
        Record(0, 0, "n", Direction.OUT, asked),
        Record(0, 1, "n", Direction.IN, b'{"id":1,"result":"0x9"}'),
        Record(0, second, "n", Direction.IN, head(1)),
        Record(0, 13 * second, "n", Direction.IN, head(2)),
    ]
    path = tape_of(tmp_path / "a.tape", records, {"n": FeedHeader("ethereum")})
    feed, blocks = replayed(path)
    assert [(block.number, block.transactions) for _, block, _ in blocks] == [(1, None), (2, None)]
    assert feed.statuses[0].refused == {"fetch_timeout": 1}


def test_only_a_part_is_played(tmp_path):
    records = [Record(0, n * 10**9, "b", Direction.IN, book(n)) for n in range(10)]
    path = tape_of(tmp_path / "a.tape", records)
    _, quotes = replayed(path, start=3, end=6)
    assert [(at, quote.sequence) for at, quote, _ in quotes] == [(0, 3), (1, 4), (2, 5)]
    _, quotes = replayed(path, start=math.inf)
    assert quotes == []


def test_an_empty_tape_is_over_at_once(tmp_path):
    _, quotes = replayed(tape_of(tmp_path / "a.tape", []))
    assert quotes == []


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (FeedHeader("nasdaq"), "unknown kind 'nasdaq'"),
        (FeedHeader("binance", "", {"X": "ETHUSDT"}), "BASE/QUOTE"),
    ],
)
def test_a_tape_of_feeds_that_cannot_be_decoded_is_refused(tmp_path, header, words):
    path = tape_of(tmp_path / "a.tape", [], {"x": header})
    with pytest.raises(ConfigError, match=words):
        ReplayFeed([path])


def test_ethereum_feeds_need_no_symbols():
    header = tape_header([EthereumSettings(name="n", endpoint=Endpoint("ws://h/abc"))], "note")
    assert header.feeds["n"] == FeedHeader("ethereum", "ws://h/***", follow=True)
    assert header.note == "note"


def test_frames_of_a_nodes_socket_are_imported_with_their_subscriptions(tmp_path):
    note = {
        "params": {
            "subscription": "0xaa",
            "result": {
                "number": "0x1",
                "hash": "0x" + "1" * 64,
                "parentHash": "0x" + "0" * 64,
                "timestamp": "0x1",
                "gasLimit": "0x2",
                "gasUsed": "0x1",
                "transactions": [],
            },
        }
    }
    source = tmp_path / "frames.jsonl"
    source.write_text(json.dumps({"t": 1, "frame": note}) + "\njunk\n")
    out = tmp_path / "out.tape"
    with pytest.raises(ConfigError, match=r"subscriptions\.json: No such file"):
        import_tape("frames", [source], out)
    beside = tmp_path / "subscriptions.json"
    for text, words in (
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"x": "y"}', "x are not known"),
    ):
        beside.write_text(text)
        with pytest.raises(ConfigError, match=words):
            import_tape("frames", [source], out)
    beside.write_text('{"newHeads": "0xaa"}')
    done = import_tape("frames", [source, source], out)
    assert done.problems == {"bad_line": 2}
    _, blocks = replayed(out)
    assert [block.number for _, block, _ in blocks] == [1, 1]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[]", "not a block"),
        ("a.json", b"\xff", "not UTF-8"),
        ("a.json.gz", b"\x1f\x8b", "damaged or cut"),
        ("a.json.gz", b"plain", "Not a gzipped file"),
    ],
)
def test_a_block_file_that_cannot_be_read_is_said(tmp_path, name, content, words):
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        import_tape("blocks", [source], tmp_path / "out.tape")
    assert not (tmp_path / "out.tape").exists()


def test_a_tape_is_not_overwritten_by_an_import(tmp_path):
    source = tmp_path / "b.json"
    source.write_text('{"number":"0x1","hash":"0x1","timestamp":"0x1","transactions":[]}')
    out = tmp_path / "out.tape"
    import_tape("blocks", [source], out)
    with pytest.raises(ConfigError, match="it exists"):
        import_tape("blocks", [source], out)
    with pytest.raises(ConfigError, match="No such file"):
        import_tape("blocks", [source], tmp_path / "no" / "out.tape")
