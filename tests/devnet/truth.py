"""What was planted, as the chain itself tells it: receipts, logs and balances, nothing else.

Records are shaped like the findings of ``docs/reference/json.md``: amounts are decimal text,
addresses and hashes are lower case.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from tests.devnet.abi import Address
from tests.devnet.chain import Chain
from tests.devnet.logs import LIQUIDATION, Markets, liquidation_of, stay_of, swaps_of
from tests.devnet.rpc import Hex, Json

ETHER = f"0x{'ee' * 20}"


@attrs.define
class Plant:
    """What was handed to the node on purpose, before it is in a block."""

    kind: str
    variant: str
    transactions: list[Hex]
    """The searcher's, or the trader's; in their order."""
    victims: list[Hex] = attrs.Factory(list)
    searcher: Address | None = None
    accounts: tuple[Address, ...] = ()
    """Whose balances tell what was made."""
    tokens: tuple[Address, ...] = ()
    cause: Hex | None = None
    """The pending transaction that it follows."""
    router: Address | None = None
    """Which one an ordinary swap goes through."""
    notes: Json = attrs.Factory(dict)
    """What only the state between two transactions could tell."""


def _logs(receipts: list[Json]) -> list[Json]:
    return [log for receipt in receipts for log in receipt["logs"]]


def _swaps(receipts: list[Json], markets: Markets) -> list[Json]:
    return swaps_of(_logs(receipts), markets)


def _outline(plant: Plant, own: list[Json], markets: Markets) -> Json:
    """All of a record but the money and the detail."""
    touched = {log["address"] for log in _logs(own)}
    return {
        "kind": plant.kind,
        "variant": plant.variant,
        "status": "landed",
        "block": int(own[0]["blockNumber"], 16),
        "block_hash": own[0]["blockHash"],
        "transactions": plant.transactions,
        "victims": plant.victims,
        "cause": plant.cause,
        "pools": sorted(touched & set(markets)),
        "searcher": plant.searcher,
        "router": plant.router,
        "reverted": own[-1]["status"] == "0x0",
    }


@attrs.frozen(eq=False)
class Reader:
    """Reads what became of plants."""

    chain: Chain
    markets: Markets

    async def receipts(self, transactions: Iterable[Hex]) -> list[Json]:
        """Receipts of transactions that are in a block."""
        asked = [("eth_getTransactionReceipt", [hash_]) for hash_ in transactions]
        return await self.chain.rpc.batch(asked)

    async def settle(self, plant: Plant) -> list[Json]:
        """The records of a plant; none where its transactions are not all in one block.

        A plant is one record, but for swaps, which are one each.
        """
        own = await self.receipts(plant.transactions)
        victims = await self.receipts(plant.victims)
        blocks = {receipt and receipt["blockHash"] for receipt in (*own, *victims)}
        if len(blocks) != 1 or None in blocks:
            return []
        record = {**_outline(plant, own, self.markets), **await self._money(plant, own)}
        if record["reverted"]:
            return [{**record, "detail": {}}]
        if plant.kind == "swap":
            return [{**record, "detail": swap} for swap in _swaps(own, self.markets)]
        return [{**record, "detail": self._detail(plant, own, victims)}]

    async def _money(self, plant: Plant, own: list[Json]) -> Json:
        """What a searcher made, paid for gas, and gave to the producer."""
        gas = sum(int(r["gasUsed"], 16) * int(r["effectiveGasPrice"], 16) for r in own)
        if plant.searcher is None:
            return {"gross": None, "net": None, "gas_wei": str(gas), "builder_wei": "0"}
        done = own[-1]["status"] == "0x1"
        gross = await self._made(plant, int(own[0]["blockNumber"], 16)) if done else {}
        sent = await self._sent(plant.transactions) if done else 0
        net = {**gross, ETHER: gross.get(ETHER, 0) - gas - sent}
        return {
            "gross": {token: str(amount) for token, amount in gross.items()},
            "net": {token: str(amount) for token, amount in net.items()},
            "gas_wei": str(gas),
            "builder_wei": str(sent),
        }

    async def _made(self, plant: Plant, block: int) -> dict[Address, int]:
        """What the accounts have more of after the block than before it; less is negative."""
        made: dict[Address, int] = {}
        for token in plant.tokens:
            for account in plant.accounts:
                before, after = [
                    (
                        await self.chain.read(
                            token,
                            "balanceOf(address)",
                            account,
                            returns="(uint256)",
                            block=hex(at),
                        )
                    )[0]
                    for at in (block - 1, block)
                ]
                made[token] = made.get(token, 0) + after - before
        return {token: amount for token, amount in made.items() if amount}

    async def _sent(self, transactions: list[Hex]) -> int:
        """What a searcher sent along for the producer."""
        asked = [("eth_getTransactionByHash", [hash_]) for hash_ in transactions]
        return sum(int(body["value"], 16) for body in await self.chain.rpc.batch(asked))

    def _detail(self, plant: Plant, own: list[Json], victims: list[Json]) -> Json:
        logs = _logs(own)
        if plant.kind == "arbitrage":
            return {"path": swaps_of(logs, self.markets)}
        if plant.kind == "liquidation":
            event = next(log for log in logs if log["topics"][0] == LIQUIDATION)
            return {**liquidation_of(event), **plant.notes}
        hurt = _swaps(victims, self.markets)
        if plant.kind == "sandwich":
            losses = [
                str(fair - int(swap["amount_out"]))
                for fair, swap in zip(plant.notes["fair"], hurt, strict=True)
            ]
            return {
                "frontrun": _swaps(own[:1], self.markets),
                "victims": hurt,
                "losses": losses,
                "backrun": _swaps(own[-1:], self.markets),
            }
        return stay_of(logs, hurt)

    async def block(self, number: int) -> Json:
        """A block of the chain as it is now, with the swaps in it."""
        body: Json = await self.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
        logs = await self.chain.rpc.call("eth_getLogs", {"blockHash": body["hash"]})
        return {
            "number": number,
            "hash": body["hash"],
            "parent": body["parentHash"],
            "timestamp": int(body["timestamp"], 16),
            "base_fee": body["baseFeePerGas"] and str(int(body["baseFeePerGas"], 16)),
            "gas_used": int(body["gasUsed"], 16),
            "transactions": body["transactions"],
            "logs": len(logs),
            "swaps": swaps_of(logs, self.markets),
        }
