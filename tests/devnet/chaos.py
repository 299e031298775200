"""Runs of the Ethereum feed through a relay that does its worst, held against the node's answer."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import attrs
import msgspec
import trio

from tests.devnet.answer import Answer, differences
from tests.devnet.ledger import Ledger, Watch
from tests.devnet.node import Node, Options, anvil
from tests.devnet.programme import EMITTER, TOPIC, Programme
from tests.devnet.relay import Relay, open_relay
from tests.devnet.rpc import Rpc, open_rpc
from tests.devnet.weather import Storm
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings, LogFilter
from trio_mev.stream import open_stream
from trio_mev.wire.tape import Direction

STEPS = 20
LIMIT = 60.0
"""Seconds that one run may take before it has failed."""
LARGEST = 64 * 1024
QUICK = ConnectionSettings(
    connect_timeout=1.0,
    confirm_timeout=0.4,
    ping_interval=0.1,
    pong_timeout=0.25,
    silence=1.2,
    close_timeout=0.05,
    max_message=LARGEST,
    subscribe_interval=0.0,
    first_delay=0.01,
    max_delay=0.04,
    restarts=10**6,
)
"""Everything that takes seconds takes as many tenths."""


def settings(url: str | None, name: str = "node", **changes: Any) -> EthereumSettings:
    """Of a feed that follows a devnet."""
    given: dict[str, Any] = {
        "name": name,
        "endpoint": None if url is None else Endpoint(url),
        "logs": (LogFilter((EMITTER,), (TOPIC,)),),
        "connection": QUICK,
        "chain_id": 1,
        "fetch_timeout": 0.15,
        "ask_pending_after": 0.02,
        **changes,
    }
    return EthereumSettings(**given)


class Received:
    """What the client's socket gave it: heads and pending transactions, read without our code.

    Args:
        ledger: gets the heads.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.transactions: set[str] = set()
        self._asked: dict[int, str] = {}
        self._subscriptions: set[str] = set()

    def tap(self, feed: str, direction: Direction, frame: bytes, *_: object) -> None:
        """One frame as it passes."""
        if direction is Direction.OPEN:
            self._asked.clear()
            self._subscriptions.clear()
        try:
            # A byte that is no text may be where the client does not look.
            said = msgspec.json.decode(frame.decode(errors="replace"))
        except (msgspec.DecodeError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        if direction is Direction.OUT:
            self._asked[said["id"]] = said["method"]
        elif "params" in said:
            self._notified(said["params"], sound=b"\xff" not in frame)
        elif "result" in said and "id" in said:
            self._replied(self._asked.pop(said["id"], ""), said["result"])

    def _notified(self, params: Any, sound: bool) -> None:
        """What belongs to no subscription that was confirmed says nothing."""
        result = params.get("result")
        if params.get("subscription") not in self._subscriptions or not isinstance(result, dict):
            return
        if "parentHash" in result:
            self._ledger.heads.add(result.get("hash", ""))
        elif "nonce" in result and sound:
            self.transactions.add(result.get("hash", ""))

    def _replied(self, method: str, result: Any) -> None:
        if method == "eth_subscribe":
            self._subscriptions.add(result)
        elif method == "eth_getBlockByNumber" and result is not None:
            self._ledger.heads.add(result.get("hash", ""))


@attrs.frozen
class Outcome:
    """What one run came to."""

    seed: int
    wrong: tuple[str, ...]
    """In what the stream was not the node; empty where it was."""
    seconds: float
    counts: Counter[str]
    """What there was of each."""
    faults: Counter[str]


async def run(seed: int, steps: int = STEPS, force: float = 1.0) -> Outcome:
    """One run; what is wrong is told and not raised."""
    begun = time.perf_counter()
    with trio.fail_after(LIMIT):
        async with anvil(Options(mining=False)) as node, open_rpc(node.ws_url) as rpc:
            async with open_relay(node.ws_url, Storm(seed, force), oversize=LARGEST) as relay:
                wrong, counts = await _through(relay, node, rpc, seed, steps)
    return Outcome(seed, wrong, time.perf_counter() - begun, counts, relay.counts())


async def _through(
    relay: Relay, node: Node, rpc: Rpc, seed: int, steps: int
) -> tuple[tuple[str, ...], Counter[str]]:
    programme, ledger = Programme(rpc, seed), Ledger()
    received = Received(ledger)
    await programme.prepare()
    feed = EthereumWebSocketClient(settings(relay.url), tap=received.tap, rng=random.Random(seed))
    async with open_stream([feed]) as stream:
        watch = Watch(stream, ledger)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch.run)
            for _ in range(steps):
                await programme.step()
                await _caught_up(watch, rpc, 0.05)
            relay.calm()
            agreed = await _settle(watch, feed, rpc, node, programme, received)
            answer = await _answer(node, ledger)
            nursery.cancel_scope.cancel()
    wrong = differences(ledger, answer, received.transactions)
    if not agreed:
        wrong.append("the stream did not come to the node's state in time")
    counts = Counter(programme.did) + Counter(
        {
            "blocks told": ledger.blocks,
            "blocks final": len(ledger.chain),
            "logs final": len(ledger.logs),
            "gaps": len(ledger.gaps),
            "blocks in gaps": sum(gap.last - gap.first + 1 for gap in ledger.gaps),
            "reorgs told": len(ledger.reorgs),
            "blocks retracted": sum(len(reorg.retracted) for reorg in ledger.reorgs),
            "transactions told": len(ledger.known),
            "transactions received": len(received.transactions),
            "pending final": len(ledger.pending),
            "pending unseen": len(answer.pool - ledger.known),
            "connections": feed.status.connections,
            "frames": relay.frames,
        }
    )
    for kind, what in (("refused", feed.status.refused), ("ignored", feed.status.ignored)):
        counts.update({f"{kind} {why}": number for why, number in what.items()})
    return tuple(wrong), counts


async def _caught_up(watch: Watch, rpc: Rpc, within: float) -> bool:
    """Whether the stream's newest block comes to be the node's."""
    latest = (await rpc.call("eth_getBlockByNumber", "latest", False))["hash"]
    return await watch.until(lambda: watch.ledger.tip == latest, within)


async def _answer(node: Node, ledger: Ledger) -> Answer:
    first = ledger.chain[0].number if ledger.chain else 0
    return await Answer.of(node.http_url, first, {"address": EMITTER, "topics": [TOPIC]})


async def _settle(
    watch: Watch,
    feed: EthereumWebSocketClient,
    rpc: Rpc,
    node: Node,
    programme: Programme,
    received: Received,
) -> bool:
    """Nothing goes wrong any more: mine until the stream is where the node is, then leave some
    transactions pending; whether it came to it."""
    for _ in range(100):
        await rpc.call("evm_mine")
        if await _caught_up(watch, rpc, 0.5) and await _agree_on_pending(
            watch, node, received.transactions
        ):
            break
    else:
        return False
    await feed.status.wait_for(FeedState.READY)
    sent = set(await programme.send(3))
    ready = sent & (await _answer(node, watch.ledger)).ready
    return await _agree_on_pending(watch, node, received.transactions | ready, 2.0)


async def _agree_on_pending(
    watch: Watch, node: Node, given: set[str], within: float = 0.05
) -> bool:
    """Of what the client never got, because the relay kept it, it cannot know."""
    pool = (await _answer(node, watch.ledger)).pool & given
    ledger = watch.ledger

    def settled() -> bool:
        keys = {(b.hash, log.log_index) for b in ledger.chain for log in b.logs or ()}
        return ledger.pending <= pool <= ledger.pending and keys <= ledger.logs.keys()

    return await watch.until(settled, within)
