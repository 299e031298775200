"""The run itself: books, losses, processors, lanes, tapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ....flow.books import BooksSnapshot
from ....flow.pump import ConsumerSnapshot
from ..charts import Times
from ..model import Report
from ..words import NONE, number, plain, seconds, size
from . import MOST_ROWS, Table


def books(report: Report) -> Table:
    """What became of each delivery to a processor or handler."""
    return _books([(plain(one.name), one.books) for one in report.closing.consumers])


def all_books(report: Report) -> Table:
    """The same for everybody together; what health adds to it differs from run to run."""
    return _books([("all, with sinks and what nobody wants", report.closing.books)])


def _books(every: Sequence[tuple[str, BooksSnapshot]]) -> Table:
    columns = ("consumer", "received>", "processed>", "filtered>", "lost>", "failed>", "queued>")
    rows = []
    for name, book in every:
        counts = book.received, book.processed, book.filtered, book.lost, book.failed, book.queued
        rows.append([name, *(number(count, 0) for count in counts)])
    return Table(columns, rows)


def losses(report: Report) -> Table:
    """Lost deliveries, by consumer, lane and reason."""
    rows = [
        [plain(one.name), *why.partition(":")[::2], number(count, 0)]
        for one in report.closing.consumers
        for why, count in sorted(one.books.lost_by.items())
    ]
    rest = Counter(report.closing.books.lost_by)
    for one in report.closing.consumers:
        rest.subtract(one.books.lost_by)
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
    """What the health watch said."""
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
