"""Filters: what passes, what does not, and what is refused when a filter is made."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Optional

import attrs
import msgspec
import pytest

from trio_mev.errors import ConfigError
from trio_mev.model.chain import GasPercentiles, MempoolView
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument
from trio_mev.model.market import Price, PriceAlert, PriceStatus
from trio_mev.model.settings import FilterSettings
from trio_mev.processors.filters import OPERATORS, VALIDATORS, EventFilter

TO = "0x" + "ab" * 20
WETH = Instrument("ETH", "USDT")


@pytest.fixture
def passes(transaction):
    """Whether one condition lets a transaction with these fields through."""

    def check(path, operator, wanted, /, **fields):
        one = EventFilter("one")
        one.add_field_filter(path, operator, wanted)
        return one.filter_event(transaction(**fields))

    return check


@pytest.mark.parametrize(
    ("operator", "value", "found", "expected"),
    [
        ("equals", 5, 5, True),
        ("equals", 5, 6, False),
        ("not_equals", 5, 6, True),
        ("not_equals", 5, 5, False),
        ("greater_than", 5, 6, True),
        ("greater_than", 5, 5, False),
        ("less_than", 5, 4, True),
        ("less_than", 5, 5, False),
        ("contains", 23, 1234, True),
        ("contains", 32, 1234, False),
        ("regex", "^12", 1234, True),
        ("regex", "^2", 1234, False),
    ],
)
def test_each_operator_compares_the_field_with_the_value(passes, operator, value, found, expected):
    assert passes("data.value", operator, value, value=found) is expected


@pytest.mark.parametrize("value", ["0x3b9aca00", "0X3B9ACA00", "1000000000", 1e9, 10**9])
def test_text_against_a_number_compares_as_a_number(passes, value):
    assert passes("data.gas_price", "equals", value, gas_price=10**9)
    assert not passes("data.gas_price", "greater_than", value, gas_price=10**9)
    assert passes("data.gas_price", "greater_than", value, gas_price=10**9 + 1)


def test_the_nodes_spelling_of_a_field_works_too(passes):
    assert passes("data.gasPrice", "greater_than", "0x10", gas_price=17)
    assert not passes("data.gasPrice", "greater_than", "0x10", gas_price=16)


@pytest.mark.parametrize(("found", "expected"), [("0x5208", True), ("0x5207", False), ("x", False)])
def test_hex_text_in_an_event_compares_as_a_number_with_a_number(make_event, found, expected):
    one = EventFilter("one")
    one.add_field_filter("metadata.gas", "greater_than", 20_999)
    assert one.filter_event(make_event(DataType.LOG, None, metadata={"gas": found})) is expected


def test_addresses_compare_whatever_their_case(passes):
    assert passes("data.to", "equals", TO.replace("ab", "AB"), to=TO)


def test_bytes_compare_as_hexadecimal_text(passes):
    data = bytes.fromhex("a9059cbb00")
    assert passes("data.input", "contains", "a9059cbb", input=data)
    assert passes("data.input", "regex", "^0xa9059cbb", input=data)
    assert passes("data.input", "equals", "0xA9059CBB00", input=data)
    assert not passes("data.input", "equals", "0xa9059cbb", input=data)


def test_a_property_of_the_payload_is_a_field(passes):
    data = bytes.fromhex("a9059cbb00")
    assert passes("data.selector", "equals", "0xa9059cbb", input=data)
    assert not passes("data.selector", "equals", "0xa9059cbb", input=b"")


@pytest.mark.parametrize("operator", ["equals", "not_equals", "contains", "regex", "less_than"])
def test_a_field_that_an_event_does_not_have_meets_no_condition(passes, operator):
    value = "0x1"
    assert not passes("data.to", operator, value, to=None)
    assert not passes("metadata.subscription_id", operator, value)
    assert not passes("data.venue", operator, value)


def test_a_range_includes_both_ends(transaction):
    one = EventFilter("one")
    one.add_range_filter("data.value", 5, "0xa")
    assert [one.filter_event(transaction(value=v)) for v in (4, 5, 10, 11)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_field_without_a_value_is_in_no_range(transaction):
    one = EventFilter("one")
    one.add_range_filter("data.gasPrice", 0, 10)
    assert not one.filter_event(transaction(gas_price=None))


def test_paths_lead_into_nested_payloads(make_event):
    view = MempoolView(1, 300.0, 20, 0, 0, GasPercentiles(20, 10, 90, 99), None, None, 0)
    one = EventFilter("one")
    one.add_field_filter("data.gas.p90", "equals", 90)
    assert one.filter_event(make_event(DataType.MEMPOOL_VIEW, view))
    assert not one.filter_event(make_event(DataType.MEMPOOL_VIEW, attrs.evolve(view, gas=None)))


def test_paths_lead_into_the_metadata_and_into_plain_dictionaries(make_event):
    one = EventFilter("one")
    one.add_field_filter("metadata.subscription_id", "equals", "0x1")
    one.add_field_filter("data.value", "greater_than", 4)
    event = make_event(DataType.LOG, {"value": 5}, metadata={"subscription_id": "0x1"})
    assert one.filter_event(event)
    assert not one.filter_event(msgspec.structs.replace(event, data={"value": "many"}))
    assert not one.filter_event(msgspec.structs.replace(event, data={}))


def test_one_name_with_different_types_is_compared_where_it_fits(make_event, transaction):
    gas = EventFilter("gas")
    gas.add_field_filter("data.gas", "greater_than", 21_000)
    assert gas.filter_event(transaction(gas=21_001))
    view = MempoolView(1, 300.0, 20, 0, 0, GasPercentiles(20, 10, 90, 99), None, None, 0)
    assert not gas.filter_event(make_event(DataType.MEMPOOL_VIEW, view))
    kind = EventFilter("type")
    kind.add_field_filter("data.type", "equals", "price_above")
    one = Decimal(1)
    alert = PriceAlert("a", "price_above", WETH, one, one, "")
    assert kind.filter_event(make_event(DataType.ALERT, alert))
    assert not kind.filter_event(transaction(type=2))


@pytest.mark.parametrize(
    ("path", "operator", "value"),
    [
        ("event_type", "equals", "price"),
        ("event_type", "equals", DataType.PRICE),
        ("event_type", "regex", "^price$"),
        ("priority", "equals", "normal"),
        ("priority", "equals", 2),
        ("priority", "greater_than", "high"),
        ("source", "equals", "feed"),
        ("received_at", "equals", 0.1),
        ("data.status", "equals", "ok"),
        ("data.status", "contains", "o"),
        ("data.instrument", "equals", "ETH/USDT"),
        ("data.instrument", "equals", WETH),
        ("data.instrument", "contains", "ETH/"),
        ("data.instrument.base", "equals", "ETH"),
        ("data.instrument.expiry", "not_equals", "2026-01-01"),
        ("data.price", "greater_than", "1999.99"),
        ("data.price", "equals", 2000),
        ("data.sources", "contains", "binance"),
        ("data.venue", "regex", "x"),
    ],
)
def test_values_are_taken_as_the_fields_own_type(make_event, path, operator, value):
    price = Price(WETH, Decimal("2000.00"), None, PriceStatus.OK, ("binance",))
    one = EventFilter("one")
    one.add_field_filter(path, operator, value)
    event = make_event(DataType.PRICE, price, at=0.1)
    absent = path in {"data.venue", "data.instrument.expiry"}
    assert one.filter_event(event) is not absent


def test_truth_is_neither_a_number_nor_text(block):
    one = EventFilter("one")
    one.add_field_filter("data.complete", "equals", True)
    assert one.filter_event(block(complete=True))
    assert not one.filter_event(block(complete=False))
    for value in (1, "true"):
        with pytest.raises(ConfigError, match="not true or false"):
            one.add_field_filter("data.complete", "equals", value)


@pytest.mark.parametrize(
    ("path", "operator", "value", "said"),
    [
        ("data.value", "like", 1, f"operator 'like' is not one of {', '.join(OPERATORS)}"),
        ("nothing", "equals", 1, "path 'nothing': an event has no 'nothing'; it has event_type"),
        ("data.gas_prize", "equals", 1, "no payload has 'gas_prize'; near it are gas_price"),
        ("data.zzzzzz", "equals", 1, "no payload has 'zzzzzz'; known are "),
        ("data.value.more", "equals", 1, "path 'data.value.more': no payload has 'more'"),
        ("source.name", "equals", 1, "path 'source.name': source has no fields of its own"),
        ("data.value", "equals", "many", "path 'data.value': 'many' does not fit: not a number"),
        ("data.value", "equals", "0xyz", "path 'data.value': '0xyz' does not fit"),
        ("data.value", "equals", float("nan"), "does not fit: not a finite number"),
        ("data.value", "equals", True, "does not fit: not a number"),
        ("data.hash", "equals", 5, "path 'data.hash': 5 does not fit: not text"),
        ("data.hash", "equals", None, "path 'data.hash': there is no value to compare it with"),
        ("data.hash", "contains", None, "there is no value to compare it with"),
        ("data.hash", "greater_than", 5, "does not fit: not text"),
        ("event_type", "equals", "blok", "does not fit: not one of block, transaction"),
        ("event_type", "greater_than", "block", "nothing in it is more or less than"),
        ("data.complete", "less_than", True, "nothing in it is more or less than True"),
        ("metadata.x", "greater_than", [1], r"nothing in it is more or less than \[1\]"),
        ("data.instrument", "equals", "ETHUSDT", "does not fit: 'ETHUSDT' is not BASE/QUOTE"),
        ("data.topics", "equals", "0x1", "does not fit: the field is not a single value"),
        ("data.gas", "equals", "x", "path 'data.gas': 'x' does not fit"),
        ("data.to", "regex", "(", "path 'data.to': pattern"),
        ("data.to", "regex", 5, "a pattern is text of 500 at most"),
        ("data.to", "regex", "x" * 501, "a pattern is text of 500 at most"),
    ],
)
def test_what_cannot_work_is_refused_when_the_filter_is_made(path, operator, value, said):
    with pytest.raises(ConfigError, match=said):
        EventFilter("one").add_field_filter(path, operator, value)


@pytest.mark.parametrize(
    ("path", "low", "high", "said"),
    [
        ("data.value", 5, 4, "the range 5 to 4 is empty"),
        ("data.value", "a", 4, "'a' does not fit"),
        ("data.value", None, 4, "None does not fit"),
        ("metadata.x", 1, "a", "the range 1 to a is empty"),
        ("metadata.x", None, 1, "nothing in it is more or less than None"),
        ("data.complete", False, True, "nothing in it is more or less than False"),
        ("data.nothing_like_it", 1, 2, "no payload has"),
    ],
)
def test_a_range_that_cannot_work_is_refused_when_the_filter_is_made(path, low, high, said):
    with pytest.raises(ConfigError, match=said):
        EventFilter("one").add_range_filter(path, low, high)


def test_conditions_are_all_to_be_met_and_counted(transaction):
    one = EventFilter("big")
    assert one.get_stats().pass_rate is None
    one.add_field_filter("data.value", "greater_than", 10)
    one.add_field_filter("data.gas", "less_than", 30_000)
    one.add_custom_filter(lambda event: event.data.nonce % 2 == 0)
    for value, gas, nonce in [(11, 1, 0), (9, 1, 0), (11, 30_000, 0), (11, 1, 1)]:
        one.filter_event(transaction(value=value, gas=gas, nonce=nonce))
    stats = one.get_stats()
    assert (stats.name, stats.filter_count) == ("big", 3)
    assert (stats.total_events, stats.events_passed, stats.events_filtered) == (4, 1, 3)
    assert (stats.events_invalid, stats.pass_rate) == (0, 0.25)


def test_what_a_custom_condition_raises_is_not_hidden(transaction):
    one = EventFilter("one")
    one.add_custom_filter(lambda event: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        one.filter_event(transaction())


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("integer", 0, True),
        ("number", Decimal(1), "1"),
        ("positive", 0.5, 0),
        ("string", "", 1),
        ("address", "0x" + "0" * 40, "0x" + "0" * 39),
        ("hash", "0x" + "0" * 64, "1x" + "0" * 64),
    ],
)
def test_validators_check_the_form_and_are_counted_apart(make_event, form, good, bad):
    one = EventFilter("one")
    one.add_validator("metadata.x", form)
    one.add_field_filter("source", "equals", "feed")
    events = [make_event(DataType.LOG, None, metadata=m) for m in ({"x": good}, {"x": bad}, {})]
    assert [one.filter_event(event) for event in events] == [True, False, False]
    assert not one.filter_event(msgspec.structs.replace(events[0], source="other"))
    stats = one.get_stats()
    assert (stats.events_filtered, stats.events_invalid, stats.filter_count) == (3, 2, 2)


def test_every_form_is_tried_above():
    assert set(VALIDATORS) == {"integer", "number", "positive", "string", "address", "hash"}


def test_an_unknown_form_or_path_is_refused():
    with pytest.raises(ConfigError, match="form 'prime' is not one of integer"):
        EventFilter("one").add_validator("data.value", "prime")
    with pytest.raises(ConfigError, match="no payload has"):
        EventFilter("one").add_validator("data.valeu", "integer")


def test_a_catastrophic_pattern_ends_at_once(make_event):
    one = EventFilter("one")
    one.add_field_filter("metadata.x", "regex", "(a+)+$")
    event = make_event(DataType.LOG, None, metadata={"x": "a" * 9_000 + "!"})
    start = time.perf_counter()
    assert not one.filter_event(event)
    assert time.perf_counter() - start < 1.0


def test_only_the_first_ten_thousand_characters_are_searched(make_event):
    one = EventFilter("one")
    one.add_field_filter("metadata.x", "regex", "b")
    near, far = ("a" * count + "b" for count in (9_999, 10_000))
    assert one.filter_event(make_event(DataType.LOG, None, metadata={"x": near}))
    assert not one.filter_event(make_event(DataType.LOG, None, metadata={"x": far}))


@attrs.frozen
class Whale:
    """A plug-in's payload."""

    weight: int
    nick: Optional[str]  # noqa: UP045 - plug-ins may write it so
    either: int | str

    @property
    def tons(self) -> float:
        return self.weight / 1000

    @property
    def untold(self):
        return self.weight


