"""The live view: what the stream is doing, in one screen of a terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

import attrs
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..flow.status import FeedSnapshot, FeedState
from ..model.chain import BlockSummary, MempoolView
from ..model.event import FINDINGS, DataEvent, DataType
from ..model.identity import Instrument
from ..model.market import Price
from ..model.opportunity import Opportunity, Score
from ..model.snapshot import MempoolSnapshot
from ..stream import StreamStats
from ..wire.lines import line_of
from .said import describe
from .tables import consumer_table, price_table, table

WATCHED = (
    DataType.PRICE,
    DataType.BLOCK_SUMMARY,
    DataType.MEMPOOL_VIEW,
    DataType.MEMPOOL_SNAPSHOT,
    *FINDINGS,
)
FINDINGS_SHOWN = 30
LEAST_FINDINGS = 6
"""Lines of the findings' panel, below which other things give way."""
LOG_SHOWN = 3
_STATES = {
    FeedState.READY: "green",
    FeedState.CONNECTING: "yellow",
    FeedState.WAITING: "yellow",
    FeedState.LOST: "red",
    FeedState.REFUSED: "red",
    FeedState.ENDED: "dim",
}
_GWEI = 10**9


@attrs.define(eq=False)
class View:
    """What is shown, kept up to date by events and drawn from statistics.

    Args:
        title: what is being watched.
        footer: lines that say what the viewer may do next.
        progress: the share that is done, where the length is known.
    """

    title: str
    footer: Sequence[str] = ()
    progress: Callable[[], float] | None = None
    prices: dict[Instrument, Price] = attrs.Factory(dict)
    findings: deque[tuple[float, str, str]] = attrs.Factory(lambda: deque(maxlen=FINDINGS_SHOWN))
    found: int = 0
    log: deque[str] = attrs.Factory(lambda: deque(maxlen=LOG_SHOWN))
    block: BlockSummary | None = None
    mempool: MempoolView | None = None
    snapshot: MempoolSnapshot | None = None
    _began: float = attrs.Factory(time.monotonic)
    _before: dict[str, int] = attrs.Factory(dict)
    _before_at: float = 0.0
    _rates: dict[str, float] = attrs.Factory(dict)

    def take(self, event: DataEvent) -> None:
        """Note an event."""
        if event.event_type is DataType.PRICE:
            self.prices[event.data.instrument] = event.data
        elif event.event_type is DataType.BLOCK_SUMMARY:
            self.block = event.data
        elif event.event_type is DataType.MEMPOOL_VIEW:
            self.mempool = event.data
        elif event.event_type is DataType.MEMPOOL_SNAPSHOT:
            self.snapshot = event.data
        else:
            kind, message = _told(event)
            self.found += 1
            self.findings.append((event.received_at, kind, message))

    def note(self, message: str) -> None:
        """Keep a line of the log."""
        self.log.append(message.rstrip())

    def draw(self, stats: StreamStats, now: float, start: float, height: int) -> RenderableType:
        """The screen as of now, both times on the stream's clock.

        A screen that is too low for everything shows feeds, prices and findings first.
        """
        self.measure(stats, now)
        frame = 3  # a panel's border and its table's header
        left = height - 2 - (frame + len(stats.feeds)) - (frame + len(self.prices))
        notes = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self.log]
        if stats.scores:
            notes.append(Text(f" {_score_line(stats.scores)}", no_wrap=True, overflow="ellipsis"))
        foot = [*notes, *(Text(f" {line}", style="dim") for line in self.footer)]
        processors = frame + len(stats.consumers)
        parts: list[RenderableType] = [
            self.head(stats, now, start),
            Panel(self.feed_table(stats.feeds, now), title="feeds", title_align="left"),
            Panel(price_table(self.prices.values()), title="prices", title_align="left"),
        ]
        room = left - processors - len(foot) - LEAST_FINDINGS
        if room >= 0:
            parts.append(
                Panel(
                    consumer_table(stats.consumers),
                    title="processors and lanes",
                    title_align="left",
                )
            )
            left -= processors
        if left - len(foot) < LEAST_FINDINGS:
            foot = foot[-1:] if left > 4 else []
        rows = max(
            1, left - len(foot) - (3 if pool_line(self.mempool, self.snapshot) is None else 4)
        )
        found = f"findings: {self.found}"
        parts.append(Panel(self._latest(start, rows), title=found, title_align="left"))
        return Group(*parts, *foot)

    def head(self, stats: StreamStats, now: float, start: float) -> Text:
        """What is watched, for how long, and how far it is."""
        head = Text(f" {self.title}", style="bold", no_wrap=True, overflow="ellipsis")
        minutes, seconds = divmod(int(now - start), 60)
        head.append(f"   {minutes:02d}:{seconds:02d}", style="cyan")
        if self.progress is not None:
            speed = stats.total_events / max(time.monotonic() - self._began, 0.001)
            head.append(f"   {self.progress():.0%}, {speed:,.0f} events/s")
        return head

    def measure(self, stats: StreamStats, now: float) -> None:
        """Events a second of each feed, over a second or more."""
        span = now - self._before_at
        if span >= 1.0:
            for feed in stats.feeds:
                self._rates[feed.name] = (feed.events - self._before.get(feed.name, 0)) / span
                self._before[feed.name] = feed.events
            self._before_at = now

    def feed_table(self, feeds: tuple[FeedSnapshot, ...], now: float) -> Table:
        """A row for each feed."""
        made = table("feed", "state", "events/s>", "events>", "age>", "unusable>", "")
        for feed in feeds:
            age = "" if feed.last_frame_at is None else f"{now - feed.last_frame_at:.1f} s"
            made.add_row(
                Text(feed.name),
                Text(feed.state.value, style=_STATES[feed.state]),
                f"{self._rates.get(feed.name, 0.0):.1f}",
                str(feed.events),
                age,
                str(sum(feed.refused.values())),
                Text(feed.detail[:60], style="dim"),
            )
        return made

    def _latest(self, start: float, rows: int) -> RenderableType:
        found = Table.grid(padding=(0, 1), expand=True)
        found.add_column(justify="right", style="cyan", no_wrap=True)
        found.add_column(style="magenta", no_wrap=True)
        found.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for at, kind, message in list(reversed(self.findings))[:rows]:
            style = "" if kind == "transaction" else "bold green"
            found.add_row(f"{at - start:.1f} s", kind, Text(message, style=style))
        if not self.findings:
            found.add_row("", "", Text("none yet", style="dim"))
        line = _chain_line(self.block, self.mempool)
        lines = [line, pool_line(self.mempool, self.snapshot)]
        last = [Text(one, style="dim", no_wrap=True, overflow="ellipsis") for one in lines if one]
        return Group(found, *last)


