"""Following a node's chain: gaps filled, retractions checked, blocks whole and in order."""

from __future__ import annotations

import random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.support.chains import POOL, ChainNode, Consumer, make_log, name
from trio_mev.model.chain import Block, Gap, Reorg
from trio_mev.model.event import DataType
from trio_mev.model.settings import LogFilter
from trio_mev.wire import completing
from trio_mev.wire.asking import BY_HASH, BY_NUMBER, LOGS, Question
from trio_mev.wire.follower import Follower, FollowSettings
from trio_mev.wire.limits import Answer, classify
from trio_mev.wire.trunk import Trunk

WITH_LOGS = FollowSettings((LogFilter((POOL,)),), fetches=4, timeout=10.0)
HEADS_ONLY = FollowSettings(timeout=10.0, attempts=1)


class Life:
    """A follower, its node, and what the trunk tells of it."""

    def __init__(
        self,
        node: ChainNode,
        settings: FollowSettings = WITH_LOGS,
        trunk: Trunk | None = None,
        consumer: Consumer | None = None,
        source: str = "a",
        now: float = 0.0,
    ) -> None:
        self.node = node
        self.trunk = trunk or Trunk([source])
        self.consumer = consumer or Consumer()
        self.source = source
        self.now = now
        self.told(self.trunk.join(source, now))
        self.follower = Follower(
            settings, self.trunk.chain, self.trunk.too_large, random.Random(1).random
        )
        self.asked: list[Question] = []

    def told(self, events) -> None:
        for event in events:
            self.consumer.take(event.kind, event.data)

    def deliver(self, items) -> None:
        for item in items:
            if isinstance(item, Gap):
                self.told(self.trunk.gap(self.source, item))
            else:
                self.told(self.trunk.block(self.source, item, self.now))

    def head(self, block: Block) -> None:
        self.told(self.trunk.head(self.source, block, self.now))
        self.follower.head(block, self.now)
        self.deliver(self.follower.released())

    def answer(self, question: Question) -> None:
        if not self.follower.awaits(question):
            return
        if question.method == LOGS:
            logs = self.node.answer_logs(question)
            if logs is None:
                self.follower.error(question, Answer.LATER, "unknown block", self.now)
            else:
                self.follower.logs(question, logs, self.now)
        else:
            self.follower.block(question, self.node.block(question), self.now)
        self.deliver(self.follower.released())

    def pump(self) -> None:
        """Answer everything that is asked, at once."""
        while questions := self.follower.questions():
            self.asked += questions
            for question in questions:
                self.answer(question)

    def until_logs(self) -> Question:
        """Answer everything until logs are asked for: that question, which is left open."""
        while True:
            questions = self.follower.questions()
            self.asked += questions
            logs = [question for question in questions if question.method == LOGS]
            for question in questions:
                if question.method != LOGS:
                    self.answer(question)
            if logs:
                (one,) = logs
                return one
            assert questions, "no logs are asked for"

    def rest(self, until: float = 1000.0) -> None:
        """Let time pass from deadline to deadline until nothing is open."""
        self.pump()
        while (due := self.follower.next_due()) is not None and due < self.now + until:
            self.now = max(self.now, due)
            self.follower.expire(self.now)
            self.deliver(self.follower.released())
            self.pump()

    def holds_the_nodes_chain(self) -> None:
        mine, theirs = self.consumer.chain, self.node.chain
        assert [b.hash for b in mine] == [b.hash for b in theirs[-len(mine) :]]
        for block in mine:
            assert block.complete
            whole = [structs.replace(log, complete=True) for log in self.node.logs[block.hash]]
            assert list(block.logs or ()) == whole
            for log in block.logs or ():
                assert (log.block_hash, log.log_index) in self.consumer.logs


@pytest.fixture
def life() -> Life:
    return Life(ChainNode(random.Random(3)))


def test_a_head_becomes_a_whole_block(life):
    life.head(life.node.chain[0])
    assert life.consumer.chain == []
    life.pump()
    life.holds_the_nodes_chain()
    assert [q.method for q in life.asked] == [LOGS]


def test_hashes_and_logs_are_asked_for_at_once(life):
    block = life.node.chain[0]
    life.head(attrs.evolve(block, transactions=None))
    assert {q.method for q in life.follower.questions()} == {BY_HASH, LOGS}
    life.answer(Question.of(BY_HASH, [block.hash, False]))
    assert life.consumer.chain == []
    life.answer(life.follower._completing.asking)
    life.holds_the_nodes_chain()


