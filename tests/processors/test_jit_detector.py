"""JitDetector: liquidity about a pending swap, from its first sight to its end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from tests.processors.conftest import event_of
from tests.support.encoding import address, call
from tests.support.stays import (
    GWEI,
    NEVER,
    OTHER,
    OWNER,
    POOL,
    ROUTER,
    TRADER,
    USDC,
    act,
    deep,
    leave,
    leave_call,
    mint,
    mint_call,
    pool_of,
    several,
    swap,
    view_of,
)
from tests.support.stays import SWAP as SWAPPING
from tests.support.stays import body as body_of
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.contracts.uniswap_v3 import FACTORY, POSITION_MANAGER
from trio_mev.chain.effects import Terms
from trio_mev.chain.effects.pending import PendingBook
from trio_mev.chain.effects.stays import Stay, stays
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.chain import Block, Life, PendingLife, Transaction
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument
from trio_mev.model.intents import ETHER, WETH, OracleUpdate
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.opportunity import Grounds, JustInTime, Kind, Liquidity, Opportunity, Status
from trio_mev.processors import jit
from trio_mev.processors.jit import JitDetector
from trio_mev.processors.stays import ADDING, REMOVING, UNSEEN

UNISWAP_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
VIEW = view_of()
PAIR = Pool(OTHER, Protocol.UNISWAP_V2, (USDC, WETH), (6, 18), UNISWAP_FACTORY)
UNKNOWN = Pool(
    POOL, Protocol.UNISWAP_V3, (address(0x10), address(0x20)), (18, 18), FACTORY, 3000, 60
)
"""Of two tokens that no pool has with ether."""


def first(*bodies: Transaction) -> Stay:
    """The first position that comes."""
    return stays([act(body) for body in bodies], VIEW, Terms())[0]


LIQUIDITY = first(mint(1)).liquidity


@attrs.define
class Feed:
    """Events for a detector, one at a time; what comes of each."""

    detector: JitDetector = attrs.Factory(JitDetector)
    book: PendingBook = attrs.Factory(lambda: PendingBook(100))
    view: PoolsView = VIEW
    now: float = 0.0
    priorities: list[EventPriority] = attrs.Factory(list)

    async def give(self, kind: DataType, data: Any) -> list[Opportunity]:
        self.now += 1
        found = list(await self.detector.process_event(event_of(kind, data, self.now)))
        assert all(one.event_type in self.detector.emits for one in found)
        self.priorities = [one.priority for one in found]
        return [one.data for one in found]

    async def head(self, view: PoolsView) -> list[Opportunity]:
        self.view = view
        return await self.give(DataType.POOLS, view)

    async def see(self, *bodies: Transaction) -> list[Opportunity]:
        """Pending transactions, each with its effect where it swaps."""
        found = []
        for body in bodies:
            found += await self.give(DataType.TRANSACTION, body)
            effect = self.book.add(body, self.view)
            if effect is not None:
                found += await self.give(DataType.EFFECT, effect)
        return found

    async def again(self) -> list[Opportunity]:
        """The tracker's word of what is still pending on this head."""
        found = []
        for effect in self.book.look(self.view):
            found += await self.give(DataType.EFFECT, effect)
        return found

    async def life(self, body: Transaction, life: Life) -> list[Opportunity]:
        return await self.give(DataType.MEMPOOL, PendingLife(body.hash, life))

    async def block(self, *bodies: Transaction, number: int = 8) -> list[Opportunity]:
        for body in bodies:
            self.book.include(body.hash)
        name, parent = (f"0x{n:064x}" for n in (number, number - 1))
        hashes = tuple(body.hash for body in bodies)
        given = Block(number, name, parent, 0, 0, 0, transactions=hashes, complete=True)
        return await self.give(DataType.BLOCK, given)


@pytest.fixture
async def feed() -> Feed:
    found = Feed()
    assert await found.head(VIEW) == []
    return found


