"""In which order consumers took what came to them, on a tape and off it."""

from __future__ import annotations

import pytest

from trio_mev.errors import MalformedFrame
from trio_mev.wire.decisions import Decided
from trio_mev.wire.order import Orders, Taken, begins_order, encode_taken, parse_taken


def test_a_record_says_who_took_what_after_what():
    body = encode_taken("A", ["quote:b#1.0", "answer:0:ff"])
    assert body == b'{"consumer":"A","taken":["quote:b#1.0","answer:0:ff"]}'
    assert parse_taken(body) == Taken("A", ["quote:b#1.0", "answer:0:ff"])
    assert parse_taken(encode_taken("A", ["answer:0:ff"], 7)).call == 7


def test_one_of_nothing_says_that_the_order_is_on_the_tape_from_there_on():
    assert begins_order(encode_taken("A", []))
    assert not begins_order(encode_taken("A", ["", "step:1"]))


def test_each_consumer_has_its_own():
    orders = Decided().orders
    orders.read_ahead(encode_taken("A", ["a", "b", "c"]))
    orders.read_ahead(encode_taken("B", []))
    first, second = orders.of("A"), orders.of("B")
    assert first is not None
    assert second is not None
    assert orders.of("C") is None
    assert [first.next_of(name) for name in ("a", "b", "c")] == ["b", "c", None]
    assert [first.knows(name) for name in ("a", "b", "c")] == [False, True, True]
    assert second.next_of("a") is None
    first.done("b")
    first.done("a")
    assert first.next_of("a") is None
    assert first.next_of("b") == "c"


def test_what_was_not_taken_is_given_up_where_the_tape_comes_to_it():
    orders, given_up = Orders(), []
    body = encode_taken("A", ["a", "b", "c"])
    orders.read_ahead(body)
    order = orders.of("A")
    assert order is not None
    order.given_up = given_up.append
    order.done("b")
    assert orders.waits_for(body)
    assert orders.over(body) == 1
    assert given_up == [["c"]]
    assert not orders.waits_for(body)
    assert orders.over(body) == 0


def test_where_nobody_of_that_name_takes_anything_nothing_is_counted():
    orders = Orders()
    body = encode_taken("A", ["a", "b"])
    orders.read_ahead(body)
    assert orders.over(body) == 0
    assert not orders.waits_for(body)


def test_at_the_end_all_is_given_up():
    orders, given_up = Orders(), []
    for name in ("A", "B"):
        orders.read_ahead(encode_taken(name, ["a", "b"]))
    order = orders.of("A")
    assert order is not None
    order.given_up = given_up.append
    orders.end()
    assert given_up == [["b"]]
    assert not order.knows("b")


@pytest.mark.parametrize("body", [b"junk", b"{}", b'{"consumer":"A","taken":[1]}'])
def test_what_is_none_is_refused(body):
    orders = Orders()
    for read in (orders.read_ahead, orders.waits_for, orders.over):
        with pytest.raises(MalformedFrame):
            read(body)
