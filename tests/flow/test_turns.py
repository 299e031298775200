"""In which order a consumer took what came to it: written down, and kept to again."""

from __future__ import annotations

from functools import partial

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_mev.flow import journal as module
from trio_mev.flow.journal import Journal, Made
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.turns import Turns
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.wire.decisions import event_key
from trio_mev.wire.order import Order


def event(at, ordinal=0, source="feed", cause=None, kind=DataType.QUOTE):
    return DataEvent(
        kind,
        EventPriority.NORMAL,
        None,
        source,
        float(at),
        sequence=at,
        ordinal=ordinal,
        metadata={} if cause is None else {"cause": cause},
    )


@pytest.fixture
def made():
    return Made(event_key)


@pytest.fixture
def written():
    return []


@pytest.fixture
def journal(made, written):
    return Journal(made, lambda names, feed, number: written.append((list(names), feed, number)))


def chains(written):
    return [names for names, _, _ in written[1:]]


# What is written down.


def test_what_a_replay_would_take_in_this_order_is_not_written(journal, written):
    found = event(2, 0, "A", "feed#2.1")
    more = event(2, 1, "A", "feed#2.1")
    made_of_it = event(2, 0, "B", more.name)
    journal.took([event(1), event(2), event(2, 1), found, more])
    journal.took([made_of_it, event(3)])
    assert written == [([], None, None)]  # but that it is written, from here on


def test_what_came_later_and_was_taken_first_is_written_with_what_is_behind_it(journal, written):
    journal.took([event(1), event(3), event(2)])
    journal.took([event(4), event(3, 1), event(5)])
    assert chains(written) == [
        ["quote:feed#3.0", "quote:feed#2.0"],
        ["quote:feed#4.0", "quote:feed#3.1"],
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (event(1, 1), event(1, 0)),
        (event(1, 0, "A", "feed#1.0"), event(1, 1)),
        (event(1, 0, "A", "feed#1.0"), event(1, 0, "B", "feed#1.0")),
        (event(1, 0, "A", "feed#1.0"), event(1, 1, "A", "feed#1.1")),
    ],
)
def test_of_one_moment_what_may_be_put_in_any_order_is_written(journal, written, first, second):
    journal.took([first, second])
    assert len(chains(written)) == 1


def test_what_was_made_late_is_there_late_in_a_replay_too(journal, made, written):
    other = Journal(made, lambda *_: None)
    other.took([event(1), event(5)])
    late = event(1, 0, "other", "feed#1.0")
    other.made(late, derived=False)
    journal.took([late, event(3), event(5), event(6)])
    assert chains(written) == [
        ["quote:other#1.0<feed#1.0", "quote:feed#3.0", "quote:feed#5.0"],
    ]


def test_the_news_of_a_loss_has_no_turn(journal, written):
    journal.took([event(2), event(1, kind=DataType.LOST), event(3)])
    assert chains(written) == []


def test_answers_have_their_place_by_their_moments(journal, written):
    journal.took([event(1)])
    journal.answered("answer:a", (1.5, 0.5), besides=True)
    journal.took([event(1, 1), event(3)])
    journal.answered("answer:b", (2.0, 0.5), besides=True)
    journal.answered("answer:c", None, besides=True)
    journal.took([event(4)])
    assert chains(written) == [
        ["answer:a", "quote:feed#1.1"],
        ["quote:feed#3.0", "answer:b"],
        ["answer:b", "answer:c"],
    ]


def test_an_answer_within_an_event_has_no_turn_but_a_moment(journal, made, written):
    journal.took([event(1)])
    journal.answered("answer:a", (2.0, 0.5), besides=False)
    found = event(1, 0, "A", "feed#1.0")
    journal.made(found, derived=False)
    assert made.moment(found) == (2.0, 0.5)
    journal.answered("answer:b", (1.0, 0.5), besides=False)
    assert chains(written) == []


def test_each_step_and_each_question_is_written(journal, written):
    journal.stepped("step:1")
    journal.asked("answer:a", "node", 7)
    assert written[1:] == [(["", "step:1"], None, None), (["answer:a"], "node", 7)]


def test_that_an_order_is_written_is_written_first(made):
    for begin in (
        lambda journal: journal.stepped("step:1"),
        lambda journal: journal.asked("answer:a", "node", 7),
        lambda journal: journal.took([event(1)]),
    ):
        written = []
        begin(Journal(made, lambda *what, into=written: into.append(what)))
        assert written[0] == ((), None, None)


def test_what_has_the_name_of_another_is_numbered(made):
    first, second = (event(1, 0, "A", "B#1.0") for _ in range(2))
    made.note(first)
    made.note(second)
    assert [made.name(one) for one in (first, second)] == [
        "quote:A#1.0<B#1.0",
        "quote:A#1.0<B#1.0~2",
    ]


