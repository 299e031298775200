"""A node, served from memory, that is asked to try transactions."""

from __future__ import annotations

import random

import trio

from tests.support.peer import Peer
from tests.support.served import ServedNode
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.status import FeedState
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings
from trio_mev.wire.simulation import SIMULATE, TRACE

CALL = {"status": "0x1", "gasUsed": "0x5208", "returnData": "0x", "logs": []}
FRAME = {"from": "0x" + "11" * 20, "gasUsed": "0x5208", "type": "CALL"}
ABSENT = {"error": {"code": -32601, "message": "the method does not exist/is not available"}}
SILENT = "silent"


class JudgingNode(ServedNode):
    """Answers what it is asked to try, as ``answers`` says by method."""

    def __init__(self):
        super().__init__()
        self.grow()
        self.answers = {SIMULATE: None, TRACE: None}
        self.tried = []
        self.bend = self.judge

    def judge(self, method, params):
        if method not in self.answers:
            return None
        self.tried.append((trio.current_time(), method))
        bent = self.answers[method]
        if bent is not None:
            return bent
        if method == TRACE:
            return {"result": FRAME}
        calls = params[0]["blockStateCalls"][0]["calls"]
        return {"result": [{"calls": [CALL] * len(calls)}]}

    async def _answer(self, peer, ids, request):
        if self.answers.get(request["method"]) == SILENT:
            self.tried.append((trio.current_time(), request["method"]))
            return
        await super()._answer(peer, ids, request)

    @property
    def methods(self):
        return [method for _, method in self.tried]


async def connected(nursery: trio.Nursery, node: ServedNode) -> EthereumWebSocketClient:
    """A client that is connected to the node, and asks it for nothing by itself."""
    settings = EthereumSettings(
        name="node",
        endpoint=Endpoint("ws://node.example"),
        heads=False,
        pending="off",
        connection=ConnectionSettings(ping_interval=10_000, first_delay=1, max_message=2**20),
    )
    made = EthereumWebSocketClient(settings, Peer(nursery, node).dial, rng=random.Random(1))
    nursery.start_soon(made.run, lambda events: None, Outstanding())
    assert await made.status.wait_for(FeedState.READY) is FeedState.READY
    return made
