"""What may be asked for: files, numbers, ranges."""

from __future__ import annotations

from pathlib import Path

import pytest

from trio_mev.cli.sought import each, read_source, read_sources
from trio_mev.errors import ConfigError

HEAD = 20_000_000
RANGES = {
    "17173049": range(17173049, 17173050),
    "17_173_049": range(17173049, 17173050),
    "15M": range(15_000_000, 15_000_001),
    "latest": range(HEAD, HEAD + 1),
    "12914944:12914954": range(12914944, 12914954),
    "15M:+1000": range(15_000_000, 15_001_000),
    "15.5m:15_500_010": range(15_500_000, 15_500_010),
    "-100:": range(HEAD - 99, HEAD + 1),
    "-2k:19M": range(18_998_000, 19_000_000),
    "19999990:": range(19_999_990, HEAD + 1),
    "19_999_990:latest": range(19_999_990, HEAD + 1),
    ":5": range(5),
    "0:+3": range(3),
}


@pytest.mark.parametrize(("text", "numbers"), RANGES.items(), ids=RANGES)
def test_ranges_end_before_their_end(text: str, numbers: range):
    assert read_source(text).of(HEAD) == numbers


@pytest.mark.parametrize("text", ["5:5", "9:3", "15M:+0", "21M:", "21M", "19M:21M"])
def test_a_range_without_blocks_or_beyond_the_newest_is_refused(text: str):
    with pytest.raises(ConfigError, match=r"no block in it|newest block is 20000000"):
        read_source(text).of(HEAD)


def test_more_of_the_last_blocks_than_there_are_is_all_of_them():
    assert read_source("-100:").of(7) == range(8)


@pytest.mark.parametrize("text", ["1.5", "9B", "0.0001k:7"])
def test_what_is_no_number_of_a_block_is_refused(text: str):
    with pytest.raises(ConfigError, match="is no block number"):
        read_source(text)


@pytest.mark.parametrize("text", ["", ":", "abc", "1:2:3", "-5", "x:y", "1e6", "+5:"])
def test_what_is_nothing_known_is_refused_with_what_is(text: str):
    with pytest.raises(ConfigError, match="neither a file"):
        read_source(text)


def test_files_need_not_exist_yet_to_be_told_from_blocks(tmp_path: Path):
    assert read_source("absent.json.gz") == Path("absent.json.gz")
    other = tmp_path / "traces"
    other.write_text("{}")
    assert read_source(str(other)) == other


def test_each_is_wanted_once_and_in_its_order():
    sources = read_sources(["b.json", "5:8", "a.json", "6:10", "b.json", "5"])
    assert list(each(sources, 100)) == [Path("b.json"), 5, 6, 7, Path("a.json"), 8, 9]


def test_every_bad_source_is_named():
    with pytest.raises(ConfigError) as caught:
        read_sources(["5", "nonsense", "1.5", "a.json"])
    assert len(caught.value.problems) == 2
