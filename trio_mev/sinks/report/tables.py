"""The tables, as rows of words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from ...flow.pump import ConsumerSnapshot
from ...model.opportunity import Kind
from .charts import HEALTH, Times
from .model import FeedPart, PricePart, Report
from .words import (
    NONE,
    amounts,
    decimal,
    lasting,
    number,
    plain,
    seconds,
    several,
    share,
    size,
    usd,
)

MOST_ROWS = 100
LOOKERS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ARBITRAGE: ("ArbitrageDetector", "BlockInspector"),
    Kind.SANDWICH: ("SandwichDetector", "BlockInspector"),
    Kind.LIQUIDATION: ("LiquidationDetector", "BlockInspector"),
    Kind.JIT: ("JitDetector", "BlockInspector"),
    Kind.CEX_DEX: ("ArbitrageDetector",),
}
"""Processors that look for a kind."""
SAID = {
    Kind.ARBITRAGE: "arbitrage",
    Kind.SANDWICH: "sandwiches",
    Kind.LIQUIDATION: "liquidations",
    Kind.JIT: "liquidity just in time",
    Kind.CEX_DEX: "arbitrage between pools and exchanges",
}


@attrs.frozen
class Table:
    """Columns, whose names end in ``>`` where they hold numbers, and rows of words."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """Names, and whether they hold numbers."""
        return [(name.rstrip(">"), name.endswith(">")) for name in self.columns]


def _more(count: int, what: str) -> str:
    return f"{count:,} more {what} not shown." if count > 0 else ""


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
    rows = [
        [
            times.text(one.at),
            one.kind if one.kind in {"gap", "reorg", "fault"} else HEALTH,
            plain(one.where),
            plain(f"{one.text} (right again)" if one.over else one.text),
        ]
        for one in shown
    ]
    over = sum(one.over for one in report.marks)
    total = sum(report.marked.values()) + over
    return Table(("time", "what", "where", ""), rows, _more(total - len(shown), "before these are"))


def prices(report: Report) -> Table:
    """A row for each instrument."""
    columns = (
        "instrument", "last>", "95 % ±>", "least>", "greatest>", "prices>", "ok>", "degraded>",
        "disputed>", "stale>", "made of",
    )  # fmt: skip
    note = _more(report.more_prices, "instruments are")
    return Table(columns, [_price(one) for one in report.prices], note)


def _price(one: PricePart) -> list[str]:
    whole = sum(one.seconds.values())
    shares = [
        share(one.seconds.get(name, 0.0) / whole, 1) if whole else NONE
        for name in ("ok", "degraded", "disputed", "stale")
    ]
    ends = [NONE if v is None else f"{v:,.8g}" for v in (one.least, one.greatest)]
    names = " × ".join(one.via) or ", ".join([s.venue for s in one.sources] + list(one.unheard))
    last, half = decimal(one.last), decimal(one.confidence)
    return [one.instrument, last, half, *ends, number(one.count, 0), *shares, plain(names)]


def sources(one: PricePart) -> Table:
    """What each source of an instrument had to say."""
    rows = [
        [
            plain(source.venue),
            number(source.quotes, 0),
            number(source.rejected, 0),
            share(source.rejected / one.count, 1) if one.count else NONE,
        ]
        for source in one.sources
    ]
    return Table(("source", "quotes>", "rejected by prices>", "of them>"), rows)


def kinds(report: Report) -> Table:
    """Opportunities, by what became of them."""
    columns = (
        "kind", "status", "verdict", "basis", "number>", "USD>", "without>", "gross", "net",
    )  # fmt: skip
    rows = [
        [
            one.kind,
            f"{one.status}, reverted" if one.reverted else one.status,
            one.verdict or NONE,
            one.basis,
            number(one.count, 0),
            usd(one.usd),
            number(one.unpriced, 0),
            plain(amounts(one.gross)),
            plain(amounts(one.net))
            + (f" ({one.without_net} not known)" if one.without_net else ""),
        ]
        for one in report.sums
    ]
    note = (
        "Each opportunity counts once, as it was told last. USD is of the net, or where that is "
        "not known of the gross; “without” have no value in USD that is known. "
        "What was reverted made nothing."
    )
    return Table(columns, rows, note if rows else "")


def largest(report: Report) -> Table:
    """The opportunities that are worth most."""
    times = Times(report.epoch)
    columns = (
        "time", "kind", "status", "verdict", "basis", "USD>", "gross", "net", "lead>", "block>",
        "by", "detector",
    )  # fmt: skip
    rows = [
        [
            times.text(one.at),
            one.kind,
            f"{one.status}, reverted" if one.reverted else one.status,
            one.verdict or NONE,
            one.basis,
            usd(one.usd),
            plain(amounts(one.gross)),
            plain(amounts(one.net)),
            NONE if one.lead is None else lasting(one.lead),
            NONE if one.block is None else str(one.block),
            plain(one.by or NONE, 20),
            plain(one.detector),
        ]
        for one in report.found[:MOST_ROWS]
    ]
    total = sum(one.count for one in report.sums)
    return Table(columns, rows, _more(total - len(rows), "opportunities, worth less, are"))


def alerts(report: Report) -> list[tuple[str, int, Table]]:
    """The largest alerts of each type: its name, how many there were, and a table."""
    times = Times(report.epoch)
    made = []
    for name, count in report.alerts.items():
        rows = [
            [times.text(one.at), _worth(name, one.worth), plain(one.message, 400)]
            for one in report.told
            if one.type == name
        ]
        size_of = {"spread": "net>", "transaction": "USD>", "simulation": "USD>"}.get(name, "")
        made.append((
            plain(name),
            count,
            Table(("time", size_of, "finding"), rows, _more(count - len(rows), "of these are")),
        ))  # fmt: skip
    return made


def _worth(kind: str, worth: float | None) -> str:
    return share(worth, 3) if kind == "spread" else usd(worth)


def missing(report: Report) -> Iterator[str]:
    """Of each kind that was not found: whether anybody looked for it."""
    found = {one.kind for one in report.sums}
    running = {one.name.partition("#")[0] for one in report.closing.consumers}
    for kind, lookers in LOOKERS.items():
        if kind.value in found:
            continue
        if looked := [name for name in lookers if name in running]:
            yield f"No {SAID[kind]}: {' and '.join(looked)} looked, and there were none."
        else:
            yield f"No {SAID[kind]}: nothing looked, since no pools or positions are configured."


def ledger(report: Report) -> Table:
    """How predictions fared."""
    columns = (
        "kind", "detector", "predicted>", "taken>", "competed>", "expired>", "wrong>", "over>",
        "open>", "unseen>", "landed>", "precision>", "recall>", "error>", "lead>",
    )  # fmt: skip
    rows = []
    for one in report.closing.scores:
        over = one.superseded + one.withdrawn
        counts = one.predicted, one.taken, one.competed, one.expired, one.wrong, over, one.open
        rows.append([
            one.kind.value,
            plain(one.detector),
            *(number(count, 0) for count in (*counts, one.unseen, one.landed)),
            share(one.precision),
            share(one.recall),
            NONE if one.error is None else f"{one.error:+.2%}",
            NONE if one.lead is None else lasting(one.lead),
        ])  # fmt: skip
    return Table(columns, rows)


def books(report: Report) -> Table:
    """What became of each delivery, by consumer."""
    columns = ("consumer", "received>", "processed>", "filtered>", "lost>", "failed>", "queued>")
    every = [(plain(one.name), one.books) for one in report.closing.consumers]
    rows = [
        [
            name,
            *(
                number(count, 0)
                for count in (
                    book.received,
                    book.processed,
                    book.filtered,
                    book.lost,
                    book.failed,
                    book.queued,
                )
            ),
        ]
        for name, book in [*every, ("all, with sinks", report.closing.books)]
    ]
    return Table(columns, rows)


def losses(report: Report) -> Table:
    """Lost deliveries, by consumer, lane and reason."""
    rows = [
        [plain(one.name), *why.partition(":")[::2], number(count, 0)]
        for one in report.closing.consumers
        for why, count in sorted(one.books.lost_by.items())
    ]
    whole = report.closing.books
    named = sum(one.books.lost for one in report.closing.consumers)
    rest = {why: count for why, count in whole.lost_by.items()}
    for one in report.closing.consumers:
        for why, count in one.books.lost_by.items():
            rest[why] -= count
    if whole.lost > named:
        rows += [
            ["sinks and subscribers", *why.partition(":")[::2], number(count, 0)]
            for why, count in sorted(rest.items())
            if count
        ]
    return Table(("consumer", "lane", "reason", "lost>"), rows)


def processors(report: Report) -> Table:
    """How long each took, and how full its lanes were."""
    columns = (
        "processor", "events>", "mean>", "p50>", "p99>", "longest>", "overruns>", "timeouts>",
        "restarts>", "highest fill of a lane>", "last error",
    )  # fmt: skip
    return Table(columns, [_processor(one) for one in report.closing.consumers])


def _processor(one: ConsumerSnapshot) -> list[str]:
    timing = one.timing
    fullest = max(one.lanes, key=lambda lane: (lane.peak / max(1, lane.capacity), lane.peak))
    return [
        plain(one.name),
        number(timing.count, 0),
        *map(seconds, (timing.mean, timing.p50, timing.p99, timing.longest or None)),
        number(timing.overruns, 0),
        number(timing.timeouts, 0),
        number(one.restarts, 0),
        f"{fullest.lane} {fullest.peak:,} of {fullest.capacity:,}",
        plain(one.last_error or NONE),
    ]


def issues(report: Report) -> Table:
    """What was wrong with the run itself."""
    times = Times(report.epoch)
    rows = [
        [times.text(one.at), one.kind, plain(one.where), plain(one.text), "yes" if one.over else ""]
        for one in report.issues[-MOST_ROWS:]
    ]
    return Table(("time", "what", "where", "", "right again"), rows)


def tapes(report: Report) -> Table:
    """What was played."""
    rows = [
        [plain(one.name), size(one.size), plain(", ".join(one.feeds)), plain(one.note, 400) or NONE]
        for one in report.about.tapes
    ]
    return Table(("tape", "size>", "feeds", "note"), rows)


def reconnects(report: Report) -> str:
    """In a few words."""
    count = sum(one.snapshot.reconnects for one in report.feeds if one.snapshot is not None)
    return several(count, "reconnect")
