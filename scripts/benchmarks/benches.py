"""The benches: which measurements are taken, in which order, and which rows they become.

Each measurement is a process of its own. A round takes every pipeline's turn before the next
round begins, so that what the machine does meanwhile meets all of them; medians are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import attrs

from trio_mev.loopback.demo import TAPE

from . import budgets, landed, peers, replays
from .budgets import Row, row
from .frames import QUOTE, SIZES, TRANSACTION
from .tally import WINDOW

LIMIT = 300.0
"""Seconds that one measurement may take."""


@attrs.frozen
class Size:
    """How much is measured."""

    rounds: int = 5
    windows: int = 80
    """Of a flood and of the engine, after a fifth as many for the warm-up."""
    seconds: float = 1.0
    """Of each pace, the first quarter being its warm-up."""
    events: int = 300
    """Single events of a lane."""
    text_events: int = 12
    """As many for the text's own waits, of up to 200 ms each."""
    idle: float = 4.0
    """Seconds."""
    reads: int = 800
    """Of fifty quotes each, the first fifth being the warm-up."""
    pool_quotes: int = 50_000
    pools: int = 5000
    touched: int = 50
    """Of the pools, by one block."""
    watched: int = 1000
    """Pools that are watched while pending transactions are looked at."""
    pending: int = 300
    """Of these, after a fifth as many for the warm-up."""
    taped: int = 14
    """Pairs of windows of a live run, one of them with a tape."""
    taped_frames: int = 2500
    """In one window."""
    passes: int = 7
    """Over the recorded blocks."""
    repeats: int = 3
    """Of the recorded blocks, for workers to share in a turn."""
    turns: int = 50
    """Of one worker and of two."""
    kept: int = 20_000
    """Quotes that are stored at once."""
    writes: int = 6
    """Of as many."""
    minutes: int = 60
    """Of the scenario that is recorded to be replayed; without any the tape that ships is."""


QUICK = Size(
    rounds=1,
    windows=4,
    seconds=0.05,
    events=5,
    text_events=1,
    idle=0.2,
    reads=48,
    pool_quotes=200,
    pools=100,
    touched=3,
    watched=20,
    pending=10,
    taped=2,
    taped_frames=100,
    passes=1,
    repeats=1,
    turns=1,
    kept=200,
    writes=2,
    minutes=0,
)
BATCH = 512
"""Events that the engine is given at once."""
ELSEWHERE = "mev-inspect-py, measured elsewhere"
RATES = 1000, 5000, 10_000, 20_000
GATED = frozenset({5000, 10_000, 20_000})
RECORD_RATE = 5000
CONNECTIONS = 20
CALLS = "V2 swap", "V3 exactInput", "V3 single", "Universal Router"
DECODED = {
    **{what: {"ours": "intents", "values": "values alone"} for what in CALLS},
    **{what: {"ours": "event"} for what in ("V2 Swap log", "V3 Swap log")},
}
"""What is read by whom into what."""
BOOK_TICKER, OWN = "bookTicker", "exchanges' own formats"
FIGURES = {
    "p50": "p50 from due to handler",
    "p99": "p99 from due to handler",
    "cost": "CPU per event",
}


def measure(task: str, python: str = sys.executable, **orders: Any) -> dict[str, Any]:
    """One measurement."""
    scripts = Path(__file__).parent.parent
    paths = str(scripts), str(scripts.parent), os.environ.get("PYTHONPATH", "")
    done = subprocess.run(  # noqa: S603 - our own program
        [python, "-m", "benchmarks.child", task, json.dumps(orders)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)},
        stdout=subprocess.PIPE,
        timeout=LIMIT,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def same_work(results: Mapping[str, list[dict[str, Any]]]) -> None:
    """Refuse figures of pipelines that did not find the same."""
    found = {who: {tuple(one["found"]) for one in each} for who, each in results.items()}
    if len(set().union(*found.values())) != 1:
        raise RuntimeError(f"the pipelines did not do the same work: {found}")


def costs(task: str, size: Size, names: Iterable[str], **orders: Any) -> dict[str, float]:
    """The median cost of each pipeline, in interleaved rounds."""
    results: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(size.rounds):
        for who in names:
            results[who].append(measure(task, who=who, **orders))
    same_work(results)
    return {who: median(one["cost"] for one in each) for who, each in results.items()}


