"""Feeds, and what went wrong with them."""

from __future__ import annotations

from ..charts import Times
from ..model import FeedPart, Report
from ..words import NONE, lasting, number, plain, several, size
from . import MOST_ROWS, Table, more


def feeds(report: Report) -> Table:
    """A row for each feed."""
    columns = (
        "feed", "connected>", "not connected>", "connections>", "silent>", "frames>", "bytes>",
        "events>", "unusable>",
    )  # fmt: skip
    return Table(columns, [_feed(feed) for feed in report.feeds])


def _feed(feed: FeedPart) -> list[str]:
    ready = feed.seconds.get("ready", 0.0)
    silent = f"{lasting(feed.silent)} ({len(feed.silences)} ×)" if feed.silences else NONE
    counts = [NONE] * 4
    connections = NONE
    if (one := feed.snapshot) is not None:
        connections = number(one.connections, 0)
        refused = ", ".join(f"{n:,} {plain(why)}" for why, n in sorted(one.refused.items()))
        counts = [number(one.frames, 0), size(one.bytes), number(one.events, 0), refused or "0"]
    down = sum(feed.seconds.values()) - ready
    return [plain(feed.name), lasting(ready), lasting(down), connections, silent, *counts]


def marks(report: Report) -> Table:
    """What went wrong, the latest."""
    times = Times(report.epoch)
    shown = report.marks[-MOST_ROWS:]
    rows = [[times.text(one.at), one.kind, plain(one.where), plain(one.text)] for one in shown]
    total = sum(report.marked.values())
    return Table(("time", "what", "where", ""), rows, more(total - len(shown), "before these are"))


def reconnects(report: Report) -> str:
    """In a few words."""
    count = sum(one.snapshot.reconnects for one in report.feeds if one.snapshot is not None)
    return several(count, "reconnect")
