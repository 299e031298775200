"""The charts, as what plotly draws; colours of the ground and of text are the page's own."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from ..model import Report
from ..words import clock, label

Chart = dict[str, Any]
"""``data`` and ``layout`` of a plotly figure."""

ROW = 30
"""Pixels of a row of a chart by name."""
FRAME = 90
SHORT = 24
"""Characters of a row's name."""
INK = {"ink": True}
"""Of a trace that is drawn, or outlined, in the colour of the text."""


class Times:
    """Turns the stream's clock into what a time axis takes: milliseconds since the epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def __call__(self, at: float) -> float:
        return round(self.epoch / 1e6 + at * 1e3)

    def text(self, at: float) -> str:
        """The time of day."""
        return clock(self.epoch + round(at * 1e9))


def time_axis(report: Report) -> dict[str, Any]:
    """All of the run, from left to right."""
    times = Times(report.epoch)
    span = [times(report.start), times(max(report.end, report.start + 1))]
    return {"type": "date", "title": {"text": "time (UTC)"}, "range": span}


def name_axis(names: Sequence[str]) -> dict[str, Any]:
    """Names, from top to bottom."""
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(reversed(names)),
        "range": [-0.6, len(names) - 0.4],
        "tickmode": "array",
        "tickvals": list(names),
        "ticktext": [label(html.unescape(name), SHORT) for name in names],
        "fixedrange": True,
        "automargin": True,
    }


def group_of(width: float, length: float, most: int) -> int:
    """How many bins of a width are put together, so that there are no more than so many."""
    group = 1
    while length / (width * group) > most:
        group *= 2
    return group
