"""What ``inspect`` writes to standard output: lines for programs, tables for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import trio

from ..sinks.console import JsonLines
from ..sinks.output import Output
from ..wire.findings import finding_line
from .landed import ByBlock, print_landed
from .shows import Paper
from .tally import Tally, swap_findings
from .view import console
from .work import Seen

Told = tuple[Seen, list[dict[str, Any]]]
"""A block, with the lines of its findings."""


class Lines:
    """Findings as lines of JSON, for programs."""

    def __init__(self, swaps: bool) -> None:
        self._json = JsonLines(sys.stdout)
        self._swaps = swaps

    @property
    def error(self) -> OSError | None:
        """Why standard output took no more."""
        return self._json.error

    async def take(self, told: Sequence[Told]) -> None:
        """The blocks of a file, written as one: what is begun is written, even if the run ends."""
        lines: list[dict[str, Any]] = []
        for seen, found in told:
            lines += map(finding_line, swap_findings(seen.found)) if self._swaps else ()
            lines += found
        await self._json.write(lines)

    async def end(self, tally: Tally, seconds: float) -> None:
        """The last words."""
        await self._json.write_last([tally.summary(seconds)])


class Tables:
    """A table at the end, for people."""

    def __init__(self, swaps: bool) -> None:
        self._by_block = ByBlock(swaps)
        self._paper = Paper(sys.stdout.encoding)
        self._output = Output(sys.stdout, trio.CapacityLimiter(1))

    @property
    def error(self) -> OSError | None:
        """Why standard output took no more."""
        return self._output.error

    async def take(self, told: Sequence[Told]) -> None:
        """The blocks of a file."""
        for seen, _ in told:
            self._by_block.take(seen)

    async def end(self, tally: Tally, seconds: float) -> None:
        """The last words."""
        print_landed(console(os.environ, self._paper), self._by_block, tally, seconds)
        await self._output.write_within(self._paper.take())
