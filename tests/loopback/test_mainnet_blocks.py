"""Six consecutive blocks of the main network, with their transactions, through a real feed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.chains import Consumer
from tests.support.nodes import listen
from tests.support.served import ServedNode
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.chain import Gap
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings
from trio_mev.stream import open_stream

WITHIN = 30.0


def read(path: Path) -> dict[str, Any]:
    value = json.loads(gzip.decompress(path.read_bytes()))
    return value.get("result", value)


@pytest.mark.parametrize("heard", [(0, 1, 2, 3, 4, 5), (0, 5), (0, 2, 3, 5)])
async def test_six_blocks_are_complete_in_order_and_of_one_line(corpus, heard):
    """On sockets of this machine; a head that is not heard is fetched by the feed itself."""
    blocks = [read(path) for path in sorted((corpus / "mainnet" / "transactions").glob("*.gz"))]
    hashes = [[t["hash"] for t in block["transactions"]] for block in blocks]
    served = [
        {k: v for k, v in block.items() if k != "withdrawals"} | {"transactions": own}
        for block, own in zip(blocks, hashes, strict=True)
    ]
    node = ServedNode()
    consumer, bodies, included = Consumer(), [], []
    async with trio.open_nursery() as nursery:
        port = await listen(nursery, node)
        feed = EthereumWebSocketClient(
            EthereumSettings(
                name="mainnet",
                endpoint=Endpoint(f"ws://127.0.0.1:{port}"),
                chain_id=1,
                connection=ConnectionSettings(subscribe_interval=0.0),
            )
        )
        with trio.fail_after(WITHIN):
            async with open_stream([feed]) as stream:
                chain = stream.subscribe(DataType.BLOCK, DataType.GAP, DataType.REORG)
                pending = stream.subscribe(DataType.TRANSACTION)
                lives = stream.subscribe(DataType.MEMPOOL)
                await feed.status.wait_for(FeedState.READY)
                for number, block in enumerate(served):
                    await node.notify(
                        "newPendingTransactions",
                        *(
                            body | {"blockHash": None, "blockNumber": None}
                            for body in blocks[number]["transactions"]
                        ),
                    )
                    bodies += [(await anext(pending)).data for _ in hashes[number]]
                    node.chain.append(block)
                    if number not in heard:
                        continue
                    await node.announce(block)
                    while not consumer.chain or consumer.chain[-1].hash != block["hash"]:
                        event = await anext(chain)
                        consumer.take(event.event_type, event.data)
                included = [(await anext(lives)).data for _ in bodies]
        nursery.cancel_scope.cancel()
    assert [b.hash for b in consumer.chain] == [b["hash"] for b in blocks]
    assert all(b.parent == a.hash for a, b in zip(consumer.chain, consumer.chain[1:], strict=False))
    assert [list(b.transactions) for b in consumer.chain] == hashes
    assert [b.hash for b in bodies] == [h for own in hashes for h in own]
    assert [(life.hash, life.block) for life in included] == [
        (h, block["hash"]) for block, own in zip(blocks, hashes, strict=True) for h in own
    ]
    assert consumer.reorgs == []
    gaps = [n for n in range(6) if n not in heard]
    assert [n for g in consumer.gaps for n in range(g.first, g.last + 1)] == [
        consumer.chain[n].number for n in gaps
    ]
    assert all(isinstance(gap, Gap) and gap.filled for gap in consumer.gaps)
    assert feed.status.refused == {}
