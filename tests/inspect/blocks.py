"""Blocks with logs that were never on a chain."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from tests.support.encoding import address, log
from trio_mev.inspect import Inspection, Known, Mined, MinedBlock, inspect_block
from trio_mev.model.chain import Log
from trio_mev.model.opportunity import Opportunity

WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
POSITIONS = "0xc36442b4a4522e871399cd717abdd847ab11fe88"
VAULT = "0xba12222222228d8ba445958a75a0704d566bf2c8"
MANAGER = "0x000000000004444c5dc75cb358380d2e3de08a90"
SETTLEMENT = "0x9008d19f58aabd9ed0d60971565aa8510560ab41"
ZERO = address(0)
A, B, C = address(0xA1), address(0xB2), address(0xC3)
"""Tokens, in the order of their addresses."""
P, Q, R = address(0x1001), address(0x1002), address(0x1003)
"""Pools: of A and B, of A and B again, of B and C."""
S = address(0x1004)
"""A pool of A and C."""
EVE, BOT, ANN, BEN = address(0x2001), address(0x2002), address(0x2003), address(0x2004)
"""A searcher, her contract, and others."""
COINS = {P: (A, B), Q: (A, B), R: (B, C), S: (A, C)}
V2 = "Swap(address*,uint256,uint256,uint256,uint256,address*)"
V3 = "Swap(address*,address*,int256,int256,uint160,uint128,int24)"
V3_MINT = "Mint(address,address*,int24*,int24*,uint128,uint256,uint256)"
V3_BURN = "Burn(address*,int24*,int24*,uint128,uint256,uint256)"
V3_COLLECT = "Collect(address*,address,int24*,int24*,uint128,uint128)"
KNOWN = Known(tokens_of=COINS.get)
HASH = "0x" + "b" * 64


def sent(token: str, source: str, target: str, amount: int) -> Log:
    return log("Transfer(address*,address*,uint256)", source, target, amount, emitter=token)


def swapped(pool: str, paid: int, got: int, down: bool = True, who: str = BOT) -> Log:
    """A swap at a pair; ``down`` is from its first token to its second."""
    amounts = (paid, 0, 0, got) if down else (0, paid, got, 0)
    return log(V2, who, *amounts, who, emitter=pool)


def act(sender: str | None, to: str | None, *logs: Log, **more: Any) -> dict[str, Any]:
    """A transaction, before it has its place."""
    return {"sender": sender, "to": to, "logs": logs, **more}


def block(*acts: dict[str, Any]) -> MinedBlock:
    """The transactions in their order, the logs numbered."""
    indices = itertools.count()
    return MinedBlock(
        7, HASH, tuple(_mined(place, one, indices) for place, one in enumerate(acts)), 10
    )


def hash_of(place: int) -> str:
    return f"0x{place:064x}"


def _mined(place: int, one: dict[str, Any], indices: Any) -> Mined:
    own = tuple(
        msgspec.structs.replace(
            each,
            block_hash=HASH,
            block_number=7,
            transaction=hash_of(place),
            transaction_index=place,
            log_index=next(indices),
        )
        for each in one["logs"]
    )
    return Mined(hash_of(place), place, **{**one, "logs": own})


def inspect(*acts: dict[str, Any], known: Known = KNOWN) -> Inspection:
    return inspect_block(block(*acts), known)


def found(*acts: dict[str, Any], known: Known = KNOWN) -> tuple[Opportunity, ...]:
    return inspect(*acts, known=known).opportunities


def only(*acts: dict[str, Any], known: Known = KNOWN) -> Opportunity:
    (one,) = found(*acts, known=known)
    return one
