"""The charts, as what plotly draws; colours of the ground and of text are the page's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import colours
from .model import FeedPart, Mark, Points, PricePart, Report
from .series import Point
from .words import clock, label, lasting, seconds, usd

Chart = dict[str, Any]
"""``data`` and ``layout`` of a plotly figure."""

ROW = 30
"""Pixels of a row of a chart by name."""
FRAME = 90
MOST_BARS = 60
MARKS = {
    "reorg": ("diamond", "#e5484d"),
    "gap": ("x", "#e5484d"),
    "fault": ("triangle-down", "#e8710a"),
}
HEALTH = "health"
SYMBOLS = {"predicted": "circle-open", "landed": "circle", "missed": "x", "withdrawn": "cross"}
INK = {"ink": True}
"""Of a trace that is drawn in the colour of the text."""


class Times:
    """Turns the stream's clock into what a time axis takes: milliseconds since the epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def __call__(self, at: float) -> float:
        return round(self.epoch / 1e6 + at * 1e3)

    def text(self, at: float) -> str:
        """The time of day."""
        return clock(self.epoch + round(at * 1e9))


def _axis(report: Report) -> dict[str, Any]:
    times = Times(report.epoch)
    span = [times(report.start), times(max(report.end, report.start + 1))]
    return {"type": "date", "title": {"text": "time (UTC)"}, "range": span}


def _rows(names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(reversed(names)),
        "range": [-0.6, len(names) - 0.4],
        "fixedrange": True,
        "automargin": True,
    }


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
        by_kind.setdefault(mark.kind if mark.kind in MARKS else HEALTH, []).append(mark)
    data += [_marks(kind, marks, names, times) for kind, marks in sorted(by_kind.items())]
    if any(mark.where not in names for mark in report.marks):
        rows.append(HEALTH)
    layout = {
        "barmode": "overlay",
        "height": FRAME + ROW * len(rows),
        "xaxis": _axis(report),
        "yaxis": _rows(rows),
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


def _marks(kind: str, marks: Sequence[Mark], names: Sequence[str], times: Times) -> Chart:
    symbol, colour = MARKS.get(kind, ("triangle-up", "#b8941f"))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": kind,
        "showlegend": True,
        "x": [times(mark.at) for mark in marks],
        "y": [label(mark.where) if mark.where in names else HEALTH for mark in marks],
        "marker": {"symbol": symbol, "color": colour, "size": 11, "line": {"width": 1}},
        "hovertext": [
            f"{times.text(mark.at)} {label(mark.kind)}{' over' if mark.over else ''}"
            f"<br>{label(mark.where)}: {label(mark.text, 120)}"
            for mark in marks
        ],
        "hoverinfo": "text",
    }


def rates(report: Report) -> Chart:
    """Events a second of each feed; where nothing came there is nothing."""
    times = Times(report.epoch)
    heard = [feed for feed in report.feeds if feed.rate]
    width = heard[0].width if heard else 1.0
    group = _group(width, report.end - report.start, 200)
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
        "colorbar": {"title": {"text": "events/s"}, "thickness": 10, "outlinewidth": 0},
        "xgap": 0,
        "ygap": 3,
    }
    layout = {
        "height": FRAME + ROW * len(names),
        "xaxis": _axis(report),
        "yaxis": _rows(names),
    }
    return {"data": [trace], "layout": layout}


def _group(width: float, length: float, most: int) -> int:
    """How many bins of a width are put together, so that there are no more than so many."""
    group = 1
    while length / (width * group) > most:
        group *= 2
    return group


def _line(points: Points, times: Times) -> dict[str, list[float | None]]:
    return {
        "x": [None if one is None else times(one[0]) for one in points],
        "y": [None if one is None else float(f"{one[1]:.10g}") for one in points],
    }


def price(report: Report, part: PricePart) -> Chart:
    """One instrument's price with its interval, and what each source quoted."""
    times, painted = Times(report.epoch), feed_colours(report)
    steps = {"type": "scatter", "mode": "lines", "connectgaps": False}
    data: list[Chart] = [{**steps, **band, "name": "95 % interval"} for band in _bands(part, times)]
    data += [
        {
            **steps,
            **_line(source.points, times),
            "name": label(source.venue),
            "line": {"shape": "hv", "width": 1.2, "color": painted[source.venue]},
            "opacity": 0.85,
        }
        for source in part.sources
    ]
    if part.points:
        line = {"shape": "hv", "width": 2.2}
        data.append(
            {**steps, **_line(part.points, times), "name": "price", "line": line, "meta": INK}
        )
    shapes = [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": times(one.start),
            "x1": times(one.end),
            "y0": 0,
            "y1": 1,
            "line": {"width": 0},
            "fillcolor": colours.TROUBLES[one.state],
            "opacity": 0.13,
            "layer": "below",
        }
        for one in part.troubles
    ]
    quote = label(part.instrument.partition(":")[0].rpartition("/")[2])
    shown = {"range": list(span)} if (span := price_range(part)) else {}
    layout = {
        "height": 380,
        "xaxis": _axis(report),
        "yaxis": {"title": {"text": quote}, "automargin": True, "tickformat": ",", **shown},
        "shapes": shapes,
        "hovermode": "x",
    }
    return {"data": data, "layout": layout}


def _bands(part: PricePart, times: Times) -> Iterator[Chart]:
    """An interval's two ends: the space between is filled, piece by piece where it is broken."""
    first = True
    for low, high in zip(_pieces(part.low), _pieces(part.high), strict=True):
        edge = {"line": {"shape": "hv", "width": 0}, "hoverinfo": "skip", "legendgroup": "band"}
        yield {**edge, **_line(low, times), "showlegend": False}
        fill = {"fill": "tonexty", "fillcolor": "rgba(139,149,161,0.28)"}
        yield {**edge, **fill, **_line(high, times), "showlegend": first}
        first = False


