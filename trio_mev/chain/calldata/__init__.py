"""What a transaction asks a contract to do, read from its call data; without I/O and without state.

Every contract is known by its address. A method is looked up only at a contract that has it:
elsewhere the same four bytes may be anything.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from ...model.intents import Intent, Undecoded, Unread
from ..abi import BadData, TooLarge
from . import (
    aave,
    aggregators,
    balancer,
    chainlink,
    compound,
    curve,
    morpho,
    oneinch,
    paraswap,
    positions,
    uniswap_v2,
    uniswap_v3,
    universal,
    zerox,
)
from .plan import Contract, Plan

__all__ = ["ROUTERS", "CallDecoder", "Kind", "known_methods"]

_HIDDEN = {
    address: Contract(name, {})
    for address, name in {**paraswap.OPAQUE, **aggregators.OPAQUE}.items()
}
_ROUTERS: Mapping[str, Contract] = {
    **universal.CONTRACTS,
    **uniswap_v2.CONTRACTS,
    **uniswap_v3.CONTRACTS,
    **zerox.CONTRACTS,
    **oneinch.CONTRACTS,
    **paraswap.CONTRACTS,
    **aggregators.CONTRACTS,
    **balancer.CONTRACTS,
    **_HIDDEN,
}
_LENDERS: Mapping[str, Contract] = {
    **aave.CONTRACTS,
    **compound.CONTRACTS,
    **morpho.CONTRACTS,
    **positions.CONTRACTS,  # which lends nothing, but is no router either
}
ROUTERS: Mapping[str, str] = {address: one.name for address, one in _ROUTERS.items()}
"""Contracts that swap: address in lower case to name."""


class Kind(enum.Enum):
    """Contracts of which there are many, with no address in common."""

    SETTLER = "settler"
    CURVE_POOL = "curve_pool"
    V2_PAIR = "v2_pair"
    V3_POOL = "v3_pool"
    COMPOUND_MARKET = "compound_market"
    CHAINLINK_AGGREGATOR = "chainlink_aggregator"
    CHAINLINK_FORWARDER = "chainlink_forwarder"
    SETTABLE_FEED = "settable_feed"
    """An aggregator on a network of one's own, whose answer is set by a call."""


_KINDS: Mapping[Kind, Contract] = {
    Kind.SETTLER: zerox.SETTLER,
    Kind.CURVE_POOL: curve.POOL,
    Kind.V2_PAIR: uniswap_v2.PAIR,
    Kind.V3_POOL: uniswap_v3.POOL,
    Kind.COMPOUND_MARKET: compound.MARKET,
    Kind.CHAINLINK_AGGREGATOR: chainlink.AGGREGATOR,
    Kind.CHAINLINK_FORWARDER: chainlink.FORWARDER,
    Kind.SETTABLE_FEED: chainlink.SETTABLE,
}


def known_methods() -> Mapping[str, Mapping[str, str]]:
    """Of every contract that is known, by its name: selectors to signatures."""
    every = (*_ROUTERS.values(), *_LENDERS.values(), *_KINDS.values())
    return {
        one.name: {f"0x{raw.hex()}": method.signature for raw, method in one.methods.items()}
        for one in every
    }


def _unknown(contract: Contract, data: bytes) -> Undecoded:
    """Why there is no method to read a call by."""
    if len(data) < 4:
        return Undecoded(Unread.NO_CALL)
    if not contract.methods:
        return Undecoded(Unread.OPAQUE, f"methods of {contract.name} are not known")
    return Undecoded(Unread.UNKNOWN_METHOD, f"0x{data[:4].hex()}")


class CallDecoder:
    """Reads calls of the contracts of Ethereum's main network.

    Args:
        others: contracts beside those that are known, by address in lower case, and their kinds.
    """

    __slots__ = ("_contracts",)

    def __init__(self, others: Mapping[str, Kind] | None = None) -> None:
        named = {address: _KINDS[kind] for address, kind in (others or {}).items()}
        self._contracts = {**named, **_ROUTERS, **_LENDERS}

    def addresses(self) -> Iterable[str]:
        """Of every contract that is known."""
        return self._contracts.keys()

    def name(self, to: str) -> str | None:
        """The name of a known contract."""
        contract = self._contracts.get(to)
        return None if contract is None else contract.name

    def router(self, to: str) -> str | None:
        """The name of a known contract that swaps."""
        contract = self._contracts.get(to)
        return None if contract is None or to in _LENDERS else contract.name

    def method(self, to: str, selector: bytes) -> str | None:
        """The signature of a method of a known contract."""
        contract = self._contracts.get(to)
        method = None if contract is None else contract.methods.get(selector)
        return None if method is None else method.signature

    def decode(self, to: str | None, data: bytes, sender: str, value: int) -> tuple[Intent, ...]:
        """What a call asks for, in its order; at least one intent.

        A part that says nothing is an ``Undecoded`` in its place, a call that says nothing is one
        alone. The data is untrusted: whatever it is, nothing is raised, and no more is read than
        the bounds of a plan allow.

        Args:
            to: address in lower case; None creates a contract.
            data: selector and arguments.
            sender: who gets what the call sends to its caller.
            value: wei that go with it.
        """
        if to is None:
            return (Undecoded(Unread.NO_CALL),)
        contract = self._contracts.get(to)
        if contract is None:
            return (Undecoded(Unread.UNKNOWN_CONTRACT),)
        method = contract.methods.get(data[:4])
        if method is None:
            return (_unknown(contract, data),)
        plan = Plan(contract, to, sender, value)
        try:
            method.handle(plan, method.read(data, 4))
        except TooLarge as error:
            return (Undecoded(Unread.TOO_LARGE, str(error)),)
        except BadData as error:
            return (Undecoded(Unread.MALFORMED, str(error)),)
        return tuple(plan.intents) or (Undecoded(Unread.NO_SWAP),)
