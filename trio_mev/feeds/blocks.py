"""Whole blocks of a node, for looking into: the best that it offers is found once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs
import msgspec
import trio

from ..errors import (
    DataStreamError,
    MalformedFrame,
    RpcFailed,
    RpcTimeout,
    SubscriptionRejected,
)
from ..flow.rpc import Rpc
from ..inspect.answers import Answers, Offer
from ..wire.node import QUOTA
from ..wire.numbers import quantity
from .asking import patiently

WITHIN = 60.0
"""Seconds for one answer; a node makes the traces of an old block anew."""
TRACER = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
_NULL = b"null"


def _asked(offer: Offer, number: int) -> tuple[str, list[Any]]:
    """The call that an offer is of."""
    at = hex(number)
    if offer is Offer.CALL_TRACER:
        return offer.value, [at, TRACER]
    if offer is Offer.LOGS:
        return offer.value, [{"fromBlock": at, "toBlock": at}]
    return offer.value, [at]


@attrs.define(eq=False)
class NodeBlocks:
    """What one node tells of its blocks.

    Args:
        rpc: calls to it.
        rng: draws the jitter of pauses between two tries.
        offers: what is to be tried, the best first.
    """

    rpc: Rpc
    rng: random.Random = attrs.Factory(random.Random)
    offers: Sequence[Offer] = tuple(Offer)
    offer: Offer | None = None
    """The best that the node has, once it is found."""
    receipts: bool = False
    """Whether it has receipts beside it."""
    refused: dict[Offer, str] = attrs.Factory(dict)
    """Why it is not a better one."""

    async def chain_id(self) -> int:
        """Of the node's chain."""
        return await self._number("eth_chainId")

    async def head(self) -> int:
        """Number of the newest block."""
        return await self._number("eth_blockNumber")

    async def _number(self, method: str) -> int:
        text: str = await patiently(partial(self.rpc.call, method, kind=str), self.rng)
        return quantity(text, 64)

    async def find_offer(self, number: int) -> Offer:
        """Find the best that the node has, by asking for a block.

        Raises:
            SubscriptionRejected: it has none of them.
            StreamConnectionError, RpcTimeout, MalformedFrame: as ``Rpc.call``.
        """
        for offer in self.offers:
            try:
                await self._told(offer, number)
            except (RpcFailed, RpcTimeout, MalformedFrame) as error:
                if isinstance(error, RpcFailed) and error.code in QUOTA:
                    raise
                self.refused[offer] = str(error)
                continue
            self.offer = offer
            self.receipts = await self._has_receipts(offer, number)
            return offer
        why = "; ".join(f"{offer.value}: {error}" for offer, error in self.refused.items())
        raise SubscriptionRejected(f"nothing tells what is in a block: {why}")

    async def _has_receipts(self, offer: Offer, number: int) -> bool:
        if offer in {Offer.RECEIPTS, Offer.LOGS}:
            return False  # they are it, or are not there
        try:
            await self._told(Offer.RECEIPTS, number)
        except (RpcFailed, RpcTimeout, MalformedFrame) as error:
            self.refused[Offer.RECEIPTS] = str(error)
            return False
        return True

    async def fetch(self, number: int) -> Answers:
        """A block, by the best that the node has.

        Raises:
            MalformedFrame: the node does not have it.
            DataStreamError: as ``Rpc.call``, after several tries.
        """
        assert self.offer is not None, "find_offer comes first"
        asks = {"head": ("eth_getBlockByNumber", [hex(number), False])}
        asks["told"] = _asked(self.offer, number)
        if self.receipts:
            asks["receipts"] = _asked(Offer.RECEIPTS, number)
        found: dict[str, bytes] = {}

        async def one(name: str, method: str, params: Sequence[Any]) -> None:
            found[name] = await self._ask(method, params)

        try:
            async with trio.open_nursery() as nursery:
                for name, (method, params) in asks.items():
                    nursery.start_soon(one, name, method, params)
        except* DataStreamError as group:
            failed: BaseException = group
        else:
            return Answers(number, self.offer, found["head"], found["told"], found.get("receipts"))
        while isinstance(failed, BaseExceptionGroup):
            failed = failed.exceptions[0]
        raise failed

    async def _told(self, offer: Offer, number: int) -> bytes:
        return await self._ask(*_asked(offer, number))

    async def _ask(self, method: str, params: Sequence[Any]) -> bytes:
        call = partial(self.rpc.call, method, params, msgspec.Raw, WITHIN)
        raw = bytes(await patiently(call, self.rng))
        if raw == _NULL:
            raise MalformedFrame("not_there", f"{method}: the node does not have it")
        return raw
