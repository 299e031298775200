"""Calls that would take too long or too much to read."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.support.encoding import address, arguments, call
from trio_mev.chain.abi_values import MAX_BYTES
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.calldata.plan import MAX_STEPS
from trio_mev.model.intents import Undecoded, Unread

DECODER = CallDecoder()
SENDER = address(0xA11CE)
UNIVERSAL = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af"
V3 = "0xe592427a0aece92de3edee1f18e0157c05861564"


def peak(data: bytes, to: str) -> int:
    tracemalloc.start()
    try:
        DECODER.decode(to, data, SENDER, 0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def overlapping(count: int, size: int) -> bytes:
    """An array of bytes whose elements are all the same ones."""
    shared = count * 32
    heads = [shared.to_bytes(32, "big")] * count
    return count.to_bytes(32, "big") + b"".join(heads) + size.to_bytes(32, "big") + bytes(size)


@pytest.mark.parametrize("count", [200, 1000])
def test_elements_that_overlap_are_not_copied_without_end(count):
    """A thousand calls of 100 kB each, in a hundred kilobytes."""
    nested = overlapping(count, 100_000)
    data = bytes.fromhex("ac9650d8") + (32).to_bytes(32, "big") + nested
    (found,) = DECODER.decode(V3, data, SENDER, 0)[-1:]
    assert found.reason is Unread.TOO_LARGE
    assert peak(data, V3) < 4 * MAX_BYTES


def nested_plans(depth: int) -> bytes:
    plan = arguments("bytes,bytes[]", b"", [])
    for _ in range(depth):
        plan = arguments("bytes,bytes[]", b"\x21", [plan])
    return bytes.fromhex("24856bc3") + plan


def test_plans_nest_four_deep_and_no_deeper():
    assert DECODER.decode(UNIVERSAL, nested_plans(3), SENDER, 0) == (Undecoded(Unread.NO_SWAP),)
    (found,) = DECODER.decode(UNIVERSAL, nested_plans(4), SENDER, 0)
    assert (found.reason, found.detail) == (Unread.TOO_LARGE, "deeper than 4")


def test_what_is_nested_is_counted_at_every_level():
    """Three plans within each other, each with all the bytes of those within."""
    plan = arguments("bytes,bytes[]", b"\x0b", [bytes(100_000)])
    for _ in range(2):
        plan = arguments("bytes,bytes[]", b"\x21", [plan])
    (found,) = DECODER.decode(UNIVERSAL, bytes.fromhex("24856bc3") + plan, SENDER, 0)
    assert (found.reason, found.detail) == (
        Unread.TOO_LARGE,
        f"more than {MAX_BYTES} bytes of nested data",
    )


def test_a_plan_has_so_many_steps_and_no_more():
    def plan(count: int) -> bytes:
        wrap = arguments("address,uint256", SENDER, 1)
        return call("execute(bytes,bytes[])", b"\x0b" * count, [wrap] * count)

    assert DECODER.decode(UNIVERSAL, plan(MAX_STEPS), SENDER, 0) == (Undecoded(Unread.NO_SWAP),)
    (found,) = DECODER.decode(UNIVERSAL, plan(MAX_STEPS + 1), SENDER, 0)
    assert found.reason is Unread.TOO_LARGE


def test_a_multicall_that_holds_itself_ends():
    """An offset that leads back to the call itself."""
    data = bytes.fromhex("ac9650d8") + (32).to_bytes(32, "big") + overlapping(1, 4)[:-4]
    data += bytes.fromhex("ac9650d8")
    intents = DECODER.decode(V3, data, SENDER, 0)
    assert [one.reason for one in intents] == [Unread.MALFORMED]


def test_no_recorded_calls_are_needed_to_fill_the_memory():
    """The most that a node takes as a transaction, all of it an array of empty elements."""
    for router, selector in ((V3, "ac9650d8"), (UNIVERSAL, "24856bc3")):
        heads = (131_072 - 200) // 32
        data = bytes.fromhex(selector) + (64).to_bytes(32, "big") * 2
        data += heads.to_bytes(32, "big") + bytes(32 * heads)
        (found,) = DECODER.decode(router, data, SENDER, 0)
        assert found.reason in {Unread.MALFORMED, Unread.TOO_LARGE}
        assert peak(data, router) < MAX_BYTES
