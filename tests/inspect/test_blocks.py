"""Blocks as they are read: from a feed, from receipts, from a recording."""

from __future__ import annotations

import attrs
import msgspec
import pytest

from tests.inspect.blocks import ANN, BOT, EVE, HASH, A, P, act, block, hash_of, sent, swapped
from trio_mev.errors import MalformedFrame
from trio_mev.inspect import mined_block, read_receipts, read_recorded, reading
from trio_mev.model.chain import Block, Transaction

LOGS = tuple(
    log
    for one in block(
        act(EVE, BOT), act(EVE, BOT, swapped(P, 9, 8), sent(A, ANN, P, 9))
    ).transactions
    for log in one.logs
)
HEAD = Block(7, HASH, "0x" + "c" * 64, 12, 30, 15, 10, BOT, (hash_of(0), hash_of(1)), True, LOGS)


def test_a_block_of_a_feed_has_logs_and_no_more():
    made = mined_block(HEAD)
    assert (made.number, made.hash, made.base_fee, made.miner) == (7, HASH, 10, BOT)
    empty, full = made.transactions
    assert (empty.logs, full.logs) == ((), LOGS)
    assert (full.place, full.sender, full.to, full.gas_wei) == (1, None, None, None)


def test_transactions_that_were_seen_pending_say_who_sent_them():
    body = Transaction(hash_of(1), EVE, BOT, 0, 0, 21_000, b"")
    _, full = mined_block(HEAD, {hash_of(1): body}).transactions
    assert (full.sender, full.to) == (EVE, BOT)


def test_without_the_blocks_hashes_there_are_those_with_logs():
    (full,) = mined_block(attrs.evolve(HEAD, transactions=None)).transactions
    assert (full.hash, full.place) == (hash_of(1), 1)


def test_a_block_without_its_logs_cannot_be_inspected():
    with pytest.raises(ValueError, match="the logs of block 7 are not known"):
        mined_block(attrs.evolve(HEAD, logs=None))


def test_logs_are_put_in_their_order():
    assert mined_block(attrs.evolve(HEAD, logs=LOGS[::-1])).transactions[1].logs == LOGS


def receipt(place: int = 1, **more):
    logs = [
        {
            "address": log.address,
            "topics": list(log.topics),
            "data": "0x" + log.data.hex(),
            "blockHash": HASH,
            "blockNumber": "0x7",
            "transactionHash": hash_of(place),
            "transactionIndex": hex(place),
            "logIndex": hex(log.log_index),
        }
        for log in LOGS[::-1]
    ]
    return {
        "transactionHash": hash_of(place),
        "transactionIndex": hex(place),
        "blockHash": HASH,
        "blockNumber": "0x7",
        "from": EVE,
        "to": BOT,
        "gasUsed": "0xa",
        "effectiveGasPrice": "0x3",
        "status": "0x1",
        "logs": logs,
        **more,
    }


def receipts(*many, head=None):
    return read_receipts(msgspec.json.encode(many), head)


def test_receipts_say_all_but_the_base_fee():
    made = receipts(receipt(), receipt(0, status="0x0", logs=[], to=None))
    failed, done = made.transactions
    assert (made.number, made.hash, made.base_fee, made.miner) == (7, HASH, None, None)
    assert (done.sender, done.to, done.gas_wei, done.succeeded) == (EVE, BOT, 30, True)
    assert done.logs == LOGS
    assert (failed.place, failed.succeeded, failed.to, failed.logs) == (0, False, None, ())
    assert receipts(receipt(), head=HEAD).base_fee == 10
    assert receipts(head=HEAD).transactions == ()


def test_old_receipts_say_neither_price_nor_status():
    (one,) = receipts(receipt(effectiveGasPrice=None, status=None)).transactions
    assert (one.gas_wei, one.succeeded) == (None, None)


@pytest.mark.parametrize(
    "many",
    [
        [],
        [receipt(), receipt(0, blockNumber="0x8")],
        [receipt(), receipt()],
        [receipt(gasUsed="10")],
        [receipt(transactionHash="0x12")],
        [receipt(logs=[{}])],
        [receipt(0, logs=receipt()["logs"])],
        [{}],
    ],
)
def test_receipts_that_are_none_are_refused(many):
    with pytest.raises(MalformedFrame):
        receipts(*many)


def test_receipts_of_another_block_than_the_head_are_refused():
    with pytest.raises(MalformedFrame, match="receipts of 2 blocks"):
        receipts(receipt(), head=attrs.evolve(HEAD, number=8))


def recorded(**more):
    transactions = [
        {
            "hash": hash_of(place),
            "transaction_index": place,
            "from_address": EVE,
            "to_address": BOT if place else None,
            "receipt_gas_used": 10,
            "receipt_effective_gas_price": 3,
            "receipt_status": place,
        }
        for place in (1, 0)
    ]
    logs = [
        {
            "log_index": log.log_index,
            "transaction_hash": log.transaction,
            "transaction_index": 1,
            "address": log.address,
            "data": "0x" + log.data.hex(),
            "topics": list(log.topics),
        }
        for log in LOGS
    ]
    head = {"number": 7, "hash": HASH, "base_fee_per_gas": 10, "miner": BOT}
    return {"block": head, "transactions": transactions, "logs": logs, **more}


def test_a_recording_says_everything():
    made = read_recorded(msgspec.json.encode(recorded()))
    failed, done = made.transactions
    assert (made.number, made.hash, made.base_fee, made.miner) == (7, HASH, 10, BOT)
    assert (done.sender, done.to, done.gas_wei, done.succeeded) == (EVE, BOT, 30, True)
    assert [(log.topics, log.data) for log in done.logs] == [(g.topics, g.data) for g in LOGS]
    assert (failed.succeeded, failed.to) == (False, None)


def test_a_recording_may_lack_what_old_blocks_lack():
    rows = [{"hash": hash_of(n), "transaction_index": n, "from_address": EVE} for n in range(2)]
    head = {"number": 7, "hash": HASH}
    made = read_recorded(msgspec.json.encode(recorded(block=head, transactions=rows)))
    assert (made.base_fee, made.miner) == (None, None)
    assert (made.transactions[1].gas_wei, made.transactions[1].succeeded) == (None, None)


def many_topics():
    made = recorded()
    made["logs"][0]["topics"] *= 2
    return made


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (recorded(transactions=[]), "logs of 1 transactions that are not there"),
        (many_topics(), "6 topics"),
        ({}, "block"),
        ([], "object"),
    ],
)
def test_a_recording_that_is_none_is_refused(value, why):
    with pytest.raises(MalformedFrame, match=why):
        read_recorded(msgspec.json.encode(value))


def test_a_file_cut_short_is_refused():
    whole = msgspec.json.encode(recorded())
    for end in range(0, len(whole), 97):
        with pytest.raises(MalformedFrame):
            read_recorded(whole[:end])


def test_there_is_a_bound_on_what_a_block_may_hold(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "MAX_LOGS", 1)
    with pytest.raises(MalformedFrame, match="2 logs"):
        receipts(receipt())
    with pytest.raises(MalformedFrame, match="2 logs"):
        read_recorded(msgspec.json.encode(recorded()))
    monkeypatch.setattr(reading, "MAX_TRANSACTIONS", 1)
    with pytest.raises(MalformedFrame, match="2 transactions"):
        receipts(receipt(), receipt(0))
