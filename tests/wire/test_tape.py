"""Tapes: what is written reads back, what is damaged is counted and never invented."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_mev.errors import ConfigError
from trio_mev.wire.packs import MAX_PACKED
from trio_mev.wire.tape import (
    MAX_LINE,
    MOST_REASONS,
    Direction,
    FeedHeader,
    Header,
    Record,
    TapeReader,
    encode_header,
    encode_record,
    pack,
)
from trio_mev.wire.tape import packed as packed_tape
from trio_mev.wire.tape_lines import encode_line, encode_mark

HEADER = Header(
    1, {"a": FeedHeader("binance", symbols={"ETHUSDT": "ETH/USDT"}), "b": FeedHeader("x")}
)
NOW = msgspec.structs.replace(HEADER, tape=2)
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


def packed(records, per_frame: int = 4, header: Header = HEADER) -> bytes:
    """A tape of version 1."""
    lines = [encode_record(record) for record in records]
    frames = [lines[at : at + per_frame] for at in range(0, len(lines), per_frame)]
    return b"".join(pack(frame) for frame in [[encode_header(header)], *frames])


def marked(records, per_pack: int = 4, header: Header = NOW) -> bytes:
    """A tape of today, of small packs."""
    first = pack([encode_header(header)])
    packs = [first, first]
    for at in range(0, len(records), per_pack):
        lines = map(encode_record, records[at : at + per_pack])
        packs.append(pack([encode_mark(at), *lines]))
    return b"".join([*packs, pack([encode_mark(len(records), end=True)])])


def read(raw: bytes, size: int | None = None) -> tuple[TapeReader, list[Record]]:
    reader = TapeReader()
    size = size or max(1, len(raw))
    records = [
        record
        for at in range(0, len(raw), size)
        for record in reader.receive_data(raw[at : at + size])
    ]
    records += reader.end()
    return reader, records


def read_lines(*lines: bytes) -> tuple[TapeReader, list[Record]]:
    return read(pack([encode_header(HEADER), *lines]))


RECORDS = [record_of(n, "ab"[n % 2], b'{"p":"%d"}' % (n * 7919)) for n in range(12)]


@given(record_lists(), st.integers(1, 40), st.integers(1, 5))
def test_records_read_back_in_pieces_of_any_size(records, size, per_frame):
    for make, header in ((packed, HEADER), (marked, NOW)):
        reader, again = read(make(records, per_frame), size)
        assert again == records
        assert reader.header == header
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
    assert read(packed([], header=header))[0].header == header


def test_an_old_tape_cut_at_any_byte_yields_a_prefix_and_says_that_it_was_cut():
    whole = packed(RECORDS)
    ends = {len(packed(RECORDS[:count])) for count in (0, 4, 8, 12)}
    for length in range(len(whole)):
        reader = TapeReader()
        records = reader.receive_data(whole[:length])
        if reader.header is None:
            with pytest.raises(ConfigError, match="it is not a tape"):
                reader.end()
            continue
        assert reader.end() == []
        assert records == RECORDS[: len(records)]
        assert len(records) == 4 * sum(length >= end for end in sorted(ends)[1:])
        assert reader.problems == ({} if length in ends else {"cut": 1})


def test_a_tape_cut_at_any_byte_yields_every_whole_pack_and_says_that_it_was_cut():
    whole = marked(RECORDS)
    first = len(pack([encode_header(NOW)]))
    for length in range(first, len(whole)):
        reader, records = read(whole[:length])
        assert records == RECORDS[: len(records)]
        assert len(records) % 4 == 0
        # Between two packs the end is missing, within one the pack as well.
        assert reader.problems in ({"cut": 1}, {"unfinished": 1})
    assert not read(whole)[0].problems
    with pytest.raises(ConfigError, match="nothing in it is compressed by Zstandard and whole"):
        read(whole[: first - 1])


def test_a_line_without_its_end_is_none():
    line = encode_record(record_of(1))
    reader, records = read(pack([encode_header(HEADER), line, line[:-1]]))
    assert records == [record_of(1)]
    assert reader.problems == {"bad_line": 1}


@pytest.mark.parametrize("make", [packed, marked])
def test_any_flipped_bit_costs_its_pack_and_no_other(make):
    whole = make(RECORDS)
    unnoticed = 0
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            reader, records = read(bytes(damaged))
        except ConfigError:
            assert make is packed  # of which the header is there once
            assert bit // 8 < len(pack([encode_header(HEADER)]))
            continue
        numbers = [RECORDS.index(record) for record in records]
        assert numbers == sorted(set(numbers))
        lost = sorted(set(range(12)) - set(numbers))
        assert lost in ([], [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11])
        if not reader.problems:
            assert records == RECORDS
            unnoticed += 1  # such as a bit of which the format makes nothing
        elif make is marked:
            assert reader.problems["missing"] == len(lost)
        else:
            assert reader.problems == {"damaged": 1} or reader.problems == {"cut": 1}
    assert unnoticed < len(whole) / 4


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
    st.integers(1, 99),
    st.sampled_from([packed, marked]),
)
def test_a_tape_with_other_bytes_is_read_or_refused(changes, size, make):
    damaged = bytearray(make(RECORDS))
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    try:
        reader, records = read(bytes(damaged), size)
    except ConfigError:
        return
    assert reader.problems or records == RECORDS
    numbers = [RECORDS.index(record) for record in records]
    assert numbers == sorted(set(numbers))


@settings(deadline=None)
@given(record_lists(max_size=30), st.data())
def test_packs_that_are_cut_out_are_missing_by_number(records, data):
    cut = data.draw(st.integers(0, len(records)))
    upto = data.draw(st.integers(cut, len(records)))
    first = pack([encode_header(NOW)])
    lines = [encode_record(record) for record in records]
    kept = pack([encode_mark(0), *lines[:cut]]) + pack([encode_mark(upto), *lines[upto:]])
    reader, again = read(first + kept + pack([encode_mark(len(records), end=True)]))
    assert [r.frame for r in again] == [r.frame for r in records[:cut] + records[upto:]]
    assert reader.problems["missing"] == upto - cut


@given(st.binary(max_size=200))
def test_what_is_no_tape_is_refused(raw):
    with pytest.raises(ConfigError, match="it is not a tape"):
        read(raw)


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_lines_of_any_bytes_are_read_or_counted(lines):
    reader = TapeReader(HEADER)
    records = reader.receive_data(pack([line + b"\n" for line in lines]))
    count = b"\n".join([*lines, b""]).count(b"\n")
    assert len(records) + reader.problems.total() == count


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"not json\n", "it has no header"),
        (b"[]\n", "it has no header"),
        (b'{"tape":1}\n', "it has no header"),
        (b'{"tape":1,"feeds":{"\xff":{"kind":"x"}}}\n', "it has no header"),
        (b"[" * 100_000 + b"\n", "it has no header"),
        (b'{"x":' + b"[" * 100_000 + b"\n", "it has no header"),
        (b'{"tape":3,"feeds":{}}\n', "it is a tape of version 3; this program reads 1 and 2"),
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


def test_after_damage_what_is_whole_is_read():
    reader, records = read(packed(RECORDS[:4]) + b"garbage" + pack([encode_record(record_of(99))]))
    assert records == [*RECORDS[:4], record_of(99)]
    assert reader.problems == {"damaged": 1}


def test_without_its_first_header_a_tape_is_read_by_the_next():
    first, rest = pack([encode_header(NOW)]), marked(RECORDS)
    reader, records = read(b"x" + rest[1:])
    assert records == RECORDS
    assert reader.problems == {"damaged": 1}
    late = rest[2 * len(first) :]
    reader, records = read(late + first + pack([encode_mark(12), encode_record(record_of(99))]))
    assert records == [record_of(99)]
    assert reader.problems == {"before_header": 12, "unfinished": 1}
    again = TapeReader(reader.header)
    assert again.receive_data(late) == RECORDS


def test_another_header_is_counted_and_not_believed():
    other = Header(2, {"z": FeedHeader("okx")})
    reader, _ = read(pack([encode_header(HEADER), encode_header(HEADER), encode_header(other)]))
    assert reader.header == HEADER
    assert reader.problems == {"other_header": 1}


def test_what_did_not_get_on_the_tape_is_told_by_it():
    lost = {"a": {"full": 3}, "b": {"full": 1, "write_failed": 2}}
    reader, records = read(
        pack([encode_header(HEADER), encode_mark(0, lost), encode_record(record_of(1))])
        + pack([encode_mark(1, {"a": {"full": 1}}, end=True)])
    )
    assert records == [record_of(1)]
    assert reader.problems == {"lost": 7}
    assert reader.lost == {("a", "full"): 4, ("b", "full"): 1, ("b", "write_failed"): 2}


def test_reasons_of_losses_are_bounded():
    lost = {"a": {f"r{n}": 1 for n in range(MOST_REASONS + 5)}}
    reader, _ = read(pack([encode_header(HEADER), encode_mark(0, lost)]))
    assert len(reader.lost) == MOST_REASONS + 1
    assert reader.lost["other", "other"] == 5


def test_what_is_carried_from_the_tape_before_is_left_out_where_that_was_played():
    carried = encode_line(1, 1, "a", "open", b"", carried=True)
    lines = [encode_header(HEADER), encode_mark(0), carried, encode_record(record_of(2))]
    raw = pack(lines) + pack([encode_mark(1, end=True)])
    alone, played = TapeReader(), TapeReader(carried=False)
    assert alone.receive_data(raw) == [Record(1, 1, "a", Direction.OPEN), record_of(2)]
    assert played.receive_data(raw) == [record_of(2)]
    assert not alone.problems
    assert not played.problems


def test_a_file_that_is_not_compressed_is_no_tape():
    with pytest.raises(ConfigError, match="nothing in it is compressed by Zstandard and whole"):
        read(encode_header(HEADER))


def test_a_large_file_that_is_no_tape_is_refused_before_its_end():
    reader = TapeReader()
    assert reader.receive_data(bytes(MAX_PACKED)) == []
    with pytest.raises(ConfigError, match="it is not a tape"):
        reader.receive_data(b"x")


def test_an_empty_file_is_no_tape():
    with pytest.raises(ConfigError, match="nothing in it is compressed"):
        TapeReader().end()


def test_a_line_over_the_bound_is_counted_and_the_next_is_read():
    reader = TapeReader(HEADER)
    lines = [b"x" * (MAX_LINE + 1) + b"\n", encode_record(record_of(1))]
    assert reader.receive_data(pack(lines)) == [record_of(1)]
    assert reader.problems == {"line_too_long": 1}


def test_a_whole_tape_is_made_of_lines():
    lines = [encode_record(record_of(n, frame=b"x" * 1000)) for n in range(2500)]
    packs = list(packed_tape(NOW, iter(lines)))
    assert len(packs) == 2 + 3 + 1
    assert len(list(packed_tape(NOW, []))) == 2 + 1
    reader, records = read(b"".join(packs))
    assert [encode_record(record) for record in records] == lines
    assert not reader.problems
    with pytest.raises(ConfigError, match="a record of 67108865 bytes"):
        list(packed_tape(NOW, [b"x" * (MAX_LINE + 1)]))
