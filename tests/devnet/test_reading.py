"""What a node says of a block while it makes the next one."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import attrs
import msgspec
import trio

from tests.devnet.abi import account
from tests.devnet.addresses import DEPLOYER
from tests.devnet.node import Options, anvil
from tests.devnet.rpc import Hex, Rpc, open_rpc
from trio_mev.chain.pools.loading import Answers, Call
from trio_mev.processors.reading import PlanReader

COUNTER = account("counter")
# Asked nothing, it keeps the block's number; else it says what it keeps.
# CALLDATASIZE PUSH1 9 JUMPI NUMBER PUSH1 0 SSTORE STOP
# JUMPDEST PUSH1 0 SLOAD PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN
CODE = "0x3660095743600055005b60005460005260206000f3"
CALLS = 6
"""Of a plan: some come while the node is at work."""
ENOUGH = 30
"""Plans that were carried out again."""


@attrs.define
class Client:
    """A node, as processors ask it."""

    rpc: Rpc
    peer: None = None

    async def call(
        self, method: str, params: Sequence[Any] = (), kind: Any = Any, within: float | None = None
    ) -> Any:
        return msgspec.convert(await self.rpc.call(method, *params), kind)

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], within: float | None = None
    ) -> list[Any]:
        return await self.rpc.batch([(method, list(params)) for method, params in calls])


@attrs.define
class Asking:
    """Somebody who asks what the newest block left, over and over."""

    reader: PlanReader
    block: Hex
    kept: int
    plans: int = 0
    again: list[tuple[int, set[int]]] = attrs.Factory(list)
    """Of each plan that was carried out again, what was kept and what came."""

    def plan(self) -> Generator[list[Call], Answers, set[int]]:
        self.plans += 1
        answers = yield [Call(COUNTER, b"\1")] * CALLS
        return {int.from_bytes(one or b"") for one in answers}

    async def ask(self) -> None:
        while True:
            kept, before = self.kept, self.plans
            found = await self.reader.carry_out(self.plan, self.block)
            if self.plans > before + 1:
                self.again.append((kept, found))


async def mined(rpc: Rpc) -> tuple[Hex, int]:
    """Make a block that changes what is kept; its hash, and what that is."""
    await rpc.call("eth_sendTransaction", {"from": DEPLOYER, "to": COUNTER, "gas": "0x20000"})
    await rpc.call("evm_mine")
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    return block["hash"], int(block["number"], 16)


async def test_what_is_read_again_is_of_its_block_though_the_node_went_on():
    options = Options(mining=False)
    async with anvil(options) as node, open_rpc(node.ws_url) as rpc, open_rpc(node.ws_url) as other:
        await rpc.call("anvil_setBalance", DEPLOYER, hex(10**20))
        await rpc.call("anvil_setCode", COUNTER, CODE)
        asking = Asking(PlanReader(Client(other), 100), *await mined(rpc))
        with trio.fail_after(180):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asking.ask)
                while len(asking.again) < ENOUGH:
                    asking.block, asking.kept = await mined(rpc)
                nursery.cancel_scope.cancel()
    assert all(found == {kept} for kept, found in asking.again)
