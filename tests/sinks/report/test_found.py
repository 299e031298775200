"""Findings: each opportunity once, as it was told last; the largest kept, all of them counted."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from tests.support.reports import ETH, NOTHING, WETH, event, found, opportunity, report_of
from trio_mev.model.chain import TransactionAnalysis, Urgency
from trio_mev.model.event import DataType
from trio_mev.model.identity import Venue
from trio_mev.model.market import PriceAlert, Spread
from trio_mev.model.opportunity import Grounds, Kind, Outcome, Status, Verdict
from trio_mev.model.settings import LiquidationSettings
from trio_mev.model.simulation import SimulatedTransaction
from trio_mev.processors.liquidations import LiquidationDetector
from trio_mev.sinks.report import found as keeping
from trio_mev.sinks.report.charts.findings import findings, gains, profits
from trio_mev.sinks.report.tables import findings as tables
from trio_mev.stream import open_stream

ONE = 10**18


def spread(ratio: str) -> Spread:
    venues = Venue("a"), Venue("b")
    return Spread(ETH, *venues, Decimal(1), Decimal(2), None, Decimal(1), Decimal(ratio), None)


def analysis(usd: str | None) -> TransactionAnalysis:
    value = None if usd is None else Decimal(usd)
    return TransactionAnalysis(
        "0x01", "0x02", "0x03", None, None, None, 0, value, None, None, Urgency.NORMAL
    )


def test_an_opportunity_counts_once_as_it_was_told_last():
    outcome = Outcome(Verdict.TAKEN, lead=11.5)
    report = report_of(
        found(1.0, opportunity(usd=Decimal(5), gross={WETH: ONE})),
        found(2.0, opportunity(usd=Decimal(7), gross={WETH: 2 * ONE}, net={WETH: ONE})),
        found(
            9.0,
            opportunity(
                usd=Decimal(7),
                gross={WETH: 2 * ONE},
                net={WETH: ONE},
                status=Status.LANDED,
                outcome=outcome,
                transactions=("0xaa",),
            ),
            DataType.VERDICT,
        ),
    )
    (row,) = tables.kinds(report).rows
    assert row == [
        "arbitrage", "landed", "taken", "arithmetic", "1", "$7.00", "0", "+2.0000 WETH",
        "+1.0000 WETH",
    ]  # fmt: skip
    (one,) = tables.largest(report).rows
    assert one[0] == "00:00:01"  # when it was told first
    assert one[8:11] == ["11.5 s", "—", "0xaa"]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_words_at_one_moment_the_same_counts_in_any_order(turned):
    missed = opportunity(status=Status.MISSED, outcome=Outcome(Verdict.EXPIRED))
    said = [
        found(5.0, missed, DataType.VERDICT),
        found(5.0, opportunity(status=Status.SUPERSEDED)),
        found(3.0, opportunity()),
    ]
    report = report_of(*(said[::-1] if turned else said))
    (row,) = tables.kinds(report).rows
    assert row[1:3] == ["missed", "expired"]
    assert tables.largest(report).rows[0][0] == "00:00:03"


def test_sums_are_by_what_became_of_them():
    wrong = Outcome(Verdict.WRONG)
    report = report_of(
        found(1.0, opportunity("1", gross={WETH: ONE})),
        found(1.0, opportunity("2", gross={WETH: ONE, "0xother": 5}, net={WETH: -ONE})),
        found(1.0, opportunity("3", outcome=wrong, usd=Decimal(-2))),
        found(1.0, opportunity("4", Kind.JIT, grounds=Grounds.REFEREED, reverted=True)),
    )
    assert [row[:8] for row in tables.kinds(report).rows] == [
        ["arbitrage", "predicted", "—", "arithmetic", "2", "—", "2",
         "+2.0000 WETH, +5 of 0xother…"],
        ["arbitrage", "predicted", "wrong", "arithmetic", "1", "−$2.00", "0", "nothing"],
        ["jit", "predicted, reverted", "—", "refereed", "1", "—", "1", "nothing"],
    ]  # fmt: skip
    assert [row[8] for row in tables.kinds(report).rows] == ["-1.0000 WETH (1 not known)", "—", "—"]


def test_what_there_is_no_room_for_stays_in_the_sums(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_KEPT", 20)
    monkeypatch.setattr(keeping, "MOST_SHOWN", 5)
    events = [
        found(float(n), opportunity(str(n), usd=Decimal(n), gross={WETH: 1})) for n in range(100)
    ]
    report = report_of(*events)
    (sums,) = report.sums
    assert (sums.count, sums.usd, sums.gross) == (100, Decimal(4950), {WETH: 100})
    assert [one.usd for one in report.found] == [99, 98, 97, 96, 95]
    assert tables.largest(report).note == "95 more opportunities, worth less, are not shown."


def test_tokens_of_a_sum_are_bounded(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_TOKENS", 4)
    events = [found(1.0, opportunity(str(n), gross={f"0x{n:040}": n + 1})) for n in range(9)]
    (sums,) = report_of(*events).sums
    assert len(sums.gross) == 5
    assert sums.gross["other"] == 0  # amounts of several tokens have no sum
    assert tables.kinds(report_of(*events)).rows[0][7].endswith("2 more tokens")


def test_the_largest_alerts_of_each_type_are_kept_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_TOLD", 3)
    events = [event(DataType.ARBITRAGE, spread(f"0.00{n}"), float(n), "P") for n in range(1, 10)]
    events += [event(DataType.ALERT, analysis(usd), 1.0, "T") for usd in ("5", "70", None)]
    report = report_of(*events)
    assert report.alerts == {"spread": 9, "transaction": 3}
    spreads, transactions = tables.alerts(report)
    assert spreads[:2] == ("spread", 9)
    assert [row[1] for row in spreads[2].rows] == ["0.900%", "0.800%", "0.700%"]
    assert spreads[2].note == "6 more of these are not shown."
    assert [row[1] for row in transactions[2].rows] == ["$70.00", "$5.00", "—"]


def test_without_a_size_the_latest_are_kept(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_TOLD", 2)
    alerts = [PriceAlert("up", "price_above", ETH, None, None, f"number {n}") for n in range(5)]
    report = report_of(*(event(DataType.ALERT, a, float(n)) for n, a in enumerate(alerts)))
    ((name, count, table),) = tables.alerts(report)
    assert (name, count) == ("price_above", 5)
    assert [row[2] for row in table.rows] == ["number 4", "number 3"]


def test_what_a_plugin_or_a_node_says_is_told():
    tried = SimulatedTransaction(
        analysis("3"), "latest", None, "eth_simulateV1", False, "no", 1, ()
    )
    report = report_of(
        event(DataType.FINDING, tried, 1.0), event(DataType.FINDING, {"own": "x" * 999}, 1.0)
    )
    (_, _, own), (_, _, simulated) = tables.alerts(report)
    assert own.rows[0][2].startswith("{'own': 'xxx")
    assert len(own.rows[0][2]) <= keeping.LONGEST
    assert simulated.rows[0][1:] == ["$3.00", "on block latest, a call of 0x03 would revert: no"]


def test_types_of_alerts_are_bounded(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_TYPES", 2)
    alerts = [PriceAlert("a", f"type{n}", ETH, None, None, "") for n in range(5)]
    report = report_of(*(event(DataType.ALERT, alert, 1.0) for alert in alerts))
    assert report.alerts == {"other": 3, "type0": 1, "type1": 1}


def test_bars_add_up_to_all_that_was_found():
    events = [event(DataType.ARBITRAGE, spread("0.1"), float(n), "P") for n in range(500)]
    report = report_of(*events, found(7.0, opportunity()))
    drawn = findings(report)
    assert {one["name"]: sum(one["y"]) for one in drawn["data"]} == {"spread": 500, "arbitrage": 1}
    assert len(drawn["data"][1]["x"]) <= 64


def test_gains_are_in_usd_where_that_is_known():
    report = report_of(
        found(1.0, opportunity("1", usd=Decimal(5))), found(1.0, opportunity("2", gross={WETH: 1}))
    )
    assert gains(report)[0] == "USD"
    drawn = profits(report)
    assert drawn["data"][0]["y"] == [5.0]
    assert drawn["layout"]["yaxis"]["title"]["text"] == "USD"


def test_gains_are_else_in_the_token_that_most_of_them_bring_alone():
    usdc = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    report = report_of(
        found(1.0, opportunity("1", gross={usdc: 5_000_000})),
        found(1.0, opportunity("2", gross={WETH: ONE})),
        found(1.0, opportunity("3", Kind.SANDWICH, gross={WETH: 3 * ONE})),
        found(1.0, opportunity("4", gross={WETH: 9 * ONE, usdc: -1})),  # it paid for that
        found(1.0, opportunity("5", gross={"0xunknown": 5})),
    )
    unit, worth = gains(report)
    assert (unit, [value for _, value in worth]) == ("WETH", [1.0, 3.0])
    assert [one["name"] for one in profits(report)["data"]] == ["arbitrage", "sandwich"]


def test_where_nothing_has_a_value_there_are_no_gains():
    assert gains(report_of(found(1.0, opportunity(gross={"0xunknown": 5})))) == ("", [])


@pytest.mark.parametrize("looking", [True, False])
async def test_of_what_was_not_found_it_is_said_whether_anybody_looked(looking):
    factories = [lambda: LiquidationDetector(LiquidationSettings())] if looking else []
    async with open_stream([], factories) as stream:
        closing = attrs.evolve(NOTHING, consumers=stream.get_stats().consumers)
    said = list(tables.missing(report_of(found(1.0, opportunity()), closing=closing)))
    assert not any("No arbitrage:" in line for line in said)
    liquidations = next(line for line in said if "liquidations" in line)
    if looking:
        assert liquidations == "No liquidations: LiquidationDetector looked, and there were none."
    else:
        assert "nothing looked" in liquidations
