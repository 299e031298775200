"""The tables of the live view."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rich.table import Table
from rich.text import Text

from ..flow.pump import ConsumerSnapshot
from ..model.identity import Instrument
from ..model.market import Price, PriceStatus
from ..wire.plain import text

_STATUSES = {
    PriceStatus.OK: "green",
    PriceStatus.DEGRADED: "yellow",
    PriceStatus.DISPUTED: "red",
    PriceStatus.STALE: "red",
}


def table(*columns: str) -> Table:
    """A plain table; a column whose name ends in ``>`` holds numbers.

    A last one that holds words has what the others leave, and is cut where that is too little.
    """
    made = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    for name in columns:
        number = name.endswith(">")
        made.add_column(
            name.rstrip(">"),
            justify="right" if number else "left",
            no_wrap=True,
            ratio=1 if name is columns[-1] and not number else None,
        )
    return made


def price_table(prices: Iterable[Price]) -> Table:
    """How far each price can be believed comes before what it was made of, which may be long."""
    made = table(
        "instrument", "price>", "95 % ±>", "status", "sources", "volatility>", "trend", "made of"
    )
    for price in sorted(prices, key=lambda one: str(one.instrument)):
        made.add_row(
            Text(str(price.instrument)),
            text(price.price) or "—",
            text(price.confidence) or "—",
            Text(price.status.value, style=_STATUSES[price.status]),
            _counts(price),
            "—" if price.volatility is None else f"{price.volatility:.1%}",
            price.trend.value.replace("insufficient_data", "—"),
            _made_of(price),
        )
    return made


def _counts(price: Price) -> str:
    """How many are believed of how many that are fresh: of each leg, where the price has two."""
    if not price.via:
        return _count(price.sources, price.rejected)
    return " × ".join(
        _count(_of_leg(price.sources, leg), _of_leg(price.rejected, leg)) for leg in price.via
    )


def _count(sources: Collection[str], rejected: Collection[str]) -> str:
    fresh = {*sources, *rejected}
    return f"{len(fresh.difference(rejected))}/{len(fresh)}"


def _of_leg(named: Iterable[str], leg: Instrument) -> list[str]:
    """The names that stand before a leg's instrument."""
    return [one.removesuffix(f" {leg}") for one in named if one.endswith(f" {leg}")]


def _made_of(price: Price) -> Text:
    """The sources or the two legs, and which are rejected."""
    if not price.via:
        rejected = ", ".join(price.rejected)
        kept = Text(", ".join(one for one in price.sources if one not in price.rejected))
        return Text().append(f"not {rejected}  ", "red").append_text(kept) if rejected else kept
    made = Text(" × ".join(map(str, price.via)))
    rejected = ", ".join(one for leg in price.via for one in _of_leg(price.rejected, leg))
    return made.append(f"  not {rejected}", "red") if rejected else made


def consumer_table(consumers: Iterable[ConsumerSnapshot]) -> Table:
    """What each processor has done, and how full its lanes are."""
    made = table(
        "processor",
        "events>",
        "mean>",
        "p99>",
        "failed>",
        "vital>",
        "high>",
        "normal>",
        "low>",
        "lost>",
    )
    for one in consumers:
        depths = [f"{lane.depth}/{lane.capacity}" for lane in one.lanes]
        lost = Text(str(one.books.lost), style="red" if one.books.lost else "")
        failed = Text(str(one.books.failed), style="red" if one.books.failed else "")
        mean, p99 = _duration(one.timing.mean), _duration(one.timing.p99)
        made.add_row(Text(one.name), str(one.books.processed), mean, p99, failed, *depths, lost)
    return made


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    return f"{seconds * 1e6:.0f} µs" if seconds < 0.01 else f"{seconds * 1e3:.0f} ms"
