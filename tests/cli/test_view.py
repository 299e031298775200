"""The live view: what it says of opportunities and of the ledger, and what gives way to that."""

from __future__ import annotations

import io
from typing import Any

import attrs
import pytest
from rich.console import Console

from trio_mev.cli.summary import print_summary, summary_line
from trio_mev.cli.view import View
from trio_mev.model.chain import BlockSummary
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.opportunity import Grounds, Kind, Opportunity, Path, Score, Status
from trio_mev.stream import StreamStats, open_stream

SCORES = (
    Score(Kind.SANDWICH, "One", 21, 2, 3, 4, 5, 6, 7, 8, 9),
    Score(Kind.JIT, "Other", 100, 100, 100, 100, 100, 100, 100, 100, 100),
)
LEDGER = (
    "ledger: 121 predicted, 102 open, 103 taken, 104 competed, 105 expired, 106 wrong, 109 unseen"
)


@pytest.fixture
async def stats() -> StreamStats:
    """Of a stream that has done nothing yet."""
    async with open_stream() as stream:
        return stream.get_stats()


def drawn(view: View, stats: StreamStats, height: int = 40, width: int = 160) -> list[str]:
    paper = io.StringIO()
    Console(file=paper, width=width).print(view.draw(stats, 10.0, 0.0, height))
    return paper.getvalue().splitlines()


def found(data: Any, kind: DataType = DataType.ARBITRAGE, at: float = 3.0) -> DataEvent:
    return DataEvent(kind, EventPriority.HIGH, data, "feed", at)


def opportunity(kind: Kind = Kind.ARBITRAGE, **more: Any) -> Opportunity:
    given = {"pools": ("0xa", "0xb")} | more
    return Opportunity(kind, "1", "D", Status.PREDICTED, Grounds.ARITHMETIC, Path(()), **given)


async def test_an_opportunity_is_a_finding_in_words(stats: StreamStats):
    view = View("a stream")
    view.take(found(opportunity()))
    view.take(found(opportunity(Kind.SANDWICH, pools=("0xa",)), DataType.VERDICT, at=4.5))
    lines = drawn(view, stats)
    newest, older = (line.strip("│ ").split(maxsplit=3) for line in lines if "possible" in line)
    assert newest == ["4.5", "s", "sandwich", "possible in one pool"]
    assert older == ["3.0", "s", "arbitrage", "possible in 2 pools"]
    assert any("findings: 2" in line for line in lines)


async def test_what_is_no_opportunity_is_said_as_it_is(stats: StreamStats):
    view = View("a stream")
    view.take(found("a plug-in's own", DataType.FINDING))
    assert any("finding 'a plug-in" in line.replace('"', "'") for line in drawn(view, stats))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (
            BlockSummary(7, "0x7", 2 * 10**9, 25 * 10**8, 1, 2, 120, 90, 12),
            "block 7 · base fee 2.000 → 2.500 gwei · 90 of 120 were seen pending",
        ),
        (
            BlockSummary(7, "0x7", None, None, 1, 2, 120, 90, 12),
            "block 7 · 90 of 120 were seen pending",
        ),
        (
            BlockSummary(7, "0x7", 2 * 10**9, 25 * 10**8, 1, 2, None, None, None),
            "block 7 · base fee 2.000 → 2.500 gwei",
        ),
        (BlockSummary(7, "0x7", None, None, 1, 2, None, None, None), "block 7"),
    ],
    ids=["all of it", "before London", "no hashes", "a number alone"],
)
async def test_of_a_block_it_says_what_is_known(stats: StreamStats, block, said):
    view = View("a stream")
    view.take(found(block, DataType.BLOCK_SUMMARY))
    (line,) = (line for line in drawn(view, stats) if "block 7" in line)
    assert line.strip("│ ") == said


async def test_the_ledger_is_one_line_of_all_kinds_together(stats: StreamStats):
    view = View("a stream", ("press q",))
    lines = drawn(view, attrs.evolve(stats, scores=SCORES))
    assert [line.strip() for line in lines[-2:]] == [LEDGER, "press q"]


async def test_without_predictions_there_is_no_line_of_the_ledger(stats: StreamStats):
    assert not any("ledger" in line for line in drawn(View("a stream"), stats))


async def test_the_screen_is_never_higher_than_it_is(stats: StreamStats):
    """Findings first: where there is little room the ledger gives way, as the log does."""
    view = View("a stream", ("press q",))
    for number in range(40):
        view.take(found(opportunity(), at=float(number)))
    view.note("a line of the log")
    scored = attrs.evolve(stats, scores=SCORES)
    for height in range(14, 45):
        assert len(drawn(view, scored, height)) <= height
    assert not any("ledger" in line for line in drawn(view, scored, 14))
    narrow = drawn(view, scored, width=40)
    assert next(line for line in narrow if "ledger" in line).endswith("…")


async def test_the_summary_has_the_ledger_where_something_was_predicted(stats: StreamStats):
    assert summary_line(stats, 1.0)["ledger"] == []
    line = summary_line(attrs.evolve(stats, scores=SCORES, findings={"jit": 3}), 1.0)
    assert [row["detector"] for row in line["ledger"]] == ["One", "Other"]
    assert line["findings"] == {"jit": 3}
    paper = io.StringIO()
    print_summary(Console(file=paper, width=160), stats, 1.0)
    assert "predictions" not in paper.getvalue()
    print_summary(Console(file=paper, width=160), attrs.evolve(stats, scores=SCORES), 1.0)
    assert "predictions and what became of them" in paper.getvalue()
    assert "sandwich" in paper.getvalue()