def test_the_payloads_of_a_plug_in_have_paths_too(make_event):
    whale = make_event(DataType.FINDING, Whale(5000, None, "x"))
    one = EventFilter("one", [Whale])
    one.add_field_filter("data.weight", "greater_than", "0x100")
    one.add_field_filter("data.tons", "less_than", 5.5)
    one.add_field_filter("data.untold", "equals", 5000)
    one.add_field_filter("data.either", "equals", "x")
    assert one.filter_event(whale)
    one.add_field_filter("data.nick", "equals", "Moby")
    assert not one.filter_event(whale)
    assert one.filter_event(msgspec.structs.replace(whale, data=Whale(5000, "Moby", "x")))
    with pytest.raises(ConfigError, match="5 does not fit: not text"):
        one.add_field_filter("data.nick", "equals", 5)
    with pytest.raises(ConfigError, match="no payload has 'weight'"):
        EventFilter("other").add_field_filter("data.weight", "equals", 1)


def test_the_whole_payload_can_be_compared(make_event):
    one = EventFilter("one")
    one.add_field_filter("data", "equals", "text")
    assert one.filter_event(make_event(DataType.FINDING, "text"))


def test_a_filter_from_settings_reports_every_problem_with_its_place(transaction):
    good = EventFilter.of(
        "stream.filters",
        [
            FilterSettings("data.value", "greater_than", 4),
            FilterSettings("data.value", min=0, max=6),
        ],
    )
    assert [good.filter_event(transaction(value=v)) for v in (4, 5, 7)] == [False, True, False]
    with pytest.raises(ConfigError) as caught:
        EventFilter.of(
            "stream.filters",
            [
                FilterSettings("data.value", "like", 4),
                FilterSettings("data.value", "equals", 4),
                FilterSettings("data.value", min=6, max=5),
            ],
        )
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "stream.filters[0]",
        "stream.filters[2]",
    ]


def test_the_priority_of_an_event_is_not_changed_by_a_filter(transaction):
    event = transaction(value=10**24)
    one = EventFilter("one")
    one.add_field_filter("data.value", "greater_than", 1)
    assert one.filter_event(event)
    assert event.priority is EventPriority.NORMAL


def test_a_condition_may_concern_some_types_only(transaction, quote):
    filters = [
        FilterSettings("data.value", "greater_than", 5, types=frozenset({DataType.TRANSACTION}))
    ]
    chosen = EventFilter.of("some", filters)
    events = [transaction(1, value=5), transaction(2, value=6), quote("alpha", "1", "2")]
    assert [chosen.filter_event(event) for event in events] == [False, True, True]
