"""A sample of the chaos runs, and a short load; ``scripts/chaos`` does them all."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

import attrs
import pytest

from tests.conftest import ROOT
from tests.devnet.answer import Answer, differences
from tests.devnet.chaos import run
from tests.devnet.ledger import Ledger
from tests.devnet.load import load
from tests.support.uncounted import uncounted
from trio_mev.model.chain import Block, Gap, Life, Log, PendingLife, Reorg, Transaction
from trio_mev.model.event import DataType

# Together they have every fault, gaps, and reorganisations of several depths.
SEEDS = (1, 3, 4, 5, 11, 22, 46, 62, 106, 193)


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_the_stream_holds_as_final_is_the_nodes_answer(seed: int):
    outcome = await run(seed)
    assert outcome.wrong == ()
    assert outcome.faults
    assert outcome.counts["blocks final"] > 0


async def test_three_hundred_transactions_a_second_are_all_told_and_included():
    told = await load(rate=300, seconds=3.0)
    assert told.accounted
    assert told.sent == 900
    assert len(told.latencies) == 900


def test_the_script_says_what_it_did(tmp_path):
    done = subprocess.run(
        [ROOT / "scripts" / "chaos", "--runs", "1", "--seed", "7", "--steps", "3", "--json"],
        capture_output=True,
        check=True,
        env=uncounted(),
        timeout=60,
    )
    told = json.loads(done.stdout)
    assert (told["runs"], told["wrong"]) == (1, {})
    assert told["counts"]["blocks final"] > 0


# The check itself: it finds what it is to find.


def block(number: int, salt: str = "a", parent: str | None = None) -> Block:
    below = f"{salt}{number - 1}" if parent is None else parent
    log = Log(f"{salt}{number}", number, 0, f"t{salt}{number}", 0, "0xe", ("0x1",), b"\1")
    return Block(
        number, f"{salt}{number}", below, 0, 0, 0, 0, None, (f"t{salt}{number}",), True, (log,)
    )


def json_of(blocks: list[Block]) -> Answer:
    logs = [
        {
            "blockHash": b.hash, "blockNumber": hex(b.number), "logIndex": "0x0",
            "transactionHash": f"t{b.hash}", "address": "0xe", "topics": ["0x1"], "data": "0x01",
        }
        for b in blocks
    ]  # fmt: skip
    theirs = [
        {
            "number": hex(b.number), "hash": b.hash, "parentHash": b.parent,
            "transactions": list(b.transactions or ()),
        }
        for b in blocks
    ]  # fmt: skip
    return Answer(theirs, {f"t{b.hash}": b.hash for b in blocks}, logs, {"p"}, {"p"})


def told(*events: tuple[DataType, object]) -> Ledger:
    ledger = Ledger(heads={f"{salt}{number}" for salt in "ab" for number in (1, 2, 3, 5)})
    for kind, data in events:
        ledger.take(kind, data)
    return ledger


def body(name: str) -> tuple[DataType, Transaction]:
    return DataType.TRANSACTION, Transaction(name, "s", None, 0, 0, 0, b"")


def whole(*blocks: Block) -> list[tuple[DataType, object]]:
    found: list[tuple[DataType, object]] = []
    for one in blocks:
        found.append((DataType.BLOCK, one))
        found += [(DataType.LOG, log) for log in one.logs or ()]
    return found


REORG = (DataType.REORG, Reorg(2, "a2", (block(3),), ("b3",)))
GOOD = [*whole(block(1), block(2), block(3)), body("p"), REORG, *whole(block(3, "b", "a2"))]
FINAL = [block(1), block(2), block(3, "b", "a2")]
LIFE = DataType.MEMPOOL


def test_it_finds_nothing_where_nothing_is_wrong():
    assert differences(told(*GOOD), json_of(FINAL), {"p"}) == []


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (GOOD[:-2], "2 blocks stand, and the node has 3"),
        (GOOD[:-1], "2 logs told, and the node has 3"),
        ([*GOOD, GOOD[-1]], "a log twice"),
        ([*GOOD, body("p")], "a transaction twice"),
        ([e for e in GOOD if e is not REORG], "3 does not join 3"),
        ([*GOOD, *whole(block(5, "b"))], "5 does not join 3"),
        ([*GOOD, *whole(block(4, "b"))], "4 was no head, and neither gap nor reorg announced it"),
        ([*GOOD, (DataType.GAP, Gap(5, 6, True))], "after 3"),
        ([*GOOD, (DataType.GAP, Gap(4, 4, False, "why"))], "a gap that is not filled"),
        ([*GOOD, (DataType.REORG, Reorg(1, "x1", (block(3, "b"),), ()))], "is not what is left"),
        ([*GOOD, (DataType.REORG, Reorg(1, "a1", (block(2),), ()))], "is not the newest"),
        ([*GOOD, (LIFE, PendingLife("p", Life.DROPPED))], "gone here and not there"),
        ([*GOOD, body("q")], "pending here and not there"),
        ([*GOOD, body("tb3")], "not included as they should be"),
        ([e for e in GOOD if e[0] is not DataType.TRANSACTION], "received and not told"),
        ([*GOOD, (DataType.LOST, "normal: 3")], "normal: 3"),
    ],
)
def test_it_finds_what_is_wrong(events, found):
    assert any(found in one for one in differences(told(*events), json_of(FINAL), {"p"}))


def test_a_block_that_is_not_whole_is_found():
    events = [
        (kind, attrs.evolve(data, complete=False) if kind is DataType.BLOCK else data)
        for kind, data in GOOD
        if kind is not DataType.REORG
    ]
    wrong = Counter(
        one.partition(" ")[0] for one in differences(told(*events), json_of(FINAL), {"p"})
    )
    assert wrong["block"] == 3
