"""One measurement in a process of its own: ``python -m benchmarks.child TASK ORDERS``."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from .tally import AHEAD, WINDOW, Tally, sender

RECEIVERS = {
    "ours": ("ours", "receive"),
    "text": ("text_design", "receive"),
    "websockets": ("asyncio_peers", "with_websockets"),
    "picows": ("asyncio_peers", "with_picows"),
}
ENGINES = {
    "ours": ("ours", "engine"),
    "text": ("text_design", "engine"),
}


def load(module: str, name: str) -> Any:
    """Only the pipeline that is measured is imported."""
    return getattr(importlib.import_module(f".{module}", __package__), name)


def flood(who: str, kind: str, warm: int, count: int) -> dict[str, Any]:
    """Microseconds of processor time an event, from socket to handler."""
    receive = load(*RECEIVERS[who])
    tally = Tally([warm, warm + count], WINDOW)
    orders = {
        "mode": "flood",
        "kind": kind,
        "count": warm + count,
        "window": WINDOW,
        "ahead": AHEAD,
    }
    with sender(orders, tally) as port:
        found = receive(kind, port, tally)
    return {"cost": _cost(tally, count), "found": found}


def _cost(tally: Tally, count: int) -> float:
    start, end = tally.cpu
    return (end - start) / count * 1e6


def engine(who: str, batch: int, warm: int, count: int) -> dict[str, Any]:
    """Microseconds of processor time an event that is there already."""
    run = load(*ENGINES[who])
    tally = Tally([warm, warm + count], batch)
    found = run(batch, tally)
    return {"cost": _cost(tally, count), "found": found}


def paced(who: str, kind: str, phases: list[list[int]]) -> dict[str, Any]:
    """By phase: p50 and p99 from due time to handler, and processor time an event."""
    module, name = RECEIVERS[who]
    receive, stamp = load(module, name), load(module, "STAMPS")[kind]
    marks, settled = [], 0
    for _, count in phases:
        # A quarter of each phase is its warm-up.
        marks += [settled + count // 4, settled + count]
        settled += count
    tally = Tally(marks, 1, stamp)
    with sender({"mode": "paced", "kind": kind, "phases": phases}) as port:
        receive(kind, port, tally)
    results = []
    for at in range(0, len(marks), 2):
        start, end = marks[at : at + 2]
        delays = sorted(tally.delays[start:end])
        results.append(
            {
                "p50": delays[len(delays) // 2] / 1000,
                "p99": delays[len(delays) * 99 // 100] / 1000,
                "cost": (tally.cpu[at + 1] - tally.cpu[at]) / (end - start) * 1e6,
            }
        )
    return {"phases": results}


def idle(connections: int, seconds: float) -> dict[str, Any]:
    """Percent of one processor with so many quiet connections."""
    run = load("ours", "idle")
    with sender({"mode": "quiet", "kind": "transaction", "connections": connections}) as port:
        share = run(port, connections, seconds)
    return {"share": share * 100}


def lower(who: str, priority: str, count: int) -> dict[str, Any]:
    """Milliseconds to the handler of single events of a lane behind empty ones."""
    delays = sorted(load("lanes" if who == "ours" else "text_design", "lower")(priority, count))
    return {"p50": delays[len(delays) // 2]}


def high(flooded: bool, count: int) -> dict[str, Any]:
    """Microseconds to the handler of events of HIGH, alone or beside a flooded LOW."""
    delays = sorted(load("lanes", "high")(flooded, count))
    return {"p50": delays[len(delays) // 2]}


def decode(who: str, what: str, count: int) -> dict[str, Any]:
    """Microseconds of processor time a call or log."""
    found: dict[str, Any] = load("decode", "run")(who, what, count)
    return found


def pool_quotes(kind: str, count: int) -> dict[str, Any]:
    """Microseconds of processor time a quote of a pool."""
    result: dict[str, Any] = load("pools", "quotes")(kind, count)
    return result


def block(who: str, pools: int, touched: int) -> dict[str, Any]:
    """Milliseconds of processor time for a block that changes some of many pools."""
    result: dict[str, Any] = load("pools", "block")(who, pools, touched)
    return result


def quotes(who: str, own: bool, reads: int, warm: int) -> dict[str, Any]:
    """Microseconds of processor time a quote; of ours through everything."""
    if who == "ours":
        result: dict[str, Any] = load("prices", "whole")(reads, warm, own)
        return result
    return {**load("price_peers", who)(reads, warm), "name": f"{who} {version(who)}"}


def parts(own: bool, reads: int, warm: int) -> dict[str, Any]:
    """Microseconds of processor time a quote, of each of our parts alone."""
    result: dict[str, Any] = load("prices", "parts")(reads, warm, own)
    return result


def predict(pools: int, count: int) -> dict[str, Any]:
    """Microseconds from a pending transaction's frame to its findings."""
    result: dict[str, Any] = load("predict", "run")(pools, count)
    return result


def landed_traces(passes: int) -> dict[str, Any]:
    """Microseconds of processor time a trace of recorded blocks."""
    result: dict[str, Any] = load("landed", "traces")(passes)
    return result


def landed_blocks(rounds: int, repeats: int) -> dict[str, Any]:
    """Milliseconds a block by the clock, by several processes."""
    result: dict[str, Any] = load("landed", "blocks")(rounds, repeats)
    return result


def taped(kind: str, size: int, many: int) -> dict[str, Any]:
    """Processor time of a live run, with a tape and without."""
    result: dict[str, Any] = load("taped", "run")(kind, size, many)
    return result


def stored(who: str, count: int, writes: int, seed: int) -> dict[str, Any]:
    """Microseconds of processor time a quote that is stored."""
    result: dict[str, Any] = load("stored", who)(count, writes, seed)
    return result


def replay(tape: str, predicts: bool) -> dict[str, Any]:
    """Microseconds of processor time an event of a tape, and seconds an hour of it."""
    result: dict[str, Any] = load("replays", "replay")(tape, predicts)
    return result


def made(tape: str) -> dict[str, Any]:
    """What was made for a tape's seed, as those count who made it."""
    result: dict[str, Any] = load("replays", "count")(tape)
    return result


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    task.__name__: task
    for task in (
        *(flood, engine, paced, idle, lower, high),
        *(quotes, parts, decode, pool_quotes, block, predict, landed_traces, landed_blocks),
        *(taped, stored, replay, made),
    )
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))) + "\n")