def test_what_is_remembered_is_bounded(made, monkeypatch):
    monkeypatch.setattr(module, "MOST_MADE", 2)
    events = [event(number) for number in range(4)]
    for one in events:
        made.late(one, (9.0, 9.0))
        made.note(one)
    assert [made.was_late(one) for one in events] == [False, False, True, True]


# What is kept to.


@attrs.define(eq=False)
class Consumer:
    """Takes what it is given, as soon as it may."""

    order: Order = attrs.Factory(Order)
    outstanding: Outstanding = attrs.Factory(Outstanding)
    taken: list[str] = attrs.Factory(list)
    hand: list[str] = attrs.Factory(list)
    turns: Turns = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.turns = Turns(self.order, self.outstanding)

    def put(self, *names):
        for name in names:
            self.turns.offer(name, partial(self.hand.append, name))
            self.work()

    def work(self):
        while self.hand:
            self.taken.append(self.hand.pop())
            self.turns.begun()
            self.turns.finished()

    def over(self, names):
        count = self.order.over(names)
        self.work()
        return count

    async def go_on(self, name):
        await self.turns.turn(name)
        self.taken.append(name)
        self.work()


@pytest.fixture
def consumer():
    return Consumer()


def test_what_the_tape_says_nothing_of_is_taken_as_it_comes(consumer):
    consumer.put("a", "b")
    assert consumer.taken == ["a", "b"]


def test_what_is_due_after_something_waits_for_it(consumer):
    consumer.order.read_ahead(["b", "a"])
    consumer.put("a")
    assert consumer.taken == []
    consumer.put("b", "c")
    assert consumer.taken == ["b", "a", "c"]


def test_what_comes_meanwhile_waits_for_what_is_due(consumer):
    consumer.order.read_ahead(["a", "b"])
    consumer.put("a", "c", "d")
    assert consumer.taken == ["a"]
    consumer.put("b")
    assert consumer.taken == ["a", "b", "c", "d"]


def test_the_tape_may_come_to_it_before_what_it_waits_for_does(consumer):
    consumer.order.read_ahead(["gone", "a", "b"])
    consumer.put("b", "a")
    assert consumer.order.waits_for(["gone", "a", "b"])
    assert consumer.over(["gone", "a", "b"]) == 2
    assert consumer.taken == ["a", "b"]
    assert consumer.over(["gone", "a", "b"]) == 0
    assert not consumer.order.waits_for(["gone", "a", "b"])


def test_what_the_tape_has_come_to_keeps_its_order_also_where_it_waits_for_one_in_work():
    order, given = Order(), []
    turns = Turns(order, Outstanding())
    order.read_ahead(["gone", "a", "b"])
    order.read_ahead(["lost", "c"])
    for name in ("in work", "d", "c", "b", "a"):
        turns.offer(name, partial(given.append, name))
    turns.begun()
    assert order.over(["gone", "a", "b"]) == 2
    assert order.over(["lost", "c"]) == 1
    for _ in "abcd":
        turns.finished()
        turns.begun()
    assert given == ["in work", "a", "b", "c", "d"]


