"""LiquidationDetector where the node does not as it should; where it does, see tests/devnet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
import trio
from loguru import logger
from trio.testing import wait_all_tasks_blocked

from tests.chain.lending_markets import (
    DOLLAR,
    ETH_AGGREGATOR,
    ETH_FEED,
    ORACLE,
    POOL,
    TIME,
    USDC,
    USER,
    address,
)
from tests.chain.test_lending_state import (
    answered,
    answers_of,
    block,
    borrowed,
    hashed,
    reorg,
    report,
    word,
    words,
)
from trio_mev.chain.lending import loading
from trio_mev.chain.lending.maths import RAY
from trio_mev.chain.lending.view import LendingView
from trio_mev.errors import RpcFailed, RpcTimeout
from trio_mev.model.chain import Block, Life, PendingLife
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.opportunity import Grounds, Kind, Liquidation, Opportunity, Status
from trio_mev.model.settings import LiquidationSettings
from trio_mev.processors.liquidations import MAIN_POOL, USERS_AT_ONCE, LiquidationDetector, identify

SETTINGS = LiquidationSettings(
    enabled=True,
    pool=POOL.upper().replace("X", "x"),
    users=(USER,),
    contracts={ETH_AGGREGATOR: "settable_feed"},
    check_interval=1e-9,
)
A_TOKEN, DEBT_TOKEN = address(0x121), address(0x321)
# One token is collateral and debt at once, so no price moves the health factor: its threshold
# and shares are what they are. It is worth 0.98 at the start.
OWING = {
    (A_TOKEN, loading.SCALED_BALANCE): word(10_000 * DOLLAR),
    (DEBT_TOKEN, loading.SCALED_BALANCE): word(8_163 * DOLLAR),
    (POOL, loading.USER_CATEGORY): word(0),
    (POOL, loading.GRACE): word(0),
}


class Node:
    """Answers calls by address and selector; an answer may be an error, which is raised for a
    whole message if it is no ``RpcFailed``."""

    def __init__(self, change: Mapping[tuple[str, str], Any] | None = None) -> None:
        self.answers: dict[Any, Any] = {**answers_of(10), **OWING, **(change or {})}
        self.asked: dict[str, str] = {}
        """The block that it was last asked about."""
        self.newest: str | None = None
        """Hash of its newest block; None: the one that it was last asked about."""

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], within: float | None = None
    ) -> list[Any]:
        await trio.lowlevel.checkpoint()
        found = [self.answer(params[0]) for _, params in calls]
        self.asked = calls[0][1][-1]
        for one in found:
            if isinstance(one, Exception) and not isinstance(one, RpcFailed):
                raise one
        return found

    def answer(self, asked: Mapping[str, str]) -> Any:
        key = asked["to"], asked["data"][2:10]
        found = self.answers.get(key) or RpcFailed(3, "execution reverted")
        return "0x" + found.hex() if isinstance(found, bytes) else found

    async def call(self, method: str, params: Sequence[Any], kind: Any) -> Any:
        await trio.lowlevel.checkpoint()
        assert (method, params) == ("eth_getBlockByNumber", ("latest", False))
        return msgspec.convert({"hash": self.newest or self.asked.get("blockHash", "")}, kind)


def event(data: Any, kind: DataType = DataType.BLOCK, source: str = "node") -> DataEvent:
    arrived = 12.0 * data.number if isinstance(data, Block) else 1.0
    return DataEvent(kind, EventPriority.HIGH, data, source, arrived)


@pytest.fixture
def told() -> Any:
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.rstrip()), format="{message}")
    logger.enable("trio_mev")
    yield lines
    logger.disable("trio_mev")
    logger.remove(sink)


async def played(
    detector: LiquidationDetector,
    node: Node | None,
    blocks: int,
    then: Callable[[int], None] | None = None,
    *last: DataEvent,
) -> list[Any]:
    """What is found in so many blocks, each after all that the one before had to read, and by
    the events after them."""
    detector.rpc = node
    found: list[Any] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(detector.attend)
        for number in range(1, 1 + blocks):
            found += await detector.process_event(event(block(number)))
            await wait_all_tasks_blocked()
            if then is not None:
                then(number)
        for one in last:
            found += await detector.process_event(one)
            await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return [one.data for one in found]


async def test_what_can_be_liquidated_comes_with_the_event_after_it_was_read():
    detector = LiquidationDetector(SETTINGS)
    first, hit, second = await played(
        detector,
        Node(),
        1,
        None,
        event(report(5, "0xz", address(9)), DataType.TRANSACTION),
        event(block(2)),
    )
    assert isinstance(first, LendingView)
    assert isinstance(second, LendingView)
    assert (first.why, second.why) == ("it has not been read", None)
    assert (second.liquidatable, second.users, second.waiting) == (1, 1, 0)
    assert isinstance(hit, Opportunity)
    assert (hit.kind, hit.status, hit.grounds) == (
        Kind.LIQUIDATION,
        Status.PREDICTED,
        Grounds.ARITHMETIC,
    )
    detail = hit.detail
    assert isinstance(detail, Liquidation)
    assert detail.health_factor == 980_031_851_035_158_642
    assert detail.debt_amount == 4_081_500_000
    assert hit.gross == {USDC: detail.collateral_amount - detail.debt_amount}
    assert hit.usd == Decimal(hit.gross[USDC]).scaleb(-6)
    assert (hit.cause, hit.block, hit.expires_block) == (hashed(1), 1, None)
    assert hit.id == identify(USER, USDC, USDC, hashed(1))
    assert hit.extra is not None
    assert (hit.extra["version"], hit.extra["bonus"]) == ("3.6", 10_500)


async def test_a_pending_report_is_the_cause_of_what_it_would_make_liquidatable():
    """The pool is told to have a second token, whose price the report brings."""
    debt = address(0x99)
    reserve = words(8000 << 16 | 10_500 << 32 | 6 << 48 | 1 << 56, RAY, 0, RAY, 0, 0, TIME, 1)
    node = Node()
    first = reserve[: 7 * 32] + word(0) + reserve[8 * 32 :]
    node.answers[POOL, loading.RESERVES_LIST] = words(32, 2, USDC, debt)
    tail = words(A_TOKEN, 0, address(0x500), 0, 0, 0, 0)
    other = words(address(0x501), 0, DEBT_TOKEN, 0, 0, 0, 0)

    class Two(Node):
        def answer(self, asked: Mapping[str, str]) -> Any:
            if asked["data"][2:10] == loading.RESERVE_DATA:
                own = asked["data"].endswith(USDC[2:])
                return "0x" + ((reserve + tail) if own else (first + other)).hex()
            if asked["data"][2:10] == loading.ASSET_SOURCE and asked["data"].endswith(debt[2:]):
                return "0x" + word(address(0x502)).hex()
            return super().answer(asked)

    two = Two()
    two.answers = node.answers | {
        (POOL, loading.USER_FLAGS): word(0b1001),
        (ETH_AGGREGATOR, loading.MOST_ANSWER): word(10**12),
        (DEBT_TOKEN, loading.SCALED_BALANCE): word(7_900 * DOLLAR),
    }
    detector = LiquidationDetector(SETTINGS)
    fall = event(report(98 * 10**6), DataType.TRANSACTION)
    back = event(PendingLife("0xa", Life.DROPPED), DataType.MEMPOOL)
    found = await played(
        detector,
        two,
        1,
        None,
        event(block(2)),
        fall,
        back,
        event(block(3)),
    )
    hits = [one for one in found if isinstance(one, Opportunity)]
    (hit,) = hits
    assert (hit.cause, hit.block, hit.expires_block) == ("0xa", 2, 3)
    detail = hit.detail
    assert isinstance(detail, Liquidation)
    assert (detail.debt_token, detail.collateral_token) == (debt, USDC)
    assert hit.extra is not None
    assert hit.extra["aggregator"] == ETH_AGGREGATOR


async def test_whether_it_is_time_to_check_is_told_by_when_blocks_came(autojump_clock):
    settings = attrs.evolve(SETTINGS, check_interval=20.0)
    detector = LiquidationDetector(settings)
    checked = []
    check = detector._check_users

    async def noted(reader, market, head):
        checked.append(head.hash)
        await check(reader, market, head)

    detector._check_users = noted
    await played(detector, Node(), 6)
    assert checked == [block(number).hash for number in (1, 3, 5)]


async def test_without_a_node_nothing_is_known():
    detector = LiquidationDetector(SETTINGS)
    views = await played(detector, None, 2)
    assert [one.why for one in views] == ["it has not been read"] * 2
    (issue,) = detector.health(0.0)
    assert issue.kind == "positions_unread"


async def test_what_the_node_refuses_is_tried_again_with_the_next_block(told):
    detector, node = LiquidationDetector(SETTINGS), Node()
    node.answers[POOL, loading.POOL_REVISION] = RpcTimeout("later")
    issues = []

    def then(number: int) -> None:
        issues.append([one.detail for one in detector.health(0.0)])
        if number == 2:
            node.answers[POOL, loading.POOL_REVISION] = word(10)

    await played(detector, node, 3, then)
    assert "RpcTimeout: later" in issues[0][0]
    assert issues[2] == []
    assert len([line for line in told if "with the next block again" in line]) == 1


async def test_a_pool_of_unknown_rules_is_left_alone_and_said_to_be(told):
    detector = LiquidationDetector(SETTINGS)
    node = Node({(POOL, loading.POOL_REVISION): word(99)})
    views = await played(detector, node, 3)
    assert views[-1].why == "the rules of its revision 99 are not known"
    assert len([line for line in told if "cannot be used" in line]) == 1
    assert [one.kind for one in detector.health(0.0)] == ["positions_unread"]


async def test_what_is_otherwise_than_the_node_says_is_repaired(told):
    detector, node = LiquidationDetector(SETTINGS), Node()

    def then(number: int) -> None:
        if number == 2:
            node.answers[A_TOKEN, loading.SCALED_BALANCE] = word(9_000 * DOLLAR)
        if number == 3:
            node.answers[POOL, loading.GRACE] = word(77)

    await played(detector, node, 4, then)
    assert detector.keeper.counts.repaired == 2
    assert [line for line in told if "repaired" in line] == [
        f"{USER} was otherwise than the node says; it is repaired",
        "the pool was otherwise than the node says; it is repaired",
    ]
    assert detector.keeper.market is not None
    assert detector.keeper.market.reserves[USDC].grace_until == 77


async def test_a_check_that_a_block_overtakes_is_left_for_the_next_time():
    detector = LiquidationDetector(SETTINGS)

    class Slow(Node):
        async def batch(self, calls: Any, within: float | None = None) -> list[Any]:
            head = detector.keeper.head
            if detector.keeper.usable(USER) and head is not None and head.number == 1:
                await detector.process_event(event(block(2)))
            return await super().batch(calls, within)

    await played(detector, Slow(), 1)
    assert detector.keeper.head is not None
    assert detector.keeper.head.number == 2


async def test_where_a_block_overtakes_the_check_of_users_the_pool_is_not_checked_before_it():
    """What would be read of it is old by then."""
    detector, revisions = LiquidationDetector(SETTINGS), list[str]()

    class Slow(Node):
        async def batch(self, calls: Any, within: float | None = None) -> list[Any]:
            asked = {params[0]["data"][2:10] for _, params in calls}
            if loading.POOL_REVISION in asked:
                revisions.append(calls[0][1][-1]["blockHash"])
            head, ready = detector.keeper.head, detector.keeper.usable(USER)
            if ready and loading.USER_FLAGS in asked and head is not None and head.number == 1:
                await detector.process_event(event(block(2)))
            return await super().batch(calls, within)

    await played(detector, Slow(), 1)
    assert revisions == [hashed(1), hashed(2)]  # read, then checked


class Hasty(Node):
    """Is on to block 2 when it is asked for something the second time, though it is asked as of
    block 1, and says what holds then; once."""

    def __init__(self, hasty: tuple[str, str], later: bytes) -> None:
        super().__init__()
        self.hasty, self.later = hasty, later
        self.times = 0

    def answer(self, asked: Mapping[str, str]) -> Any:
        if (asked["to"], asked["data"][2:10]) == self.hasty:
            self.times += 1
            if self.times == 2:
                self.newest = hashed(2)
                return "0x" + self.later.hex()
        return super().answer(asked)


@pytest.mark.parametrize(
    ("hasty", "later"),
    [
        ((A_TOKEN, loading.SCALED_BALANCE), word(9_000 * DOLLAR)),
        ((POOL, loading.GRACE), word(77)),
        ((ORACLE, loading.ASSET_PRICE), word(99 * 10**6)),
    ],
    ids=["a user", "the pool", "a price"],
)
async def test_what_the_next_block_changes_is_no_mistake_of_what_is_known(hasty, later, told):
    """Nobody has told of that block yet."""
    detector, node = LiquidationDetector(SETTINGS), Hasty(hasty, later)
    await played(detector, node, 1)
    assert node.times > 2  # it was asked again
    assert (detector.keeper.counts.checked, detector.keeper.counts.repaired) == (2, 0)
    assert not [line for line in told if "repaired" in line]
    assert detector.keeper.why is None


class Wrong(Node):
    """Answers wrongly, so many times, once everything has been read; as if of another block,
    which it does not say."""

    def __init__(self, key: tuple[str, str], answer: bytes | None, times: int) -> None:
        super().__init__()
        self.key, self.wrong, self.times = key, answer, times
        self.detector = LiquidationDetector(SETTINGS)
        self.checks = 0

    def answer(self, asked: Mapping[str, str]) -> Any:
        read = self.detector.keeper.usable(USER)
        if not read or (asked["to"], asked["data"][2:10]) != self.key:
            return super().answer(asked)
        self.checks += 1
        if self.checks > self.times:
            return super().answer(asked)
        none = RpcFailed(3, "execution reverted")
        return none if self.wrong is None else "0x" + self.wrong.hex()


BALANCE, GRACE = (A_TOKEN, loading.SCALED_BALANCE), (POOL, loading.GRACE)
REVISION = POOL, loading.POOL_REVISION


@pytest.mark.parametrize(
    ("key", "answer"),
    [(BALANCE, word(9_000 * DOLLAR)), (BALANCE, None), (GRACE, word(77)), (REVISION, word(99))],
    ids=["a user", "a user that cannot be read", "the pool", "a pool of other rules"],
)
async def test_a_node_that_contradicts_what_is_known_is_asked_once_more(key, answer, told):
    node = Wrong(key, answer, 1)
    await played(node.detector, node, 1)
    keeper = node.detector.keeper
    assert node.checks == 2
    assert (keeper.counts.checked, keeper.counts.repaired) == (2, 0)
    assert keeper.usable(USER)
    assert told == []


@pytest.mark.parametrize(
    ("key", "answer", "line"),
    [(BALANCE, word(9_000 * DOLLAR), USER), (GRACE, word(77), "the pool")],
    ids=["a user", "the pool"],
)
async def test_a_node_that_says_so_twice_is_believed(key, answer, line, told):
    node = Wrong(key, answer, 2)
    await played(node.detector, node, 1)
    counts = node.detector.keeper.counts
    assert node.checks == 2
    assert (counts.checked, counts.repaired) == (2, 1)
    assert told == [f"{line} was otherwise than the node says; it is repaired"]


async def test_who_was_as_is_known_is_not_asked_for_again(told):
    """Of two users one is contradicted; what is then said of the other is not even asked."""
    other = address(0x99)
    balances: list[str] = []

    class One(Wrong):
        def answer(self, asked: Mapping[str, str]) -> Any:
            found = super().answer(asked)
            if self.detector.keeper.waiting or (asked["to"], asked["data"][2:10]) != BALANCE:
                return found
            balances.append(asked["data"][-40:])
            of_other = asked["data"].endswith(other[2:])
            return "0x" + OWING[BALANCE].hex() if of_other else found

    node = One(BALANCE, word(9_000 * DOLLAR), 10)
    node.detector.keeper.want(other)
    await played(node.detector, node, 1)
    assert [balances.count(user[2:]) for user in (USER, other)] == [2, 1]
    assert (node.detector.keeper.counts.checked, node.detector.keeper.counts.repaired) == (3, 1)


async def test_a_reading_that_a_deep_reorganisation_overtakes_is_of_no_use():
    """The block that it is of is gone, and of its ancestor nobody has told the time."""
    detector = LiquidationDetector(SETTINGS)
    gone = event(reorg(0, block(1)), DataType.REORG)

    class Deep(Node):
        async def batch(self, calls: Any, within: float | None = None) -> list[Any]:
            found = await super().batch(calls, within)
            if detector.keeper.why is None and detector.keeper.waiting:
                await detector.process_event(gone)
            return found

    node = Deep()
    last = event(report(5, "0xz", address(9)), DataType.TRANSACTION)
    found = await played(detector, node, 1, None, last)
    assert [type(one) for one in found] == [LendingView]
    assert detector.keeper.head is None
    assert detector.keeper.why == "blocks are missing"
    assert detector.keeper.stale == (USER,)


async def test_users_that_are_to_be_read_wait_for_the_block_after_a_deep_reorganisation():
    """Those that are read together are; the others are not asked for as of a block whose time
    nobody has told."""
    detector, readings = LiquidationDetector(SETTINGS), list[str]()
    for number in range(USERS_AT_ONCE):
        detector.keeper.want(address(0x1000 + number))
    gone = event(reorg(0, block(1)), DataType.REORG)

    class Deep(Node):
        async def batch(self, calls: Any, within: float | None = None) -> list[Any]:
            found = await super().batch(calls, within)
            if any(params[0]["data"][2:10] == loading.USER_FLAGS for _, params in calls):
                readings.append(calls[0][1][-1]["blockHash"])
                if detector.keeper.head is not None and detector.keeper.head.number == 1:
                    await detector.process_event(gone)
            return found

    await played(detector, Deep(), 1)
    assert set(readings) == {hashed(1)}
    assert detector.keeper.head is None
    assert detector.keeper.waiting == USERS_AT_ONCE + 1
    asked = len(readings)
    await played(detector, Deep(), 3, lambda number: None)
    assert len(readings) > asked
    assert detector.keeper.waiting == 0


async def test_blocks_that_are_retracted_are_undone():
    detector = LiquidationDetector(SETTINGS)
    second = block(2, answered(5), borrowed(address(7)))
    retracted = event(attrs.evolve(reorg(1, second)), DataType.REORG)
    await played(detector, Node(), 1, None, event(second), retracted)
    assert detector.keeper.head is not None
    assert detector.keeper.head.number == 1


def test_only_the_chain_that_is_followed_is_of_interest():
    detector = LiquidationDetector(SETTINGS, frozenset({"node"}))
    assert detector.admits(event(block(1)))
    assert not detector.admits(event(block(1), source="another"))
    assert LiquidationDetector(LiquidationSettings()).admits(event(block(1), source="another"))
    assert LiquidationDetector(LiquidationSettings()).keeper.pool == MAIN_POOL


def test_the_same_liquidation_has_the_same_id():
    one = identify(USER, USDC, ETH_FEED, "0xa")
    assert one == identify(USER, USDC, ETH_FEED, "0xa")
    assert (
        len({one, identify(USER, ETH_FEED, USDC, "0xa"), identify(USER, USDC, ETH_FEED, "0xb")})
        == 3
    )
