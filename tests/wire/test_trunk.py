"""The trunk: several connections, each thing once, one source believed."""

from __future__ import annotations

import random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.support.chains import ChainNode, Consumer, make_log
from trio_mev.model.chain import Block, Gap, Life, PendingLife, Transaction
from trio_mev.model.event import DataType
from trio_mev.wire.trunk import Trunk, TrunkSettings


def kinds(told) -> list[DataType]:
    return [event.kind for event in told]


def body(name: str, nonce: int = 0) -> Transaction:
    return Transaction(name, "s", None, nonce, 0, 21_000, b"", 2, max_fee=7)


@pytest.fixture
def node() -> ChainNode:
    made = ChainNode(random.Random(1))
    for _ in range(5):
        made.mine()
    return made


def fed(node: ChainNode, *sources: str) -> Trunk:
    trunk = Trunk(sources, TrunkSettings(patience=3.0))
    for source in sources:
        trunk.join(source, 0.0)
    for block in node.chain:
        for source in sources:
            trunk.head(source, block, 0.0)
            trunk.block(source, block, 0.0)
    return trunk


def test_a_block_of_two_sources_is_told_once_and_the_shares_are_known(node):
    trunk = Trunk(["a", "b"])
    trunk.join("a", 0.0)
    trunk.join("b", 0.0)
    for number, block in enumerate(node.chain):
        first, second = ("a", "b") if number % 3 else ("b", "a")
        trunk.head(first, block, 12.0 * number)
        trunk.head(second, block, 12.0 * number + 0.5)
        assert kinds(trunk.block(first, block, 12.0 * number))[0] is DataType.BLOCK
        assert trunk.block(second, block, 12.0 * number + 0.5) == []
    figures = trunk.figures()
    assert (figures["a", "block"].first, figures["b", "block"].first) == (4, 2)
    assert figures["a", "block"].median_lag == figures["b", "block"].median_lag == 0.5
    assert trunk.ignored == {"repeated_block": 6}
    assert trunk.tip == node.chain[-1]
    assert len(trunk.chain) == 6


def test_who_contradicts_the_first_about_the_chains_beginning_is_told_so():
    trunk = Trunk(["a", "b"])
    assert trunk.several
    assert trunk.vouch("b", "g1") is None
    assert trunk.vouch("a", "g1") is None
    assert trunk.vouch("a", "g2") == "b"


def test_one_source_alone_has_no_shares(node):
    trunk = fed(node, "a")
    trunk.leave("a", 1.0)
    assert trunk.figures() == {}
    assert trunk.current is None


def test_only_the_believed_source_takes_blocks_back(node):
    trunk = fed(node, "a", "b")
    node.revert(2)
    one, two = node.mine(), node.mine()
    assert trunk.block("b", one, 1.0) == []
    assert trunk.block("b", two, 1.0) == []
    assert trunk.ignored["other_branch"] == 2
    told = trunk.leave("a", 2.0)
    assert kinds(told)[0] is DataType.REORG
    assert told[0].data.added == (one.hash, two.hash)
    assert trunk.current == "b"
    assert trunk.changes == {"first": 1, "down": 1}
    assert trunk.tip == two


def test_whoever_is_believed_next_takes_up_where_the_other_stalled(node):
    trunk = fed(node, "a", "b")
    block = node.mine()
    trunk.head("b", block, 12.0)
    assert kinds(trunk.block("b", block, 12.0))[0] is DataType.BLOCK  # anyone may extend
    assert trunk.next_due() == 15.0
    assert trunk.decide(15.0) == []
    assert trunk.current == "b"


def test_a_source_that_is_not_believed_and_skips_blocks_changes_nothing(node):
    trunk = fed(node, "a", "b")
    node.mine()
    assert trunk.block("b", node.mine(), 1.0) == []
    assert trunk.tip.number == 105


def test_a_gap_is_told_where_nobody_else_has_its_blocks(node):
    trunk = fed(node, "a", "b")
    assert trunk.gap("a", Gap(103, 105, True)) == []
    assert trunk.gap("b", Gap(106, 109, True)) == []
    assert [told.data for told in trunk.gap("a", Gap(104, 109, True))] == [Gap(106, 109, True)]
    assert [told.data for told in Trunk(["a"]).gap("a", Gap(1, 2, True))] == []


def test_the_first_source_may_begin_with_a_gap(node):
    trunk = Trunk(["a"])
    trunk.join("a", 0.0)
    assert [told.data for told in trunk.gap("a", Gap(1, 2, True))] == [Gap(1, 2, True)]


def test_a_block_that_does_not_join_begins_anew_without_taking_back_what_is_below(node):
    trunk = fed(node, "a")
    far = Block(500, "far", "further", 0, 1, 1)
    assert kinds(trunk.block("a", far, 1.0)) == [DataType.BLOCK]
    assert trunk.tip == far
    again = attrs.evolve(far, number=490, hash="other")
    assert kinds(trunk.block("a", again, 1.0)) == [DataType.REORG, DataType.BLOCK]


def test_each_log_is_told_once_and_those_that_nobody_overheard_follow_their_block(node):
    trunk = fed(node, "a")
    block = node.mine()
    logs = tuple(make_log(block.hash, block.number, n) for n in range(3))
    assert [told.data for told in trunk.hint("a", logs[1], 1.0)] == [logs[1]]
    assert trunk.hint("a", logs[1], 1.0) == []
    whole = tuple(structs.replace(log, complete=True) for log in logs)
    told = trunk.block("a", attrs.evolve(block, logs=whole, complete=True), 2.0)
    assert kinds(told) == [DataType.BLOCK, DataType.LOG, DataType.LOG]
    assert [event.data for event in told[1:]] == [whole[0], whole[2]]
    assert trunk.hint("a", logs[2], 3.0) == []
    removed = structs.replace(logs[1], removed=True)
    assert [told.data for told in trunk.hint("a", removed, 4.0)] == [removed]
    assert trunk.hint("a", removed, 4.0) == []
    assert trunk.ignored["repeated_log"] == 3