SWAP, MINT, LEAVE = swap(2), mint(1), leave(3, LIQUIDITY)


async def test_a_swap_with_liquidity_about_it_is_told_in_full(feed: Feed):
    assert await feed.see(SWAP, MINT) == []
    (found,) = await feed.see(LEAVE)
    stay = first(MINT, SWAP, LEAVE)
    assert (found.kind, found.status, found.grounds) == (
        Kind.JIT,
        Status.PREDICTED,
        Grounds.ARITHMETIC,
    )
    assert found.id == f"jit:{SWAP.hash}:{MINT.hash}:-60:60"
    assert (found.cause, found.victims) == (SWAP.hash, (SWAP.hash,))
    assert found.transactions == (MINT.hash, LEAVE.hash)
    assert (found.pools, found.searcher, found.confidence) == ((POOL,), OWNER, 1.0)
    assert (found.block, found.expires_block) == (7, 8)
    detail = found.detail
    assert isinstance(detail, JustInTime)
    ends = POOL, POSITION_MANAGER, -60, 60, LIQUIDITY
    assert detail.mint == Liquidity(*ends, *stay.added, transaction=MINT.hash)
    assert detail.burn == Liquidity(*ends, *stay.taken, transaction=LEAVE.hash)
    (crossing,) = detail.swaps
    assert (crossing.transaction, crossing.protocol) == (SWAP.hash, "uniswap_v3")
    assert (crossing.token_in, crossing.amount_in) == (USDC, 10**17)
    assert (crossing.token_out, crossing.sender) == (WETH, SWAP.to)
    assert found.gross == stay.gross
    # Base fee and tips of both.
    assert found.gas_wei == ADDING * 14 * GWEI + REMOVING * 11 * GWEI
    assert found.net == {**stay.gross, ETHER: -found.gas_wei}
    assert found.usd is None
    assert feed.priorities == [EventPriority.HIGH]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (2, 0, 1), (1, 2, 0)])
async def test_in_whatever_order_they_come_it_is_told_once(feed: Feed, order):
    bodies = SWAP, MINT, LEAVE
    found = await feed.see(*(bodies[place] for place in order))
    assert [one.transactions for one in found] == [(MINT.hash, LEAVE.hash)]


async def test_what_came_before_the_pools_did_is_told_with_them():
    feed = Feed()
    for body in (MINT, LEAVE):
        assert await feed.give(DataType.TRANSACTION, body) == []
    effect = feed.book.add(SWAP, VIEW)
    assert await feed.give(DataType.EFFECT, effect) == []
    assert len(await feed.head(VIEW)) == 1


@pytest.mark.parametrize(
    "others",
    [
        (SWAP,),
        (MINT, LEAVE),
        (SWAP, mint(1, tip=1), LEAVE),
        (SWAP, MINT, leave(3, LIQUIDITY, tip=3)),
        (swap(2, sender=OWNER, nonce=2), MINT, LEAVE),
        (SWAP, MINT, leave(3, LIQUIDITY + 1)),
        (SWAP, mint(1, ends=(600, 660)), LEAVE),
        (SWAP, mint(1, fee=500), LEAVE),
        (SWAP, mint(1, max_fee=9 * GWEI), LEAVE),
        (swap(2, least=2**100), MINT, LEAVE),
    ],
    ids=[
        "no liquidity",
        "no swap",
        "after the swap",
        "gone before the swap",
        "its own swap",
        "another position",
        "beside the price",
        "in another pool",
        "not in the next block",
        "a swap that reverts",
    ],
)
async def test_of_ordinary_swaps_and_liquidity_nothing_is_told(feed: Feed, others):
    assert await feed.see(*others) == []


async def test_other_calls_and_other_effects_are_no_concern(feed: Feed):
    assert await feed.see(several(5, b"\x00" * 4)) == []
    feed.view = view_of(Entry(PAIR, ProductPool(10**20, 10**20)))
    method = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    data = call(method, 10**17, 0, [USDC, WETH], TRADER, NEVER)
    assert await feed.see(body_of(6, data, UNISWAP_ROUTER, TRADER, 2)) == []
    assert len(feed.book) == 1
    assert len(feed.detector.book) == 0


