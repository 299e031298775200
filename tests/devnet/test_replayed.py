"""A run with every processor on a real node, and its tape played again: the same findings.

Blocks come as fast as the node makes them, so that answers and blocks come together, and who takes
which first is a matter of chance.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from tests.devnet.addresses import AGGREGATORS
from tests.devnet.deploy import devnet
from tests.devnet.rpc import open_rpc
from tests.devnet.scenario import open_scenario
from tests.devnet.test_pool_tracker import CONFIG
from tests.devnet.test_score import LENDING
from tests.support.again import played_directly, played_over_sockets
from tests.support.books import assert_balanced
from tests.support.uncounted import first_counted
from trio_mev.config import Config, loads
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.clock import replay_clock
from trio_mev.flow.status import FeedState
from trio_mev.model.event import FINDINGS, DataEvent
from trio_mev.model.export import to_dict
from trio_mev.model.opportunity import Opportunity
from trio_mev.stream import RealtimeDataStream, StreamStats, open_stream
from trio_mev.wire.node import asks_for_others
from trio_mev.wire.order import parse_taken
from trio_mev.wire.tape import Direction

SEEDS = range(1, 1 + int(os.environ.get("REPLAY_SEEDS", "2")))
BLOCKS = 25
LAST_QUESTIONS = 6
"""What processors ask at once after one block, at the most."""
REFEREE = """
[referee]
enabled = true
"""


@attrs.frozen(eq=False)
class Played:
    """What came of one run."""

    stats: StreamStats
    found: list[str]
    """The findings as text, in no certain order, without arrival times."""


@attrs.define(eq=False)
class Found:
    """Keeps every finding."""

    events: list[DataEvent] = attrs.Factory(list)

    async def keep(self, subscription: Any) -> None:
        async for event in subscription:
            self.events.append(event)

    def prepare(self, stream: RealtimeDataStream) -> None:
        stream.add_sink(self.keep, *FINDINGS)

    def of(self, stream: RealtimeDataStream) -> Played:
        assert_balanced(stream)
        texts = []
        for event in self.events:
            fields = to_dict(event)
            del fields["received_at"], fields["size"]
            if isinstance(event.data, Opportunity) and event.data.outcome is not None:
                del fields["data"]["outcome"]["lead"]
            texts.append(str(fields))
        return Played(stream.get_stats(), sorted(texts))


def config_of(url: str) -> Config:
    feeds_set = "\n".join(f'"{one}" = "settable_feed"' for one in AGGREGATORS.values())
    return loads(CONFIG.format(url=url, check=60) + LENDING + feeds_set + REFEREE, {})


@asynccontextmanager
async def recorded(config: Config, path: Path, found: Found) -> AsyncIterator[RealtimeDataStream]:
    """A live stream with every processor, and a tape of it."""
    header = tape_header(config.settings.feeds)
    async with open_recorder(path, header) as recorder:
        feeds = config.feeds(tap=recorder.tap)

        def prepare(stream: RealtimeDataStream) -> None:
            found.prepare(stream)
            stream.record_losses(recorder.tap)

        async with open_stream(
            feeds, config.processors(), config.settings.stream, prepare
        ) as stream:
            for status in feeds[0].statuses:
                await status.wait_for(FeedState.READY)
            yield stream


async def live(seed: int, path: Path) -> Played:
    found = Found()
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        with trio.fail_after(240):
            async with recorded(config_of(node.ws_url), path, found) as stream:
                # It waits for nobody: blocks come while what the last ones asked is on its way.
                scenario = await open_scenario(rpc, seed)
                await scenario.play(BLOCKS)
            return found.of(stream)


async def again(path: Path) -> Played:
    found, config = Found(), config_of("ws://nobody.test")
    played = played_directly(path, config.processors(), config.settings.stream, found.prepare)
    return found.of(await played)


async def over_sockets(path: Path) -> Played:
    found, config = Found(), config_of("ws://nobody.test")
    played = played_over_sockets(path, config.processors(), config.settings.stream, found.prepare)
    return found.of(await played)


def frames_of(path: Path, direction: Direction) -> list[bytes]:
    return [record.frame for record in Tape(path).records() if record.direction is direction]


@pytest.mark.parametrize("seed", first_counted(SEEDS))
def test_a_live_run_is_found_again_on_its_tape(tmp_path: Path, seed: int):
    path = tmp_path / "run.tape"
    first = trio.run(live, seed, path)
    assert {"arbitrage", "sandwich"} <= first.stats.findings.keys()
    assert any(score.predicted for score in first.stats.scores)
    assert sum(map(asks_for_others, frames_of(path, Direction.OUT))) > 100
    assert any(len(parse_taken(body).taken) > 1 for body in frames_of(path, Direction.TAKEN))
    for way in (again, over_sockets):
        second = trio.run(way, path, clock=replay_clock(None))
        missing = sorted(set(first.found) - set(second.found))
        more = sorted(set(second.found) - set(first.found))
        assert (missing[:1], more[:1]) == ([], [])
        assert second.stats.digest == first.stats.digest
        # Live, the end came before the last block's questions; a tape's end waits for them.
        assert second.stats.feeds[0].refused.get("call_not_on_tape", 0) <= LAST_QUESTIONS
        assert "taken_unused" not in second.stats.feeds[0].ignored
