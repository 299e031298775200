"""What the live view says of the mempool and of opportunities, in lines."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
import trio
from rich.console import Console

from trio_mev.cli.view import View, pool_line
from trio_mev.model.chain import MempoolView
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.mempool import NextBlock
from trio_mev.model.opportunity import Grounds, Kind, Opportunity, Path, Status
from trio_mev.model.snapshot import MempoolSnapshot, OpenOpportunity
from trio_mev.stream import open_stream

BLOCK = NextBlock(7, 30_000_000, 15_000_000, ("0x1", "0x2"), 3, 2_000_000_001, 1, 2)
VIEW = MempoolView(9, 300.0, 5, 1, 2, None, None, None, 0, BLOCK, 4)
ONE = Opportunity(
    Kind.ARBITRAGE,
    "arbitrage:1",
    "ArbitrageDetector",
    Status.PREDICTED,
    Grounds.ARITHMETIC,
    Path(()),
    usd=Decimal("1.50"),
)
OPEN = (OpenOpportunity(ONE, 1.0, 7.6), OpenOpportunity(ONE, 1.0, None))
SNAPSHOT = MempoolSnapshot(VIEW, {}, 2, Decimal("1234.5"), 0, OPEN)
NEXT = "next block: 2 would fill 50% of it · tip needed 2.000 gwei · 4 contested"


@pytest.mark.parametrize(
    ("view", "snapshot", "line"),
    [
        (None, None, None),
        (VIEW, None, NEXT),
        (VIEW, SNAPSHOT, f"{NEXT} · 2 open, $1,234.50, 8 s left"),
        (None, MempoolSnapshot(None, {}, 3, None, 3, ()), "3 open"),
        (MempoolView(9, 300.0, 5, 1, 2, None, None, None, 0), None, None),
        (None, MempoolSnapshot(None, {}, 0, None, 0, ()), None),
    ],
)
def test_the_next_block_and_what_is_open_are_one_line(view, snapshot, line):
    assert pool_line(view, snapshot) == line


async def test_they_are_on_the_screen_and_an_opportunity_among_the_findings(autojump_clock):
    view = View("test")
    for kind, data in (
        (DataType.MEMPOOL_VIEW, VIEW),
        (DataType.MEMPOOL_SNAPSHOT, SNAPSHOT),
        (DataType.ARBITRAGE, ONE),
    ):
        view.take(DataEvent(kind, EventPriority.NORMAL, data, "x", 1.0))
    async with open_stream() as stream:
        drawn = view.draw(stream.get_stats(), trio.current_time(), 0.0, 40)
    paper = io.StringIO()
    Console(file=paper, width=120).print(drawn)
    shown = paper.getvalue()
    assert NEXT in shown
    assert "5 pending" in shown
    assert "arbitrage possible ($1.50 before gas)" in shown