def test_pending_transactions_of_two_sources_are_told_once(node):
    trunk = fed(node, "a", "b")
    assert kinds(trunk.announced("a", "t", 1.0)) == [DataType.MEMPOOL]
    assert trunk.announced("b", "t", 1.25) == []
    assert trunk.body("b", body("t"), 1.5) == (True, [])
    assert trunk.body("a", body("t"), 1.6) == (False, [])
    assert trunk.ignored["repeated_body"] == 1
    assert trunk.figures()["b", "transaction"].median_lag == 0.25


def test_a_block_includes_and_its_retraction_returns(node):
    trunk = fed(node, "a")
    block = attrs.evolve(node.mine(), transactions=("t", "u"))
    trunk.body("a", body("t"), 1.0)
    told = trunk.block("a", block, 3.0)
    assert [event.data for event in told if event.kind is DataType.MEMPOOL] == [
        PendingLife("t", Life.INCLUDED, None, block.hash, block.number, 2.0)
    ]
    # Announced after its block: included at once, and only once.
    assert [e.data.life for e in trunk.announced("a", "u", 4.0)] == [Life.ANNOUNCED, Life.INCLUDED]
    assert trunk.body("a", body("u", 1), 4.0) == (True, [])
    node.revert(1)
    other = attrs.evolve(node.mine(), transactions=None)
    told = trunk.block("a", other, 5.0)
    assert kinds(told) == [DataType.REORG, DataType.MEMPOOL, DataType.MEMPOOL, DataType.BLOCK]
    assert [e.data.life for e in told[1:3]] == [Life.RETURNED, Life.RETURNED]
    assert kinds(trunk.announced("a", "v", 6.0)) == [DataType.MEMPOOL]


def test_old_blocks_transactions_are_forgotten_with_them():
    node = ChainNode(random.Random(1))
    trunk = Trunk(["a"])
    trunk.join("a", 0.0)
    for _ in range(80):
        trunk.block("a", node.chain[-1], 0.0)
        node.mine()
    assert len(trunk._mined) == 2 * 65
    for transaction in node.chain[3].transactions:
        assert [e.data.life for e in trunk.announced("a", transaction, 0.0)] == [Life.ANNOUNCED]


def test_what_waits_for_long_is_asked_for(node):
    trunk = fed(node, "a")
    trunk.announced("a", "t", 1.0)
    assert trunk.expire(301.0, 5) == ([], ["t"])
    assert [e.data.life for e in trunk.asked("t", False, 302.0)] == [Life.DROPPED]


def test_what_is_below_a_chain_that_was_taken_back_as_a_whole_is_asked_for_anew(node):
    trunk = fed(node, "a")
    trunk.body("a", body("t"), 1.0)
    trunk.expire(301.0, 5)
    below = node.chain[0].number - 1, "0xdead"
    told = trunk.asked("t", True, 302.0, below[::-1])
    assert [e.data for e in told] == [PendingLife("t", Life.INCLUDED, None, "0xdead", 99, 301.0)]
    first = attrs.evolve(node.chain[0], hash="0xother", parent="0xparent")
    told = trunk.block("a", first, 303.0)
    reorg, *lives = [e.data for e in told if e.kind is not DataType.BLOCK]
    assert (reorg.ancestor, reorg.ancestor_hash) == (99, "0xparent")
    assert reorg.retracted == tuple(reversed(node.chain))
    assert lives[-1] == PendingLife("t", Life.RETURNED, None, "0xdead", 99)
    assert trunk.expire(303.0, 5) == ([], ["t"])


class Pair:
    """Two nodes of one chain, each with blocks that it has not delivered yet."""

    def __init__(self, rng: random.Random) -> None:
        self.node = ChainNode(rng)
        self.trunk, self.consumer = Trunk(["a", "b"]), Consumer()
        self.behind: dict[str, list[Block]] = {"a": [], "b": []}
        self.now = 0.0
        for source in "ab":
            self.take(self.trunk.join(source, 0.0))
            self.deliver(source, self.node.chain[0])

    def take(self, told) -> None:
        for event in told:
            self.consumer.take(event.kind, event.data)

    def deliver(self, source: str, block: Block) -> None:
        self.take(self.trunk.head(source, block, self.now))
        self.take(self.trunk.block(source, block, self.now))

    def mine(self) -> None:
        block = self.node.mine()
        for waiting in self.behind.values():
            waiting.append(block)

    def level(self) -> None:
        for source, waiting in self.behind.items():
            while waiting:
                self.deliver(source, waiting.pop(0))


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_two_sources_that_disagree_for_a_while_end_as_the_believed_one(seed, steps):
    """Two nodes share a chain; now one lags, now the other. Once both are level again the trunk
    is their chain, whoever is believed, and what it told made sense throughout."""
    rng = random.Random(seed)
    pair = Pair(rng)
    for _ in range(steps):
        pair.now += rng.random() * 2
        if rng.random() < 0.2:
            pair.node.revert(rng.randint(1, 4))
        pair.mine()
        source = rng.choice("ab")
        while pair.behind[source] and rng.random() < 0.8:
            pair.deliver(source, pair.behind[source].pop(0))
        pair.take(pair.trunk.decide(pair.now))
    pair.level()
    pair.mine()
    pair.level()
    assert [b.hash for b in pair.consumer.chain] == [b.hash for b in pair.node.chain]
