"""Tapes: what is written reads back, what is damaged is counted and never invented."""

from __future__ import annotations

import base64
import json

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_mev.errors import ConfigError
from trio_mev.wire.tape import (
    MAX_LINE,
    Direction,
    FeedHeader,
    Header,
    Record,
    TapeReader,
    encode_header,
    encode_record,
    pack,
)

HEADER = Header(
    1, {"a": FeedHeader("binance", symbols={"ETHUSDT": "ETH/USDT"}), "b": FeedHeader("x")}
)
INT64 = st.integers(-(2**63), 2**63 - 1)
FRAMES = st.binary(max_size=60) | st.text(max_size=60).map(str.encode)


def record_of(mono: int, feed: str = "a", frame: bytes = b"{}") -> Record:
    return Record(1000 + mono, mono, feed, Direction.IN, frame)


@st.composite
def record_lists(draw, max_size: int = 12):
    return [
        Record(
            draw(INT64), mono, draw(st.sampled_from("ab")), draw(st.sampled_from(Direction)), frame
        )
        for mono, frame in zip(
            sorted(draw(st.lists(INT64, max_size=max_size))),
            draw(st.lists(FRAMES, min_size=max_size, max_size=max_size)),
            strict=False,
        )
    ]


def packed(records, header: Header = HEADER, per_frame: int = 4) -> bytes:
    lines = [encode_record(record) for record in records]
    frames = [lines[at : at + per_frame] for at in range(0, len(lines), per_frame)]
    return b"".join(pack(frame) for frame in [[encode_header(header)], *frames])


def read(raw: bytes, size: int | None = None) -> tuple[TapeReader, list[Record]]:
    reader = TapeReader()
    size = size or max(1, len(raw))
    records = [
        record
        for at in range(0, len(raw), size)
        for record in reader.receive_data(raw[at : at + size])
    ]
    reader.end()
    return reader, records


def read_lines(*lines: bytes) -> tuple[TapeReader, list[Record]]:
    return read(pack([encode_header(HEADER), *lines]))


RECORDS = [record_of(n, "ab"[n % 2], b'{"p":"%d"}' % (n * 7919)) for n in range(12)]


@given(record_lists(), st.integers(1, 40), st.integers(1, 5))
def test_records_read_back_in_pieces_of_any_size(records, size, per_frame):
    reader, again = read(packed(records, per_frame=per_frame), size)
    assert again == records
    assert reader.header == HEADER
    assert not reader.problems


def test_a_line_is_text_where_the_frame_is_text_and_base64_where_it_is_not():
    text = encode_record(Record(5, 6, "a", Direction.OUT, '{"é":1}\n'.encode()))
    assert text.endswith(b"\n")
    assert json.loads(text) == {"t": 5, "m": 6, "f": "a", "k": "out", "x": '{"é":1}\n'}
    binary = json.loads(encode_record(Record(5, 6, "a", Direction.IN, b"\xff\n")))
    assert base64.b64decode(binary["b"]) == b"\xff\n"
    opened = json.loads(encode_record(Record(5, 6, "a", Direction.OPEN)))
    assert opened == {"t": 5, "m": 6, "f": "a", "k": "open"}


def test_the_header_reads_back_with_its_note():
    header = Header(1, {"n": FeedHeader("ethereum", "wss://node/***")}, "recorded on a Monday")
    assert read(packed([], header))[0].header == header


def test_a_tape_cut_at_any_byte_yields_a_prefix_and_says_that_it_was_cut():
    whole = packed(RECORDS)
    ends = {len(packed(RECORDS[:count])) for count in (0, 4, 8, 12)}
    for length in range(len(whole)):
        reader = TapeReader()
        records = reader.receive_data(whole[:length])
        assert records == RECORDS[: len(records)]
        if reader.header is None:
            with pytest.raises(ConfigError, match="it has no header"):
                reader.end()
            continue
        reader.end()
        assert reader.problems == ({} if length in ends else {"cut": 1})


def test_a_tape_whose_last_line_lacks_its_end_is_cut():
    line = encode_record(record_of(1))
    reader, records = read(pack([encode_header(HEADER), line, line[:-1]]))
    assert records == [record_of(1)]
    assert reader.problems == {"cut": 1}


def test_any_flipped_bit_is_noticed_and_nothing_is_invented():
    whole = packed(RECORDS)
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            reader, records = read(bytes(damaged))
        except ConfigError:
            continue
        assert records == RECORDS[: len(records)]
        assert reader.problems or records == RECORDS


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6), st.integers(1, 99)
)
def test_a_tape_with_other_bytes_is_read_or_refused(changes, size):
    damaged = bytearray(packed(RECORDS))
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    try:
        reader, records = read(bytes(damaged), size)
    except ConfigError:
        return
    assert reader.problems or records == RECORDS


