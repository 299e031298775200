"""``inspect``: what landed, in files and in blocks of a node."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import attrs
import trio

from ..config import RPC_VARIABLES
from ..errors import ConfigError, DataStreamError, MalformedFrame, RpcFailed, RpcTimeout
from ..feeds.asking import check_url, open_rpc
from ..feeds.blocks import NodeBlocks
from ..flow.ordered import in_order
from ..flow.supervise import leaves
from ..inspect.answers import Offer
from ..sinks.parquet import Store
from .logs import log_to
from .progress import LEVEL, Bar
from .signals import Stop, stop_on_signals
from .sought import BlockRange, Source, each
from .tally import Tally
from .told import Lines, Tables
from .words import check_output, complain, plain
from .work import Result, Seen, Unusable, load_prices
from .workers import DIED, Perform, open_workers

FETCHES = 8
"""Blocks that are asked for at once, each by a few calls."""

AGAIN = "times a block was in more than one: its findings count again; the last one's are stored"

Item = Path | int


@attrs.frozen
class Wanted:
    """What the user asked for."""

    sources: Sequence[Source]
    url: str | None = None
    """Of the node that has the blocks."""
    swaps: bool = False
    json: bool = False
    out: Path | None = None
    workers: int = 1
    prices: Path | None = None
    """A file of what exchanges paid."""

    @property
    def of_node(self) -> bool:
        """Whether a node is to be asked."""
        return any(isinstance(source, BlockRange) for source in self.sources)


def node_url(given: str | None, environment: Mapping[str, str]) -> str:
    """The node's URL: as given, or that of the environment.

    Raises:
        ConfigError: there is none, or it cannot be called.
    """
    name, url = "--rpc", given
    for variable in RPC_VARIABLES:
        if not url:
            name, url = variable, environment.get(variable)
    if not url:
        raise ConfigError(f"blocks are asked of a node: add --rpc URL, or set {RPC_VARIABLES[0]}")
    try:
        return check_url(url)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None


def run_inspect(wanted: Wanted) -> int:
    """Inspect everything; the exit code.

    Raises:
        ConfigError: something that is wanted is not there, or cannot be.
        OutputFailed: standard output takes no more.
        OSError: what is to be stored cannot be.
    """
    code: int = trio.run(_Run(wanted).main)
    return code


class _Run:
    """One run."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._tally = Tally()
        as_lines = wanted.json or sys.stdout is None or not sys.stdout.isatty()
        self._show: Lines | Tables = (Lines if as_lines else Tables)(wanted.swaps)
        # Lines and a bar in one terminal would be drawn over each other.
        both = as_lines and sys.stdout is not None and sys.stdout.isatty()
        self._with_bar = sys.stderr is not None and sys.stderr.isatty() and not both
        self._say: Callable[[str], None] = complain
        self._node: NodeBlocks | None = None
        self._store: Store | None = None
        self._fetching = trio.CapacityLimiter(FETCHES)
        self._prices = None if wanted.prices is None else load_prices(wanted.prices)
        self._codes: set[int] = set()

    async def main(self) -> int:
        """Run it; the exit code."""
        log_to(default=LEVEL)
        begun, failure, code = time.perf_counter(), None, 0
        try:
            try:
                async with stop_on_signals(None) as stop:
                    await self._whole(stop)
                code = stop.exit_code
            except* (DataStreamError, OSError) as group:
                failure = next(leaves(group))
            if self._store is not None:
                await trio.to_thread.run_sync(self._store.flush)
        finally:
            if self._store is not None:
                self._store.close()
        if isinstance(failure, ConfigError | OSError):
            raise failure
        if failure is not None:
            self._tell("the node", str(failure), 1)
        if self._tally.again:
            self._tell("files", f"{self._tally.again} {AGAIN}")
        await self._show.end(self._tally, time.perf_counter() - begun)
        check_output(self._show.error)
        return code or min(self._codes, default=0)

    async def _whole(self, stop: Stop) -> None:
        if not self._wanted.of_node:
            await self._through(stop)
            return
        assert self._wanted.url is not None
        async with open_rpc(self._wanted.url) as rpc:
            self._node = NodeBlocks(rpc)
            await self._through(stop)

    async def _through(self, stop: Stop) -> None:
        """Everything that is wanted and not done yet."""
        head = chain_id = None
        if self._node is not None:
            head, chain_id = await self._node.head(), await self._node.chain_id()
        if self._wanted.out is not None:
            self._store = opened(self._wanted.out, chain_id)
        await trio.to_thread.run_sync(self._count, head, abandon_on_cancel=True)
        rest = self._tally.wanted - self._tally.before
        first = next((one for one in self._left(head) if isinstance(one, int)), None)
        if self._node is not None and first is not None:
            await self._node.find_offer(first)
            self._tell("the node", offered(self._node))
        bar = Bar("inspecting", rest, self._with_bar)

        async def deliver(item: Item, result: Result) -> None:
            await self._take(item, result)
            bar.advance(f"{sum(sums.count for sums in self._tally.kinds.values())} found")
            if self._show.error is not None:
                stop.scope.cancel()

        workers, path = self._wanted.workers, self._wanted.prices
        async with open_workers(workers, path, self._prices) as perform, bar.drawn():
            self._say = bar.say
            try:
                work = partial(self._work, perform)
                await in_order(self._left(head), work, deliver, FETCHES + 2 * workers)
            finally:
                self._say = complain

    def _count(self, head: int | None) -> None:
        for item in each(self._wanted.sources, head):
            self._tally.wanted += 1
            self._tally.before += self._is_done(item)

    def _is_done(self, item: Item) -> bool:
        return self._store is not None and self._store.done.has(item)

    def _left(self, head: int | None) -> Iterator[Item]:
        return (item for item in each(self._wanted.sources, head) if not self._is_done(item))

    async def _work(self, perform: Perform, item: Item) -> Result:
        if isinstance(item, Path):
            return await perform(item)
        assert self._node is not None
        try:
            async with self._fetching:
                answers = await self._node.fetch(item)
        except (MalformedFrame, RpcFailed, RpcTimeout) as error:
            return Unusable(getattr(error, "reason", "not_answered"), str(error))
        return await perform(answers)

    async def _take(self, item: Item, result: Result) -> None:
        if isinstance(result, Unusable):
            self._tally.failed += 1
            self._tally.refused[result.reason] += 1
            where = str(item) if isinstance(item, Path) else f"block {item}"
            self._tell(where, str(result), 1 if result.reason == DIED else 2)
            return
        told = [(seen, self._tally.take(seen)) for seen in result]
        self._tally.done += 1
        # From here on it is done, and is said to be, whatever comes.
        store = self._store
        full = store is not None and self._keep(store, item, result)
        await self._show.take(told)
        if store is not None and full:
            await trio.to_thread.run_sync(store.flush)

    def _keep(self, store: Store, item: Item, result: list[Seen]) -> bool:
        """Whether there is enough to be written."""
        source = item.name if isinstance(item, Path) else self._source
        for seen in result:
            store.add(seen.found, seen.transactions, source, isinstance(item, int))
        return store.note(item)

    @property
    def _source(self) -> str:
        assert self._node is not None
        assert self._node.offer is not None
        return self._node.offer.value

    def _tell(self, where: str, why: str, code: int = 0) -> None:
        """One line about something, and what it means for the exit code."""
        self._say(plain(" ".join(f"trio_mev: {where}: {why}".split())))
        if code:
            self._codes.add(code)


def opened(folder: Path, chain_id: int | None) -> Store:
    """A folder to store in.

    Raises:
        ConfigError: it cannot be one.
    """
    try:
        return Store(folder, chain_id)
    except OSError as error:
        raise ConfigError(f"--out {folder}: {error.strerror or error}") from None


def offered(node: NodeBlocks) -> str:
    """What a node tells, and why it is nothing better."""
    assert node.offer is not None
    beside = " with receipts" if node.receipts else ""
    why = "".join(f"; no {offer.value}: {error}" for offer, error in node.refused.items())
    return f"{_OFFERS[node.offer]}{beside}, by {node.offer.value}{why}"


_OFFERS = {
    Offer.TRACE_BLOCK: "traces",
    Offer.CALL_TRACER: "frames with logs",
    Offer.RECEIPTS: "receipts with logs",
    Offer.LOGS: "logs alone",
}
