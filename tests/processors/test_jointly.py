"""Several pending swaps in one pool: the sandwich about all of them, when it is told and when it
is over."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.processors.conftest import event_of
from tests.processors.test_sandwich_detector import (
    DAI,
    ETHERS,
    FACTS,
    FACTS_DAI,
    FLAT,
    NEWER,
    NEWER_OUT,
    OUT,
    ROUTER,
    UNIVERSAL,
    USDC,
    call,
    entry,
    plan,
    sale,
    transaction,
    view_of,
)
from tests.support.encoding import address, arguments
from trio_mev.chain.effects.pending import PendingBook, PendingEffect
from trio_mev.chain.pools.view import PoolsView
from trio_mev.chain.routes.several import play_all
from trio_mev.chain.routes.victim import Victim
from trio_mev.model.chain import Life, PendingLife
from trio_mev.model.event import DataType
from trio_mev.model.intents import WETH
from trio_mev.model.opportunity import Exposure, Kind, Opportunity, Status
from trio_mev.processors import jointly, sandwich
from trio_mev.processors.sandwich import SandwichDetector
from trio_mev.wire.findings import opportunity_line

SOLD = 2 * ETHERS
"""At this neither swap alone moves the price enough for both fees."""
FAR = 2**40
ME = address(0x3E)


def limit(sold: int = SOLD, room: int = 300) -> int:
    return FACTS.swap(1, 0, sold).amount_out * (10_000 - room) // 10_000


def pending(view: PoolsView, number: int, data: bytes | None = None, to: str = ROUTER) -> Any:
    body = transaction(to, data or sale(SOLD, limit()), number)
    found = PendingBook(10).add(body, view)
    assert found is not None
    return found


class Pool:
    """A detector, and what it tells."""

    def __init__(self, feed: Any, view: PoolsView) -> None:
        self.detector, self.feed, self.view = SandwichDetector(), feed, view

    async def go_to(self, view: PoolsView) -> list[Opportunity]:
        self.view = view
        return await self.give(DataType.POOLS, view)

    async def give(self, kind: DataType, data: Any) -> list[Opportunity]:
        return [one.data for one in await self.feed(self.detector, event_of(kind, data))]

    async def swap(self, number: int, *more: Any) -> list[Opportunity]:
        return await self.give(DataType.EFFECT, pending(self.view, number, *more))

    async def live(self, effect: PendingEffect, life: Life) -> list[Opportunity]:
        return await self.give(DataType.MEMPOOL, PendingLife(effect.transaction.hash, life))


@pytest.fixture
async def pool(feed: Any) -> Pool:
    found = Pool(feed, view_of(entry(1, USDC, WETH, FACTS)))
    assert await found.go_to(found.view) == []
    return found


async def test_two_that_leave_nothing_alone_leave_something_together(pool: Pool):
    assert await pool.swap(1) == []
    (one,) = await pool.swap(2)
    assert (one.kind, one.status, len(one.victims)) == (Kind.SANDWICH, Status.PREDICTED, 2)
    assert one.cause == one.victims[0]
    detail = one.detail
    assert isinstance(detail, Exposure)
    victims = [Victim(1, 0, SOLD, limit())] * 2
    played = play_all(FACTS, victims, detail.attacker_in)
    assert played is not None
    assert one.gross == {WETH: played.profit} == {WETH: detail.attacker_profit}
    alone = FACTS.swap(1, 0, SOLD).amount_out
    (other,) = detail.others
    losses = [alone - got for _, got in played.victims]
    assert [detail.loss, other.loss] == losses
    assert [detail.limit, other.limit] == [limit()] * 2
    assert detail.victim.transaction == one.victims[0]
    assert other.swap.transaction == one.victims[1]
    assert detail.limit_that_prevents is None
    (line,) = opportunity_line(event_of(DataType.FINDING, one), one)["detail"]["others"]
    assert (line["loss"], line["limit"]) == (str(other.loss), str(limit()))


async def test_they_come_in_the_order_of_a_builder(pool: Pool):
    body = transaction(ROUTER, sale(SOLD, limit()), 9)
    better = replace(body, gas_price=(body.gas_price or 0) + 5)
    found = PendingBook(10).add(better, pool.view)
    await pool.swap(1)
    (one,) = await pool.give(DataType.EFFECT, found)
    assert one.victims[0] == better.hash


async def test_a_third_one_is_told_with_the_others_and_the_same_is_not_told_twice(pool: Pool):
    await pool.swap(1)
    (two,) = await pool.swap(2)
    assert await pool.swap(2) == []
    (three,) = await pool.swap(3)
    assert three.id == two.id
    assert len(three.victims) == 3
    assert sum((three.gross or {}).values()) > sum((two.gross or {}).values())


async def test_who_leaves_no_room_is_left_out(pool: Pool):
    await pool.swap(1)
    await pool.swap(2)
    tight = sale(SOLD, limit(room=1))
    assert await pool.swap(3, tight) == []  # told already, and nothing is otherwise


@pytest.mark.parametrize("life", [Life.REPLACED, Life.DROPPED, Life.EXPIRED])
async def test_it_is_over_with_any_of_them(pool: Pool, life: Life):
    await pool.swap(1)
    (told,) = await pool.swap(2)
    (over,) = await pool.live(pending(pool.view, 2), life)
    assert (over.id, over.status) == (told.id, Status.SUPERSEDED)
    assert await pool.live(pending(pool.view, 1), life) == []
    assert await pool.swap(3) == []


async def test_what_is_in_a_block_is_judged_by_it(pool: Pool):
    await pool.swap(1)
    await pool.swap(2)
    assert await pool.live(pending(pool.view, 2), Life.INCLUDED) == []
    assert await pool.live(pending(pool.view, 1), Life.ANNOUNCED) == []


async def test_on_the_next_head_it_is_told_when_all_are_there_again(pool: Pool):
    await pool.swap(1)
    (told,) = await pool.swap(2)
    thin = view_of(entry(1, USDC, WETH, type(FACTS)(FACTS.reserve0 // 2, FACTS.reserve1 // 2)))
    deep = view_of(entry(1, USDC, WETH, FACTS), number=8)
    assert await pool.go_to(thin) == []
    assert await pool.go_to(deep) == []
    assert await pool.swap(1) == []
    assert await pool.swap(3) == []  # the second one may still come
    (again,) = await pool.swap(2)
    assert (again.id, again.block, len(again.victims)) == (told.id, 8, 3)


async def test_it_is_over_where_nothing_is_left_of_it(pool: Pool):
    await pool.swap(1)
    (told,) = await pool.swap(2)
    far = view_of(entry(1, USDC, WETH, type(FACTS)(FACTS.reserve0, FACTS.reserve1 * 9 // 10)))
    await pool.go_to(far)
    await pool.swap(1)
    changed = await pool.swap(2)
    assert [(one.id, one.status) for one in changed] == [(told.id, Status.PREDICTED)]
    deep = type(FACTS)(FACTS.reserve0 * 1000, FACTS.reserve1 * 1000)
    await pool.go_to(view_of(entry(1, USDC, WETH, deep)))
    await pool.swap(1)
    (over,) = await pool.swap(2)
    assert (over.id, over.status) == (told.id, Status.SUPERSEDED)


async def test_about_one_it_is_told_of_that_one_only_where_that_brings_more(pool: Pool):
    big = sale(60 * ETHERS, limit(60 * ETHERS, 500))
    (alone,) = await pool.swap(1, big)
    assert len(alone.victims) == 1
    found = await pool.swap(2, sale(SOLD, 0))
    joint = [one for one in found if len(one.victims) > 1]
    for one in joint:
        assert sum((one.gross or {}).values()) > sum((alone.gross or {}).values())


async def test_exact_outputs_may_be_among_them(feed: Any):
    view = view_of(entry(2, DAI, WETH, FACTS_DAI))
    found = Pool(feed, view)
    await found.go_to(view)
    asked = FACTS_DAI.swap(1, 0, SOLD).amount_out
    most = SOLD * 105 // 100
    first = call(OUT, asked, most, (WETH, DAI), ME, FAR)
    second = call(NEWER_OUT, asked, most, (WETH, DAI), ME)
    assert await found.swap(1, first) == []
    (one,) = await found.swap(2, second, NEWER)
    detail = one.detail
    assert isinstance(detail, Exposure)
    assert detail.loss > 0
    assert detail.others[0].loss > 0


async def test_nothing_is_told_where_nobody_knows_what_gas_costs(feed: Any):
    view = view_of(entry(1, USDC, WETH, FACTS), fee=None)
    found = Pool(feed, view)
    await found.go_to(view)
    await found.swap(1)
    assert await found.swap(2) == []


async def test_what_would_take_too_long_is_counted(pool: Pool, monkeypatch):
    monkeypatch.setattr(jointly, "MOST_EFFORT", 20)
    await pool.swap(1)
    assert await pool.swap(2) == []
    assert pool.detector.together.unknown == 1


async def test_only_so_many_are_remembered(pool: Pool, monkeypatch):
    monkeypatch.setattr(jointly, "MOST_KEPT", 2)
    monkeypatch.setattr(jointly, "MOST_TOGETHER", 2)
    for number in range(1, 5):
        await pool.swap(number)
    causes = pool.detector.together.causes((address(1), WETH))
    assert len(list(causes)) == 2


async def test_told_is_only_what_the_whole_transactions_bear_out(feed: Any):
    """Each has a second swap, elsewhere, that the other one's leaves nothing of."""
    view = view_of(entry(1, USDC, WETH, FACTS), entry(2, DAI, WETH, FACTS_DAI))
    found = Pool(feed, view)
    await found.go_to(view)
    exact = FACTS_DAI.swap(1, 0, SOLD).amount_out
    steps = (
        (8, arguments(FLAT, address(1), SOLD, limit(), (WETH, USDC), True)),
        (8, arguments(FLAT, address(2), SOLD, exact, (WETH, DAI), True)),
    )
    await found.swap(1, plan(*steps), UNIVERSAL)
    assert await found.swap(2, plan(*steps), UNIVERSAL) == []
    assert found.detector.together.unknown > 0


async def test_only_so_many_of_what_is_told_are_remembered(pool: Pool, monkeypatch):
    """What is forgotten is told again as new."""
    monkeypatch.setattr(sandwich, "MOST_CAUSES", 0)
    big = sale(60 * ETHERS, limit(60 * ETHERS, 500))
    (told,) = await pool.swap(1, big)
    (again,) = await pool.swap(1, big)
    assert told == again
    await pool.live(pending(pool.view, 1), Life.DROPPED)
    await pool.swap(2)
    (two,) = await pool.swap(3)
    assert await pool.swap(3) == [two]
