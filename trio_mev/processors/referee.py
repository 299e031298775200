"""The referee: asks a node what transactions would do, within a budget of calls."""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import msgspec
import trio
from loguru import logger

from ..errors import MalformedFrame, RpcFailed, RpcTimeout, StreamConnectionError
from ..flow.budget import CallBudget
from ..flow.rpc import Rpc
from ..model.chain import Transaction
from ..model.health import HealthIssue
from ..model.settings import RefereeSettings
from ..model.simulation import SimulatedCall, Simulation
from ..wire.reverts import Refusal, meaning, shown
from ..wire.simulation import (
    MOST_TRANSACTIONS,
    SIMULATE,
    TRACE,
    block_parameter,
    parse_simulated,
    parse_traced,
    simulate_parameters,
    trace_parameters,
)

RELEARN = 600.0
"""Seconds after which a method that a node has not is tried again."""
SHUNNED = 600.0
"""Seconds without a trace after the connection was lost while one was awaited. A trace may be
longer than any message may be, which costs the connection, and whoever sends transactions can see
to that; so it can happen once in such a time."""
TOO_MUCH = 10.0
"""Seconds without a call after a node has said that there were too many."""


class Silence(enum.Enum):
    """Why there is no answer."""

    NO_NODE = "no_node"
    """There is none to ask, as in the replay of a tape without calls."""
    REFUSED = "refused"
    """The node has no method for it, or not for us."""
    OVER_BUDGET = "over_budget"
    """There was no turn in time, by the calls a second or by those under way."""
    TIMED_OUT = "timed_out"
    """The node did not answer in time."""
    DISCONNECTED = "disconnected"
    """There is no connection, or it was lost."""
    FAILED = "failed"
    """The node says that just this cannot be tried: the sender has too little, or the block is
    not known."""
    MALFORMED = "malformed"
    """The answer is none."""


@attrs.frozen
class Unanswered:
    """There is no answer, and why."""

    why: Silence
    detail: str = ""


_REFUSED = Unanswered(Silence.REFUSED, "no method to try a transaction with")
_ONE_AT_A_TIME = Unanswered(Silence.REFUSED, f"several transactions need {SIMULATE}")

_Read = Callable[[msgspec.Raw], tuple[SimulatedCall, ...]]


