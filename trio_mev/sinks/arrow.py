"""Our types of columns as Arrow's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError
from .columns import AMOUNT, SWAP, Type


def library(what: str) -> Any:
    """pyarrow, with what writes Parquet.

    Args:
        what: that it is needed for, such as ``--out writes Parquet``.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise ConfigError(f"{what}, for which pyarrow is needed: install trio-mev[store]") from None
    return pyarrow


def fields_of(pa: Any, columns: Mapping[str, Type]) -> list[Any]:
    """Columns as Arrow's fields."""
    return [pa.field(name, _type(pa, kind)) for name, kind in columns.items()]


def _type(pa: Any, kind: Type) -> Any:
    if kind is Type.AMOUNTS:
        return pa.list_(pa.struct(fields_of(pa, AMOUNT)))
    if kind is Type.SWAPS:
        return pa.list_(pa.struct(fields_of(pa, SWAP)))
    return {
        Type.U32: pa.uint32(),
        Type.U64: pa.uint64(),
        Type.I32: pa.int32(),
        Type.I64: pa.int64(),
        Type.F64: pa.float64(),
        Type.BOOL: pa.bool_(),
        Type.STRING: pa.string(),
        Type.STRINGS: pa.list_(pa.string()),
        Type.U32S: pa.list_(pa.uint32()),
        Type.BYTES: pa.binary(),
        Type.BYTES32: pa.binary(32),
        Type.TIME: pa.timestamp("us", "UTC"),
        Type.TIME_MS: pa.timestamp("ms", "UTC"),
    }[kind]
