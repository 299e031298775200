"""Alerts: each once a crossing, armed again only when it is clearly over."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trio_mev.model.identity import Instrument
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.settings import AlertSettings
from trio_mev.pricing.alerts import POINTS, Alert

ETH = Instrument("ETH", "USD")
OK, DISPUTED, STALE = PriceStatus.OK, PriceStatus.DISPUTED, PriceStatus.STALE


def price(value: str | None, status: PriceStatus = OK) -> Price:
    known = None if value is None else Decimal(value)
    return Price(ETH, known, None if known is None else Decimal(1), status, ())


def raised(alert: Alert, prices: list[tuple[float, str | None, PriceStatus]]) -> list[float]:
    """The times at which it is raised."""
    return [at for at, value, status in prices if alert.look(price(value, status), at)]


def moves(*values: str, every: float = 10.0) -> list[tuple[float, str | None, PriceStatus]]:
    return [(n * every, value, OK) for n, value in enumerate(values)]


def test_a_change_is_told_once_until_it_is_below_half():
    alert = Alert(AlertSettings("c", ETH, "change", ratio=Decimal("0.1"), window=60.0))
    course = ["100", "109", "110", "112", *["112"] * 6, "124"]
    assert raised(alert, moves(*course)) == [20.0, 100.0]


def test_a_fall_is_a_change_too_and_says_so():
    alert = Alert(AlertSettings("c", ETH, "change", ratio=Decimal("0.1"), window=60.0))
    assert alert.look(price("100"), 0.0) is None
    found = alert.look(price("90"), 1.0)
    assert found is not None
    assert (found.ratio, found.threshold) == (Decimal("-0.1"), Decimal("0.1"))
    assert found.message == "ETH/USD has moved by -10.000% within 60 s: 90"


def test_what_moves_slowly_does_not_change_within_the_window():
    alert = Alert(AlertSettings("c", ETH, "change", ratio=Decimal("0.1"), window=60.0))
    slow = [str(100 + n) for n in range(100)]
    assert raised(alert, moves(*slow)) == []


def test_a_window_is_kept_in_so_many_points_at_most():
    alert = Alert(AlertSettings("c", ETH, "change", ratio=Decimal("0.1"), window=60.0))
    for n in range(20_000):
        alert.look(price("100"), n / 100)
    assert POINTS / 2 < len(alert._window) <= POINTS + 1


@pytest.mark.parametrize(("kind", "status"), [("disputed", DISPUTED), ("stale", STALE)])
def test_a_status_is_told_once_until_it_was_over_for_a_while(kind, status):
    alert = Alert(AlertSettings("s", ETH, kind, hold=10.0))
    course = [
        (0.0, "100", OK),
        (1.0, None, status),
        (2.0, None, status),
        (3.0, "100", OK),
        (9.0, None, status),  # too soon
        (10.0, "100", OK),
        (19.0, "100", OK),
        (20.0, "100", OK),
        (21.0, None, status),
    ]
    assert raised(alert, course) == [1.0, 21.0]


def test_what_has_no_believable_price_moves_no_level():
    for kind in ("above", "below"):
        alert = Alert(AlertSettings("l", ETH, kind, Decimal(100)))
        for status in (DISPUTED, STALE):
            assert alert.look(price("200", status), 0.0) is None
            assert alert.look(price("50", status), 0.0) is None
        assert alert.look(price(None), 1.0) is None
        assert alert.armed


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type": "above"}, "of type above has a price"),
        ({"type": "above", "ratio": Decimal(1), "price": Decimal(1)}, "above has no ratio"),
        ({"type": "change"}, "of type change has a ratio"),
        ({"type": "stale", "price": Decimal(1)}, "of type stale has no price"),
        ({"type": "spread", "price": Decimal(1)}, "of type spread has no price"),
    ],
)
def test_an_alert_has_the_limit_of_its_type_and_no_other(fields, words):
    with pytest.raises(ValueError, match=words):
        AlertSettings("x", ETH, **fields)
