"""Recordings that were damaged on the disk: what is whole is read, the rest is said."""

from __future__ import annotations

import itertools
import random

import pytest

from trio_mev.errors import ConfigError
from trio_mev.feeds.record import open_recorder
from trio_mev.feeds.tapes import Tape, open_tapes
from trio_mev.loopback.demo import TAPE
from trio_mev.model.settings import RecordSettings
from trio_mev.wire.tape import Record

PLACES = 1000
RECORDS = 600
PACK = 40
"""Records that are written at once."""


async def recorded(path, settings: RecordSettings | None = None) -> list[Record]:
    """The demo's first frames, recorded."""
    demo = Tape(TAPE)
    async with open_recorder(path, demo.header, settings) as recorder:
        for number, one in enumerate(itertools.islice(demo.records(), RECORDS), 1):
            recorder.tap(one.feed, one.direction, one.frame)
            if number % PACK == 0:
                await recorder.flush()
    (tape,) = open_tapes([path])
    records = list(tape.records())
    assert len(records) == RECORDS
    assert not tape.problems
    return records


def check(tape, records: list[Record]) -> int:
    """What was read was written, in that order, and what was not read is said; how much that
    is. What a tape repeats where the one before it is missing has the times of that tape."""
    times = {one.mono for one in records}
    words = {(one.feed, one.direction, one.frame) for one in records}
    found, repeated = [], []
    for one in tape.records():
        (found if one.mono in times else repeated).append(one)
    assert all((one.feed, one.direction, one.frame) in words for one in repeated)
    left = iter(records)
    assert all(one in left for one in found)
    lost = len(records) - len(found)
    assert not lost or tape.problems
    return lost


@pytest.mark.no_cover
async def test_a_flipped_bit_costs_what_was_written_with_it_and_no_more(tmp_path):
    path, draw = tmp_path / "a.tape", random.Random(9)
    records = await recorded(path)
    whole = path.read_bytes()
    costs: set[int] = set()
    for place in draw.sample(range(8 * len(whole)), PLACES):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        tape = Tape(path)
        lost = check(tape, records)
        costs.add(lost)
        assert tape.problems["missing"] == lost
        assert not lost or tape.problems["damaged"] == 1
    assert costs == {0, PACK}


@pytest.mark.parametrize("size", [1, 100, 5000, 20_000])
async def test_a_hole_of_any_size_costs_what_it_touches(tmp_path, size):
    path, draw = tmp_path / "a.tape", random.Random(size)
    records = await recorded(path)
    whole = path.read_bytes()
    for _ in range(20):
        at = draw.randrange(1000, len(whole) - size)
        path.write_bytes(whole[:at] + bytes(size) + whole[at + size :])
        tape = Tape(path)
        lost = check(tape, records)
        assert tape.problems["missing"] in (lost, 0)  # of the last ones nothing tells
        path.write_bytes(whole[:at] + whole[at + size :])
        check(Tape(path), records)


async def test_a_folder_with_damaged_tapes_yields_what_is_whole(tmp_path):
    folder, draw = tmp_path / "tapes", random.Random(3)
    records = await recorded(folder, RecordSettings(rotate_size=2000))
    files = {file: file.read_bytes() for file in folder.iterdir()}
    assert len(files) > 5
    for _ in range(50):
        for file, whole in files.items():
            damaged = bytearray(whole)
            damaged[draw.randrange(len(whole))] ^= 0xFF
            cut = draw.choice([len(whole), draw.randrange(len(whole))])
            file.write_bytes(damaged[:cut])
        try:
            (tape,) = open_tapes([folder])
        except ConfigError:  # not one of them has a header
            continue
        lost = check(tape, records)
        assert lost > 0
