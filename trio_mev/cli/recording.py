"""A run that is recorded: ``record``, and ``run --record``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import trio
from rich import filesize
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..config import Config, with_pool_logs
from ..errors import ConfigError
from ..feeds.record import Recorder, open_recorder, secrets_of, tape_header
from ..model.settings import RecordSettings
from ..stream import RealtimeDataStream, StreamStats
from .live import as_lines, watch
from .logs import log_to
from .shows import Options, Screen, Show
from .summary import tape_words
from .view import View
from .words import complain

_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)")
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd]?)")
_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SPANS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@attrs.frozen
class Taping:
    """Where to record, and how."""

    path: Path
    settings: RecordSettings


def chosen(
    settings: RecordSettings, size: str | None, every: str | None, keep: int | None
) -> RecordSettings:
    """The configuration's settings, with what the command line says in their place.

    Raises:
        ConfigError: it cannot be read, or does not go together.
    """
    changes: dict[str, Any] = {}
    if size is not None:
        changes["rotate_size"] = _read("--rotate-size", size, _SIZE, _SIZES, int)
    if every is not None:
        changes["rotate_every"] = _read("--rotate-every", every, _SPAN, _SPANS, float)
    if keep is not None:
        changes["keep_files"] = keep
    try:
        return attrs.evolve(settings, **changes)
    except ValueError as error:
        raise ConfigError(f"recording: {error}") from None


def _read(
    option: str,
    text: str,
    form: re.Pattern[str],
    units: dict[str, int],
    kind: Callable[[str], float | int],
) -> float | int:
    found = form.fullmatch(text)
    if found is None:
        known = ", ".join(unit for unit in units if unit)
        raise ConfigError(f"{option} {text}: it is a number, or one with a unit of {known}")
    return kind(found[1]) * units[found[2]]


async def watch_and_record(
    loaded: Config, taping: Taping, options: Options, alone: bool = False
) -> int:
    """As ``watch``, with everything that passes on a tape; the exit code.

    Args:
        loaded: the configuration.
        taping: where to.
        options: what is shown.
        alone: whether only the recording is shown.
    """
    # What processors ask a node goes through its feed's socket, and so is on the tape.
    wanted = with_pool_logs(loaded.settings)
    header, secrets = tape_header(wanted), secrets_of(wanted)
    async with open_recorder(taping.path, header, taping.settings, secrets) as recorder:
        options = attrs.evolve(options, tape=recorder)
        feeds, processors = loaded.feeds(tap=recorder.tap), loaded.processors()
        show = _shown(options, recorder) if alone else None
        return await watch(feeds, processors, loaded.settings.stream, options, show=show)


async def record_alone(loaded: Config, taping: Taping, options: Options) -> int:
    """Record, and show only that; the exit code."""
    return await watch_and_record(loaded, taping, options, alone=True)


def _shown(options: Options, recorder: Recorder) -> Show:
    if as_lines(options):
        return Quiet(recorder)
    return RecordScreen(options, recorder)


class Quiet:
    """The log, and how much was written in the end, on standard error."""

    error: OSError | None = None

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        log_to()

    def prepare(self, stream: RealtimeDataStream) -> None:
        """Nothing is shown of what comes."""

    async def refresh(self, stream: RealtimeDataStream) -> None:
        """Nothing is drawn."""

    def hurry(self) -> None:
        """Nothing waits."""

    async def end(self, stats: StreamStats, seconds: float) -> None:
        """The last line."""
        complain(tape_words(self._recorder.stats()))


class RecordScreen(Screen):
    """The recording, in a terminal."""

    def __init__(self, options: Options, recorder: Recorder) -> None:
        super().__init__(options, RecordView(options, recorder))

    def prepare(self, stream: RealtimeDataStream) -> None:
        """Nothing is shown of what is found."""


class RecordView(View):
    """Feeds, and what is on the tape.

    Args:
        options: the title, and for how long it is.
        recorder: of the tape.
    """

    def __init__(self, options: Options, recorder: Recorder) -> None:
        super().__init__(options.title, options.footer)
        self._recorder = recorder
        self._seconds = options.seconds
        self._known = trio.current_time(), recorder.stats()
        self._speed = 0.0, 0.0
        """Records and bytes a second."""

    def draw(self, stats: StreamStats, now: float, start: float, height: int) -> RenderableType:
        """The screen as of now."""
        self.measure(stats, now)
        notes = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self.log]
        return Group(
            self.head(stats, now, start),
            Panel(self.feed_table(stats.feeds, now), title="feeds", title_align="left"),
            Panel(self._tape(now, now - start), title="tape", title_align="left"),
            *notes,
            *(Text(f" {line}", style="dim") for line in self.footer),
        )

    def _tape(self, now: float, passed: float) -> RenderableType:
        tape = self._recorder.stats()
        before, known = self._known
        if now - before >= 1.0:
            span = now - before
            records, size = tape.records - known.records, tape.written - known.written
            self._speed = records / span, size / span
            self._known = now, tape
        rows = Table.grid(padding=(0, 2))
        rows.add_row("to", Text(str(tape.path)))
        rows.add_row("records", f"{tape.records:,}   {self._speed[0]:,.0f}/s")
        amount = f"{filesize.decimal(tape.written)}   {filesize.decimal(round(self._speed[1]))}/s"
        rows.add_row("bytes", amount)
        if tape.files > 1:
            rows.add_row("tapes", f"{tape.files}, {tape.deleted} older ones deleted")
        lost = ", ".join(f"{count} {reason}" for reason, count in tape.lost.items())
        rows.add_row("lost", Text(lost or "none", style="red" if lost else "green"))
        if self._seconds is None:
            return rows
        done = min(passed, self._seconds)
        rows.add_row("time", Text(f"{done:.0f} of {self._seconds:.0f} s", style="cyan"))
        return Group(rows, ProgressBar(total=self._seconds, completed=done))
