"""The routers' methods, and the calls that fulfil what somebody wants."""

from __future__ import annotations

from typing import Any

import attrs

from tests.devnet.abi import Address, call_data, encode, raw
from tests.devnet.addresses import (
    ROUTER_02,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    V3_ROUTER,
)
from tests.devnet.markets import Market
from tests.devnet.uniswap import NEVER

SENDER, ROUTER = "0x" + "00" * 19 + "01", "0x" + "00" * 19 + "02"
"""What the newer routers read as the caller and as themselves."""
_V2 = "(uint256,uint256,address[],address,uint256)"
_V2_ETHER = "(uint256,address[],address,uint256)"
_FEE = "SupportingFeeOnTransferTokens"
V2_METHODS = (
    f"swapExactTokensForTokens{_V2}",
    f"swapTokensForExactTokens{_V2}",
    f"swapExactETHForTokens{_V2_ETHER}",
    f"swapTokensForExactETH{_V2}",
    f"swapExactTokensForETH{_V2}",
    f"swapETHForExactTokens{_V2_ETHER}",
    f"swapExactTokensForTokens{_FEE}{_V2}",
    f"swapExactETHForTokens{_FEE}{_V2_ETHER}",
    f"swapExactTokensForETH{_FEE}{_V2}",
)
V3_SINGLE = "(address,address,uint24,address,uint256,uint256,uint256,uint160)"
V3_PATH = "(bytes,address,uint256,uint256,uint256)"
NEW_SINGLE = "(address,address,uint24,address,uint256,uint256,uint160)"
NEW_PATH = "(bytes,address,uint256,uint256)"
NEW_V2 = "(uint256,uint256,address[],address)"
V3_METHODS = (
    f"exactInputSingle({V3_SINGLE})",
    f"exactInput({V3_PATH})",
    f"exactOutputSingle({V3_SINGLE})",
    f"exactOutput({V3_PATH})",
    "multicall(bytes[])",
)
NEW_METHODS = (
    f"exactInputSingle({NEW_SINGLE})",
    f"exactInput({NEW_PATH})",
    f"exactOutputSingle({NEW_SINGLE})",
    f"exactOutput({NEW_PATH})",
    f"swapExactTokensForTokens{NEW_V2}",
    f"swapTokensForExactTokens{NEW_V2}",
    "multicall(uint256,bytes[])",
)
UNIVERSAL = "execute(bytes,bytes[],uint256)"
UNIVERSAL_METHODS = tuple(f"{UNIVERSAL} {kind}" for kind in ("v2_in", "v2_out", "v3_in", "v3_out"))
EVERY = (
    *((UNISWAP_V2_ROUTER, method) for method in V2_METHODS),
    *((SUSHISWAP_ROUTER, method) for method in V2_METHODS[:1]),
    *((V3_ROUTER, method) for method in V3_METHODS),
    *((ROUTER_02, method) for method in NEW_METHODS),
    *((UNIVERSAL_ROUTER, method) for method in UNIVERSAL_METHODS),
)
"""Routers and their methods."""


@attrs.frozen
class Wish:
    """What a trader wants: a way through pools, and amounts with room for slippage."""

    trader: Address
    tokens: list[Address]
    markets: list[Market]
    paid: int
    got: int
    """What the quote says."""
    room: int
    """Slippage that is allowed, in basis points."""

    @property
    def least(self) -> int:
        """The limit where the input is exact."""
        return self.got * (10_000 - self.room) // 10_000

    @property
    def most(self) -> int:
        """The limit where the output is exact."""
        return self.paid * (10_000 + self.room) // 10_000

    def path(self, backward: bool = False) -> bytes:
        """The way as Uniswap V3 spells it."""
        text = raw(self.tokens[0])
        for token, market in zip(self.tokens[1:], self.markets, strict=True):
            text += market.fee.to_bytes(3, "big") + raw(token)
        if not backward:
            return text
        pieces = [self.tokens[-1]]
        out = raw(pieces[0])
        for token, market in zip(self.tokens[-2::-1], self.markets[::-1], strict=True):
            out += market.fee.to_bytes(3, "big") + raw(token)
        return out


