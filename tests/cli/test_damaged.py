"""What is wrong with a tape, or with what is asked of it, is said, however it is played."""

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


@pytest.mark.parametrize("way", [(), ("--loopback",)])
def test_a_part_behind_its_end_is_empty_and_that_is_said(capfd, tape, way):
    assert main(["replay", str(tape), *way, "--from", "601", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["events"] == {}
    assert "nothing is played: it was to begin at 601 s, and the tapes end at 600.0 s" in err


def test_a_part_that_no_tape_can_have_is_refused(capfd, tape):
    assert main(["replay", str(tape), "--from", "1e300"]) == 2
    assert capfd.readouterr().err == (
        "trio_mev: --from 1e+300: no tape is as long; 1e+09 s at most\n"
    )


def test_a_tape_that_is_named_twice_is_played_once(capfd, tape):
    beside = tape.with_name("link.tape")
    beside.symlink_to(tape)
    assert main(["replay", str(tape), str(tape.parent), str(beside), "--json"]) == 0
    summary = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert summary["events"]["quote"] == 6
