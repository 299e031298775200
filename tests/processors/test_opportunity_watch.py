"""OpportunityWatch: which opportunities are open, until when, and what they come to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from trio_mev.model.chain import Life, MempoolView, Reorg
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.opportunity import Grounds, Kind, Opportunity, Path, Status
from trio_mev.processors import board, opportunities
from trio_mev.processors.opportunities import OpportunityWatch
from trio_mev.processors.scores import MOST_AGE

CAUSE = f"0x{7:064x}"
VIEW = MempoolView(1, 300.0, 0, 0, 0, None, None, None, 0)


def predicted(name: str = "1", usd: str | None = "5", **more: Any) -> Opportunity:
    worth = None if usd is None else Decimal(usd)
    fields = {"cause": CAUSE, "block": 1, "expires_block": 2, "usd": worth, "pools": ("0xa",)}
    return Opportunity(
        Kind.ARBITRAGE,
        name,
        "Detector",
        Status.PREDICTED,
        Grounds.ARITHMETIC,
        Path(()),
        **fields | more,
    )


@pytest.fixture
def found(make_event):
    """The event of a finding."""

    def make(*args, at=0.0, kind=DataType.ARBITRAGE, **more):
        return make_event(kind, predicted(*args, **more), at)

    return make


async def test_what_is_found_is_open_with_its_confidence_and_the_time_that_is_left(
    feed, found, block
):
    watch = OpportunityWatch()
    (first,) = await feed(watch, block(1, at=1.0), found(confidence=0.9, at=2.0))
    assert [one.remaining for one in first.data.opportunities] == [None]  # one block says nothing
    (told,) = await feed(watch, block(2, at=13.0), found(block=2, expires_block=3, at=16.0))
    assert (told.event_type, told.data.opportunity_count) == (DataType.MEMPOOL_SNAPSHOT, 1)
    (one,) = told.data.opportunities
    assert (one.opportunity.block, one.confidence, one.remaining) == (2, 1.0, 9.0)
    # A block that is due is due, however long it takes.
    (told,) = await feed(watch, found("2", expires_block=None, at=99.0))
    assert [one.remaining for one in told.data.opportunities] == [0.0, None]
    assert first.data.opportunities[0].confidence == 0.9


async def test_blocks_are_expected_as_far_apart_as_they_were(feed, found, block):
    """Which number and time of their own tell: one that was missed counts as two."""
    watch = OpportunityWatch()
    blocks = [block(1, timestamp=100), block(2, timestamp=102), block(6, timestamp=110, at=20.0)]
    await feed(watch, *blocks, block(6, timestamp=110, at=20.0))
    (told,) = await feed(watch, found(block=6, expires_block=8, at=21.0))
    assert told.data.opportunities[0].remaining == 3.0


@pytest.mark.parametrize("life", [Life.INCLUDED, Life.REPLACED, Life.DROPPED, Life.EXPIRED])
async def test_what_becomes_of_its_cause_closes_it(feed, found, lived, life):
    watch = OpportunityWatch()
    await feed(watch, found(), found("2", cause="0xother"))
    (told,) = await feed(watch, lived(7, life), lived(7, life))
    assert [one.opportunity.id for one in told.data.opportunities] == ["2"]
    assert await feed(watch, lived(7, Life.ANNOUNCED)) == []


async def test_a_block_that_has_its_cause_closes_it_before_and_after(feed, found, block):
    watch = OpportunityWatch()
    told = await feed(watch, found(), block(2, included=[7]), found(at=1.0))
    assert [one.data.opportunity_count for one in told] == [1]
    assert len(watch.board) == 0


async def test_it_is_open_in_the_blocks_after_while_its_cause_is_pending(feed, found, block):
    watch = OpportunityWatch()
    await feed(watch, found(), block(2), block(3))
    assert len(watch.board) == 1


async def test_what_came_of_a_state_is_open_until_somebody_decides_it(
    feed, found, block, make_event
):
    watch = OpportunityWatch()
    one = predicted(cause="0xb1", on_state=True)
    await feed(watch, make_event(DataType.ARBITRAGE, one), block(MOST_AGE + 1))
    assert len(watch.board) == 1
    decided = attrs.evolve(one, status=Status.MISSED)
    (told,) = await feed(watch, make_event(DataType.VERDICT, decided))
    assert told.data.opportunity_count == 0
    assert await feed(watch, make_event(DataType.VERDICT, decided)) == []
    await feed(watch, make_event(DataType.ARBITRAGE, one), block(MOST_AGE + 2))
    assert len(watch.board) == 0


async def test_what_came_of_a_block_that_is_retracted_is_closed(feed, found, block, make_event):
    watch = OpportunityWatch()
    gone = block(1, included=[7])
    reorg = make_event(DataType.REORG, Reorg(0, "0x", (gone.data,), ()))
    (first, told, last) = await feed(
        watch, gone, found(cause=gone.data.hash, on_state=True), reorg, found("2")
    )
    assert [one.data.opportunity_count for one in (first, told, last)] == [1, 0, 1]


async def test_of_those_at_one_pool_only_the_best_counts_in_the_profit(feed, found):
    told = await feed(
        OpportunityWatch(),
        found("1", "5", pools=("0xa", "0xb")),
        found("2", "7", pools=("0xb",)),
        found("3", "1.5", pools=("0xc",)),
        found("4", None, pools=("0xd",)),
        found("5", "2", pools=()),
        found("6", "2", pools=()),
    )
    assert [one.data.total_potential_profit for one in told[:3]] == [5, 7, Decimal("8.5")]
    last = told[-1].data
    assert (last.total_potential_profit, last.opportunity_count, last.unpriced) == (
        Decimal("12.5"),
        6,
        1,
    )
    assert [one.opportunity.id for one in last.opportunities] == ["2", "1", "5", "6", "3", "4"]


async def test_without_a_price_there_is_no_profit(feed, found):
    (told,) = await feed(OpportunityWatch(), found("1", None))
    assert (told.data.total_potential_profit, told.data.unpriced) == (None, 1)


async def test_the_same_one_with_other_amounts_is_one(feed, found):
    told = await feed(OpportunityWatch(), found("1", "5"), found("1", "4"))
    assert [one.data.total_potential_profit for one in told] == [5, 4]
    assert told[-1].data.opportunity_count == 1


async def test_the_view_of_the_mempool_is_told_with_them(feed, found, make_event):
    event = make_event(DataType.MEMPOOL_VIEW, VIEW)
    told = await feed(OpportunityWatch(), found(), event)
    assert [one.data.view for one in told] == [None, VIEW]


async def test_prices_that_can_be_believed_are_tracked(feed, make_event, monkeypatch):
    monkeypatch.setattr(opportunities, "MOST_PRICES", 2)

    def price(base, amount, status=PriceStatus.OK):
        value = None if amount is None else Decimal(amount)
        return make_event(DataType.PRICE, Price(Instrument(base, "USD"), value, None, status, ()))

    watch, view = OpportunityWatch(), make_event(DataType.MEMPOOL_VIEW, VIEW)
    prices = [price("ETH", "2000"), price("BTC", "9", PriceStatus.DEGRADED), price("DAI", "1")]
    (told,) = await feed(watch, *prices, price("ETH", "2001"), view)
    assert told.data.price_tracking == {"ETH/USD": Decimal(2001), "BTC/USD": Decimal(9)}
    bad = price("BTC", "7", PriceStatus.DISPUTED), price("ETH", None, PriceStatus.STALE)
    (told,) = await feed(watch, *bad, view)
    assert told.data.price_tracking == {}


async def test_what_is_kept_and_what_is_told_are_bounded(feed, found, make_event, monkeypatch):
    monkeypatch.setattr(board, "MOST_OPEN", 3)
    monkeypatch.setattr(board, "MOST_TOLD", 2)
    watch = OpportunityWatch()
    told = await feed(watch, *(found(str(n), str(n), pools=()) for n in range(5)))
    assert (told[-1].data.opportunity_count, watch.board.forgotten) == (3, 2)
    assert [one.opportunity.id for one in told[-1].data.opportunities] == ["4", "3"]


async def test_other_findings_are_none_of_its_business(feed, make_event):
    assert await feed(OpportunityWatch(), make_event(DataType.FINDING, VIEW)) == []
