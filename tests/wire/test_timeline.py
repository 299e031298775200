"""Several tapes on one time line."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.wire.tape import Direction, FeedHeader, Header, Record
from trio_mev.wire.timeline import OVERHEAD, Moment, read_ahead, timeline

HEADER = Header(1, {"a": FeedHeader("ethereum")})


@attrs.frozen
class Memory:
    """A tape in memory, of pairs of wall clock and steady clock."""

    times: tuple[tuple[int, int], ...] = ()
    header: Header = HEADER

    @property
    def first(self):
        return next(self.records(), None)

    def records(self):
        return (Record(wall, mono, "a", Direction.IN) for wall, mono in self.times)


def moments(*tapes: Memory, align: bool = False) -> list[tuple[int, int]]:
    return [(moment.at, moment.tape) for moment in timeline(tapes, align)]


def test_one_tape_begins_at_zero_and_follows_its_steady_clock():
    tape = Memory(((1_000_000, 70), (1_000_009, 75), (999_000, 90)))
    assert moments(tape) == [(0, 0), (5, 0), (20, 0)]


def test_tapes_are_placed_by_their_wall_clocks():
    early = Memory(((1000, 500), (1100, 600)))
    late = Memory(((1050, 3), (1200, 153)))
    assert moments(late, early) == [(0, 1), (50, 0), (100, 1), (200, 0)]


def test_aligned_tapes_begin_at_once():
    early = Memory(((1000, 500), (1100, 600)))
    late = Memory(((5000, 3), (5050, 53)))
    assert moments(early, late, align=True) == [(0, 0), (0, 1), (50, 1), (100, 0)]


def test_an_empty_tape_takes_no_part():
    assert moments() == []
    assert moments(Memory()) == []
    assert moments(Memory(), Memory(((10, 10),))) == [(0, 1)]


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.lists(st.integers(0, 99), min_size=1).map(sorted)),
        max_size=4,
    ),
    st.booleans(),
)
def test_no_record_is_lost_and_time_never_goes_back(tapes, align):
    made = [Memory(tuple((wall + mono, mono) for mono in monos)) for wall, monos in tapes]
    line = list(timeline(made, align))
    assert [moment.at for moment in line] == sorted(moment.at for moment in line)
    for number, tape in enumerate(made):
        assert [m.record for m in line if m.tape == number] == list(tape.records())


def frames_at(*frames: tuple[int, int]) -> list[Moment]:
    """One for each time and size of a frame."""
    return [Moment(at, 0, Record(0, at, "f", Direction.IN, b"x" * size)) for at, size in frames]


def test_what_comes_is_noted_a_while_before_it_is_given():
    noted: list[int] = []
    placed = frames_at((0, 1), (4, 1), (5, 1), (11, 1), (30, 1))
    ahead = read_ahead(placed, lambda moment: noted.append(moment.at), span=10)
    assert next(ahead).at == 0
    assert noted == [0, 4, 5, 11]
    assert [moment.at for moment in ahead] == [4, 5, 11, 30]
    assert noted == [0, 4, 5, 11, 30]


def test_it_is_not_read_so_far_ahead_that_memory_runs_out():
    noted: list[int] = []
    most = 2 * (100 + OVERHEAD)
    placed = frames_at((0, 100), (1, 100), (2, 100), (3, 10 * most), (4, 100))
    ahead = read_ahead(placed, lambda moment: noted.append(moment.at), span=10**9, most=most)
    assert next(ahead).at == 0
    assert noted == [0, 1, 2]
    assert next(ahead).at == 1
    assert noted == [0, 1, 2, 3]
    assert [moment.at for moment in ahead] == [2, 3, 4]


def test_nothing_comes_of_nothing():
    assert list(read_ahead([], print)) == []
