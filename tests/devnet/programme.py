"""What happens on a chain while a relay does its worst: transactions, blocks, reorganisations."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from tests.devnet.rpc import Rpc, RpcError

SENDERS = tuple(f"0x{0x5E00 + number:040x}" for number in range(6))
EMITTER = "0x" + "e1" * 20
OTHER = "0x" + "e2" * 20
"""Whose logs nobody asked for."""
TOPIC = "0x" + "70" * 32
# Three logs with one topic and 32 bytes of data each, then the end.
CODE = "0x" + ("7f" + TOPIC[2:] + "60206000a1") * 3 + "00"
GWEI = 10**9
DEEPEST = 7


class Programme:
    """Acts on a chain, drawn from a seed.

    Args:
        rpc: the node, without a relay.
        seed: of what is done.
    """

    def __init__(self, rpc: Rpc, seed: int) -> None:
        self._rpc = rpc
        self._rng = random.Random(f"{seed}:programme")
        self._sent: list[tuple[str, dict[str, Any]]] = []
        self._number = 0
        self.did: Counter[str] = Counter()

    async def prepare(self, blocks: int = DEEPEST + 1) -> None:
        """Accounts, contracts, and blocks that can be reorganised."""
        await self._rpc.batch(
            [("anvil_setBalance", [sender, hex(10**24)]) for sender in SENDERS]
            + [("anvil_setCode", [contract, CODE]) for contract in (EMITTER, OTHER)]
        )
        for _ in range(blocks):
            await self._rpc.call("evm_mine")

    async def step(self) -> None:
        """One act."""
        acts = {
            self.send: 4, self.mine: 6, self.reorganise: 3, self.replace: 1, self.drop: 1,
            self.roll_back: 1,
        }  # fmt: skip
        (act,) = self._rng.choices(list(acts), list(acts.values()))
        await act()

    def _body(self) -> dict[str, Any]:
        """A transaction like no other, so that a hash never comes back."""
        self._number += 1
        return {
            "from": self._rng.choice(SENDERS),
            "to": self._rng.choice([EMITTER, EMITTER, OTHER]),
            "gas": "0x30d40",
            "gasPrice": hex(self._rng.randint(2, 5) * GWEI),
            "data": f"0x{self._number:08x}",
        }

    async def send(self, most: int = 4) -> list[str]:
        """Some transactions; the hashes of those that the node took."""
        taken = [await self._hand_in(self._body()) for _ in range(self._rng.randint(1, most))]
        return [name for name in taken if name is not None]

    async def _hand_in(self, body: dict[str, Any]) -> str | None:
        try:
            name = await self._rpc.call("eth_sendTransaction", body)
        except RpcError:  # such as a nonce that a reorganisation has made impossible
            self.did["not accepted"] += 1
            return None
        self._sent.append((name, body))
        self.did["transactions"] += 1
        return name

    async def mine(self) -> None:
        """Some blocks, with a few transactions in most of them."""
        for _ in range(self._rng.randint(1, 3)):
            if self._rng.random() < 0.6:
                await self.send(2)
            await self._rpc.call("evm_mine")
            self.did["blocks"] += 1

    async def reorganise(self) -> None:
        """Replace up to seven of the newest blocks, sometimes with transactions in them."""
        depth = self._rng.randint(1, DEEPEST)
        bodies = [self._body() for _ in range(self._rng.choice([0, 0, 1, 3]))]
        for body in bodies:
            del body["gasPrice"]
        pairs = [[body, self._rng.randrange(depth)] for body in bodies]
        try:
            await self._rpc.call("anvil_reorg", depth, pairs)
        except RpcError:
            self.did["not reorganised"] += 1
            return
        self.did["reorganisations"] += 1
        self.did[f"depth {depth}"] += 1

    async def roll_back(self) -> None:
        """Let the chain become shorter, and go on."""
        await self._rpc.call("anvil_rollback", self._rng.randint(1, 3))
        await self._rpc.call("evm_mine")
        self.did["rollbacks"] += 1

    async def _last(self) -> tuple[str, dict[str, Any]] | None:
        """The newest transaction, where it is still pending."""
        if not self._sent:
            return None
        name, body = self._sent[-1]
        found = await self._rpc.call("eth_getTransactionByHash", name)
        if found is None or found["blockHash"] is not None:
            return None
        return name, {**body, "nonce": found["nonce"], "gasPrice": found["gasPrice"]}

    async def replace(self) -> None:
        """One that pays more in place of the newest."""
        await self.send(1)
        if (last := await self._last()) is not None:
            dearer = hex(int(last[1]["gasPrice"], 16) * 2)
            await self._hand_in({**self._body(), **last[1], "gasPrice": dearer})
            self.did["replacements"] += 1

    async def drop(self) -> None:
        """The node forgets the newest."""
        await self.send(1)
        if (last := await self._last()) is not None:
            await self._rpc.call("anvil_dropTransaction", last[0])
            self.did["drops"] += 1
