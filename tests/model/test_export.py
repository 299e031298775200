"""Events as dictionaries and back, through JSON."""

from __future__ import annotations

import enum
import json
import types
import typing
from decimal import Decimal
from types import MappingProxyType

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.chain import Block, Life, PendingLife
from trio_mev.model.event import NO_METADATA, DataEvent, DataType, EventPriority
from trio_mev.model.export import PAYLOADS, from_dict, to_dict
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Quote, Trade
from trio_mev.model.noun import field_types

ASSETS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
BY_TYPE = {
    bool: st.booleans(),
    bytes: st.binary(),
    Decimal: st.decimals(-(10**24), 10**24, places=18),
    float: FINITE,
    Instrument: st.builds(Instrument, ASSETS, ASSETS),
    int: st.integers(),
    str: st.text(),
    types.NoneType: st.none(),
    Venue: st.text(),
}


def values_of(kind) -> st.SearchStrategy:
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return st.one_of([values_of(one) for one in arguments])
    if typing.get_origin(kind) is tuple:
        if arguments[-1] is not Ellipsis:
            return st.tuples(*map(values_of, arguments))
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if issubclass(kind, enum.Enum):
        return st.sampled_from(kind)

    return st.builds(kind, **{name: values_of(hint) for name, hint in field_types(kind).items()})


@attrs.frozen
class Whale:
    value: int


QUOTE = Quote(
    Venue("binance"), Instrument("ETH", "USDT"), Decimal("1E+3"), Decimal("1000.10"), sequence=9
)


def event_of(data, **fields) -> DataEvent:
    return DataEvent(DataType.QUOTE, EventPriority.LOW, data, "spot", 1.5, **fields)


def through_json(values):
    return json.loads(json.dumps(values))


def test_an_event_becomes_plain_values_with_decimals_and_instruments_as_text():
    event = event_of(
        QUOTE, occurred_at=3, sequence=4, ordinal=5, size=6, metadata={"a": "b"}, lag=0.25
    )
    assert to_dict(event) == {
        "event_type": "quote",
        "priority": 3,
        "payload": "Quote",
        "data": {
            "venue": "binance",
            "instrument": "ETH/USDT",
            "bid": "1000",
            "ask": "1000.10",
            "bid_size": None,
            "ask_size": None,
            "last": None,
            "sequence": 9,
        },
        "source": "spot",
        "received_at": 1.5,
        "occurred_at": 3,
        "sequence": 4,
        "ordinal": 5,
        "size": 6,
        "metadata": {"a": "b"},
        "lag": 0.25,
    }


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: p.__name__)
def test_every_payload_survives_the_way_through_json(payload):
    @given(
        values_of(payload),
        st.sampled_from(DataType),
        st.sampled_from(EventPriority),
        FINITE,
        st.none() | st.integers(),
        st.dictionaries(st.text(), st.text(), max_size=2),
    )
    def round_trip(data, kind, priority, received_at, occurred_at, metadata):
        event = DataEvent(kind, priority, data, "feed", received_at, occurred_at, metadata=metadata)
        again = from_dict(through_json(to_dict(event)))
        assert again == event
        assert type(again.data) is payload

    round_trip()


def test_a_plug_ins_own_payload_reads_back_where_its_class_is_given():
    event = event_of(Whale(10**21))
    values = through_json(to_dict(event))
    assert from_dict(values, [Whale]) == event
    with pytest.raises(ValueError, match="payload 'Whale' is not known"):
        from_dict(values)


def test_a_dictionary_is_a_payload_too():
    event = event_of({"gasPrice": 5})
    assert from_dict(through_json(to_dict(event))) == event


def test_an_enum_as_a_payload_is_its_value():
    assert to_dict(event_of(Life.ANNOUNCED))["data"] == "announced"


def test_metadata_that_was_read_back_cannot_be_changed():
    event = from_dict(to_dict(event_of(QUOTE, metadata={"cause": "x"})))
    assert isinstance(event.metadata, MappingProxyType)
    assert from_dict(to_dict(event_of(QUOTE))).metadata is NO_METADATA


@pytest.mark.parametrize(
    "data", [{}, {"hash": "0x", "life": "lost"}, [], "text", 5, None], ids=repr
)
def test_a_payload_that_does_not_fit_its_class_is_a_value_error(data):
    values = to_dict(event_of(PendingLife("0x", Life.ANNOUNCED))) | {"data": data}
    with pytest.raises(ValueError, match="payload PendingLife"):
        from_dict(values)


def test_a_trades_name_is_a_number_or_text():
    trade = Trade(Venue("v"), Instrument("ETH", "USD"), Decimal(1), None, None, "20f43950-d8dd")
    values = to_dict(event_of(trade))
    assert from_dict(values).data == trade
    with pytest.raises(ValueError, match="payload Trade"):
        from_dict(values | {"data": values["data"] | {"trade_id": [1]}})


def test_an_unknown_type_is_a_value_error():
    with pytest.raises(ValueError, match="'weather' is not a valid DataType"):
        from_dict(to_dict(event_of(QUOTE)) | {"event_type": "weather"})


def test_integers_beyond_64_bits_stay_exact():
    block = Block(1, "0x", "0x", 0, 0, 0, base_fee=2**200 + 1)
    assert from_dict(through_json(to_dict(event_of(block)))).data.base_fee == 2**200 + 1
