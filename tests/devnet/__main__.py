"""``scripts/devnet``: a node with the main network's contracts, and a scenario on it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import trio

from tests.devnet.deploy import BLOCK_TIME, devnet
from tests.devnet.node import Node, NoNode, Options
from tests.devnet.recording import FRAMES, TRUTH, Pacer, open_recorder
from tests.devnet.rpc import open_rpc
from tests.devnet.scenario import open_scenario, write_truth
from trio_mev.cli.signals import stop_on_signals


def say(text: str) -> None:
    """A line for whoever started it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser("scripts/devnet", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=1, help="of the scenario (1)")
    parser.add_argument("--blocks", type=int, default=40, help="how many it has; 0 is none (40)")
    parser.add_argument("--port", type=int, default=8545, help="where the node listens (8545)")
    parser.add_argument(
        "--record",
        type=Path,
        metavar="DIR",
        help="play as fast as it goes, save the frames and the truth in DIR, and end",
    )
    asked = parser.parse_args(words)
    if asked.blocks < 0:
        parser.error("--blocks is a number of blocks")
    if asked.record and (asked.record / FRAMES).exists():
        parser.error(f"{asked.record} has a recording already")
    return asked


async def record(node: Node, seed: int, blocks: int, folder: Path) -> None:
    """Play a scenario, and save what the node's socket said and what is true."""
    async with open_rpc(node.ws_url) as rpc, open_recorder(node.ws_url, folder) as recorder:
        scenario = await open_scenario(rpc, seed, recorder)
        await scenario.play(blocks)
        truth = await scenario.truth()
        write_truth(truth, folder / TRUTH)
    counts = f"{recorder.frames} frames, {len(truth['blocks'])} blocks"
    say(f"{folder}: {counts}, {len(truth['planted'])} records of what was planted")


async def show(node: Node, seed: int, blocks: int, start: int) -> None:
    """Play a scenario in its own time, and leave the node running."""
    say(f"WebSocket  {node.ws_url}\nHTTP       {node.http_url}")
    async with open_rpc(node.ws_url) as rpc:
        scenario = await open_scenario(rpc, seed, Pacer(start))
        await scenario.play(blocks)
    say("the scenario is over; the node runs on until Ctrl-C")
    await trio.sleep_forever()


async def run(asked: argparse.Namespace) -> None:
    """Start the node and do what was asked for."""
    if asked.record:
        async with devnet() as node:
            await record(node, asked.seed, asked.blocks, asked.record)
        return
    start = int(time.time()) + BLOCK_TIME
    async with devnet(Options(mining=False, port=asked.port), start=start) as node:
        await show(node, asked.seed, asked.blocks, start)


async def main(asked: argparse.Namespace) -> int:
    """The exit code: 0, or that of the signal that ended it, with the node gone."""
    async with stop_on_signals(None) as stop:
        await run(asked)
    return stop.exit_code


def complain(group: BaseExceptionGroup[NoNode]) -> None:
    """Say why there is no node."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            complain(error)
        else:
            sys.stderr.write(f"scripts/devnet: {error}\n")


if __name__ == "__main__":
    status = 2
    try:
        status = trio.run(main, arguments())
    except* NoNode as missing:
        complain(missing)
    sys.exit(status)
