"""Whatever Bitstamp, Gemini or Bitfinex send: no error but our own, every frame accounted for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.test_session_properties import JSON, SCALARS, shaped
from trio_mev.errors import DataStreamError
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Instrument
from trio_mev.wire.bitfinex import BitfinexAdapter
from trio_mev.wire.bitstamp import BitstampAdapter
from trio_mev.wire.gemini import GeminiAdapter
from trio_mev.wire.venue import VenueAdapter

ETH = Instrument("ETH", "USD")
PRICES = st.sampled_from(["1999", "2000", "2001", "0", "-1"])
SIZES = st.sampled_from(["0", "1", "2.5", "NaN", "1e9"])
LEVELS = st.lists(st.tuples(PRICES, SIZES) | st.lists(SCALARS, max_size=3), max_size=3)
NUMBERS = st.integers(0, 9) | st.sampled_from([2000, 2000.5, 1e-7, -0.5, "NaN", None])

BITSTAMP_DATA = shaped({
    "microtimestamp": st.integers(0, 9).map(str), "bids": LEVELS, "asks": LEVELS,
    "id": st.integers(0, 9), "type": st.integers(0, 2), "price_str": PRICES, "amount_str": SIZES,
    "message": "no",
})  # fmt: skip
BITSTAMP_FRAMES = shaped({
    "event": st.sampled_from(["data", "trade", "bts:error", "bts:heartbeat", "bts:x",
                              "bts:subscription_succeeded", "bts:request_reconnect"]),
    "channel": st.sampled_from(["order_book_ethusd", "live_trades_ethusd", "order_book_", "x"]),
    "data": BITSTAMP_DATA,
})  # fmt: skip
GEMINI_FRAMES = shaped({
    "type": st.sampled_from(["l2_updates", "l2_updates", "trade", "heartbeat", "x"]),
    "symbol": "ETHUSD", "result": st.sampled_from(["error", "ok"]), "trades": JSON,
    "changes": st.lists(st.tuples(st.sampled_from(["buy", "sell"]), PRICES, SIZES), max_size=3),
    "event_id": st.integers(0, 9), "tid": st.integers(0, 9), "timestamp": st.integers(0, 9),
    "price": PRICES, "quantity": SIZES, "side": "buy",
})  # fmt: skip
BITFINEX_FRAMES = shaped({
    "event": st.sampled_from(["subscribed", "unsubscribed", "info", "error", "conf"]),
    "channel": st.sampled_from(["ticker", "trades", "book"]), "symbol": "tETHUSD",
    "chanId": st.integers(0, 3), "code": st.sampled_from([20051, 20060, 10300]),
}) | st.tuples(
    st.integers(0, 3),
    st.lists(NUMBERS, max_size=9) | st.sampled_from(["te", "tu", "hb"]),
    st.lists(NUMBERS, max_size=5),
)  # fmt: skip

BITSTAMP_CONFIRMED = '{"event":"bts:subscription_succeeded","channel":"%s_ethusd"}'
VENUES = {
    "bitstamp": (
        BitstampAdapter,
        BITSTAMP_FRAMES,
        [BITSTAMP_CONFIRMED % channel for channel in BitstampAdapter.known_channels],
    ),
    "gemini": (
        GeminiAdapter,
        GEMINI_FRAMES,
        ['{"type":"l2_updates","symbol":"ETHUSD","changes":[],"trades":[]}'],
    ),
    "bitfinex": (
        BitfinexAdapter,
        BITFINEX_FRAMES,
        [
            f'{{"event":"subscribed","channel":"{channel}","symbol":"tETHUSD","chanId":{number}}}'
            for number, channel in enumerate(BitfinexAdapter.known_channels)
        ],
    ),
}


def opened(name: str, confirmed: bool = True) -> VenueAdapter:
    make, _, confirmations = VENUES[name]
    session = make("f", [ETH])
    session.begin(0.0)
    session.opening()
    for frame in confirmations if confirmed else []:
        session.receive(frame.encode(), 0.0, 0)
    session.refused.clear()
    session.ignored.clear()
    return session


def receive(session: VenueAdapter, frame: bytes, now: float = 1.0) -> list[DataEvent]:
    """The frame's events; checks that it left one trace."""
    before = session.refused.total() + session.ignored.total()
    events = session.receive(frame, now, 7)
    counted = session.refused.total() + session.ignored.total() - before
    faults = [event for event in events if event.event_type is DataType.FAULT]
    assert len(events) - len(faults) + counted >= 1
    assert len(events) <= 1
    assert [event.ordinal for event in events] == list(range(len(events)))
    return events


@pytest.mark.parametrize("name", VENUES)
@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused_and_told(name, frame):
    session = opened(name)
    (event,) = receive(session, frame)
    assert event.event_type is DataType.FAULT
    assert session.refused.total() == 1


@pytest.mark.parametrize("name", VENUES)
@pytest.mark.parametrize("confirmed", [False, True])
def test_arbitrary_json_is_an_event_or_refused_or_ignored(name, confirmed):
    @given((JSON | VENUES[name][1]).map(json.dumps).map(str.encode))
    def attempt(frame):
        session = opened(name, confirmed)
        try:
            receive(session, frame)
        except DataStreamError:
            assert not confirmed

    attempt()


@pytest.mark.parametrize("name", VENUES)
def test_any_series_of_frames_that_are_nearly_sound_is_accounted_for(name):
    @given(st.lists(VENUES[name][1].map(json.dumps).map(str.encode), max_size=12))
    def attempt(series):
        session = opened(name)
        for number, frame in enumerate(series):
            for event in receive(session, frame, 20.0 * number):
                if event.event_type is DataType.QUOTE:
                    assert 0 < event.data.bid <= event.data.ask
        assert len(session.outgoing()) <= 2 * len(series)

    attempt()


@given(st.sampled_from([make for make, _, _ in VENUES.values()]), JSON)
def test_whatever_a_recorded_client_sent_asks_for_pairs_of_text(adapter, frame):
    pairs = list(adapter.asked(frame))
    assert all(isinstance(part, str) for pair in pairs for part in pair)
