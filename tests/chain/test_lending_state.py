"""A pool's state: read by plans, advanced by blocks, in doubt wherever it is not certain."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from eth_hash.auto import keccak

from tests.chain.lending_markets import (
    BORROWER,
    CONFIGURATOR,
    DAI,
    DOLLAR,
    ETH_AGGREGATOR,
    ETH_FEED,
    ETHER,
    ORACLE,
    OTHER,
    POOL,
    PROVIDER,
    TIME,
    USDC,
    USER,
    WETH,
    address,
    market,
    position,
)
from trio_mev.chain.calldata import Kind
from trio_mev.chain.contracts import aave, chainlink
from trio_mev.chain.lending import loading
from trio_mev.chain.lending.account import Stable
from trio_mev.chain.lending.keeper import LendingKeeper
from trio_mev.chain.lending.market import Category, Feed, Market
from trio_mev.chain.lending.maths import RAY
from trio_mev.chain.lending.touches import touched
from trio_mev.chain.lending.updates import MOST_UPDATES, Updates
from trio_mev.chain.lending.watch import LiquidationWatch
from trio_mev.chain.pools.pool import Unusable
from trio_mev.model.chain import Block, Life, Log, PendingLife, Reorg, Transaction

# Words and logs


def word(value: int | str) -> bytes:
    return (int(value, 16) if isinstance(value, str) else value % 2**256).to_bytes(32)


def words(*values: int | str) -> bytes:
    return b"".join(map(word, values))


def topic(name: str) -> str:
    tables = (aave.EVENTS, aave.TOKEN_EVENTS, aave.CONFIGURATION_EVENTS, chainlink.EVENTS)
    return next(t for table in tables for t, text in table.items() if text.startswith(f"{name}("))


def log(emitter: str, name: str, *indexed: int | str, data: bytes = b"") -> Log:
    topics = (topic(name), *("0x" + word(one).hex() for one in indexed))
    return Log("", 0, 0, "", 0, emitter, topics, data)


def borrowed(user: str, asset: str = USDC) -> Log:
    return log(POOL, "Borrow", asset, user, 0, data=words(user, 5, 2, 0))


def answered(answer: int, aggregator: str = ETH_AGGREGATOR) -> Log:
    return log(aggregator, "AnswerUpdated", answer, 1, data=word(TIME))


def indices(asset: str = USDC, index: int = 2 * RAY) -> Log:
    return log(POOL, "ReserveDataUpdated", asset, data=words(1, 0, 2, RAY, index))


def hashed(number: int, branch: int = 0) -> str:
    return f"0x{number:032x}{branch:032x}"


def block(number: int, *logs: Log, branch: int = 0, parent: str | None = None, **changes) -> Block:
    made = Block(
        number,
        hashed(number, branch),
        hashed(number - 1) if parent is None else parent,
        TIME + 12 * number,
        30_000_000,
        0,
        logs=logs,
        complete=True,
        transactions=(),
    )
    return attrs.evolve(made, **changes)


def test_what_logs_touch_is_named():
    of = market(1)
    tokens = of.reserves[USDC]
    found = touched(
        of,
        [
            borrowed(USER),
            log(POOL, "LiquidationCall", WETH, USDC, USER, data=words(1, 1, address(5), 0)),
            log(tokens.a_token, "BalanceTransfer", address(6), address(7), data=words(1, RAY)),
            log(tokens.variable_token, "Mint", USER, OTHER, data=words(1, 0, RAY)),
            log(tokens.a_token, "AnswerUpdated", 1, 1, data=word(1)),
            log(POOL, "FlashLoan", address(1), USDC, 0, data=words(address(2), 1, 0, 0)),
            answered(7),
            log(ETH_AGGREGATOR, "NewRound", 1, USER, data=word(1)),
            answered(8),
            answered(9, POOL),
            indices(),
            log(address(0x999), "Upgraded", USER),
        ],
        TIME + 5,
    )
    assert found.users == {USER, OTHER, address(6), address(7)}
    assert found.answers == {ETH_AGGREGATOR: 8}
    assert not found.market
    assert (found.reserves[USDC].variable_index, found.reserves[USDC].updated) == (
        2 * RAY,
        TIME + 5,
    )


@pytest.mark.parametrize(
    "one",
    [
        log(POOL, "Upgraded", USER),
        Log("", 0, 0, "", 0, POOL, (), b""),
        log(CONFIGURATOR, "ReservePaused", USDC, data=word(1)),
        log(ORACLE, "AssetSourceUpdated", USDC, USER),
        log(PROVIDER, "PriceOracleUpdated", USER, USER),
        log(POOL, "LiquidationCall", WETH, USDC, USER, data=words(1, 1, OTHER, 1)),
        log(POOL, "DeficitCreated", USER, USDC, data=word(1)),
        indices(address(0x99)),
    ],
)
def test_what_may_change_the_pool_casts_doubt_on_it(one: Log):
    assert touched(market(), [one], TIME).market


def test_a_log_that_is_not_what_it_says_is_as_good_as_none():
    bad = log(POOL, "ReserveUsedAsCollateralEnabled", USDC, 2**255)
    found = touched(market(), [bad], TIME)
    assert not found.users
    assert not found.market


# Keeping


def kept(of: Market | None = None, users: tuple[str, ...] = (USER,), most: int = 10):
    """A keeper with everything read at block 1."""
    keeper = LendingKeeper(POOL, users, most)
    keeper.advance(block(1))
    keeper.take_market(of or everything_told(), hashed(1))
    keeper.take_positions([msgspec_user(BORROWER, user) for user in users], hashed(1))
    return keeper


def everything_told(**changes: Any) -> Market:
    """A market all of whose prices are answers of aggregators."""
    feeds = {WETH: Feed(ETH_FEED, ETH_AGGREGATOR)}
    feeds |= {one: Feed(address(0x50 + n), address(0x60 + n)) for n, one in enumerate((USDC, DAI))}
    return market(feeds=feeds, **changes)


def msgspec_user(one: Any, user: str) -> Any:
    return attrs.evolve(one, user=user)


def test_nothing_is_certain_before_it_is_read():
    keeper = LendingKeeper(POOL, [USER, USER], 1)
    assert keeper.waiting == 1
    assert not keeper.want(OTHER)
    assert keeper.left_out == 1
    keeper.advance(block(1))
    assert not keeper.usable(USER)
    assert not keeper.take_market(everything_told(), hashed(9))
    keeper.take_prices({}, hashed(1))
    keeper.advance(block(2))
    assert not keeper.take_market(everything_told(), hashed(1))  # who knows what happened
    assert keeper.take_market(everything_told(), hashed(2))
    keeper.take_positions([BORROWER], hashed(9))
    assert keeper.waiting == 1
    keeper.take_positions([BORROWER], hashed(2))
    assert keeper.usable(USER)
    assert keeper.categories == frozenset()


def test_a_borrower_is_watched_from_then_on():
    keeper = LendingKeeper(POOL, (), 10)
    keeper.advance(block(1, borrowed(USER)))
    assert keeper.stale == (USER,)
    keeper.advance(block(2, borrowed(OTHER), complete=False))
    assert keeper.stale == (USER, OTHER)


def test_whoever_is_touched_is_read_again():
    keeper = kept(users=(USER, OTHER))
    keeper.advance(block(2, borrowed(OTHER)))
    assert (keeper.usable(USER), keeper.usable(OTHER)) == (True, False)
    keeper.advance(block(3, borrowed(OTHER)))
    keeper.take_positions([msgspec_user(BORROWER, OTHER)], hashed(2))
    assert not keeper.usable(OTHER)
    before = keeper.versions[OTHER]
    keeper.take_positions([msgspec_user(BORROWER, OTHER)], hashed(3))
    assert keeper.usable(OTHER)
    assert keeper.versions[OTHER] == before
    keeper.take_positions([position({0: 5}, {1: 5}, user=OTHER)], hashed(3))
    assert keeper.versions[OTHER] == before + 1


def test_a_user_that_cannot_be_read_is_not_used():
    keeper = kept()
    keeper.take_positions([Unusable(USER, "why")], hashed(1))
    assert keeper.unusable == {USER: "why"}
    assert not keeper.usable(USER)
    keeper.take_positions([BORROWER], hashed(1))
    assert keeper.unusable == {}


def test_indices_and_answers_are_taken_from_the_logs():
    keeper = kept()
    keeper.advance(block(2, indices(), answered(2500 * 10**8)))
    assert keeper.market is not None
    assert keeper.market.reserves[USDC].variable_index == 2 * RAY
    assert keeper.market.prices[WETH] == 2500 * 10**8
    assert not keeper.doubtful
    keeper.advance(block(3, answered(-1)))
    assert keeper.doubtful == {WETH}
    keeper.take_prices({WETH: 9, USDC: 10**8, DAI: 10**8}, hashed(2))
    assert keeper.doubtful == {WETH}
    keeper.take_prices({WETH: 9, USDC: 10**8}, hashed(3))
    assert keeper.market.prices[WETH] == 9
    assert keeper.doubtful == {DAI}


def test_a_price_that_no_event_tells_is_read_at_every_block():
    keeper = kept(market())
    assert not keeper.doubtful
    keeper.advance(block(2))
    assert keeper.doubtful == {USDC, DAI}
    keeper.take_prices({WETH: 3000 * 10**8, USDC: 10**8, DAI: 10**8}, hashed(1))
    assert keeper.doubtful == {USDC, DAI}
    keeper.take_prices({WETH: 3000 * 10**8, USDC: 10**8, DAI: 10**8}, hashed(2))
    assert not keeper.doubtful


def test_a_price_that_comes_from_elsewhere_casts_doubt_on_the_pool():
    keeper = kept()
    keeper.take_prices({WETH: 1, USDC: 10**8, DAI: 10**8}, hashed(1))
    assert keeper.why == "a price came from elsewhere than was known"
    assert keeper.counts.repaired == 1
    keeper.take_prices({WETH: 2}, hashed(1))
    assert keeper.market is not None
    assert keeper.market.prices[WETH] == 1


def test_a_pool_read_before_an_answer_has_the_price_before_it():
    keeper = kept()
    keeper.advance(block(2, log(CONFIGURATOR, "ReservePaused", USDC, data=word(1))))
    assert keeper.why == "a log says that it has changed"
    keeper.advance(block(3, answered(5)))
    assert keeper.take_market(everything_told(), hashed(2))
    assert keeper.why is None
    assert keeper.doubtful == {WETH}
    assert not keeper.take_market(everything_told(), hashed(1))


def test_an_unusable_pool_says_why():
    keeper = kept()
    keeper.take_market(Unusable(POOL, "why"), hashed(1))
    assert keeper.why == "why"


def test_other_tokens_mean_that_everybody_is_read_again():
    keeper = kept()
    other = everything_told(reserves={USDC: {"a_token": address(0x77)}})
    keeper.take_market(other, hashed(1))
    assert keeper.stale == (USER,)


def test_an_unknown_efficiency_mode_is_read():
    keeper = kept()
    keeper.take_positions([attrs.evolve(BORROWER, category=3)], hashed(1))
    assert keeper.why == "an efficiency mode is not known"
    assert keeper.categories == {3}
    keeper.take_market(everything_told(categories={3: Category(1, 1)}), hashed(1))
    assert keeper.usable(USER)


@pytest.mark.parametrize(
    "second",
    [block(3), block(2, complete=False), attrs.evolve(block(2), logs=None)],
)
def test_a_block_that_does_not_follow_or_is_not_whole_casts_doubt_on_everything(second: Block):
    keeper = kept()
    keeper.advance(second)
    assert keeper.why == "blocks are missing"
    assert keeper.waiting == 1


def reorg(ancestor: int, *retracted: Block) -> Reorg:
    return Reorg(ancestor, hashed(ancestor), retracted, ())


def test_what_retracted_blocks_touched_is_read_again():
    keeper = kept(users=(USER, OTHER))
    second = block(2, borrowed(OTHER), answered(7))
    keeper.advance(second)
    keeper.take_positions([msgspec_user(BORROWER, OTHER)], hashed(2))
    keeper.undo(reorg(1, second))
    assert keeper.head is not None
    assert keeper.head.number == 1
    assert keeper.stale == (OTHER,)
    assert keeper.doubtful == {WETH}
    assert keeper.why is None
    third = block(2, indices(), branch=1, parent=hashed(1))
    keeper.advance(third)
    keeper.undo(reorg(1, third))
    assert keeper.why == "a block that it was read from was retracted"


def test_a_reorganisation_below_all_that_is_remembered_begins_anew():
    keeper = kept()
    keeper.undo(reorg(0, block(1)))
    assert keeper.why == "blocks are missing"
    assert keeper.stale == (USER,)
    keeper.advance(block(1, branch=1))
    assert keeper.take_market(everything_told(), hashed(1, 1))
    assert keeper.why is None
    fresh = LendingKeeper(POOL, (), 1)
    fresh.advance(block(1))
    fresh.advance(block(2))
    fresh.undo(reorg(1, block(2)))
    assert fresh.head is not None
    assert fresh.head.number == 1


def test_where_a_reorganisation_ends_below_all_that_is_remembered_no_reading_is_taken():
    """Not even one as of its ancestor: nobody has told what time it is there."""
    keeper = kept()
    keeper.undo(reorg(0, block(1)))
    assert keeper.head is None
    for at in (hashed(0), hashed(1)):
        assert not keeper.take_market(everything_told(), at)
        keeper.take_positions([BORROWER], at)
    assert (keeper.why, keeper.stale) == ("blocks are missing", (USER,))
    assert LiquidationWatch(keeper, Updates({}), Decimal(0), Decimal(0), 12).everything() == []
    keeper.advance(block(1, branch=1, parent=hashed(0)))
    assert keeper.take_market(everything_told(), hashed(1, 1))
    assert keeper.head is not None
    assert keeper.head.time == block(1).timestamp


def test_users_are_held_against_the_node_in_turn():
    keeper = kept(users=(USER, OTHER))
    assert sorted(keeper.to_check(5)) == [USER, OTHER]
    assert keeper.to_check(1) != keeper.to_check(1)
    assert keeper.check_positions([BORROWER], hashed(1)) == []
    assert keeper.check_positions([BORROWER], hashed(7)) == []
    keeper.advance(block(2, borrowed(OTHER)))
    wrong = position({0: 1}, {1: 1})
    read = [wrong, Unusable(OTHER, "")]
    assert keeper.check_positions(read, hashed(1)) == [USER]
    assert keeper.positions[USER] == wrong
    assert keeper.to_check(5) == [USER]
    assert (keeper.counts.checked, keeper.counts.repaired) == (2, 1)


def test_the_pool_is_held_against_the_node():
    keeper = kept()
    assert keeper.check_market(everything_told(), hashed(1)) is True
    assert keeper.check_market(everything_told(categories={5: Category(1, 1)}), hashed(1)) is True
    assert keeper.check_market(everything_told(), hashed(9)) is None
    keeper.advance(block(2, answered(5)))
    assert keeper.check_market(everything_told(), hashed(1)) is None
    assert keeper.check_market(everything_told(), hashed(2)) is False
    assert keeper.market is not None
    assert keeper.market.prices[WETH] == 3000 * 10**8
    assert keeper.check_market(Unusable(POOL, "why"), hashed(2)) is False
    assert keeper.check_market(everything_told(), hashed(2)) is None


def test_whether_users_and_the_pool_agree_is_told_and_changes_nothing():
    keeper = kept(users=(USER, OTHER))
    wrong = position({0: 1}, {1: 1})
    read = [wrong, Unusable(OTHER, "")]
    assert keeper.differing(read, hashed(1)) == [USER, OTHER]
    assert keeper.differing(read, hashed(7)) == []
    assert keeper.agrees(everything_told(), hashed(1)) is True
    assert keeper.agrees(everything_told(eth=1), hashed(1)) is False
    assert keeper.agrees(Unusable(POOL, "why"), hashed(1)) is False
    keeper.advance(block(2, borrowed(OTHER), answered(5)))
    assert keeper.differing(read, hashed(1)) == [USER]
    assert keeper.agrees(everything_told(eth=1), hashed(1)) is None
    assert keeper.positions[USER] == BORROWER
    assert (keeper.counts.checked, keeper.counts.repaired, keeper.why) == (0, 0, None)


# Reports


def report(answer: int, hash_: str = "0xa", to: str = ETH_AGGREGATOR, sender: str = USER):
    data = bytes.fromhex("e5c19b2d") + word(answer)
    return Transaction(hash_, sender, to, 0, 0, 0, data)


def transmit(answer: int) -> bytes:
    """A report as the second generation of aggregators takes it."""
    body = words(TIME, 0, 4 * 32, 0, 1, answer)
    heads = words(0, 0, 0, 7 * 32, (8 + 6) * 32, (9 + 6) * 32, 0)
    return bytes.fromhex("b1dc65a4") + heads + words(len(body)) + body + words(0) + words(0)


SETTABLE = {ETH_AGGREGATOR: Kind.SETTABLE_FEED}


def test_a_settable_feed_may_be_set_by_anybody():
    updates = Updates(SETTABLE)
    assert updates.aggregators == {ETH_AGGREGATOR}
    assert updates.take(report(5)) is None  # nothing is priced by it yet
    updates.learn(market())
    found = updates.take(report(5))
    assert found is not None
    assert (found.aggregator, found.answer) == (ETH_AGGREGATOR, 5)
    assert updates.take(report(-5)) is None
    assert updates.take(report(5, to=address(9))) is None
    assert updates.take(attrs_replace(report(5), input=b"")) is None
    mock = attrs_replace(report(5), input=bytes.fromhex("a87a20ce") + word(6))
    assert updates.take(mock).answer == 6


def attrs_replace(one: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(one, **changes)


def told_by(*transmitters: str, **changes: Any) -> Market:
    feed = Feed(ETH_FEED, ETH_AGGREGATOR, transmitters, **changes)
    return market(feeds={WETH: feed, USDC: feed, DAI: Feed(address(1), None)})


def sent(answer: int, sender: str, to: str = ETH_AGGREGATOR) -> Transaction:
    data = transmit(answer)
    if to != ETH_AGGREGATOR:
        head = words(ETH_AGGREGATOR, 64, len(data))
        data = bytes.fromhex("6fadcf72") + head + data + bytes(-len(data) % 32)
    return Transaction("0xb", sender, to, 0, 0, 0, data)


def test_only_a_transmitter_is_believed_directly_or_as_a_forwarder():
    updates = Updates({})
    updates.learn(told_by(USER, OTHER))
    updates.learn(told_by(USER, OTHER))
    assert updates.take(sent(7, USER)) is not None
    assert updates.take(sent(7, address(9))) is None
    assert updates.take(sent(7, address(9), OTHER)) is not None
    updates.learn(told_by())
    assert updates.take(sent(7, address(9))) is not None


def test_an_answer_out_of_bounds_is_refused_by_the_aggregator():
    updates = Updates({})
    updates.learn(told_by(USER, least=5, most=9))
    assert [updates.take(sent(one, USER)) is not None for one in (4, 5, 9, 10)] == [
        False,
        True,
        True,
        False,
    ]


def test_reports_are_forgotten_when_they_are_too_many():
    updates = Updates(SETTABLE)
    updates.learn(market())
    for number in range(MOST_UPDATES + 1):
        updates.take(report(5, hashed(number)))
    pending = [one.hash for one in updates.pending()]
    assert len(pending) == MOST_UPDATES
    assert hashed(0) not in pending
    updates.include([hashed(1), "0xunknown"])
    assert hashed(1) not in [one.hash for one in updates.pending()]
    assert updates.bring_back(hashed(1)) is not None
    assert updates.bring_back("0xunknown") is None
    assert hashed(1) in [one.hash for one in updates.pending()]


# Watching


def watching(*owing: Any, **changes: Any) -> LiquidationWatch:
    keeper = kept(changes.pop("of", None) or everything_told(eth=3100), (USER,))
    for one in owing:
        keeper.want(one.user)
    keeper.take_positions(owing, hashed(1))
    settings: dict[str, Any] = {
        "within": Decimal("0.1"),
        "least": Decimal(1),
        "block_time": 12,
        **changes,
    }
    return LiquidationWatch(keeper, Updates(SETTABLE), **settings)


def test_before_anything_is_known_nothing_is_found():
    watch = LiquidationWatch(LendingKeeper(POOL, (), 1), Updates({}), Decimal(0), Decimal(0), 12)
    assert watch.view() is None
    assert watch.everything() == []
    watch.advance(block(1))
    view = watch.view()
    assert view is not None
    assert (view.why, view.revision, view.near) == ("it has not been read", None, ())
    assert watch.with_update(Updates(SETTABLE)._known.get("") or _update()) == []


def _update(answer: int = 2900 * 10**8, hash_: str = "0xa") -> Any:
    updates = Updates(SETTABLE)
    updates.learn(market())
    return updates.take(report(answer, hash_))


def test_what_a_pending_report_makes_liquidatable_is_told_once_for_each_block():
    watch = watching()
    assert watch.everything() == []
    update = watch.updates.take(report(3000 * 10**8))
    assert update is not None
    (hit,) = watch.with_update(update)
    assert (hit.cause, hit.found.user, hit.prices) == ("0xa", USER, (3000 * 10**8, 10**8))
    assert hit.time == TIME + 24
    assert watch.everything() == []
    watch.advance(block(2))
    assert [one.cause for one in watch.everything()] == ["0xa"]
    watch.advance(block(3, transactions=("0xa",)))
    assert watch.everything() == []


def test_what_a_block_makes_liquidatable_is_told_once_while_it_stays_the_same():
    watch = watching()
    watch.everything()
    watch.advance(block(2, answered(3000 * 10**8)))
    (hit,) = watch.everything()
    assert (hit.cause, hit.update) == (hashed(2), None)
    watch.advance(block(3))
    assert watch.everything() == []
    watch.advance(block(4, answered(2990 * 10**8)))
    (again,) = watch.everything()
    assert again.cause == hashed(2)
    # A report that finds it open already is no cause of it.
    assert watch.with_update(_update(2900 * 10**8)) == []
    watch.advance(block(5, answered(3200 * 10**8)))
    assert watch.everything() == []
    watch.advance(block(6, answered(3000 * 10**8)))
    assert [one.cause for one in watch.everything()] == [hashed(6)]


def test_a_retracted_block_is_the_cause_of_nothing():
    watch = watching()
    watch.updates.learn(everything_told())
    watch.updates.take(report(3200 * 10**8))
    second = block(2, answered(3000 * 10**8), transactions=("0xa",))
    watch.advance(second)
    assert len(watch.everything()) == 1
    watch.undo(reorg(1, second))
    assert watch.everything() == []  # the price is in doubt
    assert [one.hash for one in watch.updates.pending()] == ["0xa"]
    watch.advance(block(2, answered(3000 * 10**8), branch=1, parent=hashed(1)))
    assert [one.cause for one in watch.everything()] == [hashed(2, 1)]


def test_the_life_of_a_report():
    watch = watching()
    watch.everything()
    update = watch.updates.take(report(3000 * 10**8))

    def live(life: Life) -> Any:
        return watch.live(PendingLife("0xa", life))

    assert live(Life.ANNOUNCED) is None
    assert live(Life.INCLUDED) is None
    assert watch.everything() == []
    assert live(Life.RETURNED) == update
    assert len(watch.everything()) == 1
    assert live(Life.REPLACED) is None
    assert live(Life.RETURNED) is None


def test_what_is_not_certain_is_not_told():
    watch = watching()
    watch.advance(block(2, answered(3000 * 10**8), borrowed(USER)))
    assert watch.everything() == []
    watch.keeper.take_positions([BORROWER], hashed(2))
    assert len(watch.everything()) == 1
    watch.keeper.take_positions([Unusable(USER, "gone")], hashed(2))
    assert watch.everything() == []
    strange = position({0: ETHER, 9: 1}, {1: 2450 * DOLLAR})
    watch.keeper.take_positions([strange], hashed(2))
    assert watch.everything() == []


def test_what_brings_too_little_is_not_told():
    watch = watching(least=Decimal(10**6), of=everything_told(eth=3000))
    assert watch.everything() == []
    view = watch.view()
    assert view is not None
    assert (view.liquidatable, view.within, len(view.near)) == (1, 1, 1)


def test_the_best_of_too_many_are_told(monkeypatch):
    users = [
        position({0: (n + 1) * ETHER}, {1: (n + 1) * 2450 * DOLLAR}, user=address(n))
        for n in range(900, 904)
    ]
    watch = watching(*users, of=everything_told(eth=3000))
    monkeypatch.setattr("trio_mev.chain.lending.watch.MOST_PER_CAUSE", 2)
    monkeypatch.setattr("trio_mev.chain.lending.watch.MOST_EXACT", 4)
    monkeypatch.setattr("trio_mev.chain.lending.watch.MOST_TOLD", 1)
    hits = watch.everything()
    assert len(hits) == 2
    assert hits[0].found.gain > hits[1].found.gain
    assert watch.left_out == {
        "too many at once": 1,
        "more than are told of one cause": 2,
    }
    assert len(watch._told) == 1


def test_a_view_says_how_near_they_are():
    near = position({0: ETHER}, {1: 2300 * DOLLAR}, user=OTHER)
    far = position({0: ETHER}, {1: 100 * DOLLAR}, user=address(0x42))
    gone = position({0: ETHER, 9: 1}, {1: 2450 * DOLLAR}, user=address(0x43))
    watch = watching(near, far, gone)
    watch.keeper.want(address(0x44))
    view = watch.view()
    assert view is not None
    assert [one.user for one in view.near] == [USER, OTHER]
    assert (view.liquidatable, view.within, view.users, view.waiting) == (0, 2, 5, 1)
    assert (view.version, view.revision, view.base_unit) == ("3.0", 1, 10**8)
    assert view.near[0].health_factor < view.near[1].health_factor


def test_who_is_let_through_by_the_screen_may_be_safe():
    just = position({0: 10**15 * 3063}, {1: 7351 * DOLLAR}, user=OTHER)
    watch = watching(just, of=everything_told(eth=3000))
    found = watch._exact(watch._current(), watch.keeper.head, {OTHER}, None)
    assert found == []
    brink = LiquidationWatch(watch.keeper, Updates({}), Decimal("0.0000001"), Decimal(1), 12)
    view = brink.view()
    assert view is not None
    assert [one.user for one in view.near] == [USER]


def test_other_terms_are_weighed_anew():
    watch = watching(of=everything_told(eth=3100))
    assert watch.everything() == []
    lower = everything_told(eth=3100, reserves={WETH: {"threshold": 7000}})
    watch.keeper.take_market(lower, hashed(1))
    assert len(watch.everything()) == 1


# Plans: what a node says wrongly, or not at all; the rest is in tests/devnet.


def answers_of(revision: int) -> dict[tuple[str, str], bytes]:
    """What contracts say, by address and selector."""
    reserve = words(8000 << 16 | 10_500 << 32 | 6 << 48 | 1 << 56, RAY, 0, RAY, 0, 0, TIME, 1)
    reserve += words(address(0x121), address(0x221), address(0x321), 0, 0, 0, 0)
    return {
        (POOL, loading.POOL_REVISION): word(revision),
        (POOL, loading.PROVIDER): word(PROVIDER),
        (POOL, loading.RESERVES_LIST): words(32, 1, USDC),
        (PROVIDER, loading.ORACLE): word(ORACLE),
        (PROVIDER, loading.CONFIGURATOR): word(CONFIGURATOR),
        (PROVIDER, loading.SENTINEL): word(0),
        (ORACLE, loading.BASE_CURRENCY): word(0),
        (ORACLE, loading.BASE_UNIT): word(10**8),
        (POOL, loading.RESERVE_DATA): reserve,
        (POOL, loading.GRACE): word(5),
        (POOL, loading.CATEGORY_DATA): words(32, 9000, 9300, 10_100, address(0x88), 160, 0),
        (POOL, loading.CATEGORY_TERMS): words(9000, 9300, 10_100),
        (POOL, loading.CATEGORY_MEMBERS): word(6),
        (ORACLE, loading.ASSET_PRICE): word(10**8),
        (ORACLE, loading.ASSET_SOURCE): word(ETH_FEED),
        (ETH_FEED, loading.AGGREGATOR): word(ETH_AGGREGATOR),
        (ETH_AGGREGATOR, loading.ANSWER): word(10**8),
        (ETH_AGGREGATOR, loading.TRANSMITTERS): words(32, 1, USER),
        (ETH_AGGREGATOR, loading.LEAST_ANSWER): word(1),
        (ETH_AGGREGATOR, loading.MOST_ANSWER): word(-1),
        (POOL, loading.USER_FLAGS): word(0b1100),
        (POOL, loading.USER_CATEGORY): word(1),
        (address(0x121), loading.SCALED_BALANCE): word(7),
        (address(0x321), loading.SCALED_BALANCE): word(3),
        (address(0x221), loading.STABLE_PRINCIPAL): word(2),
        (address(0x221), loading.STABLE_RATE): word(9),
        (address(0x221), loading.STABLE_UPDATED): word(8),
    }


def carried_out(plan: Any, told: Mapping[tuple[str, str], bytes | None]) -> Any:
    try:
        calls = next(plan)
        while True:
            calls = plan.send([told.get((one.to, one.data[:4].hex())) for one in calls])
    except StopIteration as done:
        return done.value


def loaded(change: Mapping[tuple[str, str], bytes | None], revision: int = 10, **more: Any) -> Any:
    return carried_out(loading.load_market(POOL, {1}, **more), {**answers_of(revision), **change})


def test_a_pool_is_read_with_its_modes_and_feeds():
    new, old = loaded({}), loaded({}, 1)
    assert new.reserves[USDC].grace_until == 5
    assert new.categories == {1: Category(9300, 10_100, 6)}
    assert new.feeds == {USDC: Feed(ETH_FEED, ETH_AGGREGATOR, (USER,), 1, -1)}
    assert old.reserves[USDC].stable_token == address(0x221)
    assert old.categories == {1: Category(9300, 10_100, 0, address(0x88))}
    assert set(old.prices) == {USDC, address(0x88)}
    plain = loaded({(POOL, loading.CATEGORY_DATA): words(32, 1, 2, 3, 0)}, 1)
    assert plain.categories[1].price_source is None


def test_a_first_generation_aggregator_has_its_own_list_and_an_adapter_none():
    second = {(ETH_AGGREGATOR, loading.TRANSMITTERS): None}
    first = {(ETH_AGGREGATOR, loading.FIRST_TRANSMITTERS): words(32, 1, OTHER)}
    assert loaded({**second, **first}).feeds[USDC].transmitters == (OTHER,)
    assert loaded(second).feeds[USDC].transmitters == ()
    other = {(ETH_AGGREGATOR, loading.ANSWER): word(5)}
    assert loaded(other).feeds[USDC] == Feed(ETH_FEED, None)
    adapter: dict[Any, Any] = {(ETH_FEED, loading.AGGREGATOR): None}
    assert loaded(adapter).feeds[USDC] == Feed(ETH_FEED, None)
    own = {**adapter, (ETH_FEED, loading.ANSWER): word(10**8)}
    assert loaded(own, named=frozenset({ETH_FEED})).feeds[USDC].aggregator == ETH_FEED
    assert loaded({(ORACLE, loading.ASSET_SOURCE): word(0)}).feeds == {}
    none: dict[Any, Any] = {(ORACLE, loading.ASSET_PRICE): None}
    assert loaded(none).prices == {}
    mute: dict[Any, Any] = {
        (ETH_AGGREGATOR, one): None for one in (loading.LEAST_ANSWER, loading.MOST_ANSWER)
    }
    assert loaded(mute).feeds[USDC].least is None


@pytest.mark.parametrize(
    ("call", "answer", "reason"),
    [
        ((POOL, loading.POOL_REVISION), None, "it does not answer as a pool of Aave V3"),
        ((POOL, loading.PROVIDER), word(0), "it does not answer as a pool of Aave V3"),
        ((POOL, loading.RESERVES_LIST), words(32, 129), "it does not answer as a pool of Aave V3"),
        ((POOL, loading.RESERVES_LIST), word(32), "it does not answer as a pool of Aave V3"),
        ((POOL, loading.RESERVES_LIST), words(32, 2, 1), "it does not answer as a pool of Aave V3"),
        ((POOL, loading.POOL_REVISION), word(6), "the rules of its revision 6 are not known"),
        ((PROVIDER, loading.ORACLE), None, "its provider names no oracle or no configurator"),
        ((ORACLE, loading.BASE_UNIT), word(0), "its oracle does not tell its currency"),
        ((ORACLE, loading.BASE_CURRENCY), None, "its oracle does not tell its currency"),
        ((POOL, loading.RESERVE_DATA), word(1), "a reserve does not answer"),
        ((POOL, loading.GRACE), None, "a reserve does not answer"),
    ],
)
def test_a_pool_that_does_not_answer_as_one_says_why(call, answer, reason):
    assert loaded({call: answer}) == Unusable(POOL, reason)


@pytest.mark.parametrize("revision", [1, 10])
def test_a_mode_that_does_not_answer_is_left_out(revision: int):
    mute: dict[Any, Any] = {
        (POOL, one): None for one in (loading.CATEGORY_DATA, loading.CATEGORY_MEMBERS)
    }
    assert loaded(mute, revision).categories == {}


def read_user(change: Mapping[tuple[str, str], bytes | None], revision: int = 1) -> Any:
    of = loaded({}, revision)
    told = {**answers_of(revision), **change}
    (found,) = carried_out(loading.load_positions(of, [USER]), told)
    return found


def test_a_user_is_read_with_all_kinds_of_debt():
    found = read_user({})
    assert (found.supplied, found.borrowed, found.category) == ({1: 7}, {1: 3}, 1)
    assert found.stable == {1: Stable(2, 9, 8)}
    assert read_user({}, 10).stable == {}
    assert read_user({(address(0x221), loading.STABLE_PRINCIPAL): word(0)}).stable == {}
    strange = read_user({(POOL, loading.USER_FLAGS): word(0b11 << 8)})
    assert (strange.supplied, strange.collaterals) == ({}, (4,))


def test_a_user_of_whom_something_is_not_told_is_not_used():
    flags = read_user({(POOL, loading.USER_FLAGS): None})
    assert flags == Unusable(USER, "the pool does not tell its flags")
    balance = read_user({(address(0x121), loading.SCALED_BALANCE): None})
    assert balance == Unusable(USER, "a token does not tell its balance")


def test_selectors_and_topics_are_hashes_of_their_signatures():
    methods = {
        "POOL_REVISION": "POOL_REVISION()",
        "PROVIDER": "ADDRESSES_PROVIDER()",
        "RESERVES_LIST": "getReservesList()",
        "RESERVE_DATA": "getReserveData(address)",
        "GRACE": "getLiquidationGracePeriod(address)",
        "CATEGORY_DATA": "getEModeCategoryData(uint8)",
        "CATEGORY_TERMS": "getEModeCategoryCollateralConfig(uint8)",
        "CATEGORY_MEMBERS": "getEModeCategoryCollateralBitmap(uint8)",
        "USER_FLAGS": "getUserConfiguration(address)",
        "USER_CATEGORY": "getUserEMode(address)",
        "ORACLE": "getPriceOracle()",
        "CONFIGURATOR": "getPoolConfigurator()",
        "SENTINEL": "getPriceOracleSentinel()",
        "BASE_CURRENCY": "BASE_CURRENCY()",
        "BASE_UNIT": "BASE_CURRENCY_UNIT()",
        "ASSET_SOURCE": "getSourceOfAsset(address)",
        "ASSET_PRICE": "getAssetPrice(address)",
        "SCALED_BALANCE": "scaledBalanceOf(address)",
        "STABLE_PRINCIPAL": "principalBalanceOf(address)",
        "STABLE_RATE": "getUserStableRate(address)",
        "STABLE_UPDATED": "getUserLastUpdated(address)",
        "AGGREGATOR": "aggregator()",
        "ANSWER": "latestAnswer()",
        "TRANSMITTERS": "getTransmitters()",
        "FIRST_TRANSMITTERS": "transmitters()",
        "LEAST_ANSWER": "minAnswer()",
        "MOST_ANSWER": "maxAnswer()",
    }
    for name, signature in methods.items():
        assert getattr(loading, name) == keccak(signature.encode()).hex()[:8], name
    for hash_, text in aave.CONFIGURATION_EVENTS.items():
        assert hash_ == "0x" + keccak(text.replace("*", "").encode()).hex()
    for selector, text in chainlink.SETTABLE_METHODS.items():
        assert selector == "0x" + keccak(text.encode()).hex()[:8]
