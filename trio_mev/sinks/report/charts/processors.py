"""How long processors take."""

from __future__ import annotations

from ..model import Report
from ..words import label, seconds
from . import FRAME, ROW, Chart, name_axis


def processors(report: Report) -> Chart:
    """How long an event takes each processor."""
    timed = [one for one in report.closing.consumers if one.timing.count]
    rows = [label(one.name) for one in timed]
    figures: dict[str, tuple[str, str, list[float | None]]] = {
        "mean": ("circle", "#3f83f8", [one.timing.mean for one in timed]),
        "p99": ("line-ns-open", "#e8710a", [one.timing.p99 for one in timed]),
        "longest": ("x", "#e5484d", [one.timing.longest for one in timed]),
    }
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "y": rows,
            "x": [None if not value else value * 1e6 for value in values],
            "marker": {"symbol": symbol, "color": colour, "size": 11, "line": {"color": colour}},
            "hovertext": [f"{rows[n]}: {name} {seconds(value)}" for n, value in enumerate(values)],
            "hoverinfo": "text",
        }
        for name, (symbol, colour, values) in figures.items()
    ]
    layout = {
        "height": FRAME + 30 + ROW * len(rows),
        "xaxis": {"type": "log", "title": {"text": "µs an event (logarithmic)"}},
        "yaxis": name_axis(rows),
        "showlegend": True,
    }
    return {"data": data, "layout": layout}