RICH = view_of(
    Entry(pool_of(), deep()), Entry(pool_of(OTHER, 100), deep(fee=100)), base_fee=GWEI // 1000
)
LARGE = swap(2, amount=10**18)
WIDE = mint(1, ends=(-6000, 6000), desired=(10**21, 10**21))


async def test_liquidity_whose_leave_is_not_seen_is_told_where_the_swap_pays_for_it(feed: Feed):
    await feed.head(RICH)
    (found,) = await feed.see(LARGE, WIDE)
    assert (found.grounds, found.confidence) == (Grounds.HEURISTIC, UNSEEN)
    assert found.transactions == (WIDE.hash,)
    detail = found.detail
    assert isinstance(detail, JustInTime)
    assert detail.burn.transaction is None
    assert found.gas_wei is not None
    assert found.gas_wei > ADDING * 4 * GWEI
    size = detail.mint.liquidity
    assert size is not None
    (more,) = await feed.see(leave(3, size))
    assert (more.id, more.gross) == (found.id, found.gross)
    assert (more.grounds, more.confidence) == (Grounds.ARITHMETIC, 1.0)


async def test_but_not_where_it_was_there_before_the_swap(feed: Feed):
    await feed.head(RICH)
    assert await feed.see(WIDE, LARGE) == []


async def test_nor_where_it_costs_more_than_it_pays(feed: Feed):
    assert await feed.see(LARGE, WIDE) == []


async def test_nor_where_nobody_knows_what_it_pays(feed: Feed):
    await feed.head(view_of(Entry(UNKNOWN, deep()), base_fee=0))
    added = mint(1, ends=(-6000, 6000), desired=(10**21, 10**21), tokens=UNKNOWN.tokens)
    assert await feed.see(at_unknown(10**18), added) == []


async def test_where_the_call_of_the_swap_is_not_wholly_known_it_is_a_guess(feed: Feed):
    effect = feed.book.add(SWAP, VIEW)
    assert effect is not None
    more = attrs.evolve(effect, intents=(*effect.intents, OracleUpdate(OTHER, 1, 1)))
    await feed.give(DataType.EFFECT, more)
    (found,) = await feed.see(MINT, LEAVE)
    assert (found.grounds, found.confidence) == (Grounds.HEURISTIC, 1.0)


async def test_the_cause_is_the_swap_that_pays_most_and_all_are_victims(feed: Feed):
    small, other = swap(4, amount=10**12, sender="0x1"), swap(5, amount=10**18, sender="0x2")
    (found, *_) = (await feed.see(small, SWAP, other, MINT, LEAVE))[-1:]
    assert found.cause == other.hash
    assert set(found.victims) == {small.hash, SWAP.hash, other.hash}


async def test_swaps_that_come_before_it_are_counted_in(feed: Feed):
    ahead = swap(9, amount=10**18, tip=9, sender="0x9")
    await feed.see(SWAP, ahead, MINT)
    stay = first(ahead, MINT)
    assert stay.liquidity != LIQUIDITY
    (found,) = await feed.see(leave(3, stay.liquidity))
    detail = found.detail
    assert isinstance(detail, JustInTime)
    assert (detail.mint.amount0, detail.mint.amount1) == stay.added
    assert found.victims == (SWAP.hash,)


async def test_several_positions_of_one_call_are_told_each(feed: Feed):
    both = several(1, mint_call(), mint_call(ends=(-120, 120)))
    one, two = stays([act(both)], VIEW, Terms())
    gone = several(3, leave_call(one.liquidity), leave_call(two.liquidity), tip=1)
    found = await feed.see(SWAP, both, gone)
    assert {one.id for one in found} == {
        f"jit:{SWAP.hash}:{both.hash}:{ends}" for ends in ("-60:60", "-120:120")
    }