def test_a_gap_is_told_with_its_range_and_filled_in_order(life):
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(9):
        life.node.mine()
    life.head(life.node.chain[-1])
    assert life.follower.catching_up
    newer = life.node.mine()
    life.head(newer)  # a live one, meanwhile
    life.pump()
    assert not life.follower.catching_up
    assert life.consumer.gaps == [Gap(101, 108, True)]
    life.holds_the_nodes_chain()
    assert len(life.consumer.chain) == 11
    numbers = [q for q in life.asked if q.method == BY_NUMBER]
    assert [int(q.params[0], 16) for q in numbers] == list(range(101, 109))
    ranges = [q.params[0] for q in life.asked if q.method == LOGS and "fromBlock" in q.params[0]]
    assert len(ranges) == 1


def test_a_single_missing_block_is_fetched_by_its_hash(life):
    life.head(life.node.chain[0])
    life.pump()
    missed, block = life.node.mine(), life.node.mine()
    life.head(block)
    life.pump()
    assert life.consumer.gaps == [Gap(101, 101, True)]
    assert Question.of(BY_HASH, [missed.hash, False]) in life.asked
    life.holds_the_nodes_chain()


def test_a_gap_over_the_bound_is_told_and_left():
    life = Life(ChainNode(random.Random(3)), attrs.evolve(WITH_LOGS, most_missing=5))
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(7):
        life.node.mine()
    life.head(life.node.chain[-1])
    life.pump()
    assert life.consumer.gaps == [Gap(101, 106, False, "over 5 blocks")]
    assert [b.number for b in life.consumer.chain] == [100, 107]
    assert life.follower.refused["chain_lost"] == 1


@pytest.mark.parametrize("depth", [1, 2, 6])
def test_a_gap_that_is_left_is_told_though_the_block_behind_it_was_retracted_first(depth):
    """Nothing will be told in place of that block that would say what lies below it."""
    life = Life(ChainNode(random.Random(3)), attrs.evolve(WITH_LOGS, most_missing=5))
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(7):
        life.node.mine()
    life.head(life.node.chain[-1])
    life.until_logs()
    life.node.revert(depth)
    life.head(life.node.mine())
    life.rest()
    why = "its chain does not meet the one before"
    assert life.consumer.gaps == [Gap(101, 107 - depth, False, why)]
    assert [b.number for b in life.consumer.chain] == [100, 108 - depth]
    assert life.consumer.chain[-1].hash == life.node.chain[-1].hash


def test_only_the_newest_of_two_gaps_that_are_left_changes_where_its_end_was_retracted():
    life = Life(ChainNode(random.Random(3)), attrs.evolve(WITH_LOGS, most_missing=5))
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(7):
        life.node.mine()
    life.head(life.node.chain[-1])
    logs = life.until_logs()
    for _ in range(7):
        life.node.mine()
    life.head(life.node.chain[-1])
    life.pump()
    life.node.revert(5)
    life.head(life.node.mine())
    life.pump()
    assert life.consumer.gaps == []
    life.answer(logs)
    life.rest()
    assert [(gap.first, gap.last) for gap in life.consumer.gaps] == [(101, 106), (108, 109)]
    assert [b.number for b in life.consumer.chain] == [100, 107, 110]


@pytest.mark.parametrize("depth", range(1, 8))
def test_a_reorganisation_is_checked_and_told(life, depth):
    for _ in range(9):
        life.node.mine()
    for block in life.node.chain:
        life.head(block)
        life.pump()
    retracted = tuple(life.consumer.chain[-1 : -depth - 1 : -1])
    life.node.revert(depth)
    for _ in range(depth):
        life.head(life.node.mine())
        life.pump()
    life.rest()
    (reorg, *others) = life.consumer.reorgs
    assert not others
    assert (reorg.ancestor, reorg.retracted) == (109 - depth, retracted)
    life.holds_the_nodes_chain()


def test_a_lower_head_is_a_reorganisation(life):
    for _ in range(9):
        life.head(life.node.mine())
        life.pump()
    life.node.revert(6)
    life.head(life.node.mine())
    life.pump()
    assert life.consumer.reorgs[0].ancestor == 103
    life.holds_the_nodes_chain()


