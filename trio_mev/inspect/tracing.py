"""Blocks from traces: files as mev-inspect-py has them, and answers of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import msgspec

from ..errors import MalformedFrame
from ..model.chain import Block
from ..wire.ethereum import MAX_TRANSACTIONS
from ..wire.numbers import address, hash32
from ..wire.session import decode
from . import geth, parity
from .block import Mined, MinedBlock
from .calls import Calls, How
from .reading import Whole, read_receipts

LEAST_GAS, MOST_GAS = 21_000, 2**40
"""What a transaction can have used. Some recordings have 0, 1 or 2^64-1 there, and mean nothing."""


class _Paid(msgspec.Struct, gc=False):
    transaction_hash: str
    transaction_index: int
    gas_used: int | None = None
    effective_gas_price: Whole | None = None
    to: str | None = None


class _File(msgspec.Struct, gc=False):
    block_number: int
    miner: str
    traces: list[parity.SnakeTrace]
    receipts: list[_Paid]
    base_fee_per_gas: Whole | None = None
    block_timestamp: Whole | None = None


_FILE = msgspec.json.Decoder(_File)
_TRACES = msgspec.json.Decoder(list[parity.Trace])


def read_parity_file(raw: bytes) -> MinedBlock:
    """A block from ``{block_number, miner, base_fee_per_gas, traces, receipts}``, and its
    ``block_timestamp`` where it is there.

    Raises:
        MalformedFrame: it is none, a trace or a receipt is missing, or there are too many.
    """
    found = decode(_FILE, raw)
    if len(found.receipts) > MAX_TRANSACTIONS:
        raise MalformedFrame("too_many", f"{len(found.receipts)} receipts")
    miner = address(found.miner)
    name = _name(found.traces, found.block_number)
    paid = {hash32(one.transaction_hash): one for one in found.receipts}
    traced = parity.transactions(found.traces)
    _same({one.hash for one in traced}, set(paid))
    mined = tuple(_of_file(one, paid[one.hash], miner) for one in traced)
    return MinedBlock(
        found.block_number, name, mined, found.base_fee_per_gas, miner, found.block_timestamp
    )


def _of_file(one: parity.Traced, paid: _Paid, miner: str) -> Mined:
    if paid.transaction_index != one.place:
        raise MalformedFrame("wrong_shape", f"{one.hash} is in two places")
    gas = paid.gas_used
    return _mined(
        one.hash,
        one.place,
        one.calls,
        miner,
        gas if gas is not None and LEAST_GAS <= gas <= MOST_GAS else None,
        paid.effective_gas_price,
    )


def _mined(
    name: str,
    place: int,
    calls: Calls,
    miner: str | None,
    gas: int | None = None,
    price: int | None = None,
) -> Mined:
    outer = calls[0]
    return Mined(
        name,
        place,
        (),
        outer.source,
        None if outer.how is How.CREATE else outer.target,
        gas,
        price,
        not outer.failed,
        None if miner is None else sent_to(miner, calls),
        calls,
    )


def sent_to(account: str, calls: Calls) -> int:
    """The ether that calls send to an account, where that took effect."""
    return sum(
        call.value for call in calls if call.value and call.target == account and not call.failed
    )


def read_trace_block(
    raw: bytes, receipts: bytes | None = None, head: Block | None = None
) -> MinedBlock:
    """A block from the answer to ``trace_block``.

    Args:
        raw: the answer.
        receipts: the answer to ``eth_getBlockReceipts`` for the same block: gas, prices, logs.
        head: the block; without it the miner is known from the trace of its reward, where there is
            one, and who was paid is not known after that.

    Raises:
        MalformedFrame: an answer is none, they are of different blocks or transactions, a trace is
            missing, there are too many, or nothing says which block it is.
    """
    traces = decode(_TRACES, raw)
    base = _base(receipts, head, traces[0] if traces else None)
    if traces and _name(traces, base.number) != base.hash:
        raise MalformedFrame("wrong_shape", "the traces are of another block")
    miner = parity.author(traces) if base.miner is None else base.miner
    base = attrs.evolve(base, miner=None if miner is None else address(miner))
    traced = parity.transactions(traces)
    return _joined(base, {one.hash: (one.place, one.calls) for one in traced})


def read_call_tracer(
    raw: bytes, receipts: bytes | None = None, head: Block | None = None
) -> MinedBlock:
    """A block from the answer to ``debug_traceBlockByNumber`` with geth's ``callTracer``.

    Args:
        raw: the answer; with its logs where ``withLog`` was asked for.
        receipts: the answer to ``eth_getBlockReceipts`` for the same block: gas, prices, logs.
        head: the block. The answer does not say which block it is of: there must be this or the
            receipts.

    Raises:
        MalformedFrame: an answer is none, they are of different transactions, a transaction could
            not be traced, there are too many, or nothing says which block it is.
    """
    found = geth.entries(raw)
    base = _base(receipts, head, None)
    names = _names(found, base, head)
    unfolder = geth.Unfolder()
    traced: dict[str, tuple[int, Calls]] = {}
    logged: list[Mined] = []
    for place, (entry, name) in enumerate(zip(found, names, strict=True)):
        if entry.result is None:
            raise MalformedFrame("wrong_shape", f"no frames of {name}: {str(entry.error)[:80]}")
        told = geth.Told(name, place, base.number, base.hash)
        calls, logs = unfolder.unfold(entry.result, told)
        traced[name] = place, calls
        logged.append(Mined(name, place, logs))
    if receipts is None:
        base = attrs.evolve(base, transactions=tuple(logged))
    return _joined(base, traced)


def _base(receipts: bytes | None, head: Block | None, trace: parity.Trace | None) -> MinedBlock:
    """What is known of a block beside its traces."""
    if receipts is not None and (head is not None or receipts.strip() != b"[]"):
        return read_receipts(receipts, head)
    if head is not None:
        return MinedBlock(head.number, head.hash, (), head.base_fee, head.miner, head.timestamp)
    if trace is not None:
        return MinedBlock(trace.block_number, hash32(trace.block_hash), ())
    raise MalformedFrame("wrong_shape", "nothing says which block it is")


def _name(traces: Sequence[parity.Row], number: int) -> str:
    """The hash of the block that all traces are of."""
    names = {(one.block_number, one.block_hash) for one in traces}
    if len(names) != 1:
        raise MalformedFrame("wrong_shape", f"traces of {len(names)} blocks")
    ((other, name),) = names
    if other != number:
        raise MalformedFrame("wrong_shape", f"traces of block {other} in one of {number}")
    return hash32(name)


def _names(found: Sequence[geth.Entry], base: MinedBlock, head: Block | None) -> list[str]:
    """The hashes of the transactions that were traced; older nodes do not say them."""
    listed = [one.hash for one in base.transactions]
    if not listed and head is not None and head.transactions is not None:
        listed = list(head.transactions)
    said = [None if one.tx_hash is None else hash32(one.tx_hash) for one in found]
    if None in said:
        said = [*listed]
    if (listed and said != listed) or len(said) != len(found) or len(set(said)) != len(said):
        raise MalformedFrame("wrong_shape", "the frames are of other transactions than the block")
    return [name for name in said if name is not None]


def _joined(base: MinedBlock, traced: Mapping[str, tuple[int, Calls]]) -> MinedBlock:
    """A block with its calls, and with what else is known of each transaction."""
    known = {one.hash: one for one in base.transactions}
    if known:
        _same(set(traced), set(known))
    mined = []
    for name, (place, calls) in traced.items():
        one = _mined(name, place, calls, base.miner)
        other = known.get(name)
        if other is not None:
            if other.place != place:
                raise MalformedFrame("wrong_shape", f"{name} is in two places")
            one = attrs.evolve(
                one, logs=other.logs, gas_used=other.gas_used, gas_price=other.gas_price
            )
        mined.append(one)
    return attrs.evolve(base, transactions=tuple(sorted(mined, key=_place)))


def _place(one: Mined) -> int:
    return one.place


def _same(traced: set[str], others: set[str]) -> None:
    if traced != others:
        missing, more = len(others - traced), len(traced - others)
        raise MalformedFrame(
            "wrong_shape", f"{missing} transactions without traces, {more} without a receipt"
        )
