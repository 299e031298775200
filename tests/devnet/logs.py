"""Logs of pools and of the lending protocol as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.devnet.abi import Address, address_in, decode, topic
from tests.devnet.markets import Market
from tests.devnet.rpc import Hex, Json

V2_SWAP = topic("Swap(address,uint256,uint256,uint256,uint256,address)")
V3_SWAP = topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
V3_MINT = topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
V3_BURN = topic("Burn(address,int24,int24,uint128,uint256,uint256)")
V3_COLLECT = topic("Collect(address,address,int24,int24,uint128,uint128)")
LIQUIDATION = topic("LiquidationCall(address,address,address,uint256,uint256,address,bool)")
Markets = Mapping[Address, Market]


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


def position_of(log: Json) -> Json:
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


def liquidation_of(log: Json) -> Json:
    """The liquidation that a log announces."""
    debt, collateral, _, _ = decode("(uint256,uint256,address,bool)", log["data"])
    return {
        "protocol": "aave_v3",
        "user": address_in(log["topics"][3]),
        "debt_token": address_in(log["topics"][2]),
        "debt_amount": str(debt),
        "collateral_token": address_in(log["topics"][1]),
        "collateral_amount": str(collateral),
    }


def stay_of(logs: list[Json], swaps: list[Json]) -> Json:
    """Liquidity from its arrival to its leave."""
    mint = next(log for log in logs if log["topics"][0] == V3_MINT)
    burn = next(log for log in logs if log["topics"][0] == V3_BURN)
    taken = next(log for log in logs if log["topics"][0] == V3_COLLECT)
    collected = decode("(address,uint128,uint128)", taken["data"])[1:]
    left = {f"collected{n}": str(amount) for n, amount in enumerate(collected)}
    return {
        "mint": position_of(mint),
        "swaps": swaps,
        "burn": {**position_of(burn), **left},
    }