def test_a_head_that_comes_late_from_a_branch_that_is_gone_retracts_nothing(life):
    for _ in range(5):
        life.head(life.node.mine())
        life.pump()
    late = attrs.evolve(life.node.chain[-1], hash=name(105, 999))
    life.head(late)
    life.pump()
    assert life.consumer.reorgs == []
    assert life.follower.ignored["stale_head"] == 1
    assert Question.of(BY_NUMBER, ["latest", False]) in life.asked
    life.holds_the_nodes_chain()


def test_a_late_head_of_a_shorter_chain_is_given_up_after_some_tries(life):
    for _ in range(3):
        life.head(life.node.mine())
        life.pump()
    life.head(Block(104, name(104, 999), name(103, 999), 0, 1, 1, transactions=()))
    life.rest()
    assert life.consumer.reorgs == []
    life.holds_the_nodes_chain()


def test_a_head_that_nobody_can_explain_is_given_up(life):
    life.head(life.node.chain[0])
    life.pump()
    life.head(Block(140, name(140, 999), name(139, 999), 0, 1, 1, transactions=()))
    life.rest()
    assert [b.number for b in life.consumer.chain] == [100]
    assert life.consumer.gaps == []
    life.head(life.node.mine())
    life.rest()
    life.holds_the_nodes_chain()


def another_chain(start: int, blocks: int) -> ChainNode:
    other = ChainNode(random.Random(9), start)
    for _ in range(blocks - 1):
        other.salt += 1000
        other.mine()
    return other


def test_a_reorganisation_from_below_the_first_block_takes_back_all_that_was_told(life):
    for _ in range(3):
        life.head(life.node.mine())
        life.pump()
    other = life.node = another_chain(101, 5)
    gone = tuple(reversed(life.consumer.chain))
    life.consumer.logs.clear()
    life.head(other.chain[-1])
    life.rest()
    (reorg,) = life.consumer.reorgs
    assert (reorg.ancestor, reorg.ancestor_hash) == (100, other.chain[0].parent)
    assert reorg.retracted == gone
    assert life.consumer.chain[0].hash == other.chain[0].hash
    life.holds_the_nodes_chain()
    assert life.follower.refused == {}


def test_a_block_that_was_retracted_before_it_was_whole_holds_up_nobody(life):
    """A node gives no logs of a block that it has retracted."""
    life.head(life.node.chain[0])
    life.pump()
    retracted = life.node.mine()
    life.head(retracted)
    life.node.revert(1)
    life.pump()
    assert life.follower.next_due() is not None  # its logs are to be asked for again
    block = life.node.mine()
    life.head(block)
    life.pump()
    assert life.now == 0.0
    life.holds_the_nodes_chain()
    assert (life.consumer.chain[-1].hash, life.consumer.reorgs) == (block.hash, [])
    assert life.follower.next_due() is None


def test_blocks_in_place_of_some_that_were_never_told_are_a_gap_where_no_head_announced_them(life):
    """Nothing is taken back from whoever was told nothing, so that no reorganisation says it."""
    life.head(life.node.chain[0])
    life.pump()
    retracted = [life.node.mine() for _ in range(3)]
    life.node.revert(3)
    for block in retracted:
        life.head(block)
    life.pump()
    mined = [life.node.mine() for _ in range(4)]
    life.head(mined[0])
    life.head(mined[3])
    life.rest()
    assert life.consumer.reorgs == []
    assert life.consumer.gaps == [Gap(102, 103, True)]
    life.holds_the_nodes_chain()
    assert len(life.consumer.chain) == 5


def test_hashes_of_a_block_that_was_retracted_hold_up_nobody():
    life = Life(ChainNode(random.Random(3)), HEADS_ONLY)
    life.head(life.node.chain[0])
    retracted = attrs.evolve(life.node.mine(), transactions=None)
    life.head(retracted)
    life.node.revert(1)
    block = life.node.mine()
    life.head(block)
    life.answer(Question.of(BY_NUMBER, [hex(block.number), False]))
    assert [b.hash for b in life.consumer.chain] == [b.hash for b in life.node.chain]


def test_a_gap_is_still_told_where_its_end_was_retracted(life):
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(4):
        life.node.mine()
    life.head(life.node.chain[-1])
    logs = life.until_logs()
    life.node.revert(1)
    life.head(life.node.mine())
    life.answer(logs)
    life.rest()
    assert life.consumer.gaps == [Gap(101, 103, True)]
    life.holds_the_nodes_chain()


