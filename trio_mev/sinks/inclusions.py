"""Which block has a pending transaction: learnt later than its row is written, and filled in."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import attrs

from ..model.chain import Block, Life, PendingLife

BLOCKS = 1024
"""Whose times are remembered."""
MOST = 200_000
"""Transactions whose blocks wait to be filled in; of more the oldest are forgotten."""
_HEIGHT, _TIME, _DELAY = "includedAtBlockHeight", "includedBlockTimestamp", "inclusionDelayMs"


@attrs.define(eq=False)
class Inclusions:
    """What is to be filled in."""

    _blocks: OrderedDict[str, int] = attrs.Factory(OrderedDict)
    """By hash: its time in seconds."""
    _waiting: OrderedDict[str, tuple[int, str] | None] = attrs.Factory(OrderedDict)
    """By transaction: its block's number and hash, or None where it is in none any more."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, data: Any) -> None:
        """A block, or a step in the life of a pending transaction."""
        if isinstance(data, Block):
            self._blocks[data.hash] = data.timestamp
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        elif isinstance(data, PendingLife):
            if data.life is Life.INCLUDED and data.number is not None:
                self._note(data.hash, (data.number, data.block or ""))
            elif data.life is Life.RETURNED:
                self._note(data.hash, None)

    def _note(self, transaction: str, place: tuple[int, str] | None) -> None:
        self._waiting[transaction] = place
        self._waiting.move_to_end(transaction)
        if len(self._waiting) > MOST:
            self._waiting.popitem(last=False)

    def clear(self) -> None:
        """All has been filled in where it could be."""
        self._waiting.clear()

    def patch(self, table: Any) -> Any | None:
        """A table of transactions with their blocks; None where it has none of these."""
        import pyarrow as pa
        import pyarrow.compute as pc

        place = pc.index_in(table["hash"], pa.array(list(self._waiting), pa.string()))
        if place.null_count == len(place):
            return None
        heights, times = self._columns(pa)
        time = pc.take(times, place)
        delay = pc.subtract(pc.cast(time, pa.int64()), pc.cast(table["timestamp"], pa.int64()))
        known = pc.is_valid(place)
        for name, values in ((_HEIGHT, pc.take(heights, place)), (_TIME, time), (_DELAY, delay)):
            column = pc.if_else(known, values, table[name])
            table = table.set_column(table.schema.get_field_index(name), name, column)
        return table

    def _columns(self, pa: Any) -> tuple[Any, Any]:
        """Heights and times of blocks, in the order of what waits."""
        places = list(self._waiting.values())
        times = [None if one is None else self._blocks.get(one[1]) for one in places]
        # A node's number may be larger than the column.
        heights = [None if one is None or one[0] >= 2**63 else one[0] for one in places]
        milliseconds = [None if time is None else time * 1000 for time in times]
        return (
            pa.array(heights, pa.int64()),
            pa.array(milliseconds, pa.timestamp("ms", "UTC")),
        )