@pytest.mark.parametrize("life", [Life.REPLACED, Life.DROPPED, Life.EXPIRED])
@pytest.mark.parametrize("body", [SWAP, MINT, LEAVE], ids=["swap", "mint", "leave"])
async def test_what_will_not_come_supersedes_it(feed: Feed, life: Life, body: Transaction):
    (found,) = await feed.see(SWAP, MINT, LEAVE)
    (gone,) = await feed.life(body, life)
    assert gone == attrs.evolve(found, status=Status.SUPERSEDED)
    assert feed.priorities == [EventPriority.HIGH]
    assert await feed.life(body, life) == []


async def test_other_lives_are_no_concern(feed: Feed):
    assert len(await feed.see(SWAP, MINT, LEAVE)) == 1
    assert await feed.life(swap(77), Life.DROPPED) == []
    assert await feed.life(MINT, Life.ANNOUNCED) == []


@pytest.mark.parametrize("by_block", [True, False])
async def test_what_its_block_has_is_the_block_s_to_judge(feed: Feed, by_block: bool):
    assert len(await feed.see(SWAP, MINT, LEAVE)) == 1
    if by_block:
        assert await feed.block(SWAP, MINT, LEAVE) == []
    else:
        for body in (MINT, SWAP, LEAVE):
            feed.book.include(body.hash)
            assert await feed.life(body, Life.INCLUDED) == []
    assert await feed.head(view_of(number=8)) == []
    assert await feed.again() == []


async def test_without_hashes_a_block_settles_nothing(feed: Feed):
    assert len(await feed.see(SWAP, MINT, LEAVE)) == 1
    empty = Block(8, "0x8", "0x7", 0, 0, 0)
    assert await feed.give(DataType.BLOCK, empty) == []
    assert await feed.head(view_of(number=8)) == []


async def test_liquidity_that_came_without_its_swap_is_judged_by_its_block(feed: Feed):
    """And is not told of any more: nobody adds it."""
    await feed.see(SWAP, MINT, LEAVE)
    await feed.block(MINT)
    assert await feed.head(view_of(number=8)) == []


async def test_on_another_head_it_is_told_again_where_amounts_are_others(feed: Feed):
    (found,) = await feed.see(SWAP, MINT, LEAVE)
    assert await feed.head(view_of(number=8)) == []
    moved = deep().swap(0, 1, 10**6).after
    same_price = view_of(Entry(pool_of(), deep().with_liquidity(-6000, 6000, 10**20)), number=9)
    (again,) = await feed.head(same_price)
    assert (again.id, again.status) == (found.id, Status.PREDICTED)
    assert again.gross != found.gross
    assert again.block == 9
    (gone,) = await feed.head(view_of(Entry(pool_of(), moved), number=10))
    assert gone.status is Status.SUPERSEDED  # what is taken out is not what now comes in
    (back,) = await feed.head(view_of(number=11))
    assert back.id == found.id


async def test_what_a_retracted_block_had_is_pending_again(feed: Feed):
    assert len(await feed.see(SWAP, MINT, LEAVE)) == 1
    await feed.block(SWAP, MINT, LEAVE)
    assert await feed.head(view_of(number=8)) == []
    for body in (SWAP, MINT, LEAVE):
        feed.book.restore(body.hash)
        assert await feed.life(body, Life.RETURNED) == []
    (found,) = await feed.head(view_of(number=9))
    assert found.block == 9


async def test_of_one_swap_only_so_many_are_told_on_one_head(feed: Feed, monkeypatch):
    monkeypatch.setattr(jit, "MOST_TOLD", 2)
    owners = [f"0x{number:040x}" for number in range(1, 5)]
    bodies = [
        mint(10 + place, sender=who, owner=who, tip=9 - place) for place, who in enumerate(owners)
    ]
    await feed.see(SWAP, *bodies)
    coming = stays([act(one) for one in bodies], VIEW, Terms())
    gone = [
        leave(20 + place, stay.liquidity, sender=who)
        for place, (stay, who) in enumerate(zip(coming, owners, strict=True))
    ]
    told = {one.id for one in await feed.see(*gone)}
    assert len(told) == 2
    later = {one.id for one in await feed.head(view_of(number=8))}
    assert len(later) == 2
    assert not told & later


