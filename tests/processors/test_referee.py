"""The referee: budget, deadlines, what it learns of its node, and that it leaks nothing.

The node is served from memory, by a real client's socket, so that time can be virtual.
"""

from __future__ import annotations

import pytest
import trio
from loguru import logger

from tests.support.judging import ABSENT, FRAME, SILENT
from trio_mev.flow.status import FeedState
from trio_mev.model.chain import Transaction
from trio_mev.model.settings import RefereeSettings
from trio_mev.model.simulation import SimulatedCall, Simulation
from trio_mev.processors.referee import RELEARN, SHUNNED, TOO_MUCH, Referee, Silence, Unanswered
from trio_mev.wire.simulation import MOST_TRANSACTIONS, SIMULATE, TRACE

BODY = Transaction("0x" + "c3" * 32, "0x" + "11" * 20, "0x" + "22" * 20, 0, 0, 21_000, b"")
TOLD = (SimulatedCall(True, 21_000),)
SETTLED = 0.5
"""Seconds after which a client on virtual time has connected, or its answers have come."""


@pytest.fixture
def referee(client):
    def make(**settings):
        values = {"calls_per_second": 100, "deadline": 2.0, "under_way": 4}
        return Referee(RefereeSettings(**values | settings), client.rpc)

    return make


@pytest.fixture
def said():
    """What the referee logs as a warning."""
    lines = []
    number = logger.add(
        lambda line: lines.append(str(line)),
        level="WARNING",
        format="{message}",
        filter="trio_mev.processors.referee",
    )
    logger.enable("trio_mev")
    yield lines
    logger.disable("trio_mev")
    logger.remove(number)


def balanced(referee):
    """Everything that was asked became something."""
    became = dict(referee.counts)
    asked = became.pop("asked", 0)
    became.pop("calls", None)
    return asked == sum(became.values())


async def test_the_better_method_is_asked_first(autojump_clock, referee, node):
    made = referee()
    assert await made.simulate([BODY]) == Simulation("latest", SIMULATE, TOLD)
    assert await made.simulate([BODY, BODY], 255) == Simulation("0xff", SIMULATE, TOLD * 2)
    assert node.methods == [SIMULATE] * 2
    assert made.counts == {"asked": 2, "calls": 2, "answered": 2}


async def test_a_node_without_it_is_asked_by_the_other_from_then_on(
    autojump_clock, referee, node, said
):
    node.answers[SIMULATE] = ABSENT
    made = referee()
    for _ in range(3):
        assert await made.simulate([BODY]) == Simulation("latest", TRACE, TOLD)
    assert node.methods == [SIMULATE, TRACE, TRACE, TRACE]
    assert await made.simulate([BODY, BODY]) == Unanswered(
        Silence.REFUSED, "several transactions need eth_simulateV1"
    )
    assert said == []
    assert list(made.health()) == []
    assert made.counts == {"asked": 4, "calls": 4, "answered": 3, "refused": 1}


async def test_a_node_that_has_neither_is_told_of_once(autojump_clock, referee, node, said):
    node.answers = dict.fromkeys(node.answers, ABSENT)
    made = referee()
    for _ in range(3):
        answer = await made.simulate([BODY])
        assert answer.why is Silence.REFUSED
    assert node.methods == [SIMULATE, TRACE]
    assert len(said) == 1
    assert "-32601" in said[0]
    (issue,) = made.health()
    assert (issue.kind, issue.where) == ("no_referee", "referee")
    # A long time later it is tried again, without a word.
    await trio.sleep(RELEARN)
    assert (await made.simulate([BODY])).why is Silence.REFUSED
    assert node.methods == [SIMULATE, TRACE] * 2
    assert len(said) == 1
    await trio.sleep(RELEARN)
    node.answers[TRACE] = None
    assert isinstance(await made.simulate([BODY]), Simulation)
    assert list(made.health()) == []
    await trio.sleep(RELEARN)
    assert (await made.simulate([BODY])).method == TRACE
    assert len(said) == 1  # the better one is still refused, which is nothing new
    node.answers[TRACE] = ABSENT
    await trio.sleep(RELEARN)
    assert (await made.simulate([BODY])).why is Silence.REFUSED
    assert len(said) == 2
    assert balanced(made)


