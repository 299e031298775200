"""What a relay does to the frames that pass, decided by a seed and a frame's number; no I/O."""

from __future__ import annotations

import enum
import random
from collections.abc import Mapping
from typing import Any, Literal

import attrs
import msgspec

Json = dict[str, Any]
Way = Literal["up", "down"]
"""Up is from the client to the node."""


class Fault(enum.Enum):
    """One thing that goes wrong."""

    REFUSED = "refused"
    """A connection is ended before its handshake."""
    CUT = "cut"
    """Both connections end without a close frame."""
    CLOSED = "closed"
    """The client gets a close frame."""
    STALL = "stall"
    """Nothing is read or written any more; the sockets stay open."""
    HALF_OPEN = "half-open"
    """What the client sends is read, and nothing is answered, not even a ping."""
    MUTE = "mute"
    """Pings are answered, and nothing else comes."""
    DROP = "drop"
    DUPLICATE = "duplicate"
    CORRUPT = "corrupt"
    DELAY = "delay"
    """The frame and those behind it come late."""
    REORDER = "reorder"
    """Frames of other subscriptions, and replies, overtake it."""
    ERROR = "error without id"
    """An error that answers nothing comes before it."""
    OVERSIZED = "oversized"
    """A reply about a range is larger than the client takes."""
    TOO_BIG = "closed with 1009"
    """In place of a reply about a range the connection is closed for its size."""
    REMOVED = "removed"
    """Logs of retracted blocks are taken back as geth does: at once, late, or twice."""


ENDS = frozenset(
    {Fault.CUT, Fault.CLOSED, Fault.STALL, Fault.HALF_OPEN, Fault.MUTE, Fault.OVERSIZED,
     Fault.TOO_BIG}
)  # fmt: skip
"""After these nothing useful passes on that connection."""
CODES = (1000, 1001, 1006, 1011, 1012, 1013)
"""Of close frames; 1006 is none, and means that the stream just ends."""


@attrs.frozen
class Passing:
    """A frame, and what it is."""

    way: Way
    text: bytes
    kind: str
    """The subscription that it belongs to, the method that it calls or answers, or ``other``."""
    json: Any = None
    """What it says; None where it is no JSON."""

    @property
    def of_range(self) -> bool:
        """Whether it answers a question for the logs of several blocks."""
        return self.kind == "range"


@attrs.frozen
class Decision:
    """What happens to a frame."""

    fault: Fault | None = None
    amount: float = 0.0
    """From 0 to below 1: how much, or which of several."""


class Calm:
    """Everything passes."""

    def connection(self, life: int) -> Decision:
        """What happens to a new connection."""
        return Decision()

    def frame(self, life: int, number: int, passing: Passing) -> Decision:
        """What happens to a frame, the n-th of its way on its connection."""
        return Decision()

    def removal(self, life: int, number: int) -> tuple[int, ...]:
        """After how many further frames the logs of a retracted block are taken back, each time."""
        return ()


DOWN: Mapping[Fault, int] = {
    Fault.CUT: 6, Fault.CLOSED: 6, Fault.STALL: 4, Fault.HALF_OPEN: 4, Fault.MUTE: 3,
    Fault.DROP: 20, Fault.DUPLICATE: 20, Fault.CORRUPT: 20, Fault.DELAY: 15, Fault.REORDER: 25,
    Fault.ERROR: 15,
}  # fmt: skip
"""How often each happens, of a thousand frames."""
UP: Mapping[Fault, int] = {Fault.DROP: 10, Fault.DELAY: 15, Fault.DUPLICATE: 10, Fault.CORRUPT: 5}