def flood(size: Size) -> list[Row]:
    rows = []
    warm, count = WINDOW * max(1, size.windows // 5), WINDOW * size.windows
    for kind in (QUOTE, TRANSACTION):
        names = "ours", *budgets.PEERS
        cost = costs("flood", size, names, kind=kind, warm=warm, count=count)
        name = f"CPU per event, {SIZES[kind]} B {kind}s"
        for who, peer in budgets.PEERS.items():
            bounds = budgets.FLOOD[who]
            rows.append(row("flood", name, "us", cost["ours"], cost[who], peer, bounds))
    return rows


def engine(size: Size) -> list[Row]:
    warm, count = BATCH * max(1, size.windows // 10), BATCH * max(1, size.windows // 2)
    names = "ours", "text"
    cost = costs("engine", size, names, batch=BATCH, warm=warm, count=count)
    name, text = "CPU per event, engine alone", cost["text"]
    return [row("engine", name, "us", cost["ours"], text, budgets.TEXT, budgets.ENGINE)]


def paced(size: Size) -> list[Row]:
    results: dict[str, list[list[dict[str, float]]]] = defaultdict(list)
    phases = [[rate, int(rate * size.seconds)] for rate in RATES]
    for _ in range(size.rounds):
        for who in ("ours", "websockets"):
            one = measure("paced", who=who, kind=TRANSACTION, phases=phases)
            results[who].append(one["phases"])

    def middle(who: str, at: int, figure: str) -> float:
        return median(one[at][figure] for one in results[who])

    rows = []
    for figure, title in FIGURES.items():
        for at, rate in enumerate(RATES):
            name = f"{title}, {rate // 1000}k/s"
            ours, peer = middle("ours", at, figure), middle("websockets", at, figure)
            bounds = budgets.PACED if figure == "p50" and rate in GATED else None
            rows.append(row("paced", name, "us", ours, peer, budgets.WEBSOCKETS, bounds))
    return rows


def lanes(size: Size) -> list[Row]:
    results: dict[str, list[float]] = defaultdict(list)
    for _ in range(size.rounds):
        for priority in ("NORMAL", "LOW"):
            one = measure("lower", who="ours", priority=priority, count=size.events)
            results[priority].append(one["p50"])
        for flooded in (False, True):
            one = measure("high", flooded=flooded, count=size.events)
            results[f"high {flooded}"].append(one["p50"])
    rows = []
    for priority in ("NORMAL", "LOW"):
        name = f"p50 of {priority} behind empty lanes"
        ours = median(results[priority])
        text = measure("lower", who="text", priority=priority, count=size.text_events)["p50"]
        rows.append(row("lanes", name, "ms", ours, bounds=budgets.LOWER))
        rows.append(row("lanes", name, "ms", ours, text, "text's design, as written"))
    flooded, alone = median(results["high True"]), median(results["high False"])
    name = "p50 of HIGH, LOW flooded"
    rows.append(row("lanes", name, "us", flooded, alone, "HIGH alone", budgets.HIGH))
    return rows


def idle(size: Size) -> list[Row]:
    share = measure("idle", connections=CONNECTIONS, seconds=size.idle)["share"]
    name = f"CPU, {CONNECTIONS} quiet connections"
    return [row("idle", name, "%", share, bounds=budgets.IDLE)]


def decode(size: Size) -> list[Row]:
    """Intents are what the arguments' values mean, which a peer leaves to its user; values alone
    are the same work on both sides. Events do both at once."""
    rows = []
    for what, names in DECODED.items():
        cost = costs("decode", size, (*names, "eth-abi"), what=what, count=size.windows * 100)
        for who, name in names.items():
            title, bounds = f"CPU, {what}: {name}", budgets.DECODE if who == "ours" else None
            rows.append(
                row("decode", title, "us", cost[who], cost["eth-abi"], budgets.ETH_ABI, bounds)
            )
    return rows


def pools(size: Size) -> list[Row]:
    rows = []
    for kind in ("v2", "v3 in one range", "v3 over ticks", "weighted", "stable"):
        each = [
            measure("pool_quotes", kind=kind, count=size.pool_quotes) for _ in range(size.rounds)
        ]
        cost = median(one["cost"] for one in each)
        rows.append(row("pools", f"CPU per quote, {kind}", "us", cost))
    both = {
        who: measure("block", who=who, pools=size.pools, touched=size.touched)
        for who in ("ours", "bisection")
    }
    ours, theirs = both["ours"], both["bisection"]
    if ours["found"] != theirs["found"]:
        raise RuntimeError(f"not the same cycles: {both}")
    name = f"block with {size.touched} of {size.pools} pools"
    rows.append(row("pools", f"{name}, update", "ms", ours["update"]))
    name = f"{name}, its {ours['found'][1]} cycles sized"
    peer = "plain bisection of each"
    rows.append(row("pools", name, "ms", ours["sizing"], theirs["sizing"], peer, budgets.POOLS))
    return rows


def predict(size: Size) -> list[Row]:
    orders = {"pools": size.watched, "count": size.pending}
    each = [measure("predict", **orders) for _ in range(size.rounds)]
    if len({one["found"] for one in each}) != 1:
        raise RuntimeError(f"not the same findings: {each}")
    name = f"from a frame to its findings, {size.watched} pools"
    figures = {
        f"p50 {name}": median(one["p50"] for one in each),
        f"p99 {name}": median(one["p99"] for one in each),
        "CPU per pending transaction": median(one["cost"] for one in each),
    }
    bounds = [budgets.PREDICT, None, None]
    return [
        row("predict", title, "us", figure, bounds=bound)
        for (title, figure), bound in zip(figures.items(), bounds, strict=True)
    ]


def record(size: Size) -> list[Row]:
    """What a tape costs a live run, as a share of one processor and of the run's own work."""
    rows = []
    for kind in (QUOTE, TRANSACTION):
        orders = {"kind": kind, "size": size.taped_frames, "many": size.taped}
        each = [measure("taped", **orders) for _ in range(size.rounds)]
        more, without = (median(one[which] for one in each) for which in ("more", "without"))
        what = f"{SIZES[kind]} B {kind}s"
        title = f"share of a processor for the tape of {RECORD_RATE} {what} a second"
        rows.append(row("record", title, "%", more * RECORD_RATE / 1e4, bounds=budgets.RECORD))
        title, peer = f"CPU per frame with a tape, {what}", "the same without"
        rows.append(row("record", title, "us", without + more, without, peer))
    return rows


def inspect(size: Size) -> list[Row]:
    if not landed.recordings():
        sys.stderr.write("inspect: left out, the recorded blocks are not there\n")
        return []
    each = [measure("landed_traces", passes=size.passes) for _ in range(size.rounds)]
    name, peer = f"CPU per trace, bytes to findings, of {each[0]['traces']}", budgets.MEV_INSPECT
    ours = median(one["cost"] for one in each)
    rows = [row("inspect", name, "us", ours, peer, ELSEWHERE, budgets.INSPECT)]
    walls = measure("landed_blocks", rounds=size.turns, repeats=size.repeats)
    if len(walls["found"]) != 1:
        raise RuntimeError(f"the workers did not find the same: {walls['found']}")
    alone, both = walls["costs"]["1"], walls["costs"]["2"]
    name = "wall clock per block, two workers"
    return [*rows, row("inspect", name, "ms", both, alone, "one worker", budgets.WORKERS)]


def replay(size: Size) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "hour.tape" if size.minutes else TAPE
        if size.minutes and not replays.make(size.minutes, tape):
            sys.stderr.write("replay: left out, there is no node to record the scenario on\n")
            return []
        rows = []
        made = measure("made", tape=str(tape))
        for predicts, what in ((False, "prices and blocks"), (True, "pools and predictions too")):
            orders = {"tape": str(tape), "predicts": predicts}
            one = measure("replay", **orders)  # long enough to be its own median
            # It has looked at each exchange's and the node's own count.
            rows += [] if rows else _counted(made, one["counts"])
            name = f"{what}, {one['minutes']} minutes, {one['events']} events"
            for unit, key, of in (("us", "cost", "CPU per event"), ("s", "hour", "hour of tape")):
                rows.append(row("replay", f"{of}, {name}", unit, one[key]))
        return rows


def _counted(made: dict[str, Any], found: dict[str, int]) -> Iterator[Row]:
    """What was made for the seed, beside what its replay brought."""
    for kind, times in sorted(made["counts"].items()):
        title = f"{kind}, of seed {made['seed']}"
        yield row("replay", title, "number", found.get(kind, 0), times, "as its makers count")


def prices(size: Size) -> list[Row]:
    orders = {"reads": size.reads, "warm": size.reads // 5}
    there = [name for name in peers.NAMES if peers.missing(name) is None]
    whole: dict[str, list[dict[str, Any]]] = defaultdict(list)
    parts: dict[str, list[dict[str, float]]] = defaultdict(list)
    for _ in range(size.rounds):
        for kind in (BOOK_TICKER, OWN):
            whole[kind].append(measure("quotes", who="ours", own=kind == OWN, **orders))
            parts[kind].append(measure("parts", own=kind == OWN, **orders))
        for name in there:
            whole[name].append(measure("quotes", peers.python(), who=name, own=False, **orders))
    same_work(whole)
    rows = []
    for kind in (BOOK_TICKER, OWN):
        title = f"CPU per quote, {kind}"
        ours = median(one["cost"] for one in whole[kind])
        compared = whole if kind == BOOK_TICKER else None
        rows.append(row("prices", title, "us", ours, bounds=budgets.PRICES if compared else None))
        rows += _beside(title, ours, compared)
        for part in parts[kind][0]:
            alone, ours = f"{title}: {part} alone", median(one[part] for one in parts[kind])
            rows.append(row("prices", alone, "us", ours))
            rows += _beside(alone, ours, compared if part == "decode" else None)
    return rows


def _beside(
    title: str, ours: float, results: Mapping[str, list[dict[str, Any]]] | None
) -> Iterator[Row]:
    """Rows beside the peers that are there, and beside none where one is not."""
    for name in () if results is None else peers.NAMES:
        if name in results:
            peer = median(one["cost"] for one in results[name])
            yield row("prices", title, "us", ours, peer, str(results[name][0]["name"]))
        else:
            why = f"{name}, left out: {peers.missing(name)}"
            yield row("prices", title, "us", ours, peer_name=why)


def store(size: Size) -> list[Row]:
    if find_spec("pyarrow") is None:
        sys.stderr.write("store: left out, pyarrow is not installed\n")
        return []
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number in range(size.rounds):
        for who in ("ours", "floor"):
            orders = {"count": size.kept, "writes": size.writes, "seed": number}
            found[who].append(measure("stored", who=who, **orders))
    same_work(found)
    ours, alone = (median(one["cost"] for one in found[who]) for who in ("ours", "floor"))
    late, bytes_ = (median(one[name] for one in found["ours"]) for name in ("late", "bytes"))
    return [
        row("store", "CPU per quote, event to disk", "us", ours, alone, "pyarrow, rows to disk"),
        row("store", "p99 of a turn's lateness meanwhile", "ms", late),
        row("store", "on the disk per quote", "B", bytes_),
    ]


BENCHES: dict[str, Callable[[Size], list[Row]]] = {
    bench.__name__: bench
    for bench in (
        flood,
        engine,
        paced,
        lanes,
        idle,
        prices,
        decode,
        pools,
        predict,
        record,
        inspect,
        store,
        replay,
    )
}
NOTES = {
    "inspect": (
        "inspect: mev-inspect-py's figure is a constant, measured elsewhere, without its loading "
        "of JSON; ours has the decoding of JSON in it. It is on no package index to be run here."
    ),
    "replay": (
        "replay: an hour of the demo's scenario is recorded on a real node first, which takes some "
        "minutes. The exchanges, which are simulated once more for it, and the scenario count what "
        "they make for the seed; a replay that brings another number, by feed, is refused."
    ),
    "prices": (
        "prices: ours checks numbers, order, time and quality, learns how far each exchange is to "
        "be believed, makes every instrument's price each 0.1 s, and looks for spreads. ccxt and "
        "cryptofeed decode the same messages into their own objects and do none of this; ccxt "
        "keeps them by symbol, cryptofeed hands them to a callback, without their sizes."
    ),
}
"""What a table does not tell."""
