"""Traces as geth's ``callTracer`` has them: each frame holds the frames that it made, and, where
they were asked for, its logs.

Field names: go-ethereum's eth/tracers/native/call.go, and the answers of anvil.
"""

from __future__ import annotations

import msgspec

from ..errors import MalformedFrame
from ..model.chain import Log
from ..wire.ethereum import MAX_TOPICS
from ..wire.numbers import address, data, hash32, quantity
from ..wire.session import decode
from .calls import Call, Calls, How
from .framing import HOW, Framer
from .nesting import flatten


class FrameLog(msgspec.Struct, gc=False):
    """A log within a frame."""

    address: str
    topics: list[str]
    data: str = "0x"
    position: str | None = None
    """How many calls the frame had made before."""
    index: str | None = None
    """In the block."""


class Frame(msgspec.Struct, rename="camel", gc=False):
    """A frame with all that is within it."""

    type: str
    from_: str = msgspec.field(name="from")
    to: str | None = None
    input: str | None = None
    output: str | None = None
    value: str | None = None
    gas_used: str | None = None
    error: str | None = None
    calls: list[Frame] | None = None
    logs: list[FrameLog] | None = None
    within: int | None = None
    """Of a text that was too deep: the number of its list of calls."""


class Entry(msgspec.Struct, rename="camel", gc=False):
    """A transaction's frames in the answer for a block."""

    result: Frame | None = None
    tx_hash: str | None = None
    error: str | None = None


_FRAME = msgspec.json.Decoder(Frame)
_ENTRIES = msgspec.json.Decoder(list[Entry])


def entries(raw: bytes) -> list[Entry]:
    """The answer to ``debug_traceBlockByNumber`` or ``debug_traceBlockByHash``.

    Raises:
        MalformedFrame: it is none.
    """
    try:
        return decode(_ENTRIES, raw)
    except MalformedFrame as error:
        if error.reason != "too_deep":
            raise
    flat = flatten(raw)
    found = decode(_ENTRIES, bytes(flat.pieces[0]))
    lists = dict(enumerate(flat.lists))
    waiting = [one.result for one in found if one.result is not None]
    while waiting:
        frame = waiting.pop()
        if frame.within is not None:
            pieces = lists.pop(frame.within, ())
            frame.calls = [decode(_FRAME, bytes(flat.pieces[one])) for one in pieces]
            waiting += frame.calls
    return found


class Told(msgspec.Struct, gc=False, frozen=True):
    """What a frame does not say of its transaction."""

    hash: str
    place: int
    block: int
    block_hash: str


_Begins = tuple[Frame, int, int]
"""A frame, the place of the call that made it, and which of that call's it is."""


class Unfolder:
    """Frames to calls and logs, one transaction of a block after another.

    A frame says before which of its calls it logged what, so logs get their numbers in the block by
    being counted in the order in which they were made.
    """

    def __init__(self) -> None:
        self._framer = Framer()
        self._logged = 0

    def unfold(self, outer: Frame, told: Told) -> tuple[Calls, tuple[Log, ...]]:
        """The calls of a transaction in the order in which they began, and its logs in theirs;
        without recursion.

        Raises:
            MalformedFrame: an address, amount or hash cannot be one, a kind of frame is unknown, or
                there are too many.
        """
        made: list[Call] = []
        logs: list[Log] = []
        stack: list[_Begins | FrameLog] = [(outer, -1, 0)]
        while stack:
            item = stack.pop()
            if isinstance(item, FrameLog):
                logs.append(_log(item, told, self._logged))
                self._logged += 1
                continue
            frame, up, number = item
            place = len(made)
            made.append(self._call(frame, made[up] if up >= 0 else None, up, number))
            stack += reversed(_within(frame, place, made[place].failed))
        return Calls(made), tuple(logs)

    def _call(self, frame: Frame, above: Call | None, up: int, number: int) -> Call:
        how = HOW.get(frame.type.lower())
        if how is None:
            raise MalformedFrame("wrong_shape", f"a frame of kind {frame.type[:20]!r}")
        return self._framer.call(
            how,
            frame.from_,
            frame.to,
            None if how is How.CREATE else frame.input,
            frame.output,
            frame.value,
            frame.error is not None,
            number,
            up,
            above,
            self._logged,
        )


def _within(frame: Frame, place: int, failed: bool) -> list[_Begins | FrameLog]:
    """The frames and the logs that a frame made, in their order; of a failed one no logs."""
    calls: list[_Begins] = [(one, place, number) for number, one in enumerate(frame.calls or ())]
    if failed or not frame.logs:
        return [*calls]
    before: dict[int, list[FrameLog]] = {}
    for log in frame.logs:
        at = 0 if log.position is None else quantity(log.position, 32)
        before.setdefault(min(at, len(calls)), []).append(log)
    held: list[_Begins | FrameLog] = []
    for number, call in enumerate(calls):
        held += before.get(number, ())
        held.append(call)
    return [*held, *before.get(len(calls), ())]


def _log(log: FrameLog, told: Told, index: int) -> Log:
    if len(log.topics) > MAX_TOPICS:
        raise MalformedFrame("too_many", f"{len(log.topics)} topics")
    return Log(
        told.block_hash,
        told.block,
        index,
        told.hash,
        told.place,
        address(log.address),
        tuple(hash32(topic) for topic in log.topics),
        data(log.data),
    )