def _pieces(points: Points) -> Iterator[Points]:
    piece: list[Point] = []
    for one in points:
        if one is not None:
            piece.append(one)
        elif piece:
            yield tuple(piece)
            piece = []
    if piece:
        yield tuple(piece)


def price_range(part: PricePart) -> tuple[float, float] | None:
    """What is shown at first: the price, and the middle 96 % of the interval's ends."""
    prices = [one[1] for one in part.points if one is not None]
    if not prices:
        return None
    lows = sorted(one[1] for one in part.low if one is not None)
    highs = sorted(one[1] for one in part.high if one is not None)
    low = min(*prices, lows[len(lows) // 50])
    high = max(*prices, highs[-1 - len(highs) // 50])
    pad = (high - low) * 0.08 or abs(high) * 0.001 or 1.0
    return low - pad, high + pad


def outside(part: PricePart) -> int:
    """Points of sources that are not to be seen at first."""
    if (span := price_range(part)) is None:
        return 0
    every = (one for source in part.sources for one in source.points if one is not None)
    return sum(not span[0] <= one[1] <= span[1] for one in every)


def findings(report: Report) -> Chart:
    """How many of each kind, as time goes by."""
    times = Times(report.epoch)
    width = report.rates[0].width if report.rates else 1.0
    group = _group(width, report.end - report.start, MOST_BARS)
    wide = width * group
    data = []
    for rate in report.rates:
        sums: dict[int, int] = {}
        for index, count in rate.counts.items():
            sums[index // group] = sums.get(index // group, 0) + count
        begin = [report.start + place * wide for place in sums]
        data.append({
            "type": "bar",
            "name": label(rate.name),
            "x": [times(at + wide / 2) for at in begin],
            "y": list(sums.values()),
            "width": [wide * 1000] * len(sums),
            "marker": {"color": colours.of_kind(rate.name), "line": {"width": 0}},
            "hovertext": [
                f"{times.text(at)}: {count} {label(rate.name)}"
                for at, count in zip(begin, sums.values(), strict=True)
            ],
            "hoverinfo": "text",
        })  # fmt: skip
    layout = {
        "barmode": "stack",
        "height": 300,
        "xaxis": _axis(report),
        "yaxis": {"title": {"text": f"findings in {seconds(wide)}"}, "rangemode": "tozero"},
        "showlegend": True,
    }
    return {"data": data, "layout": layout}


def profits(report: Report) -> Chart:
    """What the largest opportunities are worth, where that is known."""
    times = Times(report.epoch)
    data = []
    worth = [one for one in report.found if one.usd is not None]
    for kind in sorted({one.kind for one in worth}):
        mine = [one for one in worth if one.kind == kind]
        data.append({
            "type": "scatter",
            "mode": "markers",
            "name": label(kind),
            "x": [times(one.at) for one in mine],
            "y": [float(one.usd or 0) for one in mine],
            "marker": {
                "color": colours.of_kind(kind),
                "size": 10,
                "symbol": [SYMBOLS.get(one.status, "square-open") for one in mine],
            },
            "hovertext": [
                f"{times.text(one.at)} {label(kind)}, {one.verdict or one.status}: {usd(one.usd)}"
                for one in mine
            ],
            "hoverinfo": "text",
        })  # fmt: skip
    layout = {
        "height": 320,
        "xaxis": _axis(report),
        "yaxis": {"title": {"text": "USD"}, "tickprefix": "$", "automargin": True},
        "showlegend": True,
    }
    return {"data": data, "layout": layout}


def ledger(report: Report) -> Chart:
    """What became of the predictions of each kind and detector."""
    scores = report.closing.scores
    rows = [label(f"{one.kind.value} · {one.detector}") for one in scores]
    counts = {
        "taken": [one.taken for one in scores],
        "competed": [one.competed for one in scores],
        "expired": [one.expired for one in scores],
        "wrong": [one.wrong for one in scores],
        "over": [one.superseded + one.withdrawn for one in scores],
        "open": [one.open for one in scores],
        "unseen": [one.unseen for one in scores],
    }
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": rows,
            "x": values,
            "marker": {"color": colours.VERDICTS[name], "line": {"width": 0}},
            "hovertext": [
                f"{row}: {value} {name}" for row, value in zip(rows, values, strict=True)
            ],
            "hoverinfo": "text",
        }
        for name, values in counts.items()
        if any(values)
    ]
    layout = {
        "barmode": "stack",
        "height": FRAME + 30 + ROW * len(rows),
        "xaxis": {"title": {"text": "opportunities"}, "rangemode": "tozero"},
        "yaxis": _rows(rows),
        "showlegend": True,
    }
    return {"data": data, "layout": layout}


def processors(report: Report) -> Chart:
    """How long an event takes each processor."""
    timed = [one for one in report.closing.consumers if one.timing.count]
    rows = [label(one.name) for one in timed]
    figures = {
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
            "marker": {"symbol": symbol, "color": colour, "size": 11, "line": {"width": 2}},
            "hovertext": [
                f"{row}: {name} {seconds(value)}" for row, value in zip(rows, values, strict=True)
            ],
            "hoverinfo": "text",
        }
        for name, (symbol, colour, values) in figures.items()
    ]
    layout = {
        "height": FRAME + 30 + ROW * len(rows),
        "xaxis": {"type": "log", "title": {"text": "µs an event (logarithmic)"}},
        "yaxis": _rows(rows),
        "showlegend": True,
    }
    return {"data": data, "layout": layout}