Call = tuple[str, tuple[Any, ...], int]
"""A signature, its arguments, and the ether that is sent along."""


def call_of(router: Address, method: str, wish: Wish) -> Call:
    """The call that fulfils a wish."""
    if router == UNIVERSAL_ROUTER:
        return _universal(method.partition(" ")[2], wish)
    if router == V3_ROUTER:
        return _v3(method, wish)
    return _new(method, wish) if router == ROUTER_02 else _v2(method, wish)


def _v2(method: str, wish: Wish) -> Call:
    ether = "ETHFor" in method
    if "ForExact" in method:
        amounts = [wish.got] if ether else [wish.got, wish.most]
    else:
        amounts = [wish.least] if ether else [wish.paid, wish.least]
    value = (wish.most if "ForExact" in method else wish.paid) if ether else 0
    return method, (*amounts, wish.tokens, wish.trader, NEVER), value


def _v3(method: str, wish: Wish) -> Call:
    ends, to = (wish.tokens[0], wish.tokens[-1], wish.markets[0].fee), wish.trader
    if method.startswith("multicall"):
        swap = (*ends, f"0x{0:040x}", NEVER, wish.paid, wish.least, 0)
        calls = [
            raw(call_data(V3_METHODS[0], swap)),
            raw(call_data("unwrapWETH9(uint256,address)", wish.least, to)),
        ]
        return method, (calls,), 0
    if method.startswith("exactInputSingle"):
        return method, ((*ends, to, NEVER, wish.paid, wish.least, 0),), 0
    if method.startswith("exactOutputSingle"):
        return method, ((*ends, to, NEVER, wish.got, wish.most, 0),), 0
    if method.startswith("exactInput"):
        return method, ((wish.path(), to, NEVER, wish.paid, wish.least),), 0
    return method, ((wish.path(backward=True), to, NEVER, wish.got, wish.most),), 0


def _new(method: str, wish: Wish) -> Call:
    ends, to = (wish.tokens[0], wish.tokens[-1], wish.markets[0].fee), wish.trader
    if method.startswith("multicall"):
        swap = (*ends, ROUTER, wish.paid, wish.least, 0)
        calls = [
            raw(call_data(NEW_METHODS[0], swap)),
            raw(call_data("unwrapWETH9(uint256,address)", wish.least, to)),
        ]
        return method, (NEVER, calls), 0
    if method.startswith("exactInputSingle"):
        return method, ((*ends, to, wish.paid, wish.least, 0),), 0
    if method.startswith("exactOutputSingle"):
        return method, ((*ends, to, wish.got, wish.most, 0),), 0
    if method.startswith("exactInput"):
        return method, ((wish.path(), to, wish.paid, wish.least),), 0
    if method.startswith("exactOutput"):
        return method, ((wish.path(backward=True), to, wish.got, wish.most),), 0
    if method.startswith("swapExact"):
        return method, (wish.paid, wish.least, wish.tokens, to), 0
    return method, (wish.got, wish.most, wish.tokens, to), 0


def _universal(kind: str, wish: Wish) -> Call:
    """Wrap ether, swap it, and give back what an exact output left over."""
    flat, exact_out = kind.startswith("v2"), kind.endswith("out")
    value = wish.most if exact_out else wish.paid
    way: Any = wish.tokens if flat else wish.path(backward=exact_out)
    types = ("address", "uint256", "uint256", "address[]" if flat else "bytes", "bool")
    limits = (wish.got, wish.most) if exact_out else (wish.paid, wish.least)
    commands = [0x0B, (8 if flat else 0) + exact_out]
    inputs = [
        encode(("address", "uint256"), ROUTER, value),
        encode(types, SENDER, *limits, way, False),
    ]
    if exact_out:
        commands.append(0x0C)
        inputs.append(encode(("address", "uint256"), SENDER, 0))
    return UNIVERSAL, (bytes(commands), inputs, NEVER), value


def variant_of(method: str) -> str:
    """A method's name, and of the Universal Router the command that it is called with."""
    name, _, kind = method.partition(" ")
    return "_".join(filter(None, (name.partition("(")[0], kind)))
