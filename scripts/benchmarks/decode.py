"""Call data and logs: read into values by us and by eth-abi, and on into intents and events."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from eth_abi import decode, encode

from trio_mev.chain.abi import Arguments
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.logs import LogDecoder
from trio_mev.model.chain import Log

A, B, SENDER = (f"0x{n:02x}" + "11" * 19 for n in (0xA0, 0xC0, 0x3E))
V2, V3 = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d", "0xe592427a0aece92de3edee1f18e0157c05861564"
UNIVERSAL = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af"
AMOUNT, LEAST, UNTIL = 10**18, 3 * 10**9, 1_800_000_000
PATH = bytes.fromhex(A[2:]) + (500).to_bytes(3, "big") + bytes.fromhex(B[2:])
PATH += (3000).to_bytes(3, "big") + bytes.fromhex(A[2:])

FLAT = ("uint256", "uint256", "address[]", "address", "uint256")
LONG = ("(bytes,address,uint256,uint256,uint256)",)
SINGLE = ("(address,address,uint24,address,uint256,uint256,uint256,uint160)",)
PLAN = ("bytes", "bytes[]", "uint256")
WRAP, SWAP = ("address", "uint256"), ("address", "uint256", "uint256", "bytes", "bool")
V2_LOG = ("uint256", "uint256", "uint256", "uint256")
V3_LOG = ("int256", "int256", "uint160", "uint128", "int24")
TOPICS = {
    "V2 Swap log": "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
    "V3 Swap log": "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
}


def _plan() -> bytes:
    """Ether is wrapped, swapped through two V3 pools, and the rest is swept."""
    inputs = [
        encode(WRAP, ["0x" + "0" * 39 + "2", AMOUNT]),
        encode(SWAP, ["0x" + "0" * 39 + "1", AMOUNT, LEAST, PATH, False]),
        encode(WRAP, ["0x" + "0" * 39 + "1", 0]),
    ]
    return encode(PLAN, [b"\x0b\x00\x0c", inputs, UNTIL])


CALLS: dict[str, tuple[str, bytes]] = {
    "V2 swap": (
        V2,
        bytes.fromhex("38ed1739") + encode(FLAT, [AMOUNT, LEAST, [A, B, A], SENDER, UNTIL]),
    ),
    "V3 exactInput": (
        V3,
        bytes.fromhex("c04b8d59") + encode(LONG, [(PATH, SENDER, UNTIL, AMOUNT, LEAST)]),
    ),
    "V3 single": (
        V3,
        bytes.fromhex("414bf389") + encode(SINGLE, [(A, B, 500, SENDER, UNTIL, AMOUNT, LEAST, 0)]),
    ),
    "Universal Router": (UNIVERSAL, bytes.fromhex("3593564c") + _plan()),
}
LOGS = {
    "V2 Swap log": encode(V2_LOG, [AMOUNT, 0, 0, LEAST]),
    "V3 Swap log": encode(V3_LOG, [AMOUNT, -LEAST, 2**96, 10**20, -200_000]),
}
WHAT = (*CALLS, *LOGS)


def _log(name: str) -> Log:
    topics = (TOPICS[name], "0x" + "0" * 24 + A[2:], "0x" + "0" * 24 + B[2:])
    return Log("0x" + "b" * 64, 1, 0, "0x" + "a" * 64, 0, V2, topics, LOGS[name])


def _ours(name: str) -> Callable[[], list[int]]:
    if name in LOGS:
        read, log = LogDecoder().decode, _log(name)

        def event() -> list[int]:
            found: Any = read(log)
            if name == "V2 Swap log":
                return [found.amount0_in, found.amount1_out]
            return [found.amount0, -found.amount1]

        return event
    to, data = CALLS[name]
    decode_call = CallDecoder().decode

    def call() -> list[int]:
        swap: Any = decode_call(to, data, SENDER, 0)[0]
        return [swap.amount, swap.limit]

    return call


def _values(name: str) -> Callable[[], list[int]]:
    """What eth-abi does, by our reader: the arguments' values, and not what they mean."""
    body = CALLS[name][1][4:]
    if name == "V2 swap":
        read = Arguments(",".join(FLAT)).read
        return lambda: list(read(body, 0)[:2])
    if name == "V3 exactInput":
        read = Arguments(*LONG).read
        return lambda: list(read(body, 0)[0][3:5])
    if name == "V3 single":
        read = Arguments(*SINGLE).read
        return lambda: list(read(body, 0)[0][5:7])
    outer, wrapped, swapped = (Arguments(",".join(types)).read for types in (PLAN, WRAP, SWAP))

    def plan() -> list[int]:
        _, (wrap, swap, unwrap), _ = outer(body, 0)
        wrapped(bytes(wrap), 0)
        found = swapped(bytes(swap), 0)
        wrapped(bytes(unwrap), 0)
        return list(found[1:3])

    return plan


def _peer(name: str) -> Callable[[], list[int]]:
    """eth-abi reads the same values, and knows nothing of what they mean."""
    if name in LOGS:
        types, data = (V2_LOG if name == "V2 Swap log" else V3_LOG), LOGS[name]
        return lambda: [abs(one) for one in decode(types, data) if abs(one) in {AMOUNT, LEAST}]
    body = CALLS[name][1][4:]
    if name == "V2 swap":
        return lambda: list(decode(FLAT, body)[:2])
    if name == "V3 exactInput":
        return lambda: list(decode(LONG, body)[0][3:5])
    if name == "V3 single":
        return lambda: list(decode(SINGLE, body)[0][5:7])

    def plan() -> list[int]:
        _, (wrap, swap, unwrap), _ = decode(PLAN, body)
        decode(WRAP, wrap)
        found = decode(SWAP, swap)
        decode(WRAP, unwrap)
        return list(found[1:3])

    return plan


def run(who: str, name: str, count: int) -> dict[str, Any]:
    """Microseconds of processor time a call or log, and what was found."""
    read = {"ours": _ours, "values": _values, "eth-abi": _peer}[who](name)
    for _ in range(max(1, count // 5)):
        found = read()
    start = time.process_time()
    for _ in range(count):
        read()
    return {"cost": (time.process_time() - start) / count * 1e6, "found": found}