@pytest.mark.parametrize(
    ("heads", "gaps"),
    [
        ([103], [Gap(101, 102, True)]),
        ([104], [Gap(101, 102, True), Gap(103, 103, True)]),
        ([103, 105], [Gap(101, 102, True), Gap(104, 104, True)]),
    ],
)
def test_a_gap_ends_below_those_of_its_blocks_that_were_retracted_before_they_were_told(
    life, heads, gaps
):
    """What stands in their place is a gap of its own only where no head announced it."""
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(4):
        life.node.mine()
    life.head(life.node.chain[-1])
    logs = life.until_logs()
    life.node.revert(2)  # the head, 104, and the last block of the gap
    while life.node.chain[-1].number < heads[-1]:
        block = life.node.mine()
        if block.number in heads:
            life.head(block)
            life.pump()
    assert life.consumer.gaps == []
    life.answer(logs)
    life.rest()
    assert life.consumer.gaps == gaps
    assert life.consumer.reorgs == []
    assert [b.number for b in life.consumer.chain] == [*range(100, heads[-1] + 1)]
    life.holds_the_nodes_chain()


def test_a_chain_that_meets_the_one_before_nowhere_is_begun_anew(life):
    for _ in range(70):
        life.head(life.node.mine())
        life.pump()
    other = life.node = another_chain(106, 4)
    life.consumer.logs.clear()
    gone = tuple(life.consumer.chain[:7:-1])
    told = []
    life.told = lambda events: told.extend((event.kind, event.data) for event in events)
    life.head(other.chain[-1])
    life.rest()
    assert [kind for kind, _ in told[:2]] == [DataType.REORG, DataType.BLOCK]
    assert told[0][1] == Reorg(108, "", gone, (other.chain[-1].hash,))
    assert told[1][1].hash == other.chain[-1].hash
    assert life.follower.refused["chain_lost"] == 1


def test_without_filters_no_logs_are_asked_for():
    life = Life(ChainNode(random.Random(3)), HEADS_ONLY)
    life.head(life.node.chain[0])
    assert [b.complete for b in life.consumer.chain] == [False]
    assert life.consumer.chain[0].logs is None
    assert life.follower.questions() == []


def test_hashes_that_are_not_to_be_had_do_not_hold_up_a_head():
    life = Life(ChainNode(random.Random(3)), HEADS_ONLY)
    block = attrs.evolve(life.node.chain[0], transactions=None)
    life.head(block)
    (question,) = life.follower.questions()
    life.follower.block(question, None, 0.0)
    assert life.follower.released() == [block]
    assert life.follower.ignored["not_available"] == 1


def test_logs_that_are_not_to_be_had_leave_the_block_incomplete_and_say_so(life):
    life.head(life.node.chain[0])
    (question,) = life.follower.questions()
    life.follower.error(question, Answer.GIVE_UP, "-32601 no such method", 0.0)
    life.deliver(life.follower.released())
    assert [(b.complete, b.logs) for b in life.consumer.chain] == [(False, None)]
    assert life.follower.notices() == ["block 100: -32601 no such method"]
    assert life.follower.notices() == []
    assert life.follower.refused["logs_not_available"] == 1


def test_logs_that_were_not_asked_for_are_refused(life):
    block = life.node.chain[0]
    life.node.logs[block.hash] = [
        make_log(block.hash, 100, 0),
        make_log(block.hash, 100, 1, "0x" + "ee" * 20),
        make_log(name(100, 77), 100, 2),
    ]
    life.head(block)
    (question,) = life.follower.questions()
    life.follower.logs(question, life.node.logs[block.hash], 0.0)
    life.deliver(life.follower.released())
    assert [log.log_index for log in life.consumer.chain[0].logs] == [0]
    assert life.follower.refused["foreign_log"] == 2


def test_a_reply_that_was_too_large_is_never_asked_for_again(life):
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(8):
        life.node.mine()
    life.head(life.node.chain[-1])
    fatal = life.until_logs()
    life.follower.oversized()
    assert life.follower.finish() == []
    second = Life(life.node, trunk=life.trunk, consumer=life.consumer, now=5.0)
    second.head(life.node.chain[-1])
    second.pump()
    assert fatal not in second.asked
    assert sum("fromBlock" in q.params[0] for q in second.asked if q.method == LOGS) >= 2
    second.holds_the_nodes_chain()


