"""Carries out plans: makes the calls that they want, at one block, and gives them the answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

import msgspec

from ..chain.pools.learning import encoded
from ..chain.pools.loading import Answers, Call, PoolKey
from ..errors import MalformedFrame, RpcFailed
from ..flow.rpc import Rpc

T = TypeVar("T")

_OF_THE_CONTRACT = re.compile(
    r"revert|opcode|out of gas|stack (?:under|over)flow|stack limit|invalid jump|vm execution error"
)
"""Words of an error that the called contract is to blame for, whatever the code; any other is the
node's, and the same call may do better later."""
TRIES = 3
"""How often a plan is carried out at the most. Where blocks come faster than one can be read, the
last one counts."""
MOST_ANSWER = 2**20
"""Characters of one answer; the longest that a plan asks for has a thousand."""


class _Block(msgspec.Struct):
    """Of a block that the node knows."""

    hash: str


class PlanReader:
    """Makes a plan's calls through a node.

    A node that goes on to another block while it answers may answer as of that one, whatever
    block it was asked about: anvil does, of calls that wait while it makes a block or gives some
    up. Nothing that was told of the chain by then says so. The node is therefore asked for its
    newest block once a plan is carried out; where that became another one meanwhile, the plan is
    carried out again, as of a block that the node is done with by then, or refuses.

    Args:
        rpc: the node.
        batch: calls in one message.
    """

    def __init__(self, rpc: Rpc, batch: int) -> None:
        self._rpc = rpc
        self._batch = batch
        self._newest: str | None = None
        """The node's, when it was last asked."""

    async def carry_out(
        self, make: Callable[[], Generator[list[Call], Answers, T]], block: str
    ) -> T:
        """What a plan returns.

        Args:
            make: makes the plan, which yields calls and is sent their answers; again
                where the node went on to another block meanwhile.
            block: hash of the block at which all calls are made.

        Raises:
            RpcFailed: the node, and not the called contract, refuses; also where it has no such
                block, or not any more.
            RpcTimeout, StreamConnectionError, MalformedFrame: as ``Rpc.call``.
        """
        tries = 0
        while True:
            before, tries = self._newest, tries + 1
            found = await self._carry_out(make(), block)
            newest = await self._rpc.call("eth_getBlockByNumber", ("latest", False), _Block | None)
            # There may be none while blocks are given up.
            self._newest = None if newest is None else newest.hash
            stays = self._newest is not None and self._newest in {block, before}
            if stays or tries == TRIES:
                return found

    async def _carry_out(self, plan: Generator[list[Call], Answers, T], block: str) -> T:
        at = {"blockHash": block}
        answers: Answers = []
        try:
            calls = next(plan)
            while True:
                asked = [
                    ("eth_call", [{"to": call.to, "data": "0x" + call.data.hex()}, at])
                    for call in calls
                ]
                answers = [_bytes(one) for one in await self._ask(asked)]
                calls = plan.send(answers)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            plan.close()

    async def ids(self, keys: Sequence[PoolKey]) -> list[str]:
        """The ids of V4's pools, which are their keys' Keccak hashes; the node computes them.

        Raises:
            RpcFailed, RpcTimeout, StreamConnectionError, MalformedFrame: as ``carry_out``.
        """
        asked = [("web3_sha3", ["0x" + encoded(key).hex()]) for key in keys]
        found = []
        for answer in await self._ask(asked):
            read = _bytes(answer)
            if read is None or len(read) != 32:
                raise MalformedFrame("wrong_shape", "web3_sha3 did not give a hash")
            found.append("0x" + read.hex())
        return found

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(calls), self._batch):
            found += await self._rpc.batch(calls[start : start + self._batch])
        return found


def _bytes(answer: Any) -> bytes | None:
    """An answer's bytes; None where the called contract failed."""
    if isinstance(answer, RpcFailed):
        if answer.code == 3 or _OF_THE_CONTRACT.search(answer.message[:1000].lower()):
            return None
        raise answer
    if not isinstance(answer, str) or not answer.startswith("0x") or len(answer) > MOST_ANSWER:
        raise MalformedFrame("wrong_shape", "an answer that is no hexadecimal data")
    try:
        return bytes.fromhex(answer[2:])
    except ValueError:
        raise MalformedFrame("wrong_shape", "an answer that is no hexadecimal data") from None
