"""The report of a run: collected beside whatever is shown, written when the run is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import attrs

from ..errors import ConfigError
from ..model.settings import LaneSettings, PoolSettings
from ..processors.pool_prices import PoolPrices
from ..sinks.aside import probe, replace
from ..sinks.report.collect import COLLECTED, Collector
from ..sinks.report.model import About, Closing, TapePart
from ..sinks.report.page import libraries, render
from ..sinks.report.words import size
from ..stream import RealtimeDataStream, StreamStats
from ..version import __version__
from ..wire.tape import Header


class Played(Protocol):
    """A tape, or several that are one recording."""

    path: Path
    header: Header

    @property
    def size(self) -> int:
        """Bytes."""
        ...


LANES = LaneSettings()
"""The report's own: it makes nobody wait, whatever the stream's lanes do."""
SUFFIXES = frozenset({".html", ".htm"})


def check_report(path: Path | None) -> None:
    """Refuse what cannot be written, before anything runs.

    Raises:
        ConfigError: it is no name of a page, its folder is not there or takes none, or what draws
            it is not installed.
    """
    if path is None:
        return
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"--report {path}: its name must end in .html")
    if path.is_dir() or not path.parent.is_dir():
        what = "it is a folder" if path.is_dir() else "there is no such folder"
        raise ConfigError(f"--report {path}: {what}")
    try:
        probe(path)
    except OSError as error:
        raise ConfigError(f"--report {path}: {error.strerror or error}") from None
    libraries()


def about_tapes(tapes: Sequence[Played], given: Mapping[str, str]) -> About:
    """What a replay is.

    Args:
        tapes: that are played.
        given: the options, where they are not the defaults.
    """
    parts = tuple(
        TapePart(tape.path.name, tape.size, tape.header.note, tuple(sorted(tape.header.feeds)))
        for tape in tapes
    )
    names = ", ".join(part.name for part in parts)
    return About(f"Replay of {names}", __version__, parts, given)


@attrs.define(eq=False)
class Reporting:
    """One report.

    Args:
        path: where it shall be; one that is there already is replaced.
        about: what is run.
        pools: how they are read as sources of prices, if they are any.
    """

    path: Path
    about: About
    pools: PoolSettings | None = None
    _collector: Collector | None = None

    def prepare(self, stream: RealtimeDataStream, epoch: int) -> None:
        """Subscribe before the first event."""
        pools = self.pools
        told = None
        if pools is not None and pools.enabled and pools.prices:
            told = PoolPrices(pools).quotes
        quiet = stream.config.stale_after
        self._collector = Collector(self.about, epoch, quiet, pool_quotes=told)
        self._collector.watch(stream.manager.statuses)
        stream.add_sink(self._collector.run, *COLLECTED, lanes=LANES)

    def write(self, stats: StreamStats, seconds: float) -> str:
        """Write the page; what was written, in words.

        Raises:
            OSError: it cannot be written; what was there before is there still.
        """
        assert self._collector is not None
        closing = Closing(
            stats.events,
            stats.books,
            stats.consumers,
            stats.feeds,
            stats.scores,
            stats.digest,
            seconds,
        )
        page = render(self._collector.report(closing)).encode("utf-8", "replace")
        try:
            replace(self.path, lambda aside: aside.write_bytes(page))
        except OSError as error:  # which may not say of what it speaks
            why = error.strerror or str(error)
            raise OSError(error.errno, why, str(self.path)) from error
        return f"{self.path}: {size(len(page))}"
