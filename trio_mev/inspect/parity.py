"""Traces as Parity had them first: one flat list for a block, each with its place in the tree.

Field names: the answers of ``trace_block`` of OpenEthereum, Erigon, Nethermind, reth and anvil;
and the files of mev-inspect-py, which have the same with the outer names in snake case.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..errors import MalformedFrame
from ..wire.numbers import hash32
from .calls import Call, Calls, How
from .framing import HOW, Framer


class _Action(msgspec.Struct, rename="camel", gc=False):
    from_: str | None = msgspec.field(name="from", default=None)
    to: str | None = None
    call_type: str | None = None
    input: str | None = None
    value: str | None = None
    address: str | None = None
    refund_address: str | None = None
    balance: str | None = None
    author: str | None = None
    reward_type: str | None = None


class _Result(msgspec.Struct, gc=False):
    output: str | None = None
    address: str | None = None


class Trace(msgspec.Struct, rename="camel", gc=False):
    """One trace of an answer."""

    action: _Action
    type: str
    trace_address: list[int]
    block_hash: str
    block_number: int
    subtraces: int
    transaction_hash: str | None = None
    transaction_position: int | None = None
    result: _Result | None = None
    error: str | None = None


class SnakeTrace(msgspec.Struct, gc=False):
    """One trace of a file; the same with other names."""

    action: _Action
    type: str
    trace_address: list[int]
    block_hash: str
    block_number: int
    subtraces: int
    transaction_hash: str | None = None
    transaction_position: int | None = None
    result: _Result | None = None
    error: str | None = None


Row = Trace | SnakeTrace


class Traced(msgspec.Struct, gc=False, frozen=True):
    """The traces of one transaction."""

    hash: str
    place: int
    calls: Calls


def author(traces: Sequence[Row]) -> str | None:
    """Who made the block, where a trace of its reward says so."""
    for trace in reversed(traces):
        if trace.type == "reward" and trace.action.reward_type == "block":
            return trace.action.author
    return None


def transactions(traces: Sequence[Row]) -> list[Traced]:
    """The calls of each transaction, in the order of the block, in whatever order they came.

    Raises:
        MalformedFrame: an address, amount or hash cannot be one, a kind of trace is unknown, one is
            missing or there twice, or there are too many.
    """
    held: dict[tuple[int, str], list[Row]] = {}
    for trace in traces:
        if trace.type != "reward":
            place, name = trace.transaction_position, trace.transaction_hash
            if place is None or name is None:
                raise MalformedFrame("wrong_shape", "a trace is of no transaction")
            held.setdefault((place, name), []).append(trace)
    framer = Framer()
    made = [
        Traced(hash32(name), place, _calls(rows, framer)) for (place, name), rows in held.items()
    ]
    made.sort(key=lambda one: one.place)
    if len({one.place for one in made}) < len(made) or len({one.hash for one in made}) < len(made):
        raise MalformedFrame("wrong_shape", "two transactions in one place, or one in two")
    return made


def _calls(rows: list[Row], framer: Framer) -> Calls:
    """The calls of one transaction; each must be where the ones before it say that it is."""
    rows.sort(key=_path)
    made: list[Call] = []
    around: list[int] = []
    """The places of the call that was read last, and of those that it is inside of."""
    children: list[int] = []
    """How many each call has made so far."""
    for row in rows:
        path = row.trace_address
        depth, up, above = len(path), -1, None
        if depth > len(around) or (made and not depth):
            raise _missing(row)
        if depth:
            up = around[depth - 1]
            above = made[up]
            if path[-1] != children[up]:
                raise _missing(row)
            children[up] += 1
        del around[depth:]
        around.append(len(made))
        children.append(0)
        made.append(_call(row, framer, up, above))
    # One that is missing is missing from those that the one above it has made.
    if children != [row.subtraces for row in rows]:
        raise _missing(rows[-1])
    return Calls(made)


def _path(row: Row) -> list[int]:
    return row.trace_address


def _missing(row: Row) -> MalformedFrame:
    where = f"near {row.trace_address[-8:]} of {str(row.transaction_hash)[:66]}"
    return MalformedFrame("wrong_shape", f"a trace is missing, or there twice, {where}")


def _call(row: Row, framer: Framer, up: int, above: Call | None) -> Call:
    action, result = row.action, row.result
    kind = row.type
    number = row.trace_address[-1] if above is not None else 0
    broke = row.error is not None
    output = None if result is None else result.output
    if kind == "call":
        how = HOW.get(action.call_type or kind)
        if how is not None:
            return framer.call(
                how,
                action.from_,
                action.to,
                action.input,
                output,
                action.value,
                broke,
                number,
                up,
                above,
            )
    if kind == "create":
        target = None if result is None else result.address
        return framer.call(
            How.CREATE, action.from_, target, None, None, action.value, broke, number, up, above
        )
    if kind in {"suicide", "selfdestruct"}:
        source, target, value = action.address, action.refund_address, action.balance
        return framer.call(How.ENDED, source, target, None, None, value, broke, number, up, above)
    raise MalformedFrame("wrong_shape", f"a trace of kind {kind[:20]!r}")