def test_what_is_not_whole_at_the_end_is_left_to_the_next_life(life):
    life.head(life.node.chain[0])
    life.pump()
    life.head(life.node.mine())
    life.deliver(life.follower.finish())
    assert len(life.consumer.chain) == 1
    assert life.follower.refused["life_ended"] == 1
    second = Life(life.node, trunk=life.trunk, consumer=life.consumer, now=5.0)
    second.follower.look(5.0)
    second.pump()
    second.holds_the_nodes_chain()
    assert len(second.consumer.chain) == 2


def test_a_block_that_was_taken_back_before_it_was_whole_is_never_told(life):
    """The node does not give its logs any more, and nobody waits for them."""
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(3):
        life.head(attrs.evolve(life.node.mine(), transactions=None))
    asked = life.follower.questions()
    life.node.revert(3)
    for question in asked:
        life.answer(question)
    life.head(life.node.mine())
    life.pump()
    assert life.consumer.reorgs == []
    life.holds_the_nodes_chain()
    assert len(life.consumer.chain) == 2


def test_a_tape_overrules_the_pauses(life):
    life.head(life.node.chain[0])
    (question,) = life.follower.questions()
    life.follower.error(question, Answer.WAIT, "429 slow down", 0.0)
    assert not life.follower.awaits(question)
    life.follower.was_asked(question, 0.01)
    assert life.follower.awaits(question)
    life.follower.was_asked(Question.of(BY_NUMBER, ["latest", False]), 0.01)
    life.answer(question)
    life.holds_the_nodes_chain()


def test_an_answer_about_another_block_is_no_answer(life):
    life.head(life.node.chain[0])
    life.pump()
    missed, block = life.node.mine(), life.node.mine()
    life.head(block)
    (question,) = life.follower.questions()
    life.follower.block(question, life.node.chain[0], 0.0)
    assert life.follower.refused["wrong_reply"] == 1
    assert missed not in life.consumer.chain
    life.rest()
    life.holds_the_nodes_chain()


def test_a_gap_that_the_node_does_not_give_is_tried_with_three_heads_then_told_and_left(life):
    life.head(life.node.chain[0])
    life.pump()
    life.node.mine()
    for _ in range(3):
        assert life.consumer.gaps == []
        life.head(life.node.mine())
        while (due := life.follower.next_due()) is not None:
            for question in life.follower.questions():
                if question.method == LOGS or question.params[0] == hex(life.node.chain[-1].number):
                    life.answer(question)
            life.now = max(life.now, due)
            life.follower.expire(life.now)
            life.deliver(life.follower.released())
    why = "the node does not give the blocks between"
    assert life.consumer.gaps == [Gap(101, 103, False, why)]
    assert [b.number for b in life.consumer.chain] == [100, 104]


def test_blocks_of_a_gap_that_were_announced_after_all_leave_nothing_to_fetch_or_to_tell(life):
    life.head(life.node.chain[0])
    life.pump()
    missed = [life.node.mine() for _ in range(4)]
    life.head(life.node.mine())
    asked = life.follower.questions()
    assert [int(q.params[0], 16) for q in asked] == [block.number for block in missed]
    for block in missed:  # late, and each the newest on the chain
        life.head(block)
    for question in asked:
        life.answer(question)
    life.pump()
    assert not life.follower.catching_up
    assert life.follower.next_due() is None
    assert [b.number for b in life.consumer.chain] == [100, 101, 102, 103, 104]
    life.head(life.node.mine())
    life.pump()
    assert life.consumer.gaps == []
    assert {q.method for q in life.asked} == {LOGS}
    life.holds_the_nodes_chain()
    assert life.consumer.chain[-1].number == 106


def test_logs_that_do_not_come_in_time_are_asked_for_again_and_the_block_is_whole(life):
    life.head(life.node.chain[0])
    (question,) = life.follower.questions()
    assert life.follower.next_due() == 10.0
    life.follower.expire(10.0)
    assert life.follower.refused == {"fetch_timeout": 1}
    assert not life.follower.awaits(question)
    assert life.follower.questions() == []
    due = life.follower.next_due()
    assert 10.25 <= due <= 10.5
    life.follower.expire(due)
    assert life.follower.questions() == [question]
    life.answer(question)
    life.holds_the_nodes_chain()
    assert len(life.consumer.chain) == 1
    assert life.follower.notices() == []


