"""A scenario that was played, with its truth and what the node says of the same blocks."""

from __future__ import annotations

import attrs

from tests.devnet.addresses import PRODUCER
from tests.devnet.deploy import devnet
from tests.devnet.rpc import Json, Rpc, open_rpc
from tests.devnet.scenario import open_scenario


@attrs.frozen(eq=False)
class Played:
    """A truth, and what the node said of the same blocks by other calls."""

    truth: Json
    bodies: dict[str, Json]
    """Every block that is left, with whole transactions, by hash."""
    receipts: dict[str, Json]
    earned: dict[str, int]
    """What the producer had more of after each block."""
    traces: dict[str, list[Json]] = attrs.Factory(dict)
    """What ``trace_block`` says of each block, by its hash, where it was asked."""
    frames: dict[str, list[Json]] = attrs.Factory(dict)
    """What ``callTracer`` says of each, with logs."""

    def landed(self, kind: str, *variants: str) -> list[Json]:
        """What was planted and is in the chain."""
        return [
            record
            for record in self.truth["planted"]
            if record["kind"] == kind
            and record["status"] == "landed"
            and (not variants or record["variant"] in variants)
        ]


_TRACER = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}


async def play(seed: int, blocks: int, traced: bool = False) -> Played:
    """Play it to its end; ``traced`` is to ask for the traces of all blocks too."""
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        scenario = await open_scenario(rpc, seed)
        await scenario.play(blocks)
        played = await _look(rpc, await scenario.truth())
        if traced:
            for block in played.truth["blocks"]:
                name, number = block["hash"], hex(block["number"])
                played.traces[name] = await rpc.call("trace_block", number)
                played.frames[name] = await rpc.call("debug_traceBlockByNumber", number, _TRACER)
        return played


async def _look(rpc: Rpc, truth: Json) -> Played:
    bodies, receipts, earned = {}, {}, {}
    for block in truth["blocks"]:
        number = hex(block["number"])
        bodies[block["hash"]] = await rpc.call("eth_getBlockByNumber", number, True)
        for receipt in await rpc.call("eth_getBlockReceipts", number):
            receipts[receipt["transactionHash"]] = receipt
        before, after = [
            await rpc.number("eth_getBalance", PRODUCER, hex(at))
            for at in (block["number"] - 1, block["number"])
        ]
        earned[block["hash"]] = after - before
    return Played(truth, bodies, receipts, earned)


def made(record: Json) -> dict[str, int]:
    """What a searcher made, by token."""
    return {token: int(amount) for token, amount in record["gross"].items()}