def _chain_line(block: BlockSummary | None, mempool: MempoolView | None) -> str:
    parts: list[str] = []
    if block is not None:
        parts.append(f"block {block.number}")
        if block.base_fee is not None and block.next_base_fee is not None:
            fees = f"{block.base_fee / _GWEI:.3f} → {block.next_base_fee / _GWEI:.3f} gwei"
            parts.append(f"base fee {fees}")
        if block.transactions is not None:
            parts.append(f"{block.seen_pending} of {block.transactions} were seen pending")
    if mempool is not None:
        parts.append(f"{mempool.pending} pending")
        if mempool.gas is not None:
            gas = mempool.gas
            shares = "/".join(f"{fee / _GWEI:.2f}" for fee in (gas.p50, gas.p90, gas.p99))
            parts.append(f"fees p50/p90/p99 {shares} gwei")
    return " · ".join(parts) or "no block yet"


def _score_line(scores: Sequence[Score]) -> str:
    """How predictions fared, all kinds together."""
    names = "predicted", "open", "taken", "competed", "expired", "wrong", "unseen"
    counts = [(name, sum(getattr(score, name) for score in scores)) for name in names]
    return "ledger: " + ", ".join(f"{count} {name}" for name, count in counts)


def _told(event: DataEvent) -> tuple[str, str]:
    """What kind of finding it is, and what it says."""
    if isinstance(event.data, Opportunity):
        return event.data.kind.value, describe(event.data)
    line = line_of(event) or {"type": event.event_type.value, "message": repr(event.data)}
    return line["type"], line["message"]


def pool_line(view: MempoolView | None, snapshot: MempoolSnapshot | None) -> str | None:
    """What the next block asks, who competes, and what is open; None where nothing is known."""
    parts: list[str] = []
    if view is not None and view.next_block is not None:
        block = view.next_block
        share = block.gas / block.gas_limit if block.gas_limit else 0
        parts.append(f"next block: {len(block.transactions)} would fill {share:.0%} of it")
        parts.append(f"tip needed {block.tip_needed / _GWEI:.3f} gwei")
    if view is not None and view.contested:
        parts.append(f"{view.contested} contested")
    if snapshot is not None and snapshot.opportunity_count:
        total = snapshot.total_potential_profit
        worth = "" if total is None else f", ${total:,.2f}"
        times = [one.remaining for one in snapshot.opportunities if one.remaining is not None]
        left = f", {min(times):.0f} s left" if times else ""
        parts.append(f"{snapshot.opportunity_count} open{worth}{left}")
    return " · ".join(parts) or None


def console(environment: Mapping[str, str], file: TextIO | None = None) -> Console:
    """The terminal, or what goes there later; without colours where ``NO_COLOR`` is set."""
    terminal = None if file is None else True
    plain = "NO_COLOR" in environment
    return Console(file=file, force_terminal=terminal, no_color=plain, highlight=False)