class Referee:
    """Asks a node what transactions would do; learns by which of its methods.

    One of them serves everybody who asks, so that its budget holds for all of them together.

    Args:
        settings: the budget, and how long an answer may take.
        rpc: calls to a node; without it nothing is asked.
    """

    def __init__(self, settings: RefereeSettings | None = None, rpc: Rpc | None = None) -> None:
        self.settings = settings or RefereeSettings()
        self.rpc = rpc
        self.counts: Counter[str] = Counter()
        """``asked`` is what was wanted to be known; each of that is ``answered``, or what
        ``Silence`` names, or ``cancelled``. ``calls`` went to the node."""
        self._budget = CallBudget(self.settings.calls_per_second)
        self._under_way = trio.CapacityLimiter(self.settings.under_way)
        self._peer: object | None = None
        self._absent: dict[str, float] = {}
        """Methods that the node has not, and when they are tried again."""
        self._shunned = -math.inf
        """Until when no trace is asked for."""
        self._proven: set[str] = set()
        self._said = ""
        """Why the node refuses, once that has been said."""

    async def simulate(
        self,
        transactions: Sequence[Transaction],
        block: str | int = "latest",
        within: float | None = None,
    ) -> Simulation | Unanswered:
        """What transactions would do, one after the other, on top of a block.

        Args:
            transactions: 1 to 64 in their order. Several need a node with ``eth_simulateV1``; one
                is also tried by ``debug_traceCall``.
            block: its hash, its number, or a tag such as ``latest``.
            within: seconds for the answer; those of the settings where it is None.

        Raises:
            ValueError: there are none, or too many.
        """
        if not 0 < len(transactions) <= MOST_TRANSACTIONS:
            raise ValueError(
                f"{len(transactions)} transactions; 1 to {MOST_TRANSACTIONS} are tried"
            )
        limit = self.settings.deadline if within is None else within
        self.counts["asked"] += 1
        became = "cancelled"
        try:
            answer = await self._simulate(transactions, block, trio.current_time() + limit)
            became = answer.why.value if isinstance(answer, Unanswered) else "answered"
            return answer
        finally:
            self.counts[became] += 1

    async def _simulate(
        self, transactions: Sequence[Transaction], block: str | int, deadline: float
    ) -> Simulation | Unanswered:
        rpc = self.rpc
        if rpc is None:
            return Unanswered(Silence.NO_NODE)
        self._meet(rpc.peer)
        for method, parameters, read in _ways(transactions, block):
            if self._left_out(method, trio.current_time()):
                continue
            found = await self._within(rpc, method, parameters, read, deadline)
            if isinstance(found, Unanswered):
                return found
            if found is not None:
                return Simulation(block_parameter(block), method, found)
        return _REFUSED if len(transactions) == 1 else _ONE_AT_A_TIME

    def _left_out(self, method: str, now: float) -> bool:
        shunned = method == TRACE and self._shunned > now
        return shunned or self._absent.get(method, -math.inf) > now

    def _meet(self, peer: object | None) -> None:
        """Another node may have what the last one had not."""
        if peer is not None and peer != self._peer:
            self._peer = peer
            self._absent.clear()
            self._proven.clear()

    async def _within(
        self, rpc: Rpc, method: str, parameters: list[Any], read: _Read, deadline: float
    ) -> tuple[SimulatedCall, ...] | Unanswered | None:
        """Ask when there is a turn and a place; None where the node has no such method."""
        now = trio.current_time()
        turn = self._budget.turn(now, deadline)
        if turn is None:
            return Unanswered(Silence.OVER_BUDGET, "no turn in time")
        with trio.move_on_at(deadline) as waiting:
            if turn > now:
                await trio.sleep_until(turn)
            async with self._under_way:
                waiting.deadline = math.inf  # the call has its own
                left = max(0.0, deadline - trio.current_time())
                return await self._ask(rpc, method, parameters, read, left)
        return Unanswered(Silence.OVER_BUDGET, "too many calls under way")

    async def _ask(
        self, rpc: Rpc, method: str, parameters: list[Any], read: _Read, within: float
    ) -> tuple[SimulatedCall, ...] | Unanswered | None:
        self.counts["calls"] += 1
        connected = rpc.peer is not None
        try:
            found = read(await rpc.call(method, parameters, msgspec.Raw, within))
        except RpcFailed as error:
            return self._refused(method, error)
        except RpcTimeout as error:
            return Unanswered(Silence.TIMED_OUT, str(error))
        except StreamConnectionError as error:
            if connected and method == TRACE:
                self._lost_tracing()
            return Unanswered(Silence.DISCONNECTED, str(error))
        except MalformedFrame as error:
            return Unanswered(Silence.MALFORMED, f"{method}: {error}")
        self._proven.add(method)
        self._absent.pop(method, None)
        self._said = ""
        return found

    def _lost_tracing(self) -> None:
        now = trio.current_time()
        if self._shunned <= now:
            logger.warning(
                "the connection was lost while a trace was awaited: none for {:g} s", SHUNNED
            )
        self._shunned = now + SHUNNED

    def _refused(self, method: str, error: RpcFailed) -> Unanswered | None:
        """None where the node has no such method."""
        text = f"{method}: {error.code} {shown(error.message)}"
        now = trio.current_time()
        kind = meaning(error, method in self._proven)
        if kind is Refusal.CALL:
            return Unanswered(Silence.FAILED, text)
        if kind is Refusal.RATE:
            self._budget.hold(now + TOO_MUCH)
            return Unanswered(Silence.OVER_BUDGET, text)
        self._absent[method] = now + RELEARN
        if len(self._absent) == 2 and not self._said:
            logger.warning(
                "the node tries no transactions for us, so hidden routes stay hidden: {}", text
            )
            self._said = text
        return None

    def health(self) -> Iterator[HealthIssue]:
        """That the node refuses, from its last refusal to an answer."""
        if self._said:
            yield HealthIssue("no_referee", "referee", self._said)


def _ways(
    transactions: Sequence[Transaction], block: str | int
) -> Iterator[tuple[str, list[Any], _Read]]:
    """Method, parameters and how the answer is read; the better method first."""
    parameters = simulate_parameters(transactions, block)
    yield SIMULATE, parameters, lambda raw: parse_simulated(raw, transactions)
    if len(transactions) == 1:
        (one,) = transactions
        yield TRACE, trace_parameters(one, block), lambda raw: (parse_traced(raw, one),)
