"""What a tape repeats of the one before it."""

from __future__ import annotations

import json

from trio_mev.wire.carry import MOST, MOST_BYTES, Beginnings
from trio_mev.wire.order import encode_taken
from trio_mev.wire.tape import (
    Direction,
    FeedHeader,
    Header,
    Record,
    TapeReader,
    encode_header,
    pack,
)

FEEDS = {
    "node": FeedHeader("ethereum"),
    "spot": FeedHeader("binance"),
    "book": FeedHeader("bitfinex"),
}


def carried(*notes: tuple[str, str, bytes]) -> list[tuple[str, str, bytes]]:
    beginnings = Beginnings(FEEDS)
    for feed, kind, frame in notes:
        beginnings.note(feed, kind, frame)
    reader = TapeReader()
    lines = beginnings.lines(7, 9)
    records = reader.receive_data(pack([encode_header(Header(2, FEEDS)), *lines]))
    assert all((record.wall, record.mono) == (7, 9) for record in records)
    assert TapeReader(reader.header, carried=False).receive_data(pack(lines)) == []
    return [(record.feed, record.direction.value, record.frame) for record in records]


def asked(number: int, method: str = "eth_subscribe") -> bytes:
    return json.dumps({"id": number, "method": method, "params": ["newHeads"]}).encode()


def test_of_a_node_its_subscriptions_and_their_answers_are_repeated():
    assert carried(
        ("node", "open", b""),
        ("node", "out", asked(1, "eth_chainId")),
        ("node", "in", b'{"id":1,"result":"0x1"}'),
        ("node", "out", asked(2)),
        ("node", "in", b"\xff"),
        ("node", "in", b'{"id":1,"result":"0x1"}'),
        ("node", "in", b'{"method":"eth_subscription","params":{}}'),
        ("node", "in", b'{"id":2,"result":"0xa"}'),
        ("node", "in", b'{"id":2,"result":"0xb"}'),
        ("node", "out", b'{"id":3,"method":"eth_unsubscribe","params":["0xc"]}'),
        ("node", "out", b"unsubscribe"),
    ) == [
        ("node", "open", b""),
        ("node", "out", asked(2)),
        ("node", "in", b'{"id":2,"result":"0xa"}'),
    ]


def test_of_a_venue_what_was_asked_is_repeated_and_what_came_is_not():
    subscribe = b'{"method":"SUBSCRIBE","params":["ethusdt@bookTicker"],"id":1}'
    assert carried(
        ("spot", "open", b""),
        ("spot", "out", subscribe),
        ("spot", "in", b'{"result":null,"id":1}'),
        ("spot", "in", b'{"u":1}'),
        ("spot", "out", b'{"op":"ping"}'),
        ("spot", "something later", b"{}"),
    ) == [("spot", "open", b""), ("spot", "out", subscribe)]


def test_the_numbers_that_a_venue_gives_to_channels_are_repeated():
    number = b'{"event":"subscribed","channel":"ticker","chanId":5,"symbol":"tETHUSD"}'
    assert carried(
        ("book", "open", b""),
        ("book", "in", number),
        ("book", "in", b"[5,[1,2,3]]"),
        ("book", "in", b'{"x":"' + b"subscribed" * 1000 + b'"}'),
    ) == [("book", "open", b""), ("book", "in", number)]


def test_only_the_present_life_is_repeated():
    assert carried(
        ("spot", "in", b"1"),
        ("spot", "out", b"subscribe"),
        ("spot", "open", b""),
        ("spot", "out", b"subscribe one"),
        ("spot", "close", b""),
        ("spot", "close", b""),
        ("spot", "open", b""),
        ("spot", "out", b"subscribe two"),
    ) == [("spot", "open", b""), ("spot", "out", b"subscribe two")]


def test_what_is_repeated_is_bounded():
    many = [("spot", "out", b"subscribe")] * (MOST + 5)
    assert len(carried(("spot", "open", b""), *many)) == 1 + MOST
    large = b"subscribe" + bytes(MOST_BYTES // 2)
    assert len(carried(("spot", "open", b""), ("spot", "out", large), ("spot", "out", large))) == 2
    requests = [("node", "out", asked(number)) for number in range(MOST + 5)]
    assert len(carried(("node", "open", b""), *requests)) == 1 + MOST


def test_a_connection_that_the_header_does_not_name_is_none_of_the_tapes():
    beginnings = Beginnings({})
    beginnings.note("spot", "open", b"")
    (line,) = beginnings.lines(1, 2)
    reader = TapeReader(Header(2, FEEDS))
    assert reader.receive_data(pack([line])) == [Record(1, 2, "spot", Direction.OPEN)]


def test_a_decision_ends_no_connection():
    assert carried(
        ("node", "open", b""),
        ("node", "out", asked(1)),
        ("node", "decision", b"{}"),
    ) == [("node", "open", b""), ("node", "out", asked(1))]


def test_whose_order_is_on_the_tape_is_repeated():
    begun, more = encode_taken("A", []), encode_taken("A", ["", "step:1"])
    assert carried(
        ("node", "taken", begun),
        ("node", "taken", more),
        ("node", "open", b""),
        ("node", "close", b""),
    ) == [("node", "taken", begun)]


def test_of_how_many_is_bounded():
    notes = [("node", "taken", encode_taken(f"A{number}", [])) for number in range(MOST + 1)]
    assert len(carried(*notes)) == MOST
