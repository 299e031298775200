"""Packs: what is damaged costs itself, and reading it has bounds."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_mev.wire import packs
from trio_mev.wire.packs import MAX_PACK, Unpacker, pack

MAGIC = b"\x28\xb5\x2f\xfd"
CONTENTS = [
    b"",
    b"a",
    b"frames " * 100,
    bytes(300_000),
    random.Random(1).randbytes(200_000),
    *(random.Random(n).randbytes(n) for n in range(2, 40, 7)),
]


def unpacked(raw: bytes, size: int | None = None) -> tuple[list[bytes], Counter[str]]:
    problems: Counter[str] = Counter()
    unpacker = Unpacker(problems)
    size = size or max(1, len(raw))
    found = [
        content
        for at in range(0, len(raw), size)
        for content in unpacker.receive_data(raw[at : at + size])
    ]
    return found + unpacker.end(), problems


@settings(deadline=None)
@given(st.lists(st.sampled_from(CONTENTS), max_size=8), st.integers(1, 70_000), st.data())
def test_contents_come_back_in_pieces_of_any_size_at_any_level(contents, size, data):
    level = data.draw(st.sampled_from([-3, 1, 6, 19]))
    raw = b"".join(pack([content], level) for content in contents)
    assert unpacked(raw, max(size, len(raw) // 1000)) == (contents, {})


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6), st.integers(1, 30))
def test_what_lies_between_packs_costs_none_of_them(between, size):
    contents = [b"%d" % number for number in range(len(between))]
    raw = b"".join(junk + pack([content]) for junk, content in zip(between, contents, strict=True))
    found, problems = unpacked(raw, size)
    assert found == contents
    assert problems == ({"damaged": sum(map(bool, between))} if any(between) else {})


def test_a_length_that_swallows_the_packs_behind_it_costs_one_place():
    raw = bytearray(pack([random.Random(5).randbytes(1000)]))
    at = raw.index(random.Random(5).randbytes(1000)) - 3
    raw[at : at + 3] = (1 | 100_000 << 3).to_bytes(3, "little")
    behind = [b"%d" % number for number in range(5)]
    whole = bytes(raw) + b"".join(pack([content]) for content in behind)
    assert unpacked(whole, 7) == (behind, {"damaged": 1})


@pytest.mark.parametrize(
    "raw",
    [
        zstandard.ZstdCompressor(write_checksum=False).compress(b"content"),
        MAGIC + b"\x2c" + bytes(20),  # a bit that must not be there
        MAGIC + b"\x27" + bytes(20),  # a dictionary
        MAGIC + b"\x24\x05" + b"\x06\x00\x00" + bytes(8),  # a block of no known kind
        MAGIC + b"\x04\x50" + b"\xfc\xff\xff" + bytes(8),  # a block over 128 KiB
        MAGIC + b"\xe4" + b"\xfe" + b"\xff" * 7 + bytes(20),  # the format's word for an error
        MAGIC + b"\xe4" + (MAX_PACK + 1).to_bytes(8, "little") + bytes(20),
        MAGIC + b"\x24\x00" + pack([b"some"])[6:],  # it says to hold nothing, and does
    ],
    ids=["no_checksum", "bit", "dictionary", "kind", "block", "size", "too_large", "empty"],
)
def test_a_pack_that_is_none_of_ours_is_damage(raw):
    assert unpacked(raw + pack([b"next"])) == ([b"next"], {"damaged": 1})


def test_content_of_unknown_size_is_read_up_to_the_bound():
    stream = zstandard.ZstdCompressor(write_checksum=True, write_content_size=False)
    assert unpacked(stream.compress(b"content")) == ([b"content"], {})
    bomb = stream.compress(bytes(MAX_PACK + 1))
    assert len(bomb) < 10_000
    assert unpacked(bomb + pack([b"next"])) == ([b"next"], {"damaged": 1})


def test_a_pack_without_an_end_is_given_up_at_its_bound():
    block = (5 << 3).to_bytes(3, "little") + b"12345"
    endless = MAGIC + b"\x04\x50" + block * (packs.MAX_BLOCKS + 2)
    assert unpacked(endless + pack([b"next"]), 2**16) == ([b"next"], {"damaged": 1})


def test_compressed_a_pack_is_bounded_too(monkeypatch):
    monkeypatch.setattr(packs, "MAX_PACKED", 1000)
    assert unpacked(pack([random.Random(1).randbytes(990)]))[0] == []
    assert unpacked(pack([random.Random(1).randbytes(900)]))[1] == {}


def test_a_file_of_nothing_but_damage_is_given_up(monkeypatch):
    monkeypatch.setattr(packs, "ALLOWED", 2**20)
    monkeypatch.setattr(packs, "BORNE", 0)
    problems: Counter[str] = Counter()
    unpacker = Unpacker(problems)
    assert unpacker.receive_data((MAGIC + b"\x2c" + bytes(4)) * 50_000) == []
    assert problems == {"given_up": 1}
    assert unpacker.receive_data(pack([b"next"])) == []
    assert unpacker.end() == []
    assert problems == {"given_up": 1, "damaged": 1}


def test_many_damaged_packs_are_borne():
    good = pack([random.Random(3).randbytes(3000)])
    bad = bytearray(good)
    bad[100] ^= 1
    found, problems = unpacked((bytes(bad) + good) * 1000, 2**16)
    assert len(found) == 1000
    assert problems == {"damaged": 1000}


@pytest.mark.parametrize("size", range(1, 5))
def test_a_file_that_ends_in_the_beginning_of_a_pack_is_cut(size):
    whole = pack([b"first"])
    assert unpacked(whole + MAGIC[:size]) == ([b"first"], {"cut": 1})
