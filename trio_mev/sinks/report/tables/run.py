"""The run itself: books, losses, processors, lanes, tapes."""

from __future__ import annotations

from ....flow.pump import ConsumerSnapshot
from ..charts import Times
from ..model import Report
from ..words import NONE, number, plain, seconds, size
from . import MOST_ROWS, Table


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
    """How long each took."""
    columns = (
        "processor", "events>", "mean>", "p50>", "p99>", "longest>", "overruns>", "timeouts>",
        "restarts>", "last error",
    )  # fmt: skip
    return Table(columns, [_processor(one) for one in report.closing.consumers])


def _processor(one: ConsumerSnapshot) -> list[str]:
    timing = one.timing
    return [
        plain(one.name),
        number(timing.count, 0),
        *map(seconds, (timing.mean, timing.p50, timing.p99, timing.longest or None)),
        number(timing.overruns, 0),
        number(timing.timeouts, 0),
        number(one.restarts, 0),
        plain(one.last_error or NONE),
    ]


def lanes(report: Report) -> Table:
    """How full each consumer's lanes were at most."""
    consumers = report.closing.consumers
    names = [lane.lane for lane in consumers[0].lanes] if consumers else []
    rows = [
        [plain(one.name), *(f"{lane.peak:,} of {lane.capacity:,}" for lane in one.lanes)]
        for one in consumers
    ]
    return Table(("events waiting, at most", *(f"{name}>" for name in names)), rows)


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
