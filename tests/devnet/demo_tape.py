"""``scripts/demo-tape``: records the tape of the demo anew.

A scenario is played on a node with real contracts, and the package's own feed records what it
sees of it, questions and answers included, those of the demo's processors too, at the scenario's
times. Simulated exchanges follow the prices of the scenario's pools. How much was made for the seed
is counted where it is made, and lies beside the tape: whoever replays it can compare.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import trio

from tests.devnet.chain import Chain
from tests.devnet.deploy import BLOCK_TIME, devnet
from tests.devnet.exchanges.venue import CONNECTIONS
from tests.devnet.instep import InStep, open_in_step
from tests.devnet.made import Made, beside, totals, write_made
from tests.devnet.node import NoNode
from tests.devnet.pool_prices import PoolPrices, open_pool_prices
from tests.devnet.rpc import Hex, Json, open_rpc
from tests.devnet.scenario import open_scenario
from tests.devnet.scenario_programme import in_five_minutes
from tests.devnet.stage import SECOND
from tests.devnet.venues import HEADERS, Exchanges
from trio_mev.cli.demo import demo_config
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.flow.feed import Emit
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.status import FeedState
from trio_mev.flow.supervise import leaves
from trio_mev.loopback.demo import TAPE
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings, LogFilter
from trio_mev.stream import open_stream
from trio_mev.wire.tape import (
    Direction,
    FeedHeader,
    Header,
    Record,
    encode_header,
    encode_record,
    pack,
)

SEED = 2026
BLOCKS = 21
SECONDS = 300
NODE = "ethereum:demo"
NOTE = (
    "Uniswap's and Aave's contracts on a private development chain, and simulated exchanges that"
    " follow its pools' prices; none of it happened on the main network"
)
# Of version 1, which has no marks: so the demo shows that old tapes are read.
HEADER = Header(1, {NODE: FeedHeader("ethereum", follow=True), **HEADERS}, NOTE)
LINES = 500
"""Records that are compressed together, so that a cut tape keeps what is before the cut."""
_STEP = 100_000
"""Nanoseconds between frames of one moment."""


@attrs.define(eq=False)
class Recording:
    """What the feed sent and received, at the scenario's times; the scenario's witness."""

    between: InStep
    start: int
    """Nanoseconds since the epoch."""
    prices: PoolPrices
    records: list[Record] = attrs.Factory(list)
    over: bool = False
    transactions: dict[Hex, int] = attrs.Factory(dict)
    """Those that the scenario had, and how many nanoseconds after the start."""
    blocks: dict[Hex, tuple[int, int]] = attrs.Factory(dict)
    """Likewise, with how many logs each has."""
    _now: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._now = self.start

    def tap(self, feed: str, direction: Direction, frame: bytes, *_: object) -> None:
        """Keep a frame; each has a time of its own."""
        if not self.over:
            since = self._now - self.start
            self.records.append(Record(self._now, since, feed, direction, frame))
            self._now += _STEP

    def emit(self, events: Sequence[DataEvent]) -> None:
        """Follow the pools through what the feed makes of the frames."""
        for event in events:
            if event.event_type is DataType.BLOCK:
                assert event.data.complete, "the feed did not get a block's logs"
                self.prices.block(event.data, self._now)
            elif event.event_type is DataType.REORG:
                self.prices.reorg(event.data, self._now)

    async def go_to(self, now: int) -> None:
        """Frames from now on are of this time; it never goes back."""
        self._now = max(self._now, now)

    async def pending(self, transaction: Hex) -> None:
        """Let the feed have the transaction."""
        # One that comes again after a reorganisation is known already.
        self.transactions.setdefault(transaction, self._now - self.start)
        await self.between.pending(transaction)

    async def block(self, block_hash: Hex, logs: int) -> None:
        """Let the feed have the block."""
        self.blocks[block_hash] = self._now - self.start, logs
        await self.between.block(block_hash, logs)

    def made(self, truth: Json, seconds: int) -> dict[str, int]:
        """What the scenario had within so many seconds, without a look at any frame."""
        until = seconds * SECOND
        blocks = {name: logs for name, (at, logs) in self.blocks.items() if at < until}
        return {
            CONNECTIONS: self.between.connections,
            "transaction": sum(at < until for at in self.transactions.values()),
            "block": len(blocks),
            "log": sum(blocks.values()),
            "reorg": sum(reorg["added"][0] in blocks for reorg in truth["reorgs"]),
        }


class Recorded(EthereumWebSocketClient):
    """The feed that is recorded: heads, whole pending transactions, all logs.

    Args:
        url: of the node.
        recording: gets the frames, and the events before the stream does.
    """

    def __init__(self, url: str, recording: Recording) -> None:
        settings = EthereumSettings(
            name=NODE,
            endpoint=Endpoint(url),
            logs=(LogFilter(),),
            connection=ConnectionSettings(subscribe_interval=0.0),
        )
        super().__init__(settings, tap=recording.tap)
        self._recording = recording

    async def run(self, emit: Emit, outstanding: Outstanding) -> None:
        """As any feed."""

        def both(events: Sequence[DataEvent]) -> None:
            self._recording.emit(events)
            emit(events)

        await super().run(both, outstanding)


async def record(seed: int, blocks: int = BLOCKS) -> tuple[Recording, Json]:
    """Play the scenario before the feed; what was recorded, and the truth.

    Raises:
        NoNode: there is no node to play it on, in a group.
    """
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        head = await rpc.call("eth_getBlockByNumber", "latest", False)
        start = int(head["timestamp"], 16) * SECOND
        prices = await open_pool_prices(Chain(rpc), start)
        async with open_in_step(node.ws_url) as (url, between):
            recording = Recording(between, start, prices)
            feed = Recorded(url, recording)
            # Without prices of exchanges, which come onto the tape later.
            async with open_stream([feed], demo_config().processors()):
                await feed.status.wait_for(FeedState.READY)
                await between.settle()
                scenario = await open_scenario(rpc, seed, recording)
                await scenario.play(blocks, in_five_minutes())
                recording.over = True
                truth = await scenario.truth()
    assert not feed.status.refused, f"the feed refused {feed.status.refused}"
    return recording, truth


def merged(recording: Recording, truth: Json, seed: int, seconds: int) -> tuple[list[Record], Made]:
    """All that goes onto the tape, by time: the node's records and the exchanges'. And how much
    was made of it."""
    course = recording.prices.course
    exchanges = Exchanges(seed, seconds, course)
    both = heapq.merge(recording.records, exchanges.records(), key=lambda record: record.mono)
    records = [one for one in both if one.mono < seconds * SECOND]
    feeds = {NODE: recording.made(truth, seconds), **exchanges.made}
    return records, Made(seed, seconds, course, feeds)


async def records_of(seed: int, minutes: int) -> tuple[list[Record], Made]:
    """As ``merged``, of a scenario that is played for it."""
    seconds = minutes * 60
    # A reorganisation takes a slot, too; those of the programme are two.
    recording, truth = await record(seed, BLOCKS + (seconds - SECONDS) // BLOCK_TIME)
    return merged(recording, truth, seed, seconds)


def write(path: Path, records: Sequence[Record]) -> None:
    """Write the tape."""
    lines = [encode_record(each) for each in records]
    parts = [lines[first : first + LINES] for first in range(0, len(lines), LINES)]
    path.write_bytes(b"".join(pack(part, 19) for part in ([encode_header(HEADER)], *parts)))


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser("scripts/demo-tape", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=SEED, help=f"of all that happens ({SEED})")
    parser.add_argument("--minutes", type=int, default=SECONDS // 60, help="how long it is")
    parser.add_argument("--out", type=Path, default=TAPE, help="the tape, which is written over")
    asked = parser.parse_args()
    missing: list[BaseException] = []
    records: list[Record] = []
    made = Made(asked.seed, 0, [], {})
    try:
        records, made = trio.run(records_of, asked.seed, asked.minutes)
    except* NoNode as group:
        missing += leaves(group)
    if missing:
        sys.stderr.write("".join(f"scripts/demo-tape: {error}\n" for error in missing))
        return 2
    write(asked.out, records)
    write_made(made, asked.out)
    sys.stdout.write(f"{asked.out}: {len(records)} records, {asked.out.stat().st_size} bytes\n")
    counts = ", ".join(f"{kind} {number}" for kind, number in sorted(totals(made.feeds).items()))
    sys.stdout.write(f"{beside(asked.out)}: made for seed {made.seed}: {counts}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
