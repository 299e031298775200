"""What a node is asked to try, and its answers: ``eth_simulateV1``, and ``debug_traceCall``.

Fees and nonces are left out: with them a node refuses what cannot be paid for, or what does not
come next. Neither are authorisations (EIP-7702) and blobs sent, which a body here does not have:
what depends on them is tried without.

Sources: the Ethereum JSON-RPC specification (execution-apis) and its notes on ``eth_simulateV1``;
geth's page of the debug namespace, and its callTracer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..errors import MalformedFrame
from ..model.chain import Log, Transaction
from ..model.simulation import SimulatedCall
from .ethereum import MAX_TOPICS
from .numbers import address, data, hash32, quantity
from .reverts import decode_revert, shown
from .session import decode

SIMULATE = "eth_simulateV1"
"""Several transactions, each on what those before have left."""
TRACE = "debug_traceCall"
"""One transaction, call by call."""
MOST_TRANSACTIONS = 64
"""In one simulation."""
MOST_LOGS = 20_000
"""Of one transaction; 60 million gas hold 160,000 of the cheapest, and the dearest ever some
thousands."""

MOST_BYTES = 8 * 2**20
"""Of an answer; what is longer would take too long to read."""


class _Log(msgspec.Struct, gc=False):
    address: str
    topics: list[str]
    data: str = "0x"


class _Error(msgspec.Struct, gc=False):
    message: str | None = None
    data: Any = None


class _Call(msgspec.Struct, rename="camel", gc=False):
    status: str
    gas_used: str
    return_data: str | None = None
    logs: list[_Log] | None = None
    error: _Error | None = None


class _Block(msgspec.Struct, gc=False):
    calls: list[_Call]


class _TracedLog(_Log, gc=False):
    position: str | int | None = None
    """How many calls of its frame come before it."""
    index: str | int | None = None
    """Its place among all logs."""


class _Frame(msgspec.Struct, rename="camel"):
    from_: str = msgspec.field(name="from")
    gas_used: str
    output: str | None = None
    error: str | None = None
    logs: list[_TracedLog] | None = None
    calls: list[_Frame] | None = None


_SIMULATED = msgspec.json.Decoder(list[_Block])
_TRACED = msgspec.json.Decoder(_Frame)


def block_parameter(block: str | int) -> str:
    """A block as both methods take it.

    Args:
        block: its number, its hash, or a tag such as ``latest``.
    """
    return hex(block) if isinstance(block, int) else block


def simulate_parameters(transactions: Sequence[Transaction], block: str | int) -> list[Any]:
    """Parameters of ``eth_simulateV1``: the transactions in one block on top of another.

    Args:
        transactions: in their order, at most ``MOST_TRANSACTIONS``.
        block: what they come after.
    """
    payload = {
        "blockStateCalls": [{"calls": [_call(one) for one in transactions]}],
        "validation": False,
        "traceTransfers": False,
        "returnFullTransactions": False,
    }
    return [payload, block_parameter(block)]


def trace_parameters(transaction: Transaction, block: str | int) -> list[Any]:
    """Parameters of ``debug_traceCall``: a transaction after a block, with its logs."""
    options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
    return [_call(transaction), block_parameter(block), options]


def _call(body: Transaction) -> dict[str, str]:
    call = {
        "from": body.sender,
        "value": hex(body.value),
        "gas": hex(body.gas),
        "input": "0x" + body.input.hex(),
    }
    return call if body.to is None else {**call, "to": body.to}


def parse_simulated(
    raw: bytes | msgspec.Raw, transactions: Sequence[Transaction]
) -> tuple[SimulatedCall, ...]:
    """What ``eth_simulateV1`` answers, for each transaction.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says, or the answer is not one
            block with as many calls.
    """
    blocks = decode(_SIMULATED, _short(raw))
    counts = [len(block.calls) for block in blocks]
    if counts != [len(transactions)]:
        raise MalformedFrame("wrong_shape", f"{counts[:3]} calls for {len(transactions)}")
    return tuple(
        _simulated(call, body, place)
        for place, (call, body) in enumerate(zip(blocks[0].calls, transactions, strict=True))
    )


def _short(raw: bytes | msgspec.Raw) -> bytes:
    whole = bytes(raw)
    if len(whole) > MOST_BYTES:
        raise MalformedFrame("too_many", f"{len(whole)} bytes of an answer")
    return whole


def _simulated(call: _Call, body: Transaction, place: int) -> SimulatedCall:
    status, gas_used = quantity(call.status, 8), quantity(call.gas_used, 64)
    returned = data(call.return_data or "0x")
    if status > 1:
        raise MalformedFrame("wrong_shape", f"status {status}")
    if status == 1:
        logs = _logs(call.logs or (), body, place)
        return SimulatedCall(True, gas_used, logs, True, returned)
    said = "" if call.error is None else call.error.message or ""
    # Some return nothing where a call reverts, and put what it reverts with into the error.
    if not returned and call.error is not None and isinstance(call.error.data, str):
        returned = data(call.error.data or "0x")
    return SimulatedCall(False, gas_used, (), True, returned, _reason(returned, said))


def _reason(returned: bytes, said: str) -> str:
    return decode_revert(returned) or shown(said) or "no reason"


def parse_traced(raw: bytes | msgspec.Raw, transaction: Transaction) -> SimulatedCall:
    """What ``debug_traceCall`` answers with the callTracer.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says.
    """
    top = decode(_TRACED, _short(raw))
    gas_used, returned = quantity(top.gas_used, 64), data(top.output or "0x")
    if top.error is not None:
        return SimulatedCall(False, gas_used, (), True, returned, _reason(returned, top.error))
    found, ordered = _emitted(top)
    return SimulatedCall(True, gas_used, _logs(found, transaction, 0), ordered, returned)


def _emitted(top: _Frame) -> tuple[list[_TracedLog], bool]:
    """Logs of the calls that were not undone, and whether they are in the order of emission."""
    waiting: list[_Frame | _TracedLog] = [top]
    found: list[_TracedLog] = []
    placed = True
    while waiting:
        one = waiting.pop()
        if isinstance(one, _TracedLog):
            found.append(one)
        elif one.error is None:
            logs, calls = one.logs or (), one.calls or ()
            placed = placed and (
                not logs or not calls or all(log.position is not None for log in logs)
            )
            waiting.extend(reversed(_merged(logs, calls)))
    if placed:
        return found, True
    if all(log.index is not None for log in found):
        return sorted(found, key=lambda log: _small(log.index)), True
    return found, False


def _merged(logs: Sequence[_TracedLog], calls: Sequence[_Frame]) -> list[_Frame | _TracedLog]:
    """The logs and calls of a frame as they came; a log whose place is not known comes first."""
    if not logs or not calls:
        return [*logs, *calls]
    before: dict[int, list[_TracedLog]] = {}
    for log in logs:
        before.setdefault(min(_small(log.position), len(calls)), []).append(log)
    merged: list[_Frame | _TracedLog] = []
    for place, call in enumerate(calls):
        merged += before.get(place, ())
        merged.append(call)
    return merged + list(before.get(len(calls), ()))


def _small(value: str | int | None) -> int:
    """A place, which some nodes write as a quantity and others as a number."""
    if isinstance(value, str):
        return quantity(value, 32)
    if value is not None and not 0 <= value < 2**32:
        raise MalformedFrame("wrong_shape", "a place below 0 or over 32 bits")
    return value or 0


def _logs(logs: Sequence[_Log], body: Transaction, place: int) -> tuple[Log, ...]:
    if len(logs) > MOST_LOGS:
        raise MalformedFrame("too_many", f"{len(logs)} logs of a transaction")
    return tuple(_log(log, index, body, place) for index, log in enumerate(logs))


def _log(log: _Log, index: int, body: Transaction, place: int) -> Log:
    if len(log.topics) > MAX_TOPICS:
        raise MalformedFrame("too_many", f"{len(log.topics)} topics")
    topics = tuple(hash32(topic) for topic in log.topics)
    return Log("", 0, index, body.hash, place, address(log.address), topics, data(log.data))
