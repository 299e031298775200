"""Commands of the Universal Router, and what V4's command has in it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.devnet.abi import Address, encode, raw
from tests.devnet.addresses import DAI, NOBODY, USDC, WETH
from tests.devnet.cast import TRADERS
from tests.devnet.routers import ROUTER
from tests.devnet.uniswap import ordered
from trio_mev.model.intents import ETHER

ALL = 1 << 255
"""What the router holds."""
V4_POOLS = {
    frozenset((ETHER, USDC)): (3000, 60),
    frozenset((USDC, WETH)): (500, 10),
    frozenset((DAI, USDC)): (100, 1),
}
"""Fee and tick spacing by tokens."""
Step = tuple[int, bytes]


def v2(
    to: Address, amount: int, limit: int, way: Any, out: bool = False, user: bool = True
) -> Step:
    """A command of pairs."""
    types = ("address", "uint256", "uint256", "address[]", "bool")
    return 0x09 if out else 0x08, encode(types, to, amount, limit, way, user)


def v3(
    to: Address, amount: int, limit: int, way: Any, out: bool = False, user: bool = True
) -> Step:
    """A command of pools of V3."""
    types = ("address", "uint256", "uint256", "bytes", "bool")
    return int(out), encode(types, to, amount, limit, path(*way, out), user)


def wrap(amount: int) -> Step:
    return 0x0B, encode(("address", "uint256"), ROUTER, amount)


def unwrap(to: Address, least: int) -> Step:
    return 0x0C, encode(("address", "uint256"), to, least)


def sweep(token: Address, to: Address, least: int) -> Step:
    return 0x04, encode(("address", "address", "uint256"), token, to, least)


def portion(token: Address, bips: int) -> Step:
    return 0x06, encode(("address", "address", "uint256"), token, TRADERS[0], bips)


def sub(steps: list[Step], flag: int) -> Step:
    """A plan within the plan."""
    codes = bytes(code for code, _ in steps)
    return 0x21 | flag, encode(("bytes", "bytes[]"), codes, [data for _, data in steps])


def pull(token: Address, amount: int) -> Step:
    """By way of Permit2."""
    return 0x02, encode(("address", "address", "uint160"), token, ROUTER, amount)


def transfer(token: Address, amount: int) -> Step:
    return 0x05, encode(("address", "address", "uint256"), token, TRADERS[0], amount)


def settle(token: Address, amount: int, user: bool) -> Step:
    """An action of V4, as are the three that follow."""
    return 0x0B, encode(("address", "uint256", "bool"), token, amount, user)


def settle_all(token: Address, most: int) -> Step:
    return 0x0C, encode(("address", "uint256"), token, most)


def take(token: Address, to: Address) -> Step:
    return 0x0E, encode(("address", "address", "uint256"), token, to, 0)


def take_all(token: Address, least: int) -> Step:
    return 0x0F, encode(("address", "uint256"), token, least)


def v4(actions: list[Step]) -> Step:
    """A command of V4."""
    codes = bytes(code for code, _ in actions)
    return 0x10, encode(("bytes", "bytes[]"), codes, [data for _, data in actions])


_KEY = "(address,address,uint24,int24,address)"


def _pool(one: Address, two: Address) -> tuple[Any, ...]:
    tokens = ordered(one, two)
    return (*tokens, *V4_POOLS[frozenset(tokens)], NOBODY)


def v4_single(way: list[Address], amount: int, limit: int) -> bytes:
    key = _pool(*way)
    first = way[0] == key[0]
    return encode((f"({_KEY},bool,uint128,uint128,bytes)",), (key, first, amount, limit, b""))


def v4_path(way: list[Address], amount: int, limit: int, out: bool) -> bytes:
    """Keys of pools, each with the token on its far side."""
    keys = [(one if out else two, *_pool(one, two)[2:], b"") for one, two in pairwise(way)]
    start = way[-1] if out else way[0]
    types = "(address,(address,uint24,int24,address,bytes)[],uint256[],uint128,uint128)"
    return encode((types,), (start, keys, [], amount, limit))


def path(tokens: list[Address], fees: list[int], backward: bool = False) -> bytes:
    """A way as V3 spells it."""
    if backward:
        tokens, fees = tokens[::-1], fees[::-1]
    text = raw(tokens[0])
    for fee, token in zip(fees, tokens[1:], strict=True):
        text += fee.to_bytes(3) + raw(token)
    return text
