"""Frames to the calls of a transaction, wherever the frames are from."""

from __future__ import annotations

from ..errors import MalformedFrame
from ..wire.numbers import address, quantity
from .calls import Call, How

MAX_TRACES = 200_000
"""Of a block; 150 million gas hold fewer."""
MAX_DEPTH = 1_100
"""The virtual machine allows 1,024."""
HOW = {
    "call": How.CALL,
    "delegatecall": How.DELEGATE,
    "callcode": How.DELEGATE,
    "staticcall": How.STATIC,
    "create": How.CREATE,
    "create2": How.CREATE,
    "suicide": How.ENDED,
    "selfdestruct": How.ENDED,
}
_STILL = frozenset({How.DELEGATE, How.STATIC})


class Framer:
    """Makes calls of what was read, for one block; each address is checked once."""

    __slots__ = ("_names", "count")

    def __init__(self) -> None:
        self._names: dict[str | None, str] = {None: ""}
        self.count = 0
        """Of calls so far."""

    def name(self, text: str | None) -> str:
        """An address in lower case; empty where there is none.

        Raises:
            MalformedFrame: it cannot be one.
        """
        known = self._names.get(text)
        if known is None:
            assert text is not None
            known = self._names[text] = address(text)
        return known

    def call(
        self,
        how: How,
        source: str | None,
        target: str | None,
        data: str | None,
        output: str | None,
        value: str | None,
        broke: bool,
        number: int,
        up: int,
        above: Call | None,
        logs_before: int = 0,
    ) -> Call:
        """One call.

        Args:
            how: by what it was begun.
            source: in whose name.
            target: what is called.
            data: of the call.
            output: its answer.
            value: the ether that is said of it.
            broke: whether it was reverted itself.
            number: which one it is of those that the call above it made.
            up: the place of the call above it.
            above: that call; None for the outermost.
            logs_before: the number of the next log.

        Raises:
            MalformedFrame: an address or an amount cannot be one, or there are too many calls.
        """
        depth = 0 if above is None else above.depth + 1
        self.count += 1
        if self.count > MAX_TRACES or depth > MAX_DEPTH:
            raise MalformedFrame("too_many", f"more than {MAX_TRACES} traces, or {MAX_DEPTH} deep")
        names = self._names
        return Call(
            how,
            names.get(source) or self.name(source),
            names.get(target) or self.name(target),
            data or "0x",
            output or "0x",
            0 if value == "0x0" or value is None or how in _STILL else quantity(value),
            broke or (above is not None and above.failed),
            broke,
            number,
            depth,
            up,
            logs_before,
        )
