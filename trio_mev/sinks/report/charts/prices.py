"""One instrument's price over time."""

from __future__ import annotations

from collections.abc import Iterator

from .. import colours
from ..model import Points, PricePart, Report
from ..series import Point
from ..words import label, source
from . import INK, Chart, Times, time_axis
from .feeds import feed_colours


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
            **_line(one.points, times),
            "name": label(source(one.venue)),
            "line": {
                "shape": "hv",
                "width": 1.2,
                "color": painted[one.venue],
                "dash": "dot" if one.pool else "solid",
            },
            "opacity": 0.85,
        }
        for one in part.sources
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
        "xaxis": time_axis(report),
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
    every = (one for heard in part.sources for one in heard.points if one is not None)
    return sum(not span[0] <= one[1] <= span[1] for one in every)
