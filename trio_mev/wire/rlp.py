"""RLP, as Ethereum writes transactions: bytes, and lists of bytes and lists.

Source: the Ethereum Yellow Paper, appendix B. What is written in another way than the shortest is
refused, as nodes refuse it.
"""

from __future__ import annotations

from typing import TypeAlias

from ..errors import MalformedFrame

DEEPEST = 16
"""Lists in lists; those of a transaction are three deep."""
Item: TypeAlias = "bytes | list[Item]"


def decode_rlp(raw: bytes) -> Item:
    """The one item that some bytes are.

    Raises:
        MalformedFrame: ``bad_rlp``.
    """
    item, end = _item(raw, 0, len(raw), 0)
    if end != len(raw):
        raise MalformedFrame("bad_rlp", f"{len(raw) - end} bytes behind its end")
    return item


def _item(raw: bytes, at: int, limit: int, depth: int) -> tuple[Item, int]:
    """The item that begins somewhere, and where it ends."""
    if at >= limit:
        raise MalformedFrame("bad_rlp", "it is cut")
    first = raw[at]
    if first < 0x80:
        return raw[at : at + 1], at + 1
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    begin, size = (at + 1, short) if short < 56 else _long(raw, at + 1, short - 55, limit)
    end = begin + size
    if end > limit:
        raise MalformedFrame("bad_rlp", "it is cut")
    if is_list:
        return _items(raw, begin, end, depth + 1), end
    if size == 1 and raw[begin] < 0x80:
        raise MalformedFrame("bad_rlp", "a byte with a length it needs not")
    return raw[begin:end], end


def _long(raw: bytes, at: int, count: int, limit: int) -> tuple[int, int]:
    """Where an item begins whose length has bytes of its own, and that length."""
    begin = at + count
    size = int.from_bytes(raw[at:begin], "big")
    if begin > limit or size < 56 or not raw[at]:
        raise MalformedFrame("bad_rlp", "a length that is cut or longer than it needs be")
    return begin, size


def _items(raw: bytes, at: int, end: int, depth: int) -> list[Item]:
    if depth > DEEPEST:
        raise MalformedFrame("bad_rlp", f"lists over {DEEPEST} deep")
    items: list[Item] = []
    while at < end:
        item, at = _item(raw, at, end, depth)
        items.append(item)
    return items