async def test_another_connection_is_asked_anew(autojump_clock, referee, client, node):
    node.answers = dict.fromkeys(node.answers, ABSENT)
    made = referee()
    assert (await made.simulate([BODY])).why is Silence.REFUSED
    node.answers = dict.fromkeys(node.answers)
    await node.cut()
    await trio.sleep(SETTLED)
    lost = await made.simulate([BODY])
    assert lost.why is Silence.REFUSED  # nothing says yet that it is another
    assert await client.status.wait_for(FeedState.READY) is FeedState.READY
    assert isinstance(await made.simulate([BODY]), Simulation)


async def test_a_method_that_has_answered_is_not_given_up_for_wrong_parameters(
    autojump_clock, referee, node
):
    made = referee()
    await made.simulate([BODY])
    node.answers[SIMULATE] = {"error": {"code": -32602, "message": "invalid argument 0"}}
    answer = await made.simulate([BODY])
    assert answer == Unanswered(Silence.FAILED, "eth_simulateV1: -32602 invalid argument 0")
    node.answers[SIMULATE] = None
    assert isinstance(await made.simulate([BODY]), Simulation)
    assert TRACE not in node.methods


async def test_no_second_has_more_calls_than_the_budget(autojump_clock, referee, node):
    made = referee(calls_per_second=3, deadline=10)
    start = trio.current_time()
    answers = []

    async def ask():
        answers.append(await made.simulate([BODY]))

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(ask)
    assert len(answers) == made.counts["answered"] == 8
    times = [round(at - start, 3) for at, _ in node.tried]
    assert times == [0, 0, 0, 1, 1, 1, 2, 2]


async def test_who_has_no_turn_in_time_hears_so_at_once(autojump_clock, referee, node):
    made = referee(calls_per_second=2)
    for _ in range(2):
        await made.simulate([BODY])
    before = trio.current_time()
    assert await made.simulate([BODY], within=0.9) == Unanswered(
        Silence.OVER_BUDGET, "no turn in time"
    )
    assert trio.current_time() == before
    assert (await made.simulate([BODY], within=-1)).why is Silence.OVER_BUDGET
    assert len(node.tried) == 2
    assert made.counts["over_budget"] == 2


async def test_an_answer_that_does_not_come_is_waited_for_until_the_deadline(
    autojump_clock, referee, node
):
    node.answers[SIMULATE] = SILENT
    made = referee(deadline=1.5)
    before = trio.current_time()
    assert (await made.simulate([BODY])).why is Silence.TIMED_OUT
    assert trio.current_time() - before == pytest.approx(1.5)
    assert (await made.simulate([BODY], within=20)).why is Silence.TIMED_OUT
    assert trio.current_time() - before == pytest.approx(21.5)
    assert made.counts["timed_out"] == 2


async def test_no_more_are_under_way_than_may_be(autojump_clock, referee, node):
    node.answers[SIMULATE] = SILENT
    made = referee(under_way=2, deadline=3)
    whys = []

    async def ask(within):
        whys.append((await made.simulate([BODY], within=within)).why)

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(ask, 3)
        await trio.sleep(SETTLED)
        nursery.start_soon(ask, 1)
    assert whys == [Silence.OVER_BUDGET, Silence.TIMED_OUT, Silence.TIMED_OUT]
    assert len(node.tried) == 2


async def test_a_node_that_has_enough_is_left_alone_for_a_while(autojump_clock, referee, node):
    node.answers[SIMULATE] = {"error": {"code": 429, "message": "{too} many"}}
    made = referee()
    answer = await made.simulate([BODY])
    assert answer == Unanswered(Silence.OVER_BUDGET, "eth_simulateV1: 429 {too} many")
    node.answers[SIMULATE] = None
    assert (await made.simulate([BODY])).why is Silence.OVER_BUDGET
    assert len(node.tried) == 1
    await trio.sleep(TOO_MUCH)
    assert isinstance(await made.simulate([BODY]), Simulation)


async def test_an_answer_that_is_none_is_malformed(autojump_clock, referee, node):
    made = referee()
    node.answers[SIMULATE] = {"result": [{"calls": []}]}
    assert (await made.simulate([BODY])).why is Silence.MALFORMED
    node.answers[SIMULATE] = {"result": None}
    assert (await made.simulate([BODY])).why is Silence.MALFORMED
    assert made.counts["malformed"] == 2


