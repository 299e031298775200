"""Events as plain dictionaries and back, for storage and for other programs."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import cattrs
import msgspec

from . import chain, market, simulation
from .event import NO_METADATA, DataEvent, DataType, EventPriority, Lost
from .health import HealthIssue
from .identity import Instrument
from .noun import field_types

PAYLOADS: tuple[type, ...] = (
    Lost,
    chain.Block,
    chain.BlockSummary,
    chain.Gap,
    chain.Log,
    chain.MempoolView,
    chain.PendingLife,
    chain.Reorg,
    chain.Transaction,
    chain.TransactionAnalysis,
    HealthIssue,
    market.Price,
    market.PriceAlert,
    market.Quote,
    market.Spread,
    market.Trade,
    simulation.SimulatedTransaction,
)

_converter = cattrs.Converter()
_converter.register_unstructure_hook(Decimal, lambda d: format(d, "f"))
_converter.register_structure_hook(Decimal, lambda v, _: Decimal(v))
_converter.register_unstructure_hook(Instrument, str)
_converter.register_structure_hook(Instrument, lambda v, _: Instrument.parse(v))
_converter.register_unstructure_hook(bytes, lambda b: "0x" + b.hex())
_converter.register_structure_hook(bytes, lambda v, _: bytes.fromhex(v[2:]))


def _name(value: Any, _: Any) -> int | str | None:
    """What a venue calls a trade."""
    if value is None or isinstance(value, int | str):
        return value
    raise TypeError(f"{type(value).__name__} in place of a number or text")


_converter.register_structure_hook_func(lambda cls: cls == int | str | None, _name)


def _is_noun(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, msgspec.Struct)


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    return {name: _converter.unstructure(getattr(value, name)) for name in value.__struct_fields__}


def _noun(values: Any, cls: type[msgspec.Struct]) -> msgspec.Struct:
    types = field_types(cls)
    if not isinstance(values, dict):
        raise TypeError(f"{type(values).__name__} in place of its fields")
    known = [name for name in types if name in values]
    return cls(**{name: _converter.structure(values[name], types[name]) for name in known})


_converter.register_unstructure_hook_func(_is_noun, _fields)
_converter.register_structure_hook_func(_is_noun, _noun)


def to_dict(event: DataEvent) -> dict[str, Any]:
    """The event as JSON-ready values: Decimals and instruments as text, bytes as ``0x`` text."""
    return {
        "event_type": event.event_type.value,
        "priority": event.priority.value,
        "payload": type(event.data).__name__,
        "data": _plain(event.data),
        "source": event.source,
        "received_at": event.received_at,
        "occurred_at": event.occurred_at,
        "sequence": event.sequence,
        "ordinal": event.ordinal,
        "size": event.size,
        "metadata": dict(event.metadata),
        "lag": event.lag,
    }


def from_dict(values: Mapping[str, Any], payloads: Iterable[type] = ()) -> DataEvent:
    """The event that ``to_dict`` was given.

    Args:
        values: what ``to_dict`` returned.
        payloads: a plug-in's own payload classes, beside those of the model.

    Raises:
        ValueError: the payload's class is not known, or a value does not fit its field.
    """
    classes = {c.__name__: c for c in (*PAYLOADS, *payloads)}
    name = values["payload"]
    if name == "dict":
        data = values["data"]
    elif name in classes:
        try:
            data = _converter.structure(values["data"], classes[name])
        except (cattrs.BaseValidationError, TypeError, ValueError) as error:
            raise ValueError(f"payload {name}: {error}") from error
    else:
        raise ValueError(f"payload {name!r} is not known; pass its class in payloads")
    return DataEvent(
        DataType(values["event_type"]),
        EventPriority.of(values["priority"]),
        data,
        values["source"],
        values["received_at"],
        values["occurred_at"],
        values["sequence"],
        values["ordinal"],
        values["size"],
        MappingProxyType(dict(values["metadata"])) if values["metadata"] else NO_METADATA,
        values.get("lag"),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return _converter.unstructure(value)
