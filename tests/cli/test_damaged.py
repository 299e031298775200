"""What is wrong with a tape is said, however it is played and whichever part of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trio_mev.cli.app import main
from trio_mev.wire.tape import Direction, FeedHeader, Header, Record, encode_header, encode_record
from trio_mev.wire.tape import pack as packed
from trio_mev.wire.tape_lines import encode_mark

HEADER = Header(2, {"b": FeedHeader("binance", "", {"ETHUSDT": "ETH/USDT"}, ["bookTicker"])})
REQUEST = b'{"method":"SUBSCRIBE","params":["ethusdt@bookTicker"],"id":1}'


def book(second: int) -> Record:
    data = {"u": second, "s": "ETHUSDT", "b": "1", "B": "1", "a": "2", "A": "1"}
    frame = json.dumps({"stream": "ethusdt@bookTicker", "data": data}).encode()
    return Record(second * 10**9, second * 10**9, "b", Direction.IN, frame)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Ten minutes, of which the third and the fourth second are damaged."""
    first = Record(0, 0, "b", Direction.OUT, REQUEST)
    packs = [
        packed([encode_header(HEADER)]),
        packed([encode_mark(0), *map(encode_record, (first, book(0), book(1)))]),
        packed([encode_mark(3), *map(encode_record, (book(2), book(3)))]),
        packed([encode_mark(5), *map(encode_record, map(book, (4, 400, 500, 600)))]),
        packed([encode_mark(9, end=True)]),
    ]
    damaged = bytearray(packs[2])
    damaged[len(damaged) // 2] ^= 0xFF
    packs[2] = bytes(damaged)
    path = tmp_path / "damaged.tape"
    path.write_bytes(b"".join(packs))
    return path


@pytest.mark.parametrize("way", [(), ("--loopback",)])
@pytest.mark.parametrize(("part", "quotes"), [((), 6), (("--to", "10"), 3)])
def test_it_is_said(capfd, tape, way, part, quotes):
    assert main(["replay", str(tape), *way, *part, "--json"]) == 0
    summary = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert summary["events"]["quote"] == quotes
    assert summary["refused"] == {"tape_damaged": 1, "tape_missing": 2}