async def test_a_connection_that_is_lost_is_no_answer(autojump_clock, referee, node, nursery):
    node.answers[SIMULATE] = SILENT
    made = referee(deadline=60)
    nursery.start_soon(node_cut_soon, node)
    assert (await made.simulate([BODY])).why is Silence.DISCONNECTED
    assert (await made.simulate([BODY])).why is Silence.DISCONNECTED
    assert balanced(made)


async def test_a_trace_that_costs_the_connection_is_not_asked_for_again_soon(
    autojump_clock, referee, client, node, said
):
    """A real client closes the connection over a message that is too long for it."""
    node.answers = {SIMULATE: ABSENT, TRACE: {"result": {**FRAME, "output": "0x" + "00" * 2**20}}}
    made = referee(deadline=60)
    assert (await made.simulate([BODY])).why is Silence.DISCONNECTED
    assert client.status.refused["oversized"] == 1
    assert len(said) == 1
    assert "none for 600 s" in said[0]
    await client.status.wait_for(FeedState.WAITING)
    assert await client.status.wait_for(FeedState.READY) is FeedState.READY
    node.answers[TRACE] = None
    node.tried.clear()
    assert (await made.simulate([BODY])).why is Silence.REFUSED
    assert node.methods == [SIMULATE]
    await trio.sleep(SHUNNED)
    assert (await made.simulate([BODY])).method == TRACE
    assert len(said) == 1


async def test_a_trace_that_was_never_asked_for_has_lost_nothing(
    autojump_clock, referee, client, node
):
    node.answers[SIMULATE] = ABSENT
    made = referee()
    assert (await made.simulate([BODY])).method == TRACE
    await node.cut()
    await client.status.wait_for(FeedState.WAITING)
    assert (await made.simulate([BODY])).why is Silence.DISCONNECTED
    assert await client.status.wait_for(FeedState.READY) is FeedState.READY
    assert (await made.simulate([BODY])).method == TRACE


async def test_several_traces_that_are_lost_together_are_told_of_once(
    autojump_clock, referee, node, said
):
    node.answers = {SIMULATE: ABSENT, TRACE: SILENT}
    made = referee(deadline=60)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(made.simulate, [BODY])
        await trio.sleep(SETTLED)
        await node.cut()
    assert made.counts["disconnected"] == 3
    assert len(said) == 1


async def test_another_way_is_open_while_traces_are_not(autojump_clock, referee, node, nursery):
    node.answers = {SIMULATE: ABSENT, TRACE: SILENT}
    made = referee(deadline=60)
    nursery.start_soon(node_cut_soon, node)
    assert (await made.simulate([BODY])).why is Silence.DISCONNECTED
    # While there is no connection nothing is lost by a trace.
    before = made._shunned
    await trio.sleep(SETTLED / 2)
    assert (await made.simulate([BODY])).why is Silence.REFUSED
    assert made._shunned == before
    node.answers = dict.fromkeys(node.answers)
    await trio.sleep(5)
    assert (await made.simulate([BODY])).method == SIMULATE


async def node_cut_soon(node):
    await trio.sleep(SETTLED)
    await node.cut()


async def test_without_a_node_nothing_is_asked(autojump_clock):
    made = Referee()
    assert await made.simulate([BODY]) == Unanswered(Silence.NO_NODE)
    assert made.counts == {"asked": 1, "no_node": 1}


@pytest.mark.parametrize("many", [0, MOST_TRANSACTIONS + 1])
async def test_none_or_too_many_are_refused_before_anything(autojump_clock, referee, node, many):
    made = referee()
    with pytest.raises(ValueError, match="1 to 64"):
        await made.simulate([BODY] * many)
    assert made.counts == {}
    assert node.tried == []


@pytest.mark.parametrize("after", [0.0, 0.2, 0.7])
async def test_a_cancelled_question_leaves_nothing_behind(
    autojump_clock, referee, client, node, after
):
    """Cancelled in its call, in the queue for one, and while it waits for its turn."""
    node.answers[SIMULATE] = SILENT
    made = referee(calls_per_second=2, under_way=1, deadline=30)
    tasks = trio.lowlevel.current_statistics().tasks_living
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(made.simulate, [BODY])
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(after)
        nursery.cancel_scope.cancel()
    assert trio.lowlevel.current_statistics().tasks_living == tasks
    assert made.counts == {"asked": 3, "calls": 1, "cancelled": 3}
    assert not client.session._calls._callers
    node.answers[SIMULATE] = None
    await trio.sleep(2)
    assert isinstance(await made.simulate([BODY]), Simulation)
    assert balanced(made)
