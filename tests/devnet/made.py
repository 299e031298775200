"""What was made for a seed, counted where it was made, and what the replay of its tape finds.

The count lies beside the tape. That of the exchanges follows from the seed and the course of the
pools' prices alone; that of the node is told by the scenario which was played on it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.devnet.exchanges.venue import CONNECTIONS
from tests.devnet.pool_prices import Prices
from tests.devnet.venues import Exchanges
from trio_mev import ReplayFeed
from trio_mev.flow.feed import Emit
from trio_mev.flow.outstanding import Outstanding
from trio_mev.model.event import DataEvent

KINDS = frozenset({"quote", "trade", "block", "log", "reorg", "transaction"})
"""Types of events that feeds bring; what processors make of them is not counted here."""
OWN = "fetch_timeout"
"""A refusal that no frame is the reason of: what a session asks once a transaction has waited for
long has no answer where the scenario was played faster than its own times."""
Counts = Mapping[str, Mapping[str, int]]
"""By feed and kind: types of events, reasons of refusals, and connections."""


class Made(msgspec.Struct, frozen=True):
    """A seed, and how much was made for it."""

    seed: int
    seconds: int
    """How long it lasts."""
    course: list[tuple[int, Prices]]
    """Prices at the pools, and the nanoseconds since the epoch from which they hold."""
    feeds: dict[str, dict[str, int]]


def beside(tape: Path) -> Path:
    """Where a tape's count is."""
    return tape.with_suffix(".json")


def write_made(made: Made, tape: Path) -> None:
    """Save it beside its tape."""
    text = msgspec.json.format(msgspec.json.encode(made), indent=1)
    beside(tape).write_bytes(text + b"\n")


def read_made(tape: Path) -> Made:
    """What is saved beside a tape.

    Raises:
        OSError: nothing is.
        msgspec.DecodeError: it is something else.
    """
    return msgspec.json.decode(beside(tape).read_bytes(), type=Made)


def made_again(made: Made) -> Counts:
    """What the exchanges make of the seed when they are simulated once more."""
    exchanges = Exchanges(made.seed, made.seconds, made.course)
    deque(exchanges.records(), maxlen=0)
    return exchanges.made


def differences(made: Counts, found: Counts) -> list[str]:
    """What is not as often in one as in the other, in words."""
    said: list[str] = []
    for feed in sorted({*made, *found}):
        ours, theirs = made.get(feed, {}), found.get(feed, {})
        for kind in sorted({*ours, *theirs}):
            one, other = ours.get(kind, 0), theirs.get(kind, 0)
            if one != other:
                said.append(f"{feed}: {kind} made {one} times, found {other} times")
    return said


def totals(counts: Counts) -> Counter[str]:
    """The sums over all feeds."""
    total = Counter[str]()
    for of_feed in counts.values():
        total.update(of_feed)
    return total


class Counting(ReplayFeed):
    """A replay that counts what its feeds bring into the stream."""

    def __init__(self, paths: Sequence[Path | str]) -> None:
        super().__init__(paths)
        self._brought = Counter[tuple[str, str]]()

    async def run(self, emit: Emit, outstanding: Outstanding) -> None:
        """As any replay."""

        def both(events: Sequence[DataEvent]) -> None:
            self._brought.update((event.source, event.event_type.value) for event in events)
            emit(events)

        await super().run(both, outstanding)

    @property
    def found(self) -> Counts:
        """So far."""
        found = {
            status.name: Counter({CONNECTIONS: status.connections, **status.refused})
            for status in self.statuses
        }
        for (feed, kind), times in self._brought.items():
            if kind in KINDS:
                found[feed][kind] += times
        return {
            feed: {kind: times for kind, times in counts.items() if times and kind != OWN}
            for feed, counts in found.items()
        }
