"""Pending transactions that are replaced, cancelled or forgotten, or that have to wait."""

from __future__ import annotations

import attrs

from tests.devnet.addresses import UNISWAP_V2_ROUTER
from tests.devnet.deploy import GAS_LIMIT, GWEI
from tests.devnet.routers import V2_METHODS
from tests.devnet.scenario_swaps import swap
from tests.devnet.stage import Round
from tests.devnet.truth import Plant


async def replaced(round_: Round, cancel: bool = False) -> Plant | None:
    """A swap whose sender offers more for it, or for nothing at all instead, before it is in."""
    stage = round_.stage
    tip = round_.next_small() // 4
    first = await swap(round_, UNISWAP_V2_ROUTER, V2_METHODS[0], 4_000, tip=tip)
    if first is None:
        return None
    (old,) = first.transactions
    body = stage.sent[old]
    nonce, more = int(body["nonce"], 16), {"maxFeePerGas": int(body["maxFeePerGas"], 16) * 5 // 4}
    to, data = (body["from"], "0x") if cancel else (body["to"], body["input"])
    new = await stage.hand_over(body["from"], to, data, 0, tip * 2, {"nonce": nonce, **more})
    stage.replaced[old] = new
    return None if cancel else attrs.evolve(first, transactions=[new], variant="replacement")


async def dropped(round_: Round) -> None:
    """A swap that the node forgets."""
    plant = await swap(round_, UNISWAP_V2_ROUTER, V2_METHODS[0], 4_000)
    if plant is not None:
        (hash_,) = plant.transactions
        await round_.stage.chain.rpc.call("anvil_dropTransaction", hash_)
        round_.stage.dropped.append(hash_)


async def waiting(round_: Round) -> Plant | None:
    """A swap with so high a limit of gas that only an empty block has room for it."""
    if round_.stage.waiting:
        return None
    return await swap(
        round_, UNISWAP_V2_ROUTER, V2_METHODS[0], 4_000, tip=GWEI // 10, gas=GAS_LIMIT * 98 // 100
    )
