"""Opportunities in words, for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from ..model.opportunity import Opportunity, Score, Status
from ..sinks.amounts import amounts_text

_STATUSES = {
    Status.PREDICTED: "possible",
    Status.LANDED: "landed",
    Status.MISSED: "missed",
    Status.WITHDRAWN: "withdrawn",
    Status.SUPERSEDED: "over",
}


def describe(one: Opportunity) -> str:
    """What it is, what it brings, and what it came of."""
    parts = [_STATUSES[one.status]]
    if one.outcome is not None:
        parts.append(f"({one.outcome.verdict.value})")
    if one.gross:
        parts.append(amounts_text(one.gross))
    if one.usd is not None:
        gas = "before" if one.net is None else "after"
        parts.append(f"(${one.usd:,.2f} {gas} gas)")
    if one.pools:
        parts.append(f"in {len(one.pools)} pools" if len(one.pools) > 1 else "in one pool")
    if one.cause is not None and one.status is Status.PREDICTED:
        parts.append(f"{'at' if one.on_state else 'after'} {one.cause[:10]}…")
    if one.transactions and one.status is Status.LANDED:
        parts.append(f"by {one.transactions[0][:10]}…")
    return " ".join(parts)


def score_table(scores: Iterable[Score]) -> Table:
    """How predictions fared, a row for each kind and detector."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("kind", "detector"):
        table.add_column(name)
    for name in ("predicted", "open", "taken", "competed", "expired", "wrong", "over", "unseen"):
        table.add_column(name, justify="right")
    for name in ("precision", "recall", "error", "lead"):
        table.add_column(name, justify="right")
    for one in scores:
        counts = one.predicted, one.open, one.taken, one.competed, one.expired, one.wrong
        over = one.superseded + one.withdrawn
        table.add_row(
            one.kind.value,
            one.detector,
            *map(str, (*counts, over, one.unseen)),
            _share(one.precision),
            _share(one.recall),
            "—" if one.error is None else f"{one.error:+.2%}",
            "—" if one.lead is None else f"{one.lead:.1f} s",
        )
    return table


def _share(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"


def score_line(one: Score) -> dict[str, object]:
    """A row of the ledger for other programs."""
    return {
        "kind": one.kind.value,
        "detector": one.detector,
        "predicted": one.predicted,
        "open": one.open,
        "taken": one.taken,
        "competed": one.competed,
        "expired": one.expired,
        "wrong": one.wrong,
        "withdrawn": one.withdrawn,
        "superseded": one.superseded,
        "unseen": one.unseen,
        "landed": one.landed,
        "foreseen": one.foreseen,
        "precision": one.precision,
        "recall": one.recall,
        "error": one.error,
        "lead": one.lead,
    }
