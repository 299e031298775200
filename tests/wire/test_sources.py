"""Several sources of one chain: shares, lags and misses, and who is believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_mev.wire.sources import Choice, FirstSeen, SourceFigures


def test_each_thing_is_delivered_once_and_the_lag_of_the_others_is_known():
    seen = FirstSeen(window=10.0)
    for source in ("a", "b", "c"):
        seen.join(source, 0.0)
    assert seen.saw("block", "h1", "a", 1.0)
    assert not seen.saw("block", "h1", "b", 1.5)
    assert not seen.saw("block", "h1", "b", 1.9)
    assert seen.saw("block", "h2", "b", 2.0)
    assert not seen.saw("block", "h2", "a", 2.25)
    assert seen.saw("log", "h1", "a", 2.5)
    seen.settle(12.0)
    assert seen.figures() == {
        ("a", "block"): SourceFigures(2, 1, 0, 0.25, 0.25),
        ("a", "log"): SourceFigures(1, 1, 0, None, None),
        ("b", "block"): SourceFigures(2, 1, 0, 0.5, 0.5),
        ("c", "block"): SourceFigures(0, 0, 2, None, None),
    }
    seen.settle(13.0)
    assert seen.figures()["b", "log"].missed == seen.figures()["c", "log"].missed == 1


def test_who_is_down_or_came_later_misses_nothing():
    seen = FirstSeen(window=10.0)
    seen.join("a", 0.0)
    seen.join("b", 0.0)
    seen.saw("block", "h1", "a", 1.0)
    seen.join("c", 2.0)
    seen.leave("b")
    seen.leave("b")
    seen.settle(60.0)
    assert list(seen.figures()) == [("a", "block")]


def test_the_count_is_bounded():
    seen = FirstSeen(window=1e9, most=2)
    seen.join("b", 0.0)
    for number in range(5):
        seen.saw("transaction", number, "a", float(number))
    assert seen.figures()["b", "transaction"].missed == 3
    assert seen.saw("transaction", 0, "b", 9.0)


SIGHTINGS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.floats(0, 3)), max_size=40
)


@given(SIGHTINGS)
def test_shares_add_up_to_what_there_was(sightings):
    """Within the window: one first a thing, and everybody's sightings and misses are all."""
    seen, now, model = FirstSeen(window=1e6), 0.0, {}
    for source in "abc":
        seen.join(source, 0.0)
    for source, thing, later in sightings:
        now += later
        assert seen.saw("log", thing, source, now) == (thing not in model)
        model.setdefault(thing, {}).setdefault(source, now)
    seen.settle(1e7)
    figures = seen.figures()
    assert sum(f.first for f in figures.values()) == len(model)
    for (source, _), figure in figures.items():
        lags = [
            times[source] - min(times.values())
            for times in model.values()
            if source in times and next(iter(times)) != source
        ]
        assert figure.seen == sum(source in times for times in model.values())
        assert figure.seen + figure.missed == len(model)
        assert figure.longest_lag == (max(lags) if lags else None)


def test_the_first_that_is_up_is_believed_until_it_is_down():
    choice = Choice(["a", "b", "c"])
    assert choice.next_due() is None
    assert choice.join("b", 0.0)
    assert choice.current == "b"
    assert not choice.join("a", 1.0)
    assert choice.leave("b", 2.0)
    assert choice.current == "a"
    assert choice.leave("a", 3.0)
    assert choice.current is None
    assert not choice.leave("c", 3.0)
    assert choice.changes == {"first": 1, "down": 2}


def test_who_stalls_is_replaced_after_the_patience_by_one_that_is_up_to_date():
    choice = Choice(["a", "b", "c"], patience=3.0, blocks=2)
    for name in "abc":
        choice.join(name, 0.0)
        choice.head(name, 10, 0.0)
    assert not choice.head("c", 11, 12.0)
    assert choice.next_due() == 15.0
    assert not choice.decide(14.9)
    assert choice.decide(15.0)
    assert choice.current == "c"
    assert choice.changes["stalled"] == 1
    assert choice.next_due() is None


def test_who_catches_up_in_time_stays():
    choice = Choice(["a", "b"], patience=3.0)
    for name in "ab":
        choice.join(name, 0.0)
        choice.head(name, 10, 0.0)
    choice.head("b", 11, 12.0)
    choice.head("b", 12, 13.0)
    assert not choice.head("a", 12, 14.9)
    assert choice.next_due() is None
    assert not choice.decide(1e9)
    assert choice.current == "a"


def test_who_is_far_behind_is_replaced_at_once():
    choice = Choice(["a", "b"], patience=1e9, blocks=2)
    for name in "ab":
        choice.join(name, 0.0)
    assert not choice.head("b", 50, 0.0)  # the other has said nothing yet
    assert choice.head("a", 10, 0.0)
    assert choice.current == "b"
    assert choice.changes["behind"] == 1


def test_who_is_alone_is_believed_though_it_stalls():
    choice = Choice(["a", "b"], patience=3.0)
    for name in "ab":
        choice.join(name, 0.0)
    choice.head("b", 11, 1.0)
    choice.leave("b", 2.0)
    assert not choice.decide(100.0)
    assert choice.current == "a"


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "head", "wait"]),
        st.sampled_from("abc"),
        st.integers(0, 30),
    ),
    max_size=50,
)


@given(EVENTS)
def test_somebody_is_believed_as_long_as_somebody_is_up(events):
    choice, up, now = Choice(list("abc"), patience=3.0), set(), 0.0
    for what, name, number in events:
        before = choice.current
        if what == "join":
            changed = choice.join(name, now)
            up.add(name)
        elif what == "leave":
            changed = choice.leave(name, now)
            up.discard(name)
        elif what == "head" and name in up:
            changed = choice.head(name, number, now)
        else:
            now += number
            changed = choice.decide(now)
        assert changed == (choice.current != before)
        assert (choice.current is None) == (not up)
        assert choice.current is None or choice.current in up
    if (due := choice.next_due()) is not None:
        choice.decide(max(now, due))
        assert choice.next_due() is None
