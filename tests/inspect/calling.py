"""Calls that were never made: transactions as trees, and the answers of nodes that show them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec
from eth_abi import encode

from tests.inspect.blocks import HASH, hash_of
from tests.support.encoding import address, call
from trio_mev.chain.abi import split
from trio_mev.inspect import Inspection, Known, inspect_block, read_parity_file

MINER = address(0x3001)
Json = dict[str, Any]


@attrs.define(eq=False)
class Made:
    """A call with those that it makes."""

    source: str
    target: str
    data: str = "0x"
    output: str = "0x"
    inner: list[Made] = attrs.Factory(list)
    value: int = 0
    kind: str = "call"
    error: str | None = None

    def holding(self, *inner: Made) -> Made:
        """The same with calls that it makes."""
        self.inner += inner
        return self

    def failing(self, error: str = "Reverted") -> Made:
        """The same, reverted."""
        self.error = error
        return self


def asked(
    source: str,
    target: str,
    signature: str,
    *values: Any,
    answers: tuple[str, Sequence[Any]] | None = None,
    **more: Any,
) -> Made:
    """A call of a method; ``answers`` are the types and values that it returns."""
    output = "0x" if answers is None else "0x" + encode(split(answers[0]), answers[1]).hex()
    return Made(source, target, "0x" + call(signature, *values).hex(), output, **more)


def paid(token: str, source: str, target: str, amount: int) -> Made:
    """A transfer that its sender asks for."""
    return asked(
        source, token, "transfer(address,uint256)", target, amount, answers=("bool", [True])
    )


def pulled(token: str, by: str, source: str, target: str, amount: int) -> Made:
    """A transfer that somebody asks for in the sender's name."""
    return asked(
        by,
        token,
        "transferFrom(address,address,uint256)",
        source,
        target,
        amount,
        answers=("bool", [True]),
    )


def balance(token: str, who: str, amount: int) -> Made:
    """Somebody reads a balance of its own."""
    return asked(
        who,
        token,
        "balanceOf(address)",
        who,
        answers=("uint256", [amount]),
        kind="staticcall",
    )


def traces_of(made: Made, place: int, path: tuple[int, ...] = ()) -> Iterator[Json]:
    """As ``trace_block`` has them; without recursion, since calls may be nested deep."""
    stack = [(made, path)]
    while stack:
        one, path = stack.pop()
        yield {
            "action": {
                "callType": one.kind,
                "from": one.source,
                "to": one.target,
                "gas": "0x0",
                "input": one.data,
                "value": hex(one.value),
            },
            "blockHash": HASH,
            "blockNumber": 7,
            "result": {"gasUsed": "0x0", "output": one.output},
            "subtraces": len(one.inner),
            "traceAddress": list(path),
            "transactionHash": hash_of(place),
            "transactionPosition": place,
            "type": "call",
            "error": one.error,
        }
        stack += [(each, (*path, n)) for n, each in reversed([*enumerate(one.inner)])]


def block_answer(*made: Made) -> list[Json]:
    """The answer to ``trace_block``."""
    return [trace for place, one in enumerate(made) for trace in traces_of(one, place)]


_OUTER = {
    "blockHash": "block_hash",
    "blockNumber": "block_number",
    "traceAddress": "trace_address",
    "transactionHash": "transaction_hash",
    "transactionPosition": "transaction_position",
}


def file_of(*made: Made, gas: int = 100_000, price: int = 10**9) -> Json:
    """A file as mev-inspect-py has it."""
    traces = [
        {_OUTER.get(name, name): value for name, value in trace.items()}
        for trace in block_answer(*made)
    ]
    receipts = [
        {
            "transaction_hash": hash_of(place),
            "transaction_index": place,
            "gas_used": gas,
            "effective_gas_price": price,
        }
        for place in range(len(made))
    ]
    return {
        "block_number": 7,
        "miner": MINER,
        "base_fee_per_gas": 10,
        "traces": traces,
        "receipts": receipts,
    }


def frame_text(made: Made) -> str:
    """As ``callTracer`` has it; the text is put together without recursion."""
    pieces: list[str] = []
    stack: list[Made | str] = [made]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            pieces.append(one)
            continue
        own = {
            "type": one.kind.upper(),
            "from": one.source,
            "to": one.target,
            "input": one.data,
            "output": one.output,
            "value": hex(one.value),
        }
        if one.error is not None:
            own["error"] = one.error
        pieces.append(msgspec.json.encode(own).decode()[:-1] + ',"calls":[')
        rest: list[Made | str] = []
        for number, each in enumerate(one.inner):
            rest += [",", each] if number else [each]
        stack += reversed([*rest, "]}"])
    return "".join(pieces)


def frames_answer(*made: Made) -> bytes:
    """The answer to ``debug_traceBlockByNumber``."""
    entries = [
        f'{{"txHash":"{hash_of(place)}","result":{frame_text(one)}}}'
        for place, one in enumerate(made)
    ]
    return f"[{','.join(entries)}]".encode()


def inspected(*made: Made, known: Known | None = None) -> Inspection:
    """What is found in a block of these."""
    return inspect_block(read_parity_file(msgspec.json.encode(file_of(*made))), known)


def unpacked(folder: Path, number: int) -> bytes:
    """A recorded block."""
    with gzip.open(folder / "mainnet" / "traces" / f"{number}.json.gz") as file:
        return file.read()