@attrs.frozen
class Storm(Calm):
    """What goes wrong follows from the seed, the connection's number, the way and the frame's
    number on it, and from nothing else; where it cannot go wrong so, the frame passes.

    Args:
        seed: of it all.
        force: 1 is as often as the tables say.
    """

    seed: int
    force: float = 1.0

    def _draw(self, *place: object) -> random.Random:
        return random.Random(":".join(map(str, (self.seed, *place))))

    def connection(self, life: int) -> Decision:
        """One in ten is refused, but never the first."""
        refused = life > 0 and self._draw(life).random() < 0.1
        return Decision(Fault.REFUSED if refused else None)

    def frame(self, life: int, number: int, passing: Passing) -> Decision:
        """As the tables say; what answers a range is too large once in three times."""
        rng = self._draw(life, passing.way, number)
        place, amount = rng.random() * 1000, rng.random()
        if passing.of_range and rng.random() < 1 / 3:
            return Decision(Fault.OVERSIZED if amount < 0.5 else Fault.TOO_BIG)
        for fault, weight in (DOWN if passing.way == "down" else UP).items():
            place -= weight * self.force
            if place < 0:
                return Decision(fault, amount)
        return Decision()

    def removal(self, life: int, number: int) -> tuple[int, ...]:
        """Never, at once, late, or twice."""
        rng = self._draw(life, "removed", number)
        return rng.choice([(), (0,), (rng.randint(2, 12),), (0, rng.randint(1, 12))])


def corrupted(text: bytes, amount: float) -> bytes:
    """A frame that is damaged so that it can be told from a sound one.

    Args:
        text: the frame.
        amount: from 0 to below 1; chooses the damage and its place.
    """
    kind, place = divmod(amount * 4, 1)
    at = 1 + int(place * (len(text) - 2))
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[:at] + b'"}' + text[at:]
    if kind == 2:
        return text[:at] + b"\xff" + text[at:]
    return b"[" * 5000 + text


class Reader:
    """Knows what each frame of one connection is."""

    def __init__(self) -> None:
        self._asked: dict[int, str] = {}
        self.subscriptions: dict[str, str] = {}
        """The node's ids to what is subscribed to."""

    def read(self, way: Way, text: bytes) -> Passing:
        """A frame as something."""
        try:
            said = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Passing(way, text, "other")
        if not isinstance(said, dict):
            return Passing(way, text, "other", said)
        kind = self._up(said) if way == "up" else self._down(said)
        return Passing(way, text, kind, said)

    def _up(self, said: Json) -> str:
        kind = str(said.get("method"))
        params = said.get("params") or [None]
        if kind == "eth_subscribe":
            kind = f"subscribe {params[0]}"
        elif kind == "eth_getLogs":
            first, last = params[0].get("fromBlock"), params[0].get("toBlock")
            kind = "range" if first != last else "block"
        self._asked[said["id"]] = kind
        return kind

    def _down(self, said: Json) -> str:
        if said.get("method") == "eth_subscription":
            return self.subscriptions.get(said["params"]["subscription"], "other")
        kind = self._asked.get(said.get("id", -1), "other")
        if kind.startswith("subscribe ") and "result" in said:
            self.subscriptions[said["result"]] = kind.removeprefix("subscribe ")
        return kind


class Retractions:
    """What a node's heads and logs tell of blocks that are no longer of the chain."""

    def __init__(self) -> None:
        self._heads: dict[int, str] = {}
        self._logs: dict[str, list[Json]] = {}

    def saw(self, passing: Passing) -> list[list[Json]]:
        """The logs of blocks that this frame retracts, block by block, newest first."""
        if passing.kind == "logs":
            log = passing.json["params"]["result"]
            self._logs.setdefault(log["blockHash"], []).append(log)
        if passing.kind != "newHeads":
            return []
        head = passing.json["params"]["result"]
        number = int(head["number"], 16)
        retracted = [n for n in sorted(self._heads, reverse=True) if n >= number]
        hashes = [self._heads.pop(n) for n in retracted]
        self._heads[number] = head["hash"]
        found = [self._logs.pop(h, []) for h in hashes if h != head["hash"]]
        return [logs for logs in found if logs]


def removed(log: Json, subscription: str) -> bytes:
    """A notification that takes a log back."""
    params = {"subscription": subscription, "result": {**log, "removed": True}}
    return msgspec.json.encode({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})
