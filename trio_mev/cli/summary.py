"""The end of a run, for programs and for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..feeds.record import TapeStats
from ..stream import StreamStats
from .said import score_line, score_table


def refusals(stats: StreamStats) -> dict[str, int]:
    """What could not be used, by reason, over all feeds."""
    total: Counter[str] = Counter()
    for feed in stats.feeds:
        total.update(feed.refused)
    return dict(total)


def summary_line(
    stats: StreamStats, seconds: float, tape: TapeStats | None = None
) -> dict[str, Any]:
    """The last line under ``--json``."""
    books = stats.books
    line = {
        "kind": "summary",
        "events": stats.events,
        "findings": stats.findings,
        "books": {
            "received": books.received,
            "processed": books.processed,
            "filtered": books.filtered,
            "lost": books.lost,
            "failed": books.failed,
            "queued": books.queued,
        },
        "lost": dict(books.lost_by),
        "refused": refusals(stats),
        "ledger": [score_line(score) for score in stats.scores],
        "digest": stats.digest,
        "seconds": round(seconds, 6),
    }
    return line if tape is None else {**line, "tape": tape_line(tape)}


def tape_line(tape: TapeStats) -> dict[str, Any]:
    """How a recording fared."""
    return {
        "path": str(tape.path),
        "records": tape.records,
        "bytes": tape.written,
        "files": tape.files,
        "deleted": tape.deleted,
        "redacted": tape.redacted,
        "lost": dict(tape.lost),
    }


def tape_words(tape: TapeStats) -> str:
    """The same for people."""
    lost = f" ({_pairs(tape.lost)})" if tape.lost else ""
    files = f" in {tape.files} tapes" if tape.files > 1 else ""
    gone = f", {tape.deleted} older ones deleted" if tape.deleted else ""
    hidden = f", {tape.redacted} with a secret replaced" if tape.redacted else ""
    total = sum(tape.lost.values())
    return (
        f"{tape.path}: {tape.records} records, {tape.written} bytes{files}{gone}, "
        f"{total} lost{lost}{hidden}"
    )


def print_summary(
    console: Console, stats: StreamStats, seconds: float, tape: TapeStats | None = None
) -> None:
    """What happened, in a few lines."""
    line = summary_line(stats, seconds)
    console.print(f"[bold]{stats.total_events}[/] events in {seconds:.1f} s")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("events", _pairs(line["events"]))
    table.add_row("findings", _pairs(line["findings"]) or "none")
    table.add_row("books", _pairs(line["books"]))
    for name in ("lost", "refused"):
        if line[name]:
            table.add_row(name, _pairs(line[name]))
    table.add_row("digest", line["digest"])
    if tape is not None:
        table.add_row("tape", Text(tape_words(tape)))
    console.print(table)
    if stats.scores:
        console.print("\n[bold]predictions[/] and what became of them")
        console.print(score_table(stats.scores))


def _pairs(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
