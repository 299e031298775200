"""What was found, what it brings, and what became of it."""

from __future__ import annotations

from ...amounts import whole_units
from .. import colours
from ..model import Found, Report
from ..words import label, seconds
from . import FRAME, ROW, Chart, Times, group_of, name_axis, time_axis

MOST_BARS = 60
SYMBOLS = {"predicted": "circle-open", "landed": "circle", "missed": "x", "withdrawn": "cross"}


def findings(report: Report) -> Chart:
    """How many of each kind, as time goes by."""
    times = Times(report.epoch)
    width = report.rates[0].width if report.rates else 1.0
    group = group_of(width, report.end - report.start, MOST_BARS)
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
        "xaxis": time_axis(report),
        "yaxis": {"title": {"text": f"findings in {seconds(wide)}"}, "rangemode": "tozero"},
        "showlegend": True,
    }
    return {"data": data, "layout": layout}


def gains(report: Report) -> tuple[str, list[tuple[Found, float]]]:
    """What the largest opportunities bring, and in what: USD where that is known of any, else the
    token that most of them bring."""
    worth = [(one, float(one.usd)) for one in report.found if one.usd is not None]
    if worth:
        return "USD", worth
    by_token: dict[str, list[tuple[Found, float]]] = {}
    for one in report.found:
        if len(one.gross or ()) != 1:
            continue  # what was paid for it in another token would have to be taken off
        for token, amount in (one.gross or {}).items():
            if (found := whole_units(token, amount)) is not None:
                by_token.setdefault(found[0], []).append((one, float(found[1])))
    if not by_token:
        return "", []
    return max(sorted(by_token.items()), key=lambda item: len(item[1]))


def profits(report: Report) -> Chart:
    """What the largest opportunities bring."""
    times = Times(report.epoch)
    unit, worth = gains(report)
    data = []
    for kind in sorted({one.kind for one, _ in worth}):
        mine = [(one, value) for one, value in worth if one.kind == kind]
        data.append({
            "type": "scatter",
            "mode": "markers",
            "name": label(kind),
            "x": [times(one.at) for one, _ in mine],
            "y": [float(f"{value:.10g}") for _, value in mine],
            "marker": {
                "color": colours.of_kind(kind),
                "size": 10,
                "symbol": [SYMBOLS.get(one.status, "square-open") for one, _ in mine],
            },
            "hovertext": [
                f"{times.text(one.at)} {label(kind)}, {one.verdict or one.status}: "
                f"{value:,.4g} {unit}"
                for one, value in mine
            ],
            "hoverinfo": "text",
        })  # fmt: skip
    layout = {
        "height": 320,
        "xaxis": time_axis(report),
        "yaxis": {
            "title": {"text": unit if unit == "USD" else f"gross, {unit}"},
            "automargin": True,
            "rangemode": "tozero",
        },
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
        "yaxis": name_axis(rows),
        "showlegend": True,
    }
    return {"data": data, "layout": layout}
