"""Stored files that were damaged on the disk: no other number is ever read out of them."""

from __future__ import annotations

import random

import pyarrow.parquet as pq
import pytest

from tests.sinks.stored import quote, stored
from trio_mev.cli.app import main
from trio_mev.errors import ConfigError
from trio_mev.sinks.seal import check_seal
from trio_mev.sinks.verify import verify

PLACES = 1000


@pytest.fixture
def file(tmp_path):
    stored(tmp_path, *(quote(number) for number in range(3)))
    (path,) = (one for one in (tmp_path / "quote").iterdir() if one.suffix == ".parquet")
    return path


def problems_of(folder) -> tuple[str, ...]:
    try:
        assert verify(folder) > 1
    except ConfigError as error:
        return tuple(error.problems)
    return ()


def test_a_flipped_bit_is_found_or_is_no_matter(tmp_path, file):
    whole, table, draw = file.read_bytes(), pq.read_table(file, partitioning=None), random.Random(9)
    found = 0
    assert problems_of(tmp_path) == ()
    for place in draw.sample(range(8 * len(whole)), PLACES):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        file.write_bytes(damaged)
        problems = problems_of(tmp_path)
        found += len(problems)
        if problems:
            assert [problem.startswith(f"{file}: ") for problem in problems] == [True]
        else:
            assert pq.read_table(file, partitioning=None).equals(table)
    assert found > PLACES * 0.9


def test_nothing_is_added_to_what_is_damaged(tmp_path, file):
    damaged = bytearray(file.read_bytes())
    damaged[10] ^= 1
    file.write_bytes(damaged)
    stored(tmp_path, quote(10))
    assert file.read_bytes() == damaged
    (other,) = (p for p in file.parent.iterdir() if p.suffix == ".parquet" and p != file)
    assert pq.read_metadata(other).num_rows == 1


def test_a_question_may_wait_for_the_check(capfd, tmp_path, file):
    asked = ["query", "select count(*) n from quote", "--data", str(tmp_path), "--check"]
    assert main(asked) == 0
    assert capfd.readouterr().out == '{"n":3}\n'
    file.write_bytes(file.read_bytes()[:-20])
    assert main(asked) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"trio_mev: {file}: it is damaged: ")


def test_a_file_of_another_program_has_no_checksum_and_is_taken_as_it_is(tmp_path, file):
    pq.write_table(pq.read_table(file, partitioning=None), file)
    check_seal(file)
    assert verify(tmp_path) > 1
