"""A bar for long work, in a terminal; where there is none, nothing but the lines above it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ..sinks.output import Output
from .logs import log_to
from .shows import REFRESH, Paper
from .view import console
from .words import complain

LEVEL = "WARNING"
"""Of the log beside a bar."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Items a second, lately."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="cyan")


class Bar:
    """Of how many items so many are done.

    Args:
        title: what is done.
        total: items.
        shown: whether there is a bar; the lines come either way.
    """

    def __init__(self, title: str, total: int, shown: bool) -> None:
        self._paper = Paper(getattr(sys.stderr, "encoding", None) or "utf-8")
        self._console = console(os.environ, self._paper)
        self._output = Output(sys.stderr, trio.CapacityLimiter(1))
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[more]}", style="green"),
            console=self._console,
            auto_refresh=False,
            transient=True,
            disable=not shown,
        )
        self._shown = shown
        self._task = self._progress.add_task(title, total=total, more="")

    def advance(self, more: str) -> None:
        """One more is done.

        Args:
            more: what has come of it all so far.
        """
        self._progress.update(self._task, advance=1, more=more)

    def say(self, line: str) -> None:
        """A line on standard error, above the bar."""
        if self._shown:
            self._console.print(line.rstrip(), markup=False, soft_wrap=True)
        else:
            complain(line)

    @asynccontextmanager
    async def drawn(self) -> AsyncIterator[None]:
        """Draw it four times a second while the block lasts, and take it away then."""
        if not self._shown:
            yield
            return
        log_to(self.say, LEVEL)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._draw)
            try:
                yield
            finally:
                nursery.cancel_scope.cancel()
                log_to(default=LEVEL)

    async def _draw(self) -> None:
        self._progress.start()
        try:
            while not self._output.closed:
                self._progress.refresh()
                await self._output.write(self._paper.take())
                await trio.sleep(REFRESH)
        finally:
            self._progress.stop()
            with trio.CancelScope(shield=True):
                await self._output.write_within(self._paper.take())
