"""Reports of prices to Chainlink's aggregators, directly or through a forwarder."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ...model.intents import OracleUpdate, Unread
from ..abi import Arguments, BadData
from ..contracts import chainlink as data
from .plan import Contract, Method, Plan, methods_of

_REPORT = Arguments("uint32,bytes32,int192[],int192")
_FIRST_REPORT = Arguments("bytes32,bytes32,int192[]")


def _tell(
    plan: Plan, aggregator: str, observations: tuple[int, ...], observed_at: int | None
) -> None:
    """The answer is the one in the middle; the contract demands that they are sorted."""
    if not observations:
        raise BadData("a report without observations")
    if any(one > two for one, two in pairwise(observations)):
        raise BadData("observations that are not sorted")
    count = len(observations)
    plan.intents.append(OracleUpdate(aggregator, observations[count // 2], count, observed_at))


def _transmit(plan: Plan, aggregator: str, arguments: tuple[Any, ...]) -> None:
    observed_at, _, observations, _ = _REPORT.read(arguments[1])
    _tell(plan, aggregator, observations, observed_at)


def _transmit_first(plan: Plan, aggregator: str, arguments: tuple[Any, ...]) -> None:
    """The first generation of reports does not say when."""
    _, _, observations = _FIRST_REPORT.read(arguments[0])
    _tell(plan, aggregator, observations, None)


_READERS = {
    bytes.fromhex("b1dc65a4"): _transmit,
    bytes.fromhex("ba0cb29e"): _transmit,
    bytes.fromhex("c9807539"): _transmit_first,
}


def _direct(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _transmit(plan, plan.to, arguments)


def _direct_first(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _transmit_first(plan, plan.to, arguments)


_TRANSMITS: Mapping[bytes, Method] = methods_of(
    data.METHODS,
    {"0xb1dc65a4": _direct, "0xba0cb29e": _direct, "0xc9807539": _direct_first},
)


def _forward(plan: Plan, arguments: tuple[Any, ...]) -> None:
    aggregator, nested = arguments
    call = nested
    method = _TRANSMITS.get(call[:4])
    if method is None:
        plan.say(Unread.UNKNOWN_METHOD, f"0x{call[:4].hex()} of {aggregator}")
        return
    _READERS[call[:4]](plan, aggregator, method.read(call, 4))


def _set(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.intents.append(OracleUpdate(plan.to, arguments[0], 1, None))


AGGREGATOR = Contract("Chainlink aggregator", _TRANSMITS)
FORWARDER = Contract("Chainlink forwarder", methods_of(data.METHODS, {"0x6fadcf72": _forward}))
SETTABLE = Contract(
    "settable feed",
    methods_of(data.SETTABLE_METHODS, dict.fromkeys(data.SETTABLE_METHODS, _set)),
)
