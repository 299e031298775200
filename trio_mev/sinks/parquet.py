"""Blocks that were inspected, as Parquet: a folder for each kind, a file for each thousand blocks.

A file is written aside and put in place when it is whole. A block's rows are in one file only: to
write them again replaces them, so that nothing counts twice.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from ..errors import ConfigError
from ..inspect import Inspection
from .alone import alone
from .arrow import fields_of, library
from .aside import replace, sweep
from .checkpoint import Checkpoint
from .columns import DATASETS, Row, rows_of
from .seal import write_sealed

SPAN = 1000
"""Blocks of one file."""
EVERY = 200
"""Blocks after which all is written."""
MAIN = "ethereum"
"""What the network of chain 1 is called, as in cryo's files."""
UNKNOWN = "unknown"
_NETWORKS = {1: MAIN}


def network_of(chain_id: int | None) -> str:
    """What a chain is called in the names of files."""
    return UNKNOWN if chain_id is None else _NETWORKS.get(chain_id, f"network_{chain_id}")


@attrs.define(eq=False)
class Store:
    """A folder with datasets and a checkpoint; one run at a time writes into it.

    Args:
        folder: made where there is none.
        chain_id: of the blocks that come by number; None where there are files alone.

    Raises:
        ConfigError: pyarrow is not installed, the folder holds another chain's blocks or those of
            another version, or another run writes into it.
        OSError: it cannot be written to.
    """

    folder: Path
    chain_id: int | None = None
    every: int = EVERY
    done: Checkpoint = attrs.field(init=False)
    _pa: Any = attrs.field(init=False)
    _schemas: dict[str, Any] = attrs.field(init=False)
    _waiting: dict[int, dict[str, list[Row]]] = attrs.Factory(dict)
    """By block, and by dataset."""
    _noted: list[Path | int] = attrs.Factory(list)
    _lock: int | None = None

    def __attrs_post_init__(self) -> None:
        self._pa = library("--out writes Parquet")
        self._schemas = {
            name: self._pa.schema(fields_of(self._pa, columns))
            for name, columns in DATASETS.items()
        }
        for name in DATASETS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._lock = alone(self.folder)
        try:
            for folder in (self.folder, *(self.folder / name for name in DATASETS)):
                sweep(folder)
            self.done = Checkpoint.load(self.folder)
            self._name_network()
        except BaseException:
            self.close()
            raise

    def _name_network(self) -> None:
        """Files do not say whose blocks they hold; a node does."""
        held, network = self.done.network, network_of(self.chain_id)
        if held and network not in {UNKNOWN, held}:
            raise ConfigError(
                f"{self.folder}: it holds blocks of {held}, and these are of {network}; "
                "choose another folder"
            )
        self.done.network = held or network

    def add(self, found: Inspection, transactions: int, source: str, by_number: bool) -> None:
        """Take in a block; it is written with the next ``flush``.

        Args:
            found: in it.
            transactions: how many it has.
            source: where it was read.
            by_number: whether it is of the chain; a file does not say.
        """
        rows: dict[str, list[Row]] = defaultdict(list)
        chain = self.chain_id if by_number else None
        for name, row in rows_of(found, transactions, chain, source):
            rows[name].append(row)
        self._waiting[found.block] = rows

    def note(self, item: Path | int) -> bool:
        """All of an item has been taken in; whether it is time to ``flush``."""
        self._noted.append(item)
        return max(len(self._noted), len(self._waiting)) >= self.every

    def flush(self) -> None:
        """Write what waits, and then that it is done.

        Raises:
            OSError: it cannot be written; what was there before is there still.
        """
        spans: dict[int, list[int]] = defaultdict(list)
        for number in sorted(self._waiting):
            spans[number // SPAN * SPAN].append(number)
        for first, numbers in spans.items():
            for name in DATASETS:
                rows = [row for number in numbers for row in self._waiting[number].get(name, ())]
                self._write(name, first, numbers, rows)
        for item in self._noted:
            self.done.note(item)
        if self._noted:
            self.done.save()
        self._waiting.clear()
        self._noted.clear()

    def path_of(self, name: str, first: int) -> Path:
        """The file of a dataset that begins with a block."""
        last = first + SPAN - 1
        return self.folder / name / f"{self.done.network}__{name}__{first:08}_to_{last:08}.parquet"

    def _write(self, name: str, first: int, numbers: Sequence[int], rows: list[Row]) -> None:
        """Rows of some blocks into the file that all of its range share."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        path, schema = self.path_of(name, first), self._schemas[name]
        table = self._pa.Table.from_pylist(rows, schema=schema)
        if path.exists():
            held = pq.read_table(path, schema=schema, partitioning=None)
            same = pc.is_in(held["block_number"], self._pa.array(numbers, self._pa.uint32()))
            held = held.filter(pc.invert(same))
            table = self._pa.concat_tables([held, table]).sort_by("block_number")
        replace(path, partial(write_sealed, table))

    def close(self) -> None:
        """Let others write; what was not flushed is not written."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