def test_a_block_that_the_node_cannot_give_yet_is_asked_for_again_after_a_pause(life):
    life.head(life.node.chain[0])
    life.pump()
    missed, block = life.node.mine(), life.node.mine()
    life.head(block)
    (question,) = life.follower.questions()
    assert question == Question.of(BY_HASH, [missed.hash, False])
    life.follower.error(question, Answer.LATER, "-32000 header not found", 0.0)
    assert life.follower.questions() == []
    due = life.follower.next_due()
    assert 0.25 <= due <= 0.5
    life.follower.expire(due)
    assert life.follower.questions() == [question]
    life.answer(question)
    life.pump()
    assert life.consumer.gaps == [Gap(101, 101, True)]
    life.holds_the_nodes_chain()


def test_a_check_that_is_not_answered_leaves_what_stands(life):
    for _ in range(3):
        life.head(life.node.mine())
        life.pump()
    life.head(attrs.evolve(life.node.chain[-1], hash=name(103, 999)))
    while (due := life.follower.next_due()) is not None:
        life.now = due
        life.follower.expire(due)
    assert life.consumer.reorgs == []
    assert life.follower.ignored["stale_head"] == 1
    life.head(life.node.mine())
    life.pump()
    life.holds_the_nodes_chain()


def test_a_head_that_is_not_answered_is_asked_for_and_forgotten(life):
    life.head(life.node.chain[0])
    life.pump()
    life.follower.look(0.0)
    asked = 0
    while (due := life.follower.next_due()) is not None:
        asked += len(life.follower.questions())
        life.follower.expire(due)
    assert asked == 3


def test_the_oldest_of_too_many_goes_out_as_it_is():
    life = Life(ChainNode(random.Random(3)), attrs.evolve(WITH_LOGS, most_missing=1))
    life.follower._completing._most = 2
    for _ in range(4):
        life.head(life.node.chain[-1])
        life.node.mine()
    assert [b.number for b in life.consumer.chain] == [100, 101]
    assert not any(b.complete for b in life.consumer.chain)
    assert life.follower.refused["block_backlog_full"] == 2
    life.pump()
    assert [b.complete for b in life.consumer.chain] == [False, False, True, True]


def test_what_is_ready_in_the_queue_needs_no_room_made():
    life = Life(ChainNode(random.Random(3)), attrs.evolve(WITH_LOGS, most_missing=1))
    waiting = life.follower._completing
    waiting._most = 1
    life.head(life.node.chain[0])
    waiting._queue[0].logs = False
    life.follower.head(life.node.mine(), 0.0)
    assert life.follower.refused == {}


def test_one_question_for_a_range_that_the_node_refuses_becomes_one_a_block(life):
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(5):
        life.node.mine()
    life.head(life.node.chain[-1])
    while questions := life.follower.questions():
        for question in questions:
            if "fromBlock" in question.text:
                life.follower.error(question, Answer.GIVE_UP, "no ranges here", 0.0)
            else:
                life.answer(question)
    life.deliver(life.follower.released())
    life.holds_the_nodes_chain()


def test_logs_of_a_range_from_another_chain_prove_nothing(life):
    life.head(life.node.chain[0])
    life.pump()
    for _ in range(5):
        life.node.mine()
    life.head(life.node.chain[-1])
    single = 0
    while questions := life.follower.questions():
        for question in questions:
            single += "blockHash" in question.text
            if "fromBlock" in question.text:
                foreign = make_log(name(102, 999), 102, 0)
                logs = [*life.node.answer_logs(question), foreign]
                life.follower.logs(question, logs, 0.0)
            else:
                life.answer(question)
    life.deliver(life.follower.released())
    assert single == 5
    life.holds_the_nodes_chain()


def test_what_was_too_large_is_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr(completing, "MAX_TOO_LARGE", 1)
    several = attrs.evolve(WITH_LOGS, filters=(LogFilter((POOL, "0x" + "ee" * 20)),))
    life = Life(ChainNode(random.Random(3)), several)
    for _ in range(2):
        life.head(life.node.chain[-1])
        (question,) = life.follower.questions()
        life.follower.error(question, Answer.SPLIT, "too many results", 0.0)
        life.pump()
        life.node.mine()
    assert len(life.trunk.too_large) == 1
    assert all(block.complete for block in life.consumer.chain)
    life.follower.oversized()
    assert len(life.trunk.too_large) == 1


