"""What was planted, as the chain itself tells it: receipts, logs and balances, nothing else.

Records are shaped like the findings of ``docs/reference/json.md``: amounts are decimal text,
addresses and hashes are lower case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from tests.devnet.abi import Address, address_in, decode, topic
from tests.devnet.chain import Chain
from tests.devnet.markets import Market
from tests.devnet.rpc import Hex, Json

ETHER = f"0x{'ee' * 20}"
V2_SWAP = topic("Swap(address,uint256,uint256,uint256,uint256,address)")
V3_SWAP = topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
V3_MINT = topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
V3_BURN = topic("Burn(address,int24,int24,uint128,uint256,uint256)")
V3_COLLECT = topic("Collect(address,address,int24,int24,uint128,uint128)")
LIQUIDATION = topic("LiquidationCall(address,address,address,uint256,uint256,address,bool)")
Markets = Mapping[Address, Market]


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
    notes: Json = attrs.Factory(dict)
    """What only the state between two transactions could tell."""


def swap_of(log: Json, markets: Markets) -> Json | None:
    """The swap that a log announces."""
    market = markets.get(log["address"])
    if market is None or log["topics"][0] not in (V2_SWAP, V3_SWAP):
        return None
    if log["topics"][0] == V2_SWAP:
        in0, in1, out0, out1 = decode("(uint256,uint256,uint256,uint256)", log["data"])
        side, paid, got = (0, in0, out1) if in0 else (1, in1, out0)
    else:
        amounts = decode("(int256,int256)", log["data"])
        side = 0 if amounts[0] > 0 else 1
        paid, got = amounts[side], -amounts[side ^ 1]
    return {
        "transaction": log["transactionHash"],
        "log_index": int(log["logIndex"], 16),
        "pool": market.address,
        "protocol": market.protocol,
        "sender": address_in(log["topics"][1]),
        "recipient": address_in(log["topics"][2]),
        "token_in": market.tokens[side],
        "amount_in": str(paid),
        "token_out": market.tokens[side ^ 1],
        "amount_out": str(got),
    }


def swaps_of(logs: Iterable[Json], markets: Markets) -> list[Json]:
    """The swaps that logs announce, in their order."""
    return [swap for log in logs if (swap := swap_of(log, markets)) is not None]


def _position_event(log: Json) -> Json:
    """A Mint or Burn of a position in a pool of Uniswap V3."""
    topics = log["topics"]
    types = (
        "(address,uint128,uint256,uint256)" if topics[0] == V3_MINT else "(uint128,uint256,uint256)"
    )
    liquidity, amount0, amount1 = decode(types, log["data"])[-3:]
    return {
        "transaction": log["transactionHash"],
        "log_index": int(log["logIndex"], 16),
        "pool": log["address"],
        "owner": address_in(topics[1]),
        "tick_lower": _signed(topics[2]),
        "tick_upper": _signed(topics[3]),
        "liquidity": str(liquidity),
        "amount0": str(amount0),
        "amount1": str(amount1),
    }


def _signed(text: Hex) -> int:
    value = int(text, 16)
    return value - 2**256 if value >> 255 else value


def _liquidation(log: Json) -> Json:
    debt, collateral, _, _ = decode("(uint256,uint256,address,bool)", log["data"])
    return {
        "protocol": "aave_v3",
        "user": address_in(log["topics"][3]),
        "debt_token": address_in(log["topics"][2]),
        "debt_amount": str(debt),
        "collateral_token": address_in(log["topics"][1]),
        "collateral_amount": str(collateral),
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

    async def settle(self, plant: Plant) -> Json | None:
        """The record of a plant; None where its transactions are not all in one block."""
        own = await self.receipts(plant.transactions)
        victims = await self.receipts(plant.victims)
        blocks = {receipt and receipt["blockHash"] for receipt in (*own, *victims)}
        if len(blocks) != 1 or None in blocks:
            return None
        reverted = own[-1]["status"] == "0x0"
        number = int(own[0]["blockNumber"], 16)
        gas = sum(int(r["gasUsed"], 16) * int(r["effectiveGasPrice"], 16) for r in own)
        gross = {} if reverted else await self._made(plant, number)
        tips = 0 if reverted or plant.searcher is None else await self._sent(plant.transactions)
        detail = {} if reverted else self._detail(plant, own, victims)
        record = {
            "kind": plant.kind,
            "variant": plant.variant,
            "status": "landed",
            "block": number,
            "block_hash": own[0]["blockHash"],
            "transactions": plant.transactions,
            "victims": plant.victims,
            "cause": plant.cause,
            "pools": sorted({log["address"] for r in own for log in r["logs"]} & set(self.markets)),
            "searcher": plant.searcher,
            "gas_wei": str(gas),
            "builder_wei": str(tips),
            "reverted": reverted,
            "detail": {**detail, **plant.notes},
        }
        if plant.searcher is not None:
            net = {**gross, ETHER: gross.get(ETHER, 0) - gas - tips}
            record["gross"] = {token: str(amount) for token, amount in gross.items()}
            record["net"] = {token: str(amount) for token, amount in net.items()}
        return record

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
        logs = [log for receipt in own for log in receipt["logs"]]
        if plant.kind == "swap":
            return {"swaps": swaps_of(logs, self.markets)}
        if plant.kind == "arbitrage":
            return {"path": swaps_of(logs, self.markets)}
        if plant.kind == "liquidation":
            return _liquidation(next(log for log in logs if log["topics"][0] == LIQUIDATION))
        hurt = swaps_of([log for receipt in victims for log in receipt["logs"]], self.markets)
        if plant.kind == "sandwich":
            return {
                "frontrun": swaps_of(own[0]["logs"], self.markets),
                "victims": hurt,
                "backrun": swaps_of(own[-1]["logs"], self.markets),
            }
        mint = next(log for log in logs if log["topics"][0] == V3_MINT)
        burn = next(log for log in logs if log["topics"][0] == V3_BURN)
        taken = next(log for log in logs if log["topics"][0] == V3_COLLECT)
        collected = decode("(address,uint128,uint128)", taken["data"])[1:]
        left = {f"collected{n}": str(amount) for n, amount in enumerate(collected)}
        return {
            "mint": _position_event(mint),
            "swaps": hurt,
            "burn": {**_position_event(burn), **left},
        }

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
