"""A scenario: what happens in each block, from a seed, and the truth about it afterwards."""

from __future__ import annotations

import random
from pathlib import Path

import attrs
import msgspec

from tests.devnet.abi import Address
from tests.devnet.chain import Chain
from tests.devnet.markets import find_markets
from tests.devnet.routers import EVERY
from tests.devnet.rpc import Hex, Json, Rpc
from tests.devnet.scenario_programme import QUIET, Act, drawn, programme
from tests.devnet.scenario_swaps import swap
from tests.devnet.stage import GAS, Nobody, Round, Stage, Witness
from tests.devnet.truth import Plant, Reader


@attrs.define(eq=False)
class Scenario:
    """A seeded course of events on a node, and the truth about them."""

    stage: Stage
    seed: int
    first: int
    """The number of the first block."""
    planted: list[tuple[Plant, list[Json]]] = attrs.Factory(list)
    """What was planted, and its records."""
    reorgs: list[Json] = attrs.Factory(list)
    _methods: list[tuple[Address, str]] = attrs.Factory(list)
    """Those of ordinary swaps that come next."""
    _late: list[Plant] = attrs.Factory(list)
    """What is in no block yet."""

    async def play(self, blocks: int) -> None:
        """Make so many blocks, those of reorganisations not counted."""
        rng, planned, made = self.stage.random, programme(), 0
        while made < blocks:
            entry = planned.pop(0) if planned else drawn(rng)
            if isinstance(entry, int):
                await self._reorganise(min(entry, self._height()))
                continue
            await self._block(entry, quiet=made in QUIET or rng.random() < 0.03)
            made += 1

    def _height(self) -> int:
        return int(self.stage.head["number"], 16) - self.first

    async def _block(self, acts: list[Act], quiet: bool) -> None:
        round_ = self.stage.new_round()
        for act in acts:
            planted = await act(round_)
            if planted is not None:
                round_.plants += planted if isinstance(planted, list) else [planted]
        if not quiet:
            await self._ordinary(round_)
        await self.stage.mine()
        await self._settle(round_.plants)

    async def _ordinary(self, round_: Round) -> None:
        """A few swaps of nobody in particular; each method has its turn."""
        rng = self.stage.random
        for _ in range(rng.randrange(2, 5)):
            if not self._methods:
                self._methods = list(EVERY)
                rng.shuffle(self._methods)
            router, method = self._methods.pop()
            planted = await swap(round_, router, method, rng.randrange(500, 20_000))
            if planted is not None:
                round_.plants.append(planted)

    async def _settle(self, plants: list[Plant]) -> None:
        late = [plant for plant in self._late if plant not in plants]
        self._late = []
        for plant in (*late, *plants):
            records = await self.stage.reader.settle(plant)
            if records:
                self.planted.append((plant, records))
                self.stage.waiting.pop(plant.transactions[0], None)
            else:
                assert plant.transactions[0] in self.stage.waiting, f"{plant} is in no block"
                self._late.append(plant)

    async def _reorganise(self, depth: int) -> None:
        """Replace the last blocks; some of the ordinary swaps in them come again."""
        if depth < 1:
            return
        reorg = await self.stage.reorganise(depth)
        self.reorgs.append(reorg)
        again: list[Plant] = []
        for plant, records in self.planted:
            if records[0]["block_hash"] in reorg["retracted"]:
                for record in records:
                    record["status"] = "retracted"
                if plant.kind == "swap" and plant.variant != "large":
                    again.append(plant)
        await self._come_again(again)

    async def _come_again(self, plants: list[Plant]) -> None:
        """Hand over the same transactions, one of each sender where its nonce is the next.

        The node would lose a second one: it tries what offers more first, whatever its nonce,
        and forgets what it cannot execute. What needs a block of its own does not come again.
        """
        chosen: list[Plant] = []
        senders: set[Address] = set()
        for plant in plants:
            (hash_,) = plant.transactions
            body = self.stage.sent[hash_]
            if body["from"] in senders or int(body["gas"], 16) > GAS:
                continue
            nonce = await self.stage.chain.rpc.number(
                "eth_getTransactionCount", body["from"], "pending"
            )
            if nonce == int(body["nonce"], 16) and self.stage.random.random() < 0.5:
                await self._repeat(hash_, body)
                chosen.append(plant)
                senders.add(body["from"])
        if chosen or self._late:
            await self.stage.mine()
            await self._settle(chosen)

    async def _repeat(self, hash_: Hex, body: Json) -> None:
        tip = int(body["maxPriorityFeePerGas"], 16)
        fields = {name: int(body[name], 16) for name in ("nonce", "maxFeePerGas", "gas")}
        sent = await self.stage.hand_over(
            body["from"], body["to"], body["input"], int(body["value"], 16), tip, fields
        )
        assert sent == hash_, "a repeated transaction has another hash"

    async def truth(self) -> Json:
        """All that happened, read from the chain as it is at the end."""
        last = int(self.stage.head["number"], 16)
        reader = self.stage.reader
        blocks = [await reader.block(number) for number in range(self.first, last + 1)]
        return {
            "version": 1,
            "chain_id": await self.stage.chain.rpc.number("eth_chainId"),
            "seed": self.seed,
            "blocks": blocks,
            "planted": [record for _, records in self.planted for record in records],
            "pending": await self._fates(blocks),
            "reorgs": self.reorgs,
        }

    async def _fates(self, blocks: list[Json]) -> list[Json]:
        """What became of each transaction that the node was given."""
        where = {hash_: block for block in blocks for hash_ in block["transactions"]}
        fates: list[Json] = []
        for hash_, body in self.stage.sent.items():
            block, by = where.get(hash_), self.stage.replaced.get(hash_)
            gone = "dropped" if hash_ in self.stage.dropped else "retracted"
            gone = "waiting" if hash_ in self.stage.waiting else gone
            fates.append(
                {
                    "hash": hash_,
                    "from": body["from"],
                    "nonce": int(body["nonce"], 16),
                    "fate": "included" if block else "replaced" if by else gone,
                    "by": by,
                    "block": block and block["number"],
                    "block_hash": block and block["hash"],
                }
            )
        return fates


async def open_scenario(rpc: Rpc, seed: int, witness: Witness | None = None) -> Scenario:
    """A scenario on a node on which everything is deployed."""
    chain = Chain(rpc)
    markets = {market.address: market for market in await find_markets(chain)}
    head = await rpc.call("eth_getBlockByNumber", "latest", False)
    rng = random.Random(seed)
    stage = Stage(chain, Reader(chain, markets), rng, witness or Nobody(), head)
    return Scenario(stage, seed, int(head["number"], 16) + 1)


def write_truth(truth: Json, path: Path) -> None:
    """Save it as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1))
