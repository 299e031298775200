"""A node that is served from memory: its chain is ours, and how it answers can be bent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import trio

from tests.support.peer import PeerConnection

ADDRESS = "0x" + "cd" * 20
TOPIC = "0x" + "e5" * 32
Json = dict[str, Any]


def hash_of(number: int, branch: int = 0) -> str:
    return f"0x{branch:032x}{number:032x}"


def make_log(block: Json, index: int, **fields: Any) -> Json:
    """A log of a block."""
    return {
        "blockHash": block["hash"],
        "blockNumber": block["number"],
        "logIndex": hex(index),
        "transactionHash": hash_of(int(block["number"], 16), 9),
        "transactionIndex": "0x0",
        "address": ADDRESS,
        "topics": [TOPIC],
        "data": f"0x{index:064x}",
        "removed": False,
        **fields,
    }


class ServedNode:
    """A script for a peer: confirms subscriptions, announces, and answers from its chain.

    Attributes:
        chain: the canonical blocks, as a node spells them, hashes of transactions included.
        logs: by block hash.
        requests: every request but subscriptions, as (method, parameters).
        bend: looks at a request first; what it returns is the answer's ``result`` or ``error``,
            or a code to ``close`` with; None answers as usual.
    """

    def __init__(self, chain: list[Json] | None = None) -> None:
        self.chain = chain or []
        self.logs: dict[str, list[Json]] = {}
        self.requests: list[tuple[str, list[Any]]] = []
        self.bend: Callable[[str, list[Any]], Json | None] = lambda method, params: None
        self.peers: list[tuple[PeerConnection, dict[str, str]]] = []
        self.lives = 0
        self.genesis: Json | None = None
        self._turn = trio.Lock()
        self.silent = False
        """Whether nothing is answered any more."""

    def grow(self, blocks: int = 1, branch: int = 0, logs: int = 2) -> list[Json]:
        """New blocks on top, with logs."""
        made = []
        for _ in range(blocks):
            number = int(self.chain[-1]["number"], 16) + 1 if self.chain else 100
            parent = self.chain[-1]["hash"] if self.chain else hash_of(99)
            block = {
                "number": hex(number),
                "hash": hash_of(number, branch),
                "parentHash": parent,
                "timestamp": hex(1_700_000_000 + 12 * number),
                "gasLimit": "0x1c9c380",
                "gasUsed": "0xe4e1c0",
                "baseFeePerGas": "0x3b9aca00",
                "transactions": [hash_of(number, 1000 + branch)],
            }
            self.chain.append(block)
            self.logs[block["hash"]] = [make_log(block, n) for n in range(logs)]
            made.append(block)
        return made

    def revert(self, depth: int) -> list[Json]:
        """Take the newest blocks back; they are returned, newest first."""
        return [self.chain.pop() for _ in range(depth)]

    async def __call__(self, peer: PeerConnection) -> None:
        """One life."""
        await peer.accept()
        self.lives += 1
        ids: dict[str, str] = {}
        self.peers.append((peer, ids))
        try:
            while (text := await peer.receive()) is not None:
                if not self.silent:
                    await self._answer(peer, ids, json.loads(text))
        finally:
            self.peers.remove((peer, ids))

    async def _answer(self, peer: PeerConnection, ids: dict[str, str], request: Json) -> None:
        method, params = request["method"], request["params"]
        if method == "eth_subscribe":
            server_id = f"0x{self.lives}{len(ids)}"
            ids[params[0]] = server_id
            reply: Json = {"result": server_id}
        else:
            self.requests.append((method, params))
            bent = self.bend(method, params)
            reply = bent if bent is not None else {"result": self._result(method, params)}
        async with self._turn:
            if "close" in reply:
                peer.protocol.send_close(reply["close"])
                await peer.flush()
                return
            await peer.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], **reply}))

    def _result(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return "0x1"
        if method == "eth_getBlockByHash":
            return next((b for b in self.chain if b["hash"] == params[0]), None)
        if method == "eth_getBlockByNumber":
            if params[0] == "latest":
                return self.chain[-1]
            if params[0] == "0x0":
                return self.genesis
            return next((b for b in self.chain if b["number"] == params[0]), None)
        assert method == "eth_getLogs"
        wanted = params[0]
        if "blockHash" in wanted:
            return self.logs[wanted["blockHash"]]
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        blocks = [b for b in self.chain if first <= int(b["number"], 16) <= last]
        return [log for block in blocks for log in self.logs[block["hash"]]]

    async def notify(self, name: str, *results: Any) -> None:
        """Tell every client, where it is subscribed."""
        for peer, ids in list(self.peers):
            frames = [
                json.dumps({
                    "jsonrpc": "2.0",
                    "method": "eth_subscription",
                    "params": {"subscription": ids[name], "result": result},
                })
                for result in results
                if name in ids
            ]  # fmt: skip
            if frames:
                async with self._turn:
                    await peer.send(*frames)

    async def announce(self, *blocks: Json) -> None:
        """Heads, without their transactions, as geth does."""
        heads = [{k: v for k, v in block.items() if k != "transactions"} for block in blocks]
        await self.notify("newHeads", *heads)

    async def cut(self) -> None:
        """End every connection."""
        for peer, _ in list(self.peers):
            await trio.aclose_forcefully(peer.stream)
