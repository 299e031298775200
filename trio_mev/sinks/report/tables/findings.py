"""What was found, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ....model.opportunity import Kind, Score
from ..charts import Times
from ..model import Report, Sums
from ..words import NONE, amounts, lasting, number, plain, share, usd
from . import MOST_ROWS, Table, more

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
            _net(one),
        ]
        for one in report.sums
    ]
    note = (
        "Each opportunity counts once, as it was told last. USD is of the net, or where that is "
        "not known of the gross; “without” have no value in USD that is known. "
        "What was reverted made nothing."
    )
    return Table(columns, rows, note if rows else "")


def _net(one: Sums) -> str:
    """After gas; of some it may not be known."""
    if one.without_net == one.count:
        return NONE
    words = plain(amounts(one.net))
    return f"{words} ({one.without_net:,} not known)" if one.without_net else words


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
    return Table(columns, rows, more(total - len(rows), "opportunities, worth less, are"))


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
            Table(("time", size_of, "finding"), rows, more(count - len(rows), "of these are")),
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
        "kind", "detector", "predicted>", "precision>", "recall>", "lead>", "error>", "taken>",
        "competed>", "expired>", "wrong>", "over>", "open>", "landed>", "unseen>",
    )  # fmt: skip
    return Table(columns, [_score(one) for one in report.closing.scores])


def _score(one: Score) -> list[str]:
    counts = one.taken, one.competed, one.expired, one.wrong, one.superseded + one.withdrawn
    return [
        one.kind.value,
        plain(one.detector),
        number(one.predicted, 0),
        share(one.precision),
        share(one.recall),
        NONE if one.lead is None else lasting(one.lead),
        NONE if one.error is None else f"{one.error:+.2%}",
        *(number(count, 0) for count in (*counts, one.open, one.landed, one.unseen)),
    ]
