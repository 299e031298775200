"""Writes frames to a tape as they pass, without holding up the stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from ..model.identity import LEAST_PASSWORD
from ..model.settings import AnyFeed, EthereumSettings, RecordSettings
from ..wire.sessions import feed_headers
from ..wire.tape import VERSION, FeedHeader, Header
from .recorder import Recorder, TapeStats
from .tapefiles import TapeFiles

__all__ = ["Recorder", "TapeStats", "open_recorder", "secrets_of", "tape_header"]


def tape_header(feeds: Iterable[AnyFeed], note: str = "") -> Header:
    """The header of a tape of these feeds."""
    headers: dict[str, FeedHeader] = {}
    for feed in feeds:
        headers |= feed_headers(feed)
    return Header(VERSION, headers, note)


def secrets_of(feeds: Iterable[AnyFeed]) -> dict[str, frozenset[bytes]]:
    """What a tape of these feeds must not show, by connection: keys in addresses, and tokens."""
    found: dict[str, frozenset[bytes]] = {}
    for feed in feeds:
        several: Sequence[AnyFeed] = (feed,)
        if isinstance(feed, EthereumSettings) and feed.nodes:
            several = [feed.of_node(node) for node in feed.nodes]
        for one in several:
            texts = frozenset() if one.endpoint is None else one.endpoint.secrets
            token = "" if one.token is None else one.token.value
            if len(token) >= LEAST_PASSWORD:
                texts |= {token}
            found[one.name] = frozenset(text.encode() for text in texts)
    return found


@asynccontextmanager
async def open_recorder(
    path: Path,
    header: Header,
    settings: RecordSettings | None = None,
    secrets: Mapping[str, Iterable[bytes]] | None = None,
) -> AsyncIterator[Recorder]:
    """A recorder that writes until the block is left, and then the rest within 5 s.

    Args:
        path: of the tape; where tapes follow each other, of their folder.
        header: of ``tape_header``.
        settings: when one tape follows the other, and what may wait.
        secrets: what must not be written, by connection, as ``secrets_of`` has it.

    Raises:
        ConfigError: the file exists already, or cannot be written.
    """
    settings = settings or RecordSettings()
    files = TapeFiles(path, header, settings)
    recorder = Recorder(files, header, settings, secrets or {})
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recorder.run)
        try:
            yield recorder
        except BaseException as error:  # noqa: BLE001 - it is raised when the tape is finished
            failure = error
        recorder.close()
    if failure is not None:
        raise failure
