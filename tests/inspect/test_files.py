"""Files are told by their shape, whatever they are called, and those of no shape that is known say
what they are instead."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trio_mev.errors import MalformedFrame
from trio_mev.inspect.files import READERS, Shape, read_file, shape_of

HASH, OTHER = "0x" + "ab" * 32, "0x" + "cd" * 32
ANN = "0x" + "0a" * 20


def text(thing: Any) -> bytes:
    return msgspec.json.encode(thing)


def receipt(place: int, block: str = HASH, number: int = 7) -> dict[str, Any]:
    return {
        "type": "0x2",
        "status": "0x1",
        "cumulativeGasUsed": "0x5208",
        "logs": [],
        "transactionHash": f"0x{place + 1:064x}",
        "transactionIndex": hex(place),
        "blockHash": block,
        "blockNumber": hex(number),
        "gasUsed": "0x5208",
        "from": ANN,
        "to": ANN,
    }


TRACE = {
    "action": {
        "from": ANN,
        "callType": "call",
        "gas": "0x0",
        "input": "0x",
        "to": ANN,
        "value": "0x1",
    },
    "blockHash": HASH,
    "blockNumber": 7,
    "result": {"gasUsed": "0x0", "output": "0x"},
    "subtraces": 0,
    "traceAddress": [],
    "transactionHash": f"0x{1:064x}",
    "transactionPosition": 0,
    "type": "call",
}
FRAME = {
    "from": ANN,
    "gas": "0x0",
    "gasUsed": "0x5208",
    "to": ANN,
    "input": "0x",
    "value": "0x1",
    "type": "CALL",
}
SHAPES: dict[Shape, Any] = {
    Shape.PARITY: {"block_number": 7, "miner": ANN, "traces": [], "receipts": []},
    Shape.RECORDED: {"block": {"number": 7}, "transactions": [], "logs": []},
    Shape.TRACE_BLOCK: [TRACE],
    Shape.CALL_TRACER: [{"txHash": HASH, "result": FRAME}],
    Shape.RECEIPTS: [receipt(0)],
    Shape.PAIRS: {HASH: {"chain": 1, "tx": None, "receipt": receipt(0)}},
    Shape.ENVELOPE: {"jsonrpc": "2.0", "id": 1, "result": []},
}


def backwards(thing: Any) -> Any:
    """Keys the other way round: their order is not trusted."""
    if isinstance(thing, dict):
        return {key: backwards(thing[key]) for key in reversed(thing)}
    return [backwards(one) for one in thing] if isinstance(thing, list) else thing


@pytest.mark.parametrize("shape", Shape)
def test_a_shape_is_told_by_its_keys_in_any_order(shape: Shape):
    assert shape_of(text(SHAPES[shape])) is shape
    assert shape_of(text(backwards(SHAPES[shape]))) is shape
    assert shape_of(b" \n" + msgspec.json.format(text(SHAPES[shape]), indent=2)) is shape


def test_frames_of_older_nodes_do_not_name_their_transactions():
    assert shape_of(text([{"result": FRAME}])) is Shape.CALL_TRACER


def test_every_shape_but_an_envelope_has_a_reader():
    assert set(READERS) == set(Shape) - {Shape.ENVELOPE}


@pytest.mark.parametrize("within", [{"z": 1}, {"traces": 1, "logs": [{"block": 2}]}])
def test_keys_that_are_deeper_tell_nothing(within: Any):
    with pytest.raises(MalformedFrame, match="neither traces"):
        shape_of(text({"a": within, "b": [within]}))
    assert shape_of(text([{"a": within, "action": {}}])) is Shape.TRACE_BLOCK


def test_braces_and_keys_in_strings_tell_nothing():
    words = {"note": '}]{"traces": [', "say": '\\"receipts\\": \\', "é": "{"}
    assert shape_of(text({**words, "jsonrpc": "2.0", "result": []})) is Shape.ENVELOPE


@pytest.mark.parametrize(
    ("thing", "instead"),
    [
        (b"", "neither traces"),
        (b"hello", "neither traces"),
        (b"[]", "an empty list"),
        (b"[1,2]", "an empty list, or one of no objects"),
        (b'[{"a":1}]', "a list of something else"),
        (b'{"parentHash":"0x","transactions":[]}', "a block without logs"),
        (b'{"from":"0x","gasUsed":"0x","calls":[]}', "the trace of one transaction"),
        (b"[" * 100_000, "an empty list"),
    ],
)
def test_what_is_of_no_known_shape_says_what_it_is_instead(thing: bytes, instead: str):
    with pytest.raises(MalformedFrame, match=instead) as caught:
        read_file(thing)
    assert caught.value.reason == "unknown_shape"


def test_an_envelope_is_taken_off_once():
    (block,) = read_file(text({"jsonrpc": "2.0", "id": 1, "result": [receipt(0), receipt(1)]}))
    assert (block.number, len(block.transactions)) == (7, 2)
    with pytest.raises(MalformedFrame, match="an answer in an answer"):
        read_file(text({"jsonrpc": "2.0", "result": {"jsonrpc": "2.0", "result": []}}))


def test_an_error_in_an_envelope_is_said():
    error = {"code": -32601, "message": "the method trace_block does not exist"}
    with pytest.raises(MalformedFrame, match="-32601 the method trace_block") as caught:
        read_file(text({"jsonrpc": "2.0", "id": 1, "error": error}))
    assert caught.value.reason == "error_answer"
    with pytest.raises(MalformedFrame, match="neither result nor error"):
        read_file(b'{"jsonrpc":"2.0","id":1}')


def test_receipts_of_several_blocks_are_several_blocks():
    mixed = [receipt(3, OTHER, 9), receipt(0), receipt(1), receipt(0, OTHER, 9)]
    first, second = read_file(text(mixed))
    assert (first.number, first.hash, [one.place for one in first.transactions]) == (
        7,
        HASH,
        [0, 1],
    )
    assert (second.number, [one.place for one in second.transactions]) == (9, [0, 3])


def test_answers_to_trace_block_need_nothing_beside_them():
    (block,) = read_file(text([TRACE]))
    assert (block.number, block.hash) == (7, HASH)


def test_the_callers_number_says_which_block_frames_are_of():
    raw = text([{"txHash": HASH, "result": FRAME}])
    (block,) = read_file(raw, 17)
    assert (block.number, block.hash, len(block.transactions)) == (17, "", 1)
    with pytest.raises(MalformedFrame, match="nothing says which block it is"):
        read_file(raw)


def test_every_recording_is_of_a_known_shape(corpus: Path):
    shapes: dict[str, set[Shape]] = {}
    for path in sorted((corpus / "mainnet").glob("[lt][or][ga][sc]*/*.gz")):
        raw = gzip.decompress(path.read_bytes())
        shapes.setdefault(path.parent.name, set()).add(shape_of(raw))
        assert all(block.transactions for block in read_file(raw))
    assert shapes == {"logs": {Shape.RECORDED, Shape.PAIRS}, "traces": {Shape.PARITY}}


def test_a_file_that_is_cut_says_so(corpus: Path):
    raw = gzip.decompress((corpus / "mainnet/traces/13404932.json.gz").read_bytes()).rstrip()
    for length in (1000, len(raw) // 2, len(raw) - 1):
        with pytest.raises(MalformedFrame) as caught:
            read_file(raw[:length])
        assert caught.value.reason in {"not_json", "unknown_shape"}


@pytest.mark.parametrize("number", [-1, 2**32])
def test_numbers_that_no_block_has_are_refused(number: int):
    with pytest.raises(MalformedFrame, match="a block"):
        read_file(text([{**TRACE, "blockNumber": number}]))


@pytest.mark.parametrize("number", [-1, 2**32])
def test_a_log_with_a_number_that_none_has_is_refused(number: int, corpus: Path):
    whole = gzip.decompress((corpus / "mainnet/logs/17173049.json.gz").read_bytes())
    found = msgspec.json.decode(whole)
    found["logs"][0]["log_index"] = number
    with pytest.raises(MalformedFrame, match="log_index"):
        read_file(text(found))


@pytest.mark.parametrize("price", [-1, 2**63])
def test_gas_that_nobody_can_have_paid_is_refused(price: int, corpus: Path):
    whole = gzip.decompress((corpus / "mainnet/traces/13244807.json.gz").read_bytes())
    found = msgspec.json.decode(whole)
    found["receipts"][0]["effective_gas_price"] = price
    with pytest.raises(MalformedFrame, match="effective_gas_price"):
        read_file(text(found))