async def test_whoever_waits_for_an_overdue_turn_may_be_cancelled(consumer):
    consumer.order.read_ahead(["gone", "answer"])
    consumer.turns.offer("a", partial(consumer.hand.append, "a"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(consumer.go_on, "answer")
        await trio.testing.wait_all_tasks_blocked()
        assert consumer.order.over(["gone", "answer"]) == 1
        nursery.cancel_scope.cancel()
    consumer.work()
    assert consumer.taken == ["a"]


def test_what_never_comes_holds_nobody_up_for_longer(consumer):
    consumer.order.read_ahead(["a", "gone"])
    consumer.put("a", "b")
    assert consumer.taken == ["a"]
    assert consumer.over(["a", "gone"]) == 1
    assert consumer.taken == ["a", "b"]


def test_at_the_end_nobody_waits(consumer):
    consumer.order.read_ahead(["gone", "a"])
    consumer.order.read_ahead(["b", "lost"])
    consumer.put("a", "b", "c")
    assert consumer.taken == ["b"]
    consumer.order.end()
    consumer.work()
    assert consumer.taken == ["b", "a", "c"]


def test_one_event_at_a_time_is_before_the_consumer():
    order, given = Order(), []
    turns = Turns(order, Outstanding())
    for name in ("a", "b", "c"):
        turns.offer(name, partial(given.append, name))
    assert given == ["a"]
    turns.begun()
    assert given == ["a"]
    turns.finished()
    assert given == ["a", "b"]
    turns.finished()  # it was refused, and never begun
    assert given == ["a", "b", "c"]
    turns.finished()
    turns.finished()  # there is none


async def test_an_answer_may_be_taken_while_an_event_is_in_work(consumer, nursery):
    given = []
    consumer.turns.offer("a", partial(given.append, "a"))
    nursery.start_soon(consumer.go_on, "answer")
    await trio.testing.wait_all_tasks_blocked()
    assert (consumer.taken, consumer.outstanding.held) == ([], 1)
    consumer.turns.begun()
    await trio.testing.wait_all_tasks_blocked()
    assert (consumer.taken, consumer.outstanding.held) == (["answer"], 0)


async def test_the_next_waits_until_who_has_its_turn_has_gone_on(consumer, nursery):
    consumer.order.read_ahead(["", "step", "a", "answer", "b"])
    consumer.put("b", "a")
    nursery.start_soon(consumer.go_on, "answer")
    nursery.start_soon(consumer.go_on, "step")
    await trio.testing.wait_all_tasks_blocked()
    assert consumer.taken == ["step", "a", "answer", "b"]


async def test_an_event_that_ends_does_not_go_on_for_an_answer(consumer, nursery):
    consumer.order.read_ahead(["a", "one", "two"])
    nursery.start_soon(consumer.go_on, "two")
    nursery.start_soon(consumer.go_on, "one")
    await trio.testing.wait_all_tasks_blocked()
    consumer.put("a")
    await trio.testing.wait_all_tasks_blocked()
    assert consumer.taken == ["a", "one", "two"]


@pytest.mark.parametrize("due", [True, False])
async def test_who_is_cancelled_waits_no_more(consumer, due):
    consumer.order.read_ahead(["a", "b"])
    if due:
        consumer.order.read_ahead(["b", "answer"])
    consumer.put("a")
    with trio.CancelScope() as scope:
        scope.cancel()
        await consumer.turns.turn("answer")
    assert consumer.outstanding.held == 0
    consumer.put("b")
    assert consumer.taken == ["a", "b"]


async def test_who_is_cancelled_in_its_turn_leaves_it_to_the_next(consumer):
    with trio.CancelScope() as scope:
        scope.cancel()
        await consumer.turns.turn("answer")
    consumer.put("a")
    assert consumer.taken == ["a"]


def test_of_two_of_one_name_the_first_is_the_one_that_is_due(consumer):
    consumer.order.read_ahead(["a", "b"])
    consumer.put("b", "b", "a")
    assert consumer.taken == ["b", "a", "b"]


async def test_released_everybody_goes_on(consumer, nursery):
    consumer.order.read_ahead(["gone", "a"])
    consumer.order.read_ahead(["b", "lost"])
    consumer.put("a", "b", "c")
    nursery.start_soon(consumer.go_on, "answer")
    await trio.testing.wait_all_tasks_blocked()
    assert consumer.taken == ["b"]
    consumer.turns.release()
    consumer.put("d")
    await trio.testing.wait_all_tasks_blocked()
    assert sorted(consumer.taken) == ["a", "answer", "b", "c", "d"]


# Both.

TAKEN = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 2), st.sampled_from(["feed", "A", "B"])),
    unique=True,
    max_size=12,
)


@given(TAKEN, st.lists(st.sampled_from(["answer", "step"]), max_size=4), st.randoms())
@settings(deadline=None)
def test_whatever_the_order_was_it_is_so_again(found, others, random):
    """Live anything goes; a replay has what comes at a moment after all of the moment before."""
    live = [
        event(at, ordinal, source, None if source == "feed" else f"feed#{at}.0")
        for at, ordinal, source in found
    ]
    for number, kind in enumerate(others):
        name = f"{kind}:{number}"
        live.insert(random.randrange(len(live) + 1), (name, float(random.randrange(8))))
    order = Order()
    write_down(live, Journal(Made(event_key), lambda chain, *_: order.read_ahead(chain)))
    names = [one[0] if isinstance(one, tuple) else event_key(one) for one in live]
    assert trio.run(play, live, Consumer(order)) == names


def write_down(live, journal):
    for one in live:
        if isinstance(one, DataEvent):
            journal.took([one])
        elif one[0].startswith("step"):
            journal.stepped(one[0])
        else:
            journal.answered(one[0], (one[1], one[1] - 0.5), besides=True)


def moment_of(one):
    """When it is there in a replay: first answers, then what feeds tell, and what is made of it."""
    if isinstance(one, DataEvent):
        return one.received_at, 1 + (one.source != "feed"), one.ordinal
    return (0.0 if one[0].startswith("step") else one[1]), 0, 0


async def play(live, consumer):
    async with trio.open_nursery() as nursery:
        for one in sorted(live, key=moment_of):
            if isinstance(one, DataEvent):
                consumer.put(event_key(one))
            else:
                nursery.start_soon(consumer.go_on, one[0])
            await trio.testing.wait_all_tasks_blocked()
    return consumer.taken
