"""What a node says of a block by several calls is one block, or it is refused."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec
import pytest

from tests.inspect.test_files import ANN, FRAME, HASH, OTHER, TRACE, receipt
from trio_mev.errors import MalformedFrame
from trio_mev.inspect.answers import Answers, Offer, read_answers

FIRST = TRACE["transactionHash"]
HEAD = {
    "number": "0x7",
    "hash": HASH,
    "parentHash": OTHER,
    "timestamp": "0x5",
    "gasLimit": "0x1c9c380",
    "gasUsed": "0x5208",
    "baseFeePerGas": "0x9",
    "miner": ANN,
    "transactions": [FIRST],
}
LOG = {
    "blockHash": HASH,
    "blockNumber": "0x7",
    "logIndex": "0x0",
    "transactionHash": FIRST,
    "transactionIndex": "0x0",
    "address": ANN,
    "topics": [],
    "data": "0x",
}


def text(thing: Any) -> bytes:
    return msgspec.json.encode(thing)


PAID = receipt(0) | {"effectiveGasPrice": "0xa"}
TOLD = {
    Offer.TRACE_BLOCK: [TRACE],
    Offer.CALL_TRACER: [{"txHash": FIRST, "result": FRAME}],
    Offer.RECEIPTS: [PAID],
    Offer.LOGS: [LOG],
}


@pytest.mark.parametrize("offer", Offer)
def test_every_offer_is_read_with_the_head(offer: Offer):
    block = read_answers(Answers(7, offer, text(HEAD), text(TOLD[offer])))
    assert (block.number, block.hash, block.base_fee, block.miner) == (7, HASH, 9, ANN)
    assert [one.hash for one in block.transactions] == [FIRST]


@pytest.mark.parametrize("offer", [Offer.TRACE_BLOCK, Offer.CALL_TRACER])
def test_receipts_beside_traces_say_what_was_paid(offer: Offer):
    answers = Answers(7, offer, text(HEAD), text(TOLD[offer]), text([PAID]))
    (one,) = read_answers(answers).transactions
    assert one.gas_wei == 21_000 * 10


@pytest.mark.parametrize("offer", Offer)
def test_answers_of_different_blocks_are_refused(offer: Offer):
    other = text(HEAD | {"hash": OTHER, "transactions": [OTHER]})
    with pytest.raises(MalformedFrame):
        read_answers(Answers(7, offer, other, text(TOLD[offer])))


def test_a_head_of_another_number_is_refused():
    answers = Answers(7, Offer.RECEIPTS, text(HEAD), text([PAID]))
    with pytest.raises(MalformedFrame, match="block 7 for 8"):
        read_answers(attrs.evolve(answers, number=8))
