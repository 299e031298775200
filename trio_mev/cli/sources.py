"""``sources``: connects once to each feed, and says what each answers and how fast."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import trio
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..feeds.connection import Connection
from ..feeds.ethereum import EthereumFeed
from ..flow.outstanding import Outstanding
from ..flow.status import FeedState
from ..model.event import DataEvent
from .signals import stop_on_signals

PATIENCE = 20.0
"""Seconds for connecting, subscribing and the first event together."""


@attrs.define(eq=False)
class Answer:
    """What one feed answered. Times are seconds from the start of the dial."""

    name: str
    endpoint: str
    state: FeedState = FeedState.CONNECTING
    detail: str = ""
    connected: float | None = None
    confirmed: float | None = None
    first_event: float | None = None
    what: str = ""


async def ask(feed: Connection) -> Answer:
    """Connect once, and wait for the confirmations and the first event."""
    answer = Answer(feed.status.name, str(feed.endpoint))
    start = trio.current_time()
    heard = trio.Event()

    def emit(events: Sequence[DataEvent]) -> None:
        if not heard.is_set():
            answer.first_event = trio.current_time() - start
            answer.what = events[0].event_type.value
            heard.set()

    with trio.move_on_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed.run, emit, Outstanding())
            ended = FeedState.WAITING, FeedState.REFUSED, FeedState.LOST
            answer.state = await feed.status.wait_for(FeedState.READY, *ended)
            if answer.state is FeedState.READY:
                answer.confirmed = trio.current_time() - start
                await heard.wait()
            nursery.cancel_scope.cancel()
    if feed.status.last_connected_at is not None:
        answer.connected = feed.status.last_connected_at - start
    answer.detail = feed.status.detail
    return answer


async def sources(feeds: Sequence[Connection | EthereumFeed], console: Console) -> int:
    """Ask every feed at once and print a table.

    Returns:
        1 where one did not become ready; 128 and the signal's number where one came.
    """
    answers: list[Answer] = []

    async def one(feed: Connection) -> None:
        answers.append(await ask(feed))

    async with stop_on_signals(None) as stop:
        async with trio.open_nursery() as nursery:
            for feed in feeds:
                several = feed.connections if isinstance(feed, EthereumFeed) else (feed,)
                for connection in several:
                    nursery.start_soon(one, connection)
    if stop.signal is not None:
        return stop.exit_code
    console.print(_table(answers))
    return 0 if all(a.state is FeedState.READY for a in answers) else 1


def _table(answers: Sequence[Answer]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("source", "endpoint", "state", "connect", "confirm", "first event", ""):
        table.add_column(column, overflow="fold")
    for answer in sorted(answers, key=lambda a: a.name):
        first = _ms(answer.first_event) + (f" {answer.what}" if answer.what else "")
        table.add_row(
            Text(answer.name),
            Text(answer.endpoint),
            answer.state.value,
            _ms(answer.connected),
            _ms(answer.confirmed),
            first,
            Text(answer.detail),
        )
    return table


def _ms(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds * 1000:.0f} ms"