async def test_what_was_told_is_taken_back_however_much_was_told(feed: Feed, monkeypatch):
    monkeypatch.setattr(jit, "MOST_TOLD", 1)
    (found,) = await feed.see(SWAP, MINT, LEAVE)
    assert await feed.see(swap(9, sender="0x9", amount=10**6)) == []
    (gone,) = await feed.life(MINT, Life.DROPPED)
    assert gone == attrs.evolve(found, status=Status.SUPERSEDED)


async def test_between_two_heads_only_so_much_is_followed(feed: Feed, monkeypatch):
    monkeypatch.setattr(jit, "MOST_FOLLOWED", 5)
    assert await feed.see(SWAP, MINT, LEAVE, swap(9, sender="0x9", amount=5)) != []
    assert feed.detector.put_off == 1
    assert await feed.life(SWAP, Life.DROPPED) == []
    assert feed.detector.put_off == 2
    (gone,) = await feed.head(view_of(number=8))
    assert gone.status is Status.SUPERSEDED


async def test_in_dollars_where_ether_has_a_price(feed: Feed):
    eth = Instrument("ETH", "USD")
    price = Price(eth, Decimal(3000), Decimal(1), PriceStatus.OK, ())
    assert await feed.give(DataType.PRICE, price) == []
    (found,) = await feed.see(SWAP, MINT, LEAVE)
    assert found.usd is not None
    assert found.usd < 0  # its gas costs more than one small swap pays


def at_unknown(amount: int) -> Transaction:
    given = (*UNKNOWN.tokens, 3000, TRADER, NEVER, amount, 0, 0)
    return body_of(2, call(SWAPPING, given), ROUTER, TRADER, 2)


async def test_where_no_pool_tells_what_a_token_is_worth_there_are_no_dollars(feed: Feed):
    await feed.head(view_of(Entry(UNKNOWN, deep())))
    assert await feed.see(at_unknown(10**17), mint(1, tokens=UNKNOWN.tokens)) == []
    (found,) = await feed.see(LEAVE)
    assert found.usd is None
    assert found.gas_wei


def test_only_the_chain_that_is_followed_counts():
    detector = JitDetector(sources=frozenset({"feed"}))
    other = msgspec.structs.replace(event_of(DataType.TRANSACTION, None), source="another")
    assert detector.admits(event_of(DataType.TRANSACTION, None))
    assert not detector.admits(other)
    assert detector.admits(msgspec.structs.replace(other, event_type=DataType.EFFECT))
    assert JitDetector().admits(other)


async def test_of_one_event_only_so_much_is_followed_and_the_next_goes_on(feed: Feed, monkeypatch):
    def both(depth: int, number: int) -> PoolsView:
        pools = pool_of(), pool_of(OTHER, 500, tick_spacing=10)
        states = [deep().with_liquidity(-6000, 6000, depth) for _ in pools]
        return view_of(*map(Entry, pools, states), number=number)

    await feed.head(both(1, 7))
    who = address(0xE)
    come, go = mint(4, fee=500, owner=who, sender=who), leave(6, LIQUIDITY, sender=who)
    again = swap(5, sender=address(0xD), fee=500), come, go
    (one,) = await feed.see(SWAP, MINT, LEAVE)
    (two,) = await feed.see(*again)
    monkeypatch.setattr(jit, "MOST_AT_ONCE", 1)
    (told,) = await feed.head(both(10**20, 8))
    (later,) = await feed.life(swap(9), Life.ANNOUNCED)
    assert {told.id, later.id} == {one.id, two.id}
    assert await feed.life(swap(9), Life.ANNOUNCED) == []
