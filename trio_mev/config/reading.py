"""TOML and the environment into settings, with every problem at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import cattrs

from ..errors import ConfigError
from ..feeds.websocket import obstacles
from ..model.settings import AnyFeed, FilterSettings, Settings, VenueSettings
from ..processors.filters import EventFilter
from ..wire.venues import ADAPTERS, quoting
from .explain import explain
from .making import Config
from .structure import make_converter
from .whole import contradictions

PREFIX = "TRIO_MEV_"
TABLES = frozenset(
    {
        *("stream", "prices", "transactions", "mempool", "pools", "arbitrage", "referee"),
        *("liquidations", "exposure", "store"),
    }
)
"""What the environment may override."""
RPC_VARIABLES = ("ETH_RPC_URL", "WEB3_WS_PROVIDER_URI")
"""Where an Ethereum feed without an endpoint looks for one, in this order."""

LONGEST_LINE = 500


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read a configuration file.

    Args:
        path: of a TOML file.
        environment: where secrets and overrides come from; the process's own by default.

    Raises:
        ConfigError: a line a problem, all of them.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8") from None
    try:
        return loads(text, environment)
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {problem}" for problem in error.problems)) from None


def loads(text: str, environment: Mapping[str, str] | None = None) -> Config:
    """Read a configuration from TOML text; as ``load``."""
    env = os.environ if environment is None else environment
    try:
        settings, problems = _read(text, env)
    except RecursionError:
        raise ConfigError("its values are nested too deeply") from None
    if settings is None or problems:
        raise ConfigError(*map(_line, problems))
    if problems := list(contradictions(settings)):
        raise ConfigError(*map(_line, problems))
    return Config(settings)


def _line(problem: str) -> str:
    """One line, of a length that can be read."""
    line = " ".join(problem.split())
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _toml(text: str) -> dict[str, Any]:
    """As ``tomllib.loads``.

    Raises:
        TOMLDecodeError: also where a whole number is longer than Python reads.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise tomllib.TOMLDecodeError("a number in it has too many digits") from None


def _read(text: str, env: Mapping[str, str]) -> tuple[Settings | None, list[str]]:
    try:
        values = _toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"it is not TOML: {error}") from None
    problems = _overrides(values, env)
    converter = make_converter(env)
    settings: Settings | None = None
    try:
        settings = converter.structure(values, Settings)
    except cattrs.BaseValidationError as error:
        problems += explain(error)
    problems += _check_feeds(values, converter)
    problems += _check_filters(values, converter)
    return settings, problems


def _overrides(values: dict[str, Any], env: Mapping[str, str]) -> list[str]:
    """Apply ``TRIO_MEV_STREAM__BUDGET=0.2``, and give Ethereum feeds their endpoint."""
    problems: list[str] = []
    for name in sorted(env):
        keys = name.removeprefix(PREFIX).lower().split("__")
        # Other variables of that prefix are for something else, or secrets that are named so.
        if name.startswith(PREFIX) and len(keys) > 1 and keys[0] in TABLES:
            problems += _override(values, name, keys, env[name])
    fallback = next((f"env:{name}" for name in RPC_VARIABLES if env.get(name)), None)
    feeds = values.get("feeds")
    for feed in feeds if isinstance(feeds, list) and fallback else ():
        if isinstance(feed, dict) and feed.get("kind") == "ethereum" and "nodes" not in feed:
            feed.setdefault("endpoint", fallback)
    return problems


def _override(values: dict[str, Any], name: str, keys: list[str], text: str) -> Iterable[str]:
    table: Any = values
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return [f"{name}: {key} is not a table"]
    try:
        table[keys[-1]] = _toml(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[keys[-1]] = text
    return []


def _sound(entries: Any, kind: Any, converter: cattrs.Converter) -> Iterator[tuple[int, Any]]:
    """Those of a list that can be structured, with their places; of the others it is said."""
    for number, value in enumerate(entries if isinstance(entries, list) else ()):
        with suppress(cattrs.BaseValidationError, ValueError):
            yield number, converter.structure(value, kind)


def _check_feeds(values: Mapping[str, Any], converter: cattrs.Converter) -> Iterator[str]:
    """What only a feed as a whole can tell, even where other settings are wrong."""
    for number, feed in _sound(values.get("feeds"), AnyFeed, converter):
        yield from (f"feeds[{number}].{key}: {why}" for key, why in obstacles(feed))
        if isinstance(feed, VenueSettings):
            yield from _spelled(number, feed)
        elif feed.endpoint is None and not feed.nodes:
            names = " or ".join(RPC_VARIABLES)
            yield f"feeds[{number}].endpoint: missing; name one or set {names}"


def _check_filters(values: Mapping[str, Any], converter: cattrs.Converter) -> Iterator[str]:
    """Paths and operators of the filters, even where other settings are wrong."""
    stream = values.get("stream")
    filters = stream.get("filters") if isinstance(stream, dict) else None
    for number, settings in _sound(filters, FilterSettings, converter):
        try:
            EventFilter.of("stream.filters", [settings])
        except ConfigError as error:
            where = f"stream.filters[{number}]"
            yield from (p.replace("stream.filters[0]", where) for p in error.problems)


def _spelled(number: int, feed: Any) -> Iterable[str]:
    adapter = ADAPTERS[feed.kind]
    try:
        adapter(feed.name, feed.instruments, feed.channels, feed.symbols)
        quoting(adapter, feed.channels)
        if feed.endpoint is None:
            adapter.address(feed.channels)
    except ValueError as error:
        yield f"feeds[{number}]: {error}"
