"""A node's own final answer, asked over HTTP with nothing of ours in between."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import attrs
import trio

from tests.devnet.ledger import GONE, Ledger
from trio_mev.model.chain import Block, Life

Json = dict[str, Any]
PATIENCE = 20.0


def _post(url: str, calls: list[tuple[str, list[Any]]]) -> list[Any]:
    body = json.dumps([
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(calls)
    ])  # fmt: skip
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        replies = {reply["id"]: reply["result"] for reply in json.load(answer)}
    return [replies[number] for number in range(len(calls))]


async def ask(url: str, *calls: tuple[str, list[Any]]) -> list[Any]:
    """The results of several calls, in their order.

    Raises:
        KeyError: the node refuses one.
    """
    results: list[Any] = await trio.to_thread.run_sync(_post, url, list(calls))
    return results


@attrs.frozen
class Answer:
    """What is final, as the node says."""

    blocks: list[Json]
    """From the number on that was asked for."""
    mined: dict[str, str]
    """Every transaction of the chain, to the hash of its block."""
    logs: list[Json]
    pool: set[str]
    ready: set[str]
    """Of the pool, those that a block could have; the others are not announced."""

    @classmethod
    async def of(cls, url: str, first: int, wanted: Json) -> Answer:
        """The blocks from a number on, their logs of a filter, and the pool."""
        (latest,) = await ask(url, ("eth_blockNumber", []))
        numbers = range(int(latest, 16) + 1)
        pool, logs, *blocks = await ask(
            url,
            ("txpool_content", []),
            ("eth_getLogs", [{**wanted, "fromBlock": hex(first), "toBlock": latest}]),
            *(("eth_getBlockByNumber", [hex(number), False]) for number in numbers),
        )
        mined = {name: block["hash"] for block in blocks for name in block["transactions"]}
        return cls(blocks[first:], mined, logs, _pooled(*pool.values()), _pooled(pool["pending"]))


def _pooled(*parts: Json) -> set[str]:
    return {
        transaction["hash"]
        for part in parts
        for of_sender in part.values()
        for transaction in of_sender.values()
    }


def _same_block(ours: Block, theirs: Json) -> bool:
    return (
        ours.complete
        and ours.number == int(theirs["number"], 16)
        and ours.hash == theirs["hash"]
        and ours.parent == theirs["parentHash"]
        and list(ours.transactions or ()) == theirs["transactions"]
    )


def _ours(log: Any) -> tuple[Any, ...]:
    place = (log.block_hash, log.block_number, log.log_index, log.transaction)
    return (*place, log.address, log.topics, log.data)


def _theirs(log: Json) -> tuple[Any, ...]:
    numbers = int(log["blockNumber"], 16), int(log["logIndex"], 16)
    data = bytes.fromhex(log["data"][2:])
    place = (log["blockHash"], *numbers, log["transactionHash"])
    return (*place, log["address"], tuple(log["topics"]), data)


def differences(ledger: Ledger, answer: Answer, given: set[str]) -> list[str]:
    """In what the ledger is not the node's answer.

    Args:
        ledger: what the stream's events come to.
        answer: the node's.
        given: transactions whose announcement the client received as it was sent.
    """
    found = list(ledger.complaints)
    if len(ledger.chain) != len(answer.blocks):
        found.append(f"{len(ledger.chain)} blocks stand, and the node has {len(answer.blocks)}")
    for ours, theirs in zip(ledger.chain, answer.blocks, strict=False):
        if not _same_block(ours, theirs):
            found.append(f"block {ours.number} {ours.hash[:10]}, complete: {ours.complete}")
    final = sorted(map(_theirs, answer.logs))
    whole = sorted(_ours(log) for block in ledger.chain for log in block.logs or ())
    told = sorted(map(_ours, ledger.logs.values()))
    if whole != final:
        found.append(f"{len(whole)} logs in the blocks, and the node has {len(final)}")
    if told != final:
        found.append(f"{len(told)} logs told, and the node has {len(final)}")
    if standing := ledger.removed & ledger.logs.keys():
        found.append(f"{len(standing)} logs were taken back and stand")
    return found + _of_transactions(ledger, answer, given)


def _of_transactions(ledger: Ledger, answer: Answer, given: set[str]) -> list[str]:
    found: list[str] = []
    mined = answer.mined
    if lost := given - ledger.bodies.keys():
        found.append(f"{len(lost)} transactions were received and not told")
    if never := ledger.pending - answer.pool:
        found.append(f"{len(never)} transactions are pending here and not there: {sorted(never)}")
    if late := (answer.pool & given) - ledger.pending:
        found.append(f"{len(late)} transactions are pending there and not here: {sorted(late)}")
    included = ledger.included
    expected = {name: mined[name] for name in ledger.known & mined.keys()}
    if included != expected:
        odd = included.items() ^ expected.items()
        found.append(f"{len(odd)} transactions are not included as they should be: {sorted(odd)}")
    if risen := ledger.with_life(*GONE) & (answer.pool | mined.keys()):
        found.append(f"{len(risen)} transactions are gone here and not there: {sorted(risen)}")
    if expired := ledger.with_life(Life.EXPIRED):
        found.append(f"{len(expired)} transactions expired")
    return found
