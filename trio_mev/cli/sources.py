"""``sources``: connects once to each feed, and says what each answers and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs
import trio
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import DataStreamError
from ..feeds.connection import Connection
from ..feeds.ethereum import EthereumFeed, EthereumWebSocketClient
from ..flow.outstanding import Outstanding
from ..flow.status import FeedState
from ..model.event import DataEvent
from ..wire.numbers import quantity
from .signals import stop_on_signals
from .words import plain

PATIENCE = 20.0
"""Seconds for connecting, subscribing, questions and the first event together."""
ANSWER_WITHIN = 5.0
"""Seconds for what a node is asked about itself."""
CLIENT, CHAIN, HEAD = "web3_clientVersion", "eth_chainId", "eth_blockNumber"
LONGEST = 60
"""Characters of what a node calls itself."""


@attrs.define(eq=False)
class Answer:
    """What one connection answered. Times are seconds from the start of the dial."""

    name: str
    endpoint: str
    state: FeedState = FeedState.CONNECTING
    detail: str = ""
    connected: float | None = None
    confirmed: float | None = None
    first_event: float | None = None
    what: str = ""
    subscriptions: Sequence[str] = ()
    said: dict[str, str] = attrs.Factory(dict)
    """By method: what a node says of itself, or why it does not."""
    took: float | None = None
    """Seconds for all of that."""


async def ask(feed: Connection, heard: trio.Event) -> Answer:
    """Connect once, and wait for the confirmations and the first event.

    Args:
        feed: one connection.
        heard: set at the first event; of several nodes of one feed only the fastest has one.
    """
    answer = Answer(feed.status.name, str(feed.endpoint))
    start = trio.current_time()

    def emit(events: Sequence[DataEvent]) -> None:
        if answer.first_event is None:
            answer.first_event = trio.current_time() - start
            answer.what = events[0].event_type.value
            heard.set()

    with trio.move_on_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed.run, emit, Outstanding())
            ended = FeedState.WAITING, FeedState.REFUSED, FeedState.LOST
            answer.state = await feed.status.wait_for(FeedState.READY, *ended)
            answer.subscriptions = tuple(feed.status.subscriptions)
            if answer.state is FeedState.READY:
                answer.confirmed = trio.current_time() - start
                if isinstance(feed, EthereumWebSocketClient):
                    await _question(feed, answer)
                await heard.wait()
            nursery.cancel_scope.cancel()
    if feed.status.last_connected_at is not None:
        answer.connected = feed.status.last_connected_at - start
    answer.detail = feed.status.detail
    return answer


async def _question(feed: EthereumWebSocketClient, answer: Answer) -> None:
    """Ask a node about itself, each thing by a message of its own: not all take several in one."""
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for method in (CHAIN, HEAD, CLIENT):
            nursery.start_soon(_one_question, feed, method, answer)
    answer.took = trio.current_time() - start


async def _one_question(feed: EthereumWebSocketClient, method: str, answer: Answer) -> None:
    assert feed.rpc is not None, "it is no tape"
    try:
        text: str = await feed.rpc.call(method, kind=str, within=ANSWER_WITHIN)
        answer.said[method] = text[:LONGEST] if method == CLIENT else str(quantity(text, 64))
    except DataStreamError as error:
        answer.said[method] = f"unknown: {error}"


async def sources(feeds: Sequence[Connection | EthereumFeed], console: Console) -> int:
    """Ask every feed at once and print what they answer.

    Returns:
        1 where one did not become ready; 128 and the signal's number where one came.
    """
    answers: list[Answer] = []

    async def one(connection: Connection, heard: trio.Event) -> None:
        answers.append(await ask(connection, heard))

    async with stop_on_signals(None) as stop:
        async with trio.open_nursery() as nursery:
            for feed in feeds:
                several = feed.connections if isinstance(feed, EthereumFeed) else (feed,)
                heard = trio.Event()
                for connection in several:
                    nursery.start_soon(partial(one, connection, heard))
    if stop.signal is not None:
        return stop.exit_code
    answers.sort(key=lambda answer: answer.name)
    console.print(_figures(answers))
    console.print()
    console.print(_words(answers))
    return 0 if all(a.state is FeedState.READY for a in answers) else 1


def _figures(answers: Sequence[Answer]) -> Table:
    """How fast."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("source", "endpoint", "state", "connect", "confirm", "first event"):
        table.add_column(column, overflow="fold")
    for answer in answers:
        first = _ms(answer.first_event) + (f" {answer.what}" if answer.what else "")
        table.add_row(
            Text(answer.name),
            Text(answer.endpoint),
            answer.state.value,
            _ms(answer.connected),
            _ms(answer.confirmed),
            first,
        )
    return table


def _words(answers: Sequence[Answer]) -> Table:
    """What."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for answer in answers:
        parts = [answer.detail] if answer.detail else []
        if answer.said:
            chain, head, client = (answer.said[method] for method in (CHAIN, HEAD, CLIENT))
            parts.append(f"chain {chain}, head {head}, client {client} in {_ms(answer.took)}")
        if answer.state is FeedState.READY:
            parts.append(f"subscribed to {', '.join(answer.subscriptions)}")
        table.add_row(Text(answer.name), Text(plain("; ".join(parts))))
    return table


def _ms(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds * 1000:.0f} ms"
