"""The report as one page of HTML, which needs no network: the charts' library is in it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from ...errors import ConfigError
from ...model.event import DataType
from .charts import Chart
from .charts import feeds as feed_charts
from .charts import findings as finding_charts
from .charts import prices as price_charts
from .charts import processors as processor_charts
from .model import Report
from .tables import feeds, findings, prices, run
from .words import clock, lasting, number, plain, several

NEEDED = "--report draws with plotly and jinja2: install trio-mev[ui]"

LONGEST = 2000
"""Characters of any text."""


def libraries() -> tuple[Any, str]:
    """jinja2, and the source of plotly.js.

    Raises:
        ConfigError: they are not installed.
    """
    try:
        import jinja2
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise ConfigError(NEEDED) from None
    return jinja2, get_plotlyjs()


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """How a browser is told that this script, and no other, may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def embedded(chart: Chart) -> str:
    """JSON that cannot end the element that it stands in."""
    return msgspec.json.encode(chart).decode().replace("<", "\\u003c")


def render(report: Report) -> str:
    """The page, which is the same for the same report.

    Raises:
        ConfigError: what draws it is not installed.
    """
    jinja2, plotly = libraries()
    safe, drawing = jinja2.utils.markupsafe.Markup, _asset("charts.js")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, safe) else plain(str(value), LONGEST),
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def chart(made: Chart) -> Any:
        rows, height = len(made["data"]), made["layout"]["height"]
        return {"rows": rows, "height": height, "json": safe(embedded(made))}

    page: str = environment.from_string(_asset("page.html")).render(
        **_texts(report),
        **{name: chart(made) for name, made in _charts(report).items()},
        price_charts=[
            (
                one,
                chart(price_charts.price(report, one)),
                prices.sources(one),
                price_charts.outside(one),
            )
            for one in report.prices
        ],
        tables={"feeds": feeds, "findings": findings, "prices": prices, "run": run},
        report=report,
        style=safe(_asset("style.css")),
        plotly=safe(plotly),
        drawing=safe(drawing),
        allowed=" ".join(f"'{_digest(script)}'" for script in (plotly, drawing)),
    )
    return page


def _charts(report: Report) -> dict[str, Chart]:
    return {
        "feed_chart": feed_charts.feeds(report),
        "rate_chart": feed_charts.rates(report),
        "finding_chart": finding_charts.findings(report),
        "profit_chart": finding_charts.profits(report),
        "ledger_chart": finding_charts.ledger(report),
        "processor_chart": processor_charts.processors(report),
    }


def _texts(report: Report) -> dict[str, Any]:
    closing, about = report.closing, report.about
    begin, end = (report.epoch + round(at * 1e9) for at in (report.start, report.end))
    found = sum(one.count for one in report.sums)
    told = sum(report.alerts.values())
    # Whoever reports health adds to the events, and looks at other moments in every run.
    events = {name: n for name, n in closing.events.items() if name != DataType.HEALTH.value}
    facts = [
        ("lasted", lasting(report.end - report.start), "of the feeds' time"),
        ("events", number(sum(events.values()), 0), "those of processors among them"),
        ("opportunities", number(found, 0), several(told, "other finding")),
        ("feeds", number(len(report.feeds), 0), feeds.reconnects(report)),
        ("lost", number(closing.books.lost, 0), "deliveries, those to sinks among them"),
    ]
    return {
        "title": plain(about.title, 120),
        "begin": clock(begin, day=True),
        "end": clock(end, day=True),
        "notes": list(dict.fromkeys(tape.note for tape in about.tapes if tape.note)),
        "facts": facts,
        "events": sorted(events.items(), key=lambda one: (-one[1], one[0])),
        "options": [(plain(name), plain(value)) for name, value in about.options.items()],
        "gain": finding_charts.gains(report)[0],
    }
