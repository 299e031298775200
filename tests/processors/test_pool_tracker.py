"""PoolTracker where the node does not do what it should; where it does, see tests/devnet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import attrs
import msgspec
import pytest
import trio
from loguru import logger
from trio.testing import wait_all_tasks_blocked

from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.pools.learning import POOL_MANAGER_OF
from trio_mev.chain.pools.loading import (
    DECIMALS,
    FACTORY,
    GET_PAIR,
    GET_POOL,
    GET_RESERVES,
    TOKEN0,
    TOKEN1,
    VIEW_SLOT0,
    Loaded,
    load_pair,
)
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.words import argument
from trio_mev.errors import MalformedFrame, RpcFailed, RpcTimeout, StreamConnectionError
from trio_mev.model.chain import Block, Life, PendingLife, Reorg, Transaction
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import FactorySettings, PoolSettings
from trio_mev.processors.pools import AT_ONCE, PoolTracker
from trio_mev.processors.reading import PlanReader
from trio_mev.processors.wanted import address_of, make_learner

PAIR, OTHER, TOKEN = (f"0x{n:040x}" for n in (0xA1, 0xA2, 0xA3))
SENDER = "0x" + "5e" * 20
GOOD = {
    TOKEN0: argument(TOKEN),
    TOKEN1: argument(OTHER),
    GET_RESERVES: argument(500) + argument(700) + argument(1),
    DECIMALS: argument(6),
    GET_PAIR: argument(PAIR),
    GET_POOL: argument(0),
    FACTORY: argument(UNISWAP_FACTORY),
    POOL_MANAGER_OF: argument(OTHER),
    VIEW_SLOT0: argument(5) + argument(0) * 3,
}


class Node:
    """Answers calls by their selectors; an answer may be an error, which is raised for a whole
    message if it is no ``RpcFailed``."""

    def __init__(self, **more: Any) -> None:
        self.answers: dict[str, Any] = GOOD | more
        self.sizes: list[int] = []
        self.asked: dict[str, str] = {}
        """The block that it was last asked about."""
        self.newest: Any = ...
        """Its newest block; the one that it was last asked about by default."""
        self.at: list[Any] = []

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], within: float | None = None
    ) -> list[Any]:
        await trio.lowlevel.checkpoint()
        self.sizes.append(len(calls))
        if calls[0][0] == "eth_call":
            self.asked = calls[0][1][-1]
        self.at += [params[1] for method, params in calls if method == "eth_call"]
        found = [self.answer(method, params) for method, params in calls]
        for one in found:
            if isinstance(one, Exception) and not isinstance(one, RpcFailed):
                raise one
        return found

    def answer(self, method: str, params: Sequence[Any]) -> Any:
        name = method if method == "web3_sha3" else params[0]["data"][2:10]
        answer = self.answers.get(name, RpcFailed(3, "execution reverted"))
        if callable(answer):
            answer = answer(params[0]["data"])
        return "0x" + answer.hex() if isinstance(answer, bytes) else answer

    async def call(self, method: str, params: Sequence[Any], kind: Any) -> Any:
        await trio.lowlevel.checkpoint()
        assert (method, params) == ("eth_getBlockByNumber", ("latest", False))
        asked = {"hash": self.asked.get("blockHash", "")}
        return msgspec.convert(asked if self.newest is ... else self.newest, kind)


def event(data: Any, kind: DataType = DataType.BLOCK, source: str = "node") -> DataEvent:
    arrived = 12.0 * data.number if isinstance(data, Block) else 1.0
    return DataEvent(kind, EventPriority.HIGH, data, source, arrived)


def block(number: int, **more: Any) -> Block:
    whole: dict[str, Any] = {"complete": True, "logs": (), "base_fee": 7} | more
    return Block(number, f"0x{number:064x}", f"0x{number - 1:064x}", 0, 0, 0, **whole)


@pytest.fixture
def told() -> Any:
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.rstrip()), format="{message}")
    logger.enable("trio_mev")
    yield lines
    logger.disable("trio_mev")
    logger.remove(sink)


async def played(
    tracker: PoolTracker, node: Node | None, blocks: int, then: Callable[[int], None] | None = None
) -> list[Any]:
    """The views of so many blocks, each after everything that the one before had to read."""
    tracker.rpc = node
    views: list[Any] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.attend)
        for number in range(10, 10 + blocks):
            found = await tracker.process_event(event(block(number)))
            views += [one.data for one in found]
            await wait_all_tasks_blocked()
            if then is not None:
                then(number)
        nursery.cancel_scope.cancel()
    return views


NAMED = PoolSettings(addresses=(PAIR.upper().replace("X", "x"),))


async def test_a_pool_that_is_named_comes_with_the_next_block():
    first, second = await played(PoolTracker(NAMED), Node(), 2)
    assert dict(first.entries) == {}
    assert list(second.entries) == [PAIR]
    assert second.changed == {PAIR}


async def test_without_a_node_there_are_no_pools():
    tracker = PoolTracker(NAMED)
    views = await played(tracker, None, 2)
    assert [len(view.entries) for view in views] == [0, 0]
    assert list(tracker.health(0.0)) == []


@pytest.mark.parametrize(
    "error",
    [
        RpcTimeout("no answer within 10 s"),
        StreamConnectionError("the connection was lost"),
        MalformedFrame("wrong_shape", "neither"),
        RpcFailed(429, "too many requests"),
        RpcFailed(-32000, "header not found"),
        "not hexadecimal",
        "0xzz",
        "0x" + "00" * 2**20,
        None,
        7,
    ],
    ids=["time-out", "lost", "malformed", "quota", "no block", "words", "zz", "long", "null", "7"],
)
async def test_a_node_in_trouble_is_asked_again_with_the_next_block(error, told):
    """Told once in the log, and as health for as long as it lasts."""
    node, tracker, issues = Node(), PoolTracker(NAMED), []
    node.answers[GET_RESERVES] = error

    def then(number: int) -> None:
        issues.append([issue.kind for issue in tracker.health(0.0)])
        if number == 11:
            node.answers[GET_RESERVES] = GOOD[GET_RESERVES]

    views = await played(tracker, node, 4, then)
    assert [len(view.entries) for view in views] == [0, 0, 0, 1]
    assert issues == [["pools_unread"], ["pools_unread"], [], []]
    assert len([line for line in told if "cannot be read" in line]) == 1


async def test_health_says_how_many_and_why():
    node, tracker = Node(), PoolTracker(NAMED)
    node.answers[GET_RESERVES] = RpcTimeout("no answer within 10 s")
    await played(tracker, node, 1)
    (issue,) = tracker.health(0.0)
    assert issue.where == "PoolTracker"
    assert issue.detail == "1 pools are to be read; RpcTimeout: no answer within 10 s"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "execution reverted: no"),
        (3, "what the contract itself says"),
        (-32000, "execution reverted"),
        (-32000, "invalid opcode: opcode 0xfe not defined"),
        (-32000, "out of gas"),
        (-32015, "VM execution error."),
    ],
)
async def test_a_contract_that_fails_is_no_pool_and_not_asked_again(code, words):
    node, tracker = Node(), PoolTracker(NAMED)
    node.answers[TOKEN0] = RpcFailed(code, words)
    asked: list[int] = []
    await played(tracker, node, 3, lambda _: asked.append(sum(node.sizes)))
    assert tracker.keeper.unusable == {PAIR: "it does not answer as a pool of a kind that is known"}
    assert asked[0] == asked[1] == asked[2]
    (issue,) = tracker.health(0.0)
    assert (issue.kind, issue.where) == ("pools_unusable", "PoolTracker")
    assert issue.detail.startswith(f"1 pools cannot be used, such as {PAIR}: it does not answer")


async def test_a_pool_that_cannot_be_read_does_not_hold_up_the_others():
    class Moody(Node):
        def answer(self, method: str, params: Sequence[Any]) -> Any:
            bad = params[0]["to"] == PAIR
            return RpcTimeout("no answer within 10 s") if bad else super().answer(method, params)

    others = tuple(f"0x{n:040x}" for n in range(0xB0, 0xBA))
    tracker = PoolTracker(NAMED)
    for other in others:
        tracker.keeper.want(other, partial(load_pair, other))
    views = await played(tracker, Moody(), 6)
    assert set(views[-1].entries) == set(others)
    assert tracker.keeper.missing == (PAIR,)


async def test_more_pools_that_cannot_be_read_than_are_read_at_once_do_not_either():
    class Moody(Node):
        def answer(self, method: str, params: Sequence[Any]) -> Any:
            bad = params[0]["to"] in first
            return RpcTimeout("no answer within 10 s") if bad else super().answer(method, params)

    first = tuple(f"0x{n:040x}" for n in range(0xC0, 0xC0 + AT_ONCE + 1))
    tracker = PoolTracker(PoolSettings(addresses=(*first, PAIR)))
    views = await played(tracker, Moody(), 4)
    assert list(views[-1].entries) == [PAIR]


async def test_all_calls_of_a_plan_are_made_at_one_block():
    """Whatever the head is by then."""
    node = Node()
    loaded = await PlanReader(node, 2).carry_out(partial(load_pair, PAIR), "0xabc")
    assert isinstance(loaded, Loaded)
    assert len(node.sizes) > 2
    assert node.at == [{"blockHash": "0xabc"}] * sum(node.sizes)


FOUND = PoolSettings(tokens=("WETH", "USDC"), factories=(FactorySettings(OTHER),))


async def test_v4_goes_without_where_the_node_does_not_hash(told):
    node = Node(web3_sha3=RpcFailed(-32601, "the method web3_sha3 does not exist"))
    tracker = PoolTracker(FOUND)
    views = await played(tracker, node, 3)
    assert list(views[-1].entries) == [PAIR]
    assert len([line for line in told if "V4" in line]) == 1


@pytest.mark.parametrize("answer", [RpcFailed(429, "too many requests"), "0x12", "0x" + "1" * 63])
async def test_a_search_that_fails_begins_again(answer):
    node = Node(web3_sha3=answer)
    tracker = PoolTracker(FOUND)

    def then(number: int) -> None:
        node.answers["web3_sha3"] = bytes(31) + bytes([number])

    views = await played(tracker, node, 4, then)
    assert [len(view.entries) for view in views] == [0, 0, 1, 1]
    assert len(tracker.keeper.unusable) == 1  # there is no view that would answer for V4's


async def test_more_pools_than_there_is_room_for_are_told(told):
    settings = PoolSettings(
        addresses=(PAIR,),
        tokens=("WETH", "USDC"),
        factories=(FactorySettings(UNISWAP_FACTORY),),
        most=1,
    )
    node = Node(**{GET_PAIR: lambda data: argument(PAIR if TOKEN[2:] in data else OTHER)})
    views = await played(PoolTracker(settings, 5), node, 3)
    assert list(views[-1].entries) == [PAIR]
    assert views[-1].left_out == 1
    assert "1 pools were found, of which 1 are left out: most = 1" in told


async def test_what_is_read_is_not_read_again_but_checked_now_and_then(autojump_clock, told):
    tracker, node = PoolTracker(NAMED), Node()
    await played(tracker, node, 3)
    counts = tracker.keeper.book.counts
    assert counts.checked == 1  # the first is due at once, the next in a minute
    node.answers[GET_RESERVES] = argument(5) + argument(7) + argument(1)
    await trio.sleep(61)
    tracker.rpc = node
    await tracker.process_event(event(block(13)))
    with trio.move_on_after(1):
        await tracker.attend()
    assert counts.checked == 1, "however late it is dealt with, this block came too early"
    await tracker.process_event(msgspec.structs.replace(event(block(14)), received_at=204.5))
    with trio.move_on_after(1):
        await tracker.attend()
    assert (counts.checked, counts.repaired) == (2, 1)
    assert f"pool {PAIR} was otherwise than the node says; it is repaired" in told


class Hasty(Node):
    """Makes blocks while it answers: with each time that it is asked for reserves it is on to the
    next of these, and the first time it says what they are then."""

    def __init__(self, newest: Sequence[Block | None], first: bytes = GOOD[GET_RESERVES]) -> None:
        super().__init__()
        self.later = [None if one is None else {"hash": one.hash} for one in newest]
        self.first = first
        self.times = 0

    def answer(self, method: str, params: Sequence[Any]) -> Any:
        if method == "web3_sha3" or params[0]["data"][2:10] != GET_RESERVES:
            return super().answer(method, params)
        self.newest = self.later[min(self.times, len(self.later) - 1)]
        self.times += 1
        return "0x" + (self.first if self.times == 1 else GOOD[GET_RESERVES]).hex()


async def test_a_pool_is_not_taken_as_of_a_block_that_nobody_has_told_of():
    node = Hasty([block(11)], argument(5) + argument(7) + argument(1))
    tracker = PoolTracker(NAMED)
    _, view = await played(tracker, node, 2)
    assert view.state(PAIR) == ProductPool(500, 700)
    assert tracker.keeper.book.counts.repaired == 0


@pytest.mark.parametrize(
    ("newest", "times"),
    [
        ([10, 10], 2),
        ([11, 11, 11], 3),
        ([11, 11, 12, 12], 4),
        ([None, 11, 11, 11], 4),
        ([11, 12, 13, 14, 15, 16], 6),
    ],
    ids=["it stays", "it went on before", "it goes on", "it has none", "it never stays"],
)
async def test_a_plan_is_carried_out_again_where_the_node_goes_on_meanwhile(newest, times):
    node = Hasty([None if number is None else block(number) for number in newest])
    reader = PlanReader(node, 20)
    for _ in range(2):
        await reader.carry_out(partial(load_pair, PAIR), block(10).hash)
    assert node.times == times


class Wrong(Node):
    """Answers wrongly, or not at all, so many times once a pool has been read; as if of another
    block, which it does not say."""

    def __init__(self, times: int, answer: Any) -> None:
        super().__init__()
        self.times, self.wrong = times, answer
        self.tracker = PoolTracker(NAMED)
        self.checks = 0

    def answer(self, method: str, params: Sequence[Any]) -> Any:
        if self.tracker.keeper.missing or params[0]["data"][2:10] != GET_RESERVES:
            return super().answer(method, params)
        self.checks += 1
        return self.wrong if self.checks <= self.times else super().answer(method, params)


OTHERWISE = "0x" + (argument(5) + argument(7) + argument(1)).hex()
NOTHING = RpcFailed(3, "execution reverted")


@pytest.mark.parametrize("answer", [OTHERWISE, NOTHING], ids=["otherwise", "no pool"])
async def test_a_node_that_contradicts_what_is_known_is_asked_once_more(answer, told):
    node = Wrong(1, answer)
    await played(node.tracker, node, 2)
    keeper = node.tracker.keeper
    assert node.checks == 2
    assert keeper.book[PAIR].state == ProductPool(500, 700)
    assert (keeper.book.counts.checked, keeper.book.counts.repaired) == (1, 0)
    assert not keeper.book.quarantined
    assert not keeper.unusable
    assert told == []


async def test_a_node_that_says_so_twice_is_believed(told):
    node = Wrong(2, OTHERWISE)
    await played(node.tracker, node, 2)
    book = node.tracker.keeper.book
    assert node.checks == 2
    assert book[PAIR].state == ProductPool(5, 7)
    assert (book.counts.checked, book.counts.repaired) == (1, 1)
    assert told == [f"pool {PAIR} was otherwise than the node says; it is repaired"]


async def test_a_pool_that_twice_answers_as_none_is_not_used_and_told(told):
    node = Wrong(2, NOTHING)
    await played(node.tracker, node, 2)
    keeper = node.tracker.keeper
    assert list(keeper.book.quarantined) == list(keeper.unusable) == [PAIR]
    (line,) = told
    assert line.startswith(f"pool {PAIR} cannot be used any more: it does not answer as")


async def test_where_the_second_answer_does_not_come_nothing_is_believed(told):
    """It is told that the node does not answer, and the pool is as good as it was."""

    class Silent(Wrong):
        def answer(self, method: str, params: Sequence[Any]) -> Any:
            found = super().answer(method, params)
            return RpcTimeout("no answer within 10 s") if self.checks == 2 else found

    node = Silent(1, OTHERWISE)
    await played(node.tracker, node, 1)
    assert node.tracker.keeper.book[PAIR].state == ProductPool(500, 700)
    assert node.tracker.keeper.book.counts.repaired == 0
    assert [issue.kind for issue in node.tracker.health(0.0)] == ["pools_unread"]


async def test_a_reorganisation_takes_its_blocks_back():
    tracker, node = PoolTracker(NAMED), Node()
    await played(tracker, node, 2)
    gone = block(11)
    reorg = Reorg(10, block(10).hash, (gone,), ())
    assert await tracker.process_event(event(reorg, DataType.REORG)) == ()
    assert tracker.keeper.head == (10, block(10).hash)


def test_only_the_feeds_own_blocks_are_followed():
    tracker = PoolTracker(NAMED, 1, frozenset({"node"}))
    assert tracker.admits(event(block(1)))
    assert not tracker.admits(event(block(1), source="another"))
    assert PoolTracker(NAMED).admits(event(block(1), source="another"))


def test_factories_and_the_view_are_the_main_networks_unless_others_are_named():
    main = make_learner(PoolSettings(tokens=("WETH",)), 1)
    assert len(main.factories) == 3
    assert main.view is not None
    other = make_learner(PoolSettings(tokens=("WETH",)), 5)
    assert (dict(other.factories), other.view) == ({}, None)
    named = make_learner(PoolSettings(factories=(FactorySettings(OTHER, "v3"),), v4_view=TOKEN), 5)
    assert [one.fees for one in named.factories.values()] == [(100, 500, 3000, 10_000)]
    assert named.view == TOKEN


def test_a_token_is_an_address_or_a_symbol_that_is_known():
    assert address_of("0xAB") == "0xab"
    assert address_of("USDC").startswith("0xa0b8")
    with pytest.raises(ValueError, match="DOGE is not one of WETH, USDC"):
        address_of("DOGE")


async def test_calls_go_in_messages_of_a_size():
    node = Node(web3_sha3=bytes(32))
    reader = PlanReader(node, 5)
    learner = make_learner(PoolSettings(tokens=("WETH", "USDC", "DAI")))
    learner.manager = OTHER
    assert len(await reader.ids(learner.v4_keys())) == 24
    assert node.sizes == [5, 5, 5, 5, 4]


ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
ORDERED = {
    TOKEN0: argument(OTHER),
    TOKEN1: argument(TOKEN),
    FACTORY: argument("0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f"),
}


def sale(name: str) -> Transaction:
    """Somebody sells a token of the pair that the node knows."""
    words = [10, 1, 160, int(SENDER, 16), 2_000_000_000, 2]
    data = bytes.fromhex("38ed1739") + b"".join(word.to_bytes(32, "big") for word in words)
    data += b"".join(bytes(12) + bytes.fromhex(token[2:]) for token in (TOKEN, OTHER))
    return Transaction(name, SENDER, ROUTER, 0, 0, 300_000, data)


async def test_pending_swaps_are_told_and_again_with_every_block_that_has_them_not():
    tracker = PoolTracker(NAMED)
    node = Node(**ORDERED)
    told: list[Any] = []

    async def take(kind: DataType, data: Any) -> None:
        found = await tracker.process_event(event(data, kind))
        told.extend((one.event_type, one.data) for one in found)

    await take(DataType.TRANSACTION, sale("0x1"))
    assert told == []  # there are no pools yet
    *views, first = await played(tracker, node, 2)
    assert len(views) == 2
    assert (first.transaction.hash, first.again) == ("0x1", False)
    await take(DataType.TRANSACTION, sale("0x1"))
    await take(DataType.TRANSACTION, sale("0x2"))
    await take(DataType.MEMPOOL, PendingLife("0x1", Life.ANNOUNCED))
    assert [data.transaction.hash for _, data in told] == ["0x2"]
    told.clear()

    async def again(number: int, **more: Any) -> list[str]:
        told.clear()
        await take(DataType.BLOCK, block(number, **more))
        assert told[0][0] is DataType.POOLS
        assert all(kind is DataType.EFFECT for kind, _ in told[1:])
        return [data.transaction.hash for _, data in told[1:]]

    assert await again(12) == ["0x1", "0x2"]
    assert await again(13, transactions=("0x1",)) == ["0x2"]
    await take(DataType.MEMPOOL, PendingLife("0x1", Life.RETURNED))
    assert await again(14) == ["0x2", "0x1"]
    await take(DataType.MEMPOOL, PendingLife("0x2", Life.INCLUDED))
    assert await again(15) == ["0x1"]
    await take(DataType.MEMPOOL, PendingLife("0x1", Life.REPLACED))
    assert await again(16) == []


async def test_health_says_how_many_pending_swaps_were_left_out():
    tracker = PoolTracker(attrs.evolve(NAMED, most_pending=1))
    for name in ("0x1", "0x2", "0x3"):
        await tracker.process_event(event(sale(name), DataType.TRANSACTION))
    assert list(tracker.health(0.0)) == []
    await tracker.process_event(event(block(10)))
    (issue,) = tracker.health(0.0)
    assert (issue.kind, issue.where) == ("pending_left_out", "PoolTracker")
    assert issue.detail.startswith("2 pending swaps")
    await tracker.process_event(event(block(11)))
    assert list(tracker.health(0.0)) == []


async def test_a_swap_whose_body_comes_after_its_block_is_pending_where_that_is_retracted():
    tracker = PoolTracker(NAMED)
    await played(tracker, Node(**ORDERED), 2)
    late = block(12, transactions=("0x1",))
    await tracker.process_event(event(late))
    assert list(await tracker.process_event(event(sale("0x1"), DataType.TRANSACTION))) == []
    gone = Reorg(11, block(11).hash, (late,), ())
    await tracker.process_event(event(gone, DataType.REORG))
    _, effect = await tracker.process_event(event(block(12)))
    assert effect.data.transaction.hash == "0x1"