def test_a_block_that_is_too_large_in_one_piece_is_given_up_by_name(life):
    life.head(life.node.chain[0])
    life.follower.questions()
    life.follower.oversized()
    second = Life(life.node, trunk=life.trunk, consumer=life.consumer)
    second.head(life.node.chain[0])
    assert second.follower.questions() == []
    assert second.follower.notices() == [
        "block 100: its logs do not fit into one reply: a reply was before"
    ]
    assert [b.complete for b in second.consumer.chain] == [False]


def test_hashes_that_are_late_are_done_without_while_the_logs_go_on(life):
    block = life.node.chain[0]
    life.head(attrs.evolve(block, transactions=None))
    while (due := life.follower.next_due()) is not None:
        for question in life.follower.questions():
            if question.method == LOGS:
                life.answer(question)
        life.now = due
        life.follower.expire(due)
        life.deliver(life.follower.released())
    assert [(b.complete, b.transactions) for b in life.consumer.chain] == [(False, None)]
    assert life.consumer.chain[0].logs is not None
    assert life.follower.refused["fetch_timeout"] == 1


def test_without_logs_to_wait_for_a_block_comes_at_the_end_of_the_life():
    life = Life(ChainNode(random.Random(3)), HEADS_ONLY)
    life.head(attrs.evolve(life.node.chain[0], transactions=None))
    life.deliver(life.follower.finish())
    assert len(life.consumer.chain) == 1
    assert not life.follower.refused


@st.composite
def courses(draw):
    return draw(st.integers(0, 2**32)), draw(st.integers(5, 60))


class Course:
    """A node that mines, reorganises and reverts, behind a way that drops, repeats and reorders
    heads, loses answers, refuses, and cuts the connection."""

    REFUSALS = (
        (-32005, "query returned more than 10000 results"),
        (429, "too many"),
        (1, ""),
    )

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.node = ChainNode(self.rng)
        self.late: list[Block] = []
        self.life = Life(self.node, trunk=Trunk(["a"]), consumer=Consumer())
        self.life.head(self.node.chain[0])
        self.life.rest()

    def mine(self) -> None:
        if self.rng.random() < 0.25:
            self.node.revert(self.rng.randint(1, 7))
        self.late += [self.node.mine() for _ in range(self.rng.choice([1, 1, 1, 4]))]
        self.rng.shuffle(self.late)

    def announce(self) -> None:
        while self.late and self.rng.random() < 0.8:
            block = self.late.pop()
            for _ in range(self.rng.choice([0, 1, 1, 2])):
                known = self.rng.choice([None, block.transactions])
                self.life.head(attrs.evolve(block, transactions=known))

    def answer(self) -> None:
        life = self.life
        for question in life.follower.questions():
            if self.rng.random() < 0.7:
                life.answer(question)
            elif life.follower.awaits(question) and self.rng.random() < 0.5:
                code, words = self.rng.choice(self.REFUSALS)
                life.follower.error(question, classify(code, words), words, life.now)
                life.deliver(life.follower.released())

    def wait(self) -> None:
        life = self.life
        life.now += self.rng.random() * 5
        life.follower.expire(life.now)
        life.deliver(life.follower.released())

    def reconnect(self) -> None:
        life = self.life
        life.deliver(life.follower.finish())
        self.life = Life(self.node, trunk=life.trunk, consumer=life.consumer, now=life.now)
        self.life.follower.look(life.now)


@given(courses())
def test_whatever_is_lost_late_or_twice_the_end_is_the_nodes_own_chain(course):
    """After all that, one sound head is enough."""
    seed, steps = course
    made = Course(seed)
    for _ in range(steps):
        made.mine()
        made.announce()
        made.answer()
        made.wait()
        if made.rng.random() < 0.1:
            made.reconnect()
    made.reconnect()
    made.life.head(made.node.mine())
    made.life.rest()
    held = made.life.consumer.chain
    assert [b.hash for b in held] == [b.hash for b in made.node.chain][-len(held) :]
    for block in held:
        if block.complete:
            assert len(block.logs) == len(made.node.logs[block.hash])
