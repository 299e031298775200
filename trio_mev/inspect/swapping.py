"""The methods by which pools are asked to swap, and how each is read. Of a pool of Curve, DODO,
Maverick or Uniswap V1 the tokens are told by what it moves."""

from __future__ import annotations

from .pairs import v2, v3
from .trades import Read, answer, argument, by_moves, ether_paid, unsaid

_CURVE = by_moves("curve", argument(2), answer(0))
_UNDER = by_moves("curve_underlying", argument(2), answer(0))
_DODO = by_moves("dodo", unsaid, answer(0), recipient=0, earlier=True)
_MAVERICK = by_moves("maverick", answer(0), answer(1), recipient=0, earlier=True)

POOLS: dict[str, tuple[str, Read]] = {
    "0x022c0d9f": ("swap(uint256,uint256,address,bytes)", v2),
    "0x128acb08": ("swap(address,bool,int256,uint160,bytes)", v3),
    "0x3df02124": ("exchange(int128,int128,uint256,uint256)", _CURVE),
    "0x5b41b908": ("exchange(uint256,uint256,uint256,uint256)", _CURVE),
    "0x394747c5": ("exchange(uint256,uint256,uint256,uint256,bool)", _CURVE),
    "0xce7d6503": (
        "exchange(uint256,uint256,uint256,uint256,bool,address)",
        by_moves("curve", argument(2), answer(0), recipient=5),
    ),
    "0xddc1f59d": (
        "exchange(int128,int128,uint256,uint256,address)",
        by_moves("curve", argument(2), answer(0), recipient=4),
    ),
    "0xafb43012": (
        "exchange_received(int128,int128,uint256,uint256,address)",
        by_moves("curve", argument(2), answer(0), recipient=4, earlier=True),
    ),
    "0xa6417ed6": ("exchange_underlying(int128,int128,uint256,uint256)", _UNDER),
    "0x65b2489b": ("exchange_underlying(uint256,uint256,uint256,uint256)", _UNDER),
    "0xbd6015b4": ("sellBase(address)", _DODO),
    "0xdd93f59a": ("sellQuote(address)", _DODO),
    "0xf39b5b9b": (
        "ethToTokenSwapInput(uint256,uint256)",
        by_moves("uniswap_v1", ether_paid, unsaid),
    ),
    "0xad65d76d": (
        "ethToTokenTransferInput(uint256,uint256,address)",
        by_moves("uniswap_v1", ether_paid, unsaid, recipient=2),
    ),
    "0x95e3c50b": (
        "tokenToEthSwapInput(uint256,uint256,uint256)",
        by_moves("uniswap_v1", argument(0), answer(0)),
    ),
    "0x7237e031": (
        "tokenToEthTransferInput(uint256,uint256,uint256,address)",
        by_moves("uniswap_v1", argument(0), answer(0), recipient=3),
    ),
    "0x013efd8b": (
        "tokenToEthSwapOutput(uint256,uint256,uint256)",
        by_moves("uniswap_v1", answer(0), argument(0)),
    ),
    "0xd4e4841d": (
        "tokenToEthTransferOutput(uint256,uint256,uint256,address)",
        by_moves("uniswap_v1", answer(0), argument(0), recipient=3),
    ),
    "0xc51c9029": ("swap(address,uint256,bool,bool,uint256,bytes)", _MAVERICK),
    "0x3eece7db": ("swap(address,(uint256,bool,bool,int32),bytes)", _MAVERICK),
}
"""Selector to signature, and how it is read."""
