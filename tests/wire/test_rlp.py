"""RLP: what another library writes is read, and what it refuses is refused."""

from __future__ import annotations

import pytest
import rlp
from hypothesis import example, given
from hypothesis import strategies as st

from trio_mev.errors import MalformedFrame
from trio_mev.wire.rlp import DEEPEST, decode_rlp

ITEMS = st.recursive(
    st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=40
)


def plain(item):
    """The other library gives lists as tuples or lists."""
    return [plain(one) for one in item] if isinstance(item, list | tuple) else bytes(item)


@given(ITEMS)
def test_what_is_written_is_read(item):
    assert decode_rlp(rlp.encode(item)) == item


@given(st.binary(max_size=90))
@example(b"")
@example(b"\x81\x05")  # a byte that needs no length
@example(b"\xb8\x37" + b"a" * 55)  # a length that fits into one byte
@example(b"\xb8\x38" + b"a" * 55)  # cut
@example(b"\xb9\x00\x38" + b"a" * 56)  # a length that begins with nothing
@example(b"\xb8")
@example(b"\xf8\x38" + b"a" * 56)
@example(b"\xc2\x82a")  # an item longer than its list
@example(b"\xc2\xb8\x40" + b"a" * 70)
@example(b"\x05\x05")
def test_any_bytes_are_read_as_the_other_library_reads_them(raw):
    try:
        expected = plain(rlp.decode(raw))
    except rlp.exceptions.DecodingError:
        with pytest.raises(MalformedFrame, match="bad_rlp"):
            decode_rlp(raw)
        return
    assert decode_rlp(raw) == expected


def test_lists_are_nested_within_a_bound():
    item: list = []
    for _ in range(DEEPEST - 1):
        item = [item]
    assert decode_rlp(rlp.encode(item)) == item
    with pytest.raises(MalformedFrame, match="deep"):
        decode_rlp(rlp.encode([item]))
    with pytest.raises(MalformedFrame, match="deep"):
        decode_rlp(rlp.encode([[[[[[item]]]]]]))
