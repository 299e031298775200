"""Prices, and their sources."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import PricePart, Report
from ..words import NONE, decimal, number, plain, plain_number, share, source
from . import Table, more

MOST_NAMES = 4
"""Of one cell."""


def prices(report: Report) -> Table:
    """A row for each instrument."""
    columns = (
        "instrument", "last>", "95 % ±>", "least>", "greatest>", "prices>", "ok>", "degraded>",
        "disputed>", "stale>", "made of",
    )  # fmt: skip
    note = more(report.more_prices, "instruments are")
    return Table(columns, [_price(one) for one in report.prices], note)


def _price(one: PricePart) -> list[str]:
    whole = sum(one.seconds.values())
    shares = [
        share(one.seconds.get(name, 0.0) / whole, 1) if whole else NONE
        for name in ("ok", "degraded", "disputed", "stale")
    ]
    ends = [plain_number(value) for value in (one.least, one.greatest)]
    names = " × ".join(one.via) or _names([s.venue for s in one.sources] + list(one.unheard))
    last, half = decimal(one.last), decimal(one.confidence)
    return [one.instrument, last, half, *ends, number(one.count, 0), *shares, plain(names)]


def _names(every: Sequence[str]) -> str:
    shown = ", ".join(map(source, every[:MOST_NAMES]))
    return f"{shown} and {len(every) - MOST_NAMES} more" if len(every) > MOST_NAMES else shown


def sources(one: PricePart) -> Table:
    """What each source of an instrument had to say."""
    rows = [
        [
            plain(heard.venue),
            number(heard.quotes, 0),
            number(heard.rejected, 0),
            share(heard.rejected / one.count, 1) if one.count else NONE,
        ]
        for heard in one.sources
    ]
    return Table(("source", "quotes>", "rejected by prices>", "of them>"), rows)
