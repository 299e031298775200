"""What every exchange's session shares, shown at one whose messages are the shortest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest

from trio_mev.errors import MalformedFrame
from trio_mev.model.event import DataEvent
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.wire import updates as module
from trio_mev.wire import venue
from trio_mev.wire.updates import Pair
from trio_mev.wire.venue import VenueAdapter, VenueRules

ETH, BTC = Instrument("ETH", "USD"), Instrument("BTC", "USD")


class Plain(VenueAdapter):
    """A frame ``channel number key count`` is a trade."""

    venue = Venue("plain")
    endpoint = "wss://plain.test"
    known_channels = usual_channels = ("a", "b")
    consecutive = frozenset({"a"})
    rules = VenueRules(most_per_request=2, one_channel=True)

    spell = staticmethod(str)
    read = staticmethod(Instrument.parse)

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        return json.dumps([on, *wanted])

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        channel, number, key, count = frame.decode().split()
        instrument = self.instrument("ETH/USD")
        if channel == "side":
            return self.one_sided(instrument)
        if channel == "again":
            self.ask_again("a", "ETH/USD")
            return []
        trade = Trade(self.venue, instrument, Decimal(1), Decimal(1), Side.BUY, key)
        if channel == "bare":
            return self.trade(trade, None, "a", None)
        if channel == "quote":
            return self.quote(Quote(self.venue, instrument, Decimal(1), Decimal(2)), 1, "a", None)
        place = channel, "ETH/USD", int(number)
        if count == "*":
            self.once(place, None if key == "-" else key)
            return self.trade(trade, None, "a", None)
        return self.trade(trade, None, "a", place, int(count))


def outcomes(*frames: str, session: Plain | None = None, now: float = 0.0) -> list[object]:
    """Each frame's events: a trade's key, a fault's reason and count."""
    session = session or Plain("p", [ETH])
    found: list[object] = []
    for frame in frames:
        for event in session.receive(frame.encode(), now, 1):
            data = event.data
            fault = isinstance(data, MarketFault)
            found.append((data.reason, data.count) if fault else getattr(data, "trade_id", data))
    return found


def test_a_request_is_about_one_channel_where_the_venue_wants_it_so():
    session = Plain("p", [ETH, BTC, Instrument("SOL", "USD")])
    asked = [json.loads(frame) for frame in session.opening()]
    assert [len(rest) for _, *rest in asked] == [2, 1, 2, 1]
    assert all(on and len({channel for channel, _ in rest}) == 1 for on, *rest in asked)


def test_of_updates_that_share_a_number_each_passes_once():
    frames = ["b 5 x *", "b 5 y *", "b 5 x *", "b 6 x *", "b 5 z *"]
    assert outcomes(*frames) == ["x", "y", ("repeated", 1), "x", ("time_backwards", 1)]


def test_updates_that_share_a_number_and_nothing_tells_apart_all_pass():
    assert outcomes("b 5 - *", "b 5 - *", "b 5 - *") == ["-", "-", "-"]


def test_a_number_let_through_alone_may_be_shared_later():
    assert outcomes("b 5 x 1", "b 5 y *", "b 5 y *") == ["x", "y", ("repeated", 1)]


def test_no_more_than_so_many_are_told_apart(monkeypatch):
    monkeypatch.setattr(module, "MOST_TOGETHER", 2)
    frames = ["b 5 x *", "b 5 y *", "b 5 z *", "b 5 z *", "b 5 x *"]
    assert outcomes(*frames) == ["x", "y", "z", "z", ("repeated", 1)]


@pytest.mark.parametrize(
    ("count", "missed"), [(1, [("missed", 4)]), (3, [("missed", 2)]), (5, []), (9, [])]
)
def test_a_trade_that_stands_for_several_numbers_leaves_fewer_missing(count, missed):
    assert outcomes("a 5 x 1", f"a 10 y {count}") == ["x", *missed, "y"]


def test_what_has_no_place_passes():
    assert outcomes("bare 0 x 1", "bare 0 x 1") == ["x", "x"]
    assert len(outcomes("quote 0 x 1", "quote 0 x 1")) == 2


def test_a_book_without_a_side_is_no_quote_but_is_told():
    session = Plain("p", [ETH])
    assert outcomes("side 0 x 1", session=session) == [("one_sided", 1)]
    assert session.ignored == {"one_sided": 1}
    assert not session.refused


def test_a_state_is_asked_for_anew_but_not_again_at_once():
    session = Plain("p", [ETH])
    outcomes("again 0 x 1", "again 0 x 1", session=session, now=1.0)
    pair = ["a", "ETH/USD"]
    assert [json.loads(frame) for frame in session.outgoing()] == [[False, pair], [True, pair]]
    outcomes("again 0 x 1", session=session, now=1.0 + venue.AGAIN)
    assert len(session.outgoing()) == 2


def test_a_message_of_no_items_is_counted():
    session = Plain("p", [ETH])
    assert session.several([], lambda item: []) == []
    assert session.several([1], lambda item: []) == []
    assert session.ignored == {"empty": 1}


def test_a_number_that_cannot_be_is_refused_where_updates_share_numbers():
    session = Plain("p", [ETH])
    with pytest.raises(MalformedFrame, match="bad_number"):
        session.once(("b", "ETH/USD", 2**63))


def test_a_message_over_the_venues_bytes_is_shared_out():
    class Narrow(Plain):
        rules = VenueRules(most_bytes=40)

        def request(self, wanted, on):
            return "+".join(f"{channel}:{symbol}" for channel, symbol in wanted)

    every = [Instrument(f"COIN{n}", "USD") for n in range(9)]
    session = Narrow("f", every)
    frames = session.opening()
    assert all(len(frame) <= 40 for frame in frames)
    assert "+".join(frames).split("+") == [
        f"{channel}:{symbol}" for channel in session.channels for symbol in session.symbols
    ]


def test_a_venue_that_knows_no_recorded_requests_finds_none():
    assert list(Plain.asked({"op": "subscribe"})) == []
    assert list(Plain.asked_by("wss://plain.test/ws")) == []


def test_a_pong_that_nobody_waits_for_changes_nothing():
    session = Plain("p", [ETH])
    before = dict(session.heard)
    session.ponged()
    assert session.heard == before
