"""What the commands take, and what is read of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from ..config import Config, load
from ..errors import ConfigError
from .live import EVENT_KINDS
from .shows import Options

Seconds = Annotated[float | None, Parameter("--for", help="Stop after so many seconds.")]
Json = Annotated[bool, Parameter("--json", negative=(), help="Lines of JSON, even in a terminal.")]
Events = Annotated[
    str, Parameter("--events", help=f"Add events to the findings: {', '.join(EVENT_KINDS)}.")
]
StorePath = Annotated[
    Path | None,
    Parameter("--store", help="A folder to store all of it in, as Parquet, a file for each day."),
]
ConfigPath = Annotated[Path, Parameter("--config", help="A configuration file (TOML).")]
RotateSize = Annotated[
    str | None, Parameter(help="Begin the next tape after so many bytes, such as 256M.")
]
RotateEvery = Annotated[
    str | None, Parameter(help="Begin the next tape after so long, such as 1h; 30 is seconds.")
]
Keep = Annotated[int | None, Parameter(help="Tapes that are kept; the oldest are deleted.")]
ReportPath = Annotated[
    Path | None, Parameter("--report", help="Tell what happened on a page (HTML) at the end.")
]


def options_of(
    seconds: float | None, json: bool, events: str, title: str, footer: Sequence[str]
) -> Options:
    """What is shown.

    Raises:
        ConfigError: no time, or a kind of events that there is not.
    """
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"--for {seconds:g}: it must be over 0")
    kinds = [kind for kind in events.split(",") if kind]
    unknown = [kind for kind in kinds if kind not in EVENT_KINDS]
    if unknown:
        raise ConfigError(f"--events {','.join(unknown)}: known are {', '.join(EVENT_KINDS)}")
    chosen = frozenset(EVENT_KINDS[kind] for kind in kinds)
    return Options(seconds, json, chosen, title, footer)


def stored_in(loaded: Config, folder: Path | None) -> Config:
    """A configuration whose stream is stored in this folder, where one is named."""
    if folder is None:
        return loaded
    settings = loaded.settings
    return Config(attrs.evolve(settings, store=attrs.evolve(settings.store, folder=str(folder))))


def with_feeds(path: Path) -> Config:
    """A configuration with feeds.

    Raises:
        ConfigError: it is unusable, or has none.
    """
    loaded = load(path)
    if not loaded.settings.feeds:
        raise ConfigError(f"{path}: feeds: there is none; add a [[feeds]] table")
    return loaded