@given(st.binary(max_size=200))
def test_what_is_no_tape_is_refused(raw):
    with pytest.raises(ConfigError, match="it is not a tape"):
        read(raw)


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_lines_of_any_bytes_are_read_or_counted(lines):
    reader = TapeReader()
    reader.receive_data(pack([encode_header(HEADER)]))
    records = reader.receive_data(pack([line + b"\n" for line in lines]))
    count = b"\n".join([*lines, b""]).count(b"\n")
    assert len(records) + reader.problems.total() == count


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"not json\n", "its first line is no header"),
        (b"[]\n", "its first line is no header"),
        (b'{"tape":1}\n', "its first line is no header"),
        (b'{"tape":1,"feeds":{"\xff":{"kind":"x"}}}\n', "its first line is no header"),
        (b"[" * 100_000 + b"\n", "its first line is no header"),
        (b'{"x":' + b"[" * 100_000 + b"\n", "its first line is no header"),
        (b'{"tape":2,"feeds":{}}\n', "it is a tape of version 2; this program reads 1"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_a_first_line_that_is_no_header_is_refused(line, complaint):
    with pytest.raises(ConfigError, match=complaint):
        read(pack([line]))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"\n", "bad_line"),
        (b"not json\n", "bad_line"),
        (b'{"t":1,"m":1,"f":"a"}\n', "bad_line"),
        (b'{"t":1,"m":1,"f":"a","k":"sideways"}\n', "bad_line"),
        (b'{"t":1,"m":1e999,"f":"a","k":"in"}\n', "bad_line"),
        (b'{"t":1,"m":1,"f":"a","k":"in","b":"!"}\n', "bad_line"),
        (b'{"t":1,"m":1,"f":"a","k":"in","b":"\xc3\xa9"}\n', "bad_line"),
        (b'{"t":1,"m":1,"f":"a","k":"in","x":"\xff"}\n', "bad_line"),
        (b'{"x":' + b"[" * 100_000 + b"\n", "bad_line"),
        (b'{"t":1,"m":1,"f":"nobody","k":"in"}\n', "unknown_feed"),
    ],
    ids=lambda value: str(value[:50]),
)
def test_a_bad_line_is_counted_and_the_next_is_read(line, problem):
    reader, records = read_lines(line, encode_record(record_of(2)))
    assert records == [record_of(2)]
    assert reader.problems == {problem: 1}


def test_a_clock_that_goes_backwards_stands_still_and_is_counted():
    lines = [encode_record(record_of(mono)) for mono in (5, 3, 4, 6)]
    reader, records = read_lines(*lines)
    assert [record.mono for record in records] == [5, 5, 5, 6]
    assert [record.wall for record in records] == [1005, 1003, 1004, 1006]
    assert reader.problems == {"clock_backwards": 2}


def test_every_feed_has_a_clock_of_its_own():
    lines = [encode_record(record_of(5, "a")), encode_record(record_of(3, "b"))]
    reader, records = read_lines(*lines)
    assert [record.mono for record in records] == [5, 3]
    assert not reader.problems


def test_bytes_after_the_tape_that_are_none_are_damage():
    reader, records = read(packed(RECORDS) + b"garbage")
    assert records == RECORDS
    assert reader.problems == {"damaged": 1}


def test_after_damage_nothing_more_is_read():
    whole = packed(RECORDS[:4])
    reader = TapeReader()
    assert reader.receive_data(whole + b"garbage") == RECORDS[:4]
    assert reader.receive_data(pack([encode_record(record_of(99))])) == []
    reader.end()
    assert reader.problems == {"damaged": 1}


def test_a_file_that_is_not_compressed_is_no_tape():
    with pytest.raises(ConfigError, match="it is not compressed by Zstandard"):
        TapeReader().receive_data(encode_header(HEADER))


def test_an_empty_file_is_no_tape():
    with pytest.raises(ConfigError, match="it has no header"):
        TapeReader().end()


def test_a_tape_of_frames_without_checksums_is_read_too():
    plain = zstandard.ZstdCompressor(write_checksum=False)
    raw = plain.compress(encode_header(HEADER)) + plain.compress(encode_record(record_of(1)))
    assert read(raw)[1] == [record_of(1)]


def test_a_line_without_an_end_is_given_up_at_the_bound():
    reader = TapeReader()
    reader.receive_data(pack([encode_header(HEADER)]))
    assert reader.receive_data(pack([b"x" * (MAX_LINE + 1)], level=1)) == []
    assert reader.problems == {"line_too_long": 1}
    assert reader.receive_data(pack([b"\n", encode_record(record_of(1))])) == [record_of(1)]
    assert reader.problems == {"line_too_long": 1, "bad_line": 1}
