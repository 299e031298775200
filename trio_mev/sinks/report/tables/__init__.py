"""The tables, as rows of words."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

MOST_ROWS = 100


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


def more(count: int, what: str) -> str:
    """How many there was no room for."""
    return f"{count:,} more {what} not shown." if count > 0 else ""
