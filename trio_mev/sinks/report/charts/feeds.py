"""Feeds over time: connections, silences, what went wrong, how much came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .. import colours
from ..model import FeedPart, Mark, Report
from ..words import label, lasting
from . import FRAME, INK, ROW, Chart, Times, group_of, name_axis, time_axis

MARKS = {"reorg": "diamond", "gap": "x", "fault": "triangle-down"}
BAD = "#e5484d"


def feed_colours(report: Report) -> Mapping[str, str]:
    """By source, and by feed."""
    venues = {one.venue for price in report.prices for one in price.sources}
    named = colours.of_sources(venues | {feed.source for feed in report.feeds})
    return {**named, **{feed.name: named[feed.source] for feed in report.feeds}}


def feeds(report: Report) -> Chart:
    """Lives, silences, and what went wrong, on one time line."""
    times, painted = Times(report.epoch), feed_colours(report)
    names = [feed.name for feed in report.feeds]
    data = [_lives(feed, times, painted) for feed in report.feeds]
    if silences := [_silences(feed, times) for feed in report.feeds if feed.silences]:
        data += silences
    rows = list(map(label, names))
    by_kind: dict[str, list[Mark]] = {}
    for mark in report.marks:
        if mark.where in names:
            by_kind.setdefault(mark.kind, []).append(mark)
    data += [_marks(kind, marks, times) for kind, marks in sorted(by_kind.items())]
    layout = {
        "barmode": "overlay",
        "height": FRAME + ROW * len(rows),
        "xaxis": time_axis(report),
        "yaxis": name_axis(rows),
        "showlegend": any(one.get("showlegend") for one in data),
    }
    return {"data": data, "layout": layout}


def _bars(name: str, row: str, spans: Iterable[tuple[float, float, str, str]]) -> Chart:
    """Bars on one row: begin, length, colour, words."""
    every = list(spans)
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "showlegend": False,
        "y": [row] * len(every),
        "base": [one[0] for one in every],
        "x": [one[1] for one in every],
        "marker": {"color": [one[2] for one in every], "line": {"width": 0}},
        "hovertext": [one[3] for one in every],
        "hoverinfo": "text",
    }


def _lives(feed: FeedPart, times: Times, painted: Mapping[str, str]) -> Chart:
    def told() -> Iterator[tuple[float, float, str, str]]:
        for life in feed.lives:
            colour = colours.STATES.get(life.state, painted[feed.name])
            why = f"<br>{label(life.detail)}" if life.detail else ""
            words = f"{label(feed.name)}: {life.state} for {lasting(life.seconds)}{why}"
            yield times(life.start), times(life.end) - times(life.start), colour, words

    return {**_bars(label(feed.name), label(feed.name), told()), "width": 0.5}


def _silences(feed: FeedPart, times: Times) -> Chart:
    row = label(feed.name)
    told = (
        (
            times(one.start),
            times(one.end) - times(one.start),
            colours.GREY,
            f"{row}: silent for {lasting(one.seconds)}",
        )
        for one in feed.silences
    )
    return {**_bars(row, row, told), "width": 0.25}


def _marks(kind: str, marks: Sequence[Mark], times: Times) -> Chart:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": kind,
        "showlegend": True,
        "x": [times(mark.at) for mark in marks],
        "y": [label(mark.where) for mark in marks],
        "marker": {"symbol": MARKS[kind], "color": BAD, "size": 12, "line": {"width": 1.5}},
        "meta": INK,
        "hovertext": [
            f"{times.text(mark.at)} {kind}<br>{label(mark.where)}: {label(mark.text, 120)}"
            for mark in marks
        ],
        "hoverinfo": "text",
    }


def rates(report: Report) -> Chart:
    """Events a second of each feed; where nothing came there is nothing."""
    times = Times(report.epoch)
    heard = [feed for feed in report.feeds if feed.rate]
    width = heard[0].width if heard else 1.0
    group = group_of(width, report.end - report.start, 200)
    wide = width * group
    bins = int((report.end - report.start) / wide) + 1
    rows, words = [], []
    for feed in heard:
        sums = [0] * bins
        for index, count in feed.rate.items():
            sums[min(index // group, bins - 1)] += count
        rows.append([count / wide if count else None for count in sums])
        words.append([
            f"{label(feed.name)}, {times.text(report.start + place * wide)}: "
            f"{count / wide:,.1f} a second"
            for place, count in enumerate(sums)
        ])  # fmt: skip
    names = [label(feed.name) for feed in heard]
    trace = {
        "type": "heatmap",
        "x": [times(report.start + (place + 0.5) * wide) for place in range(bins)],
        "y": names,
        "z": rows,
        "text": words,
        "hoverinfo": "text",
        "colorscale": [[0, "#9ec5fe"], [0.5, "#3f83f8"], [1, "#1e3a8a"]],
        "showscale": False,
        "xgap": 0,
        "ygap": 3,
    }
    layout = {
        "height": FRAME + ROW * len(names),
        "xaxis": time_axis(report),
        "yaxis": name_axis(names),
    }
    return {"data": [trace] if names else [], "layout": layout}
