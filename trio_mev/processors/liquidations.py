"""LiquidationDetector: positions of Aave V3 that can be liquidated, now or with a pending price."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial

import trio
from loguru import logger

from ..chain.calldata import Kind as Contract
from ..chain.contracts import aave
from ..chain.lending.keeper import LendingKeeper, user_of
from ..chain.lending.loading import Plan, load_market, load_positions, load_prices
from ..chain.lending.market import Market
from ..chain.lending.pages import Head
from ..chain.lending.updates import Updates
from ..chain.lending.watch import Hit, LiquidationWatch
from ..chain.pools.pool import Unusable
from ..errors import MalformedFrame, RpcFailed, RpcTimeout, StreamConnectionError
from ..flow.processor import DataProcessor
from ..model.event import DataEvent, DataType, EventPriority
from ..model.health import HealthIssue
from ..model.opportunity import Grounds, Kind, Liquidation, Opportunity, Status
from ..model.settings import LiquidationSettings
from .reading import PlanReader

MAIN_POOL = next(address for address, name in aave.POOLS.items() if "V3" in name)
USERS_AT_ONCE = 50
"""That are read by one plan."""
_WEATHER = (RpcFailed, RpcTimeout, StreamConnectionError, MalformedFrame)


class LiquidationDetector(DataProcessor):
    """Keeps the positions of a pool of Aave V3 as of the head, and says which can be liquidated
    in the next block: as it is, or with a pending report of a price in it.

    Emits, for every block, how near the positions are; and a finding for what can be liquidated,
    once for as long as it stays the same. What is read from the node meanwhile comes with the
    next event. Without a node to ask there is nothing.

    Args:
        settings: which pool and users.
        sources: whose events are followed, by the feed's name and its nodes'; None: all.

    Raises:
        ValueError: the settings name a kind of contract that there is not.
    """

    consumes = frozenset({DataType.BLOCK, DataType.REORG, DataType.TRANSACTION, DataType.MEMPOOL})
    emits = frozenset({DataType.LENDING, DataType.LIQUIDATION})

    def __init__(
        self, settings: LiquidationSettings, sources: frozenset[str] | None = None
    ) -> None:
        self.settings = settings
        pool = (settings.pool or MAIN_POOL).lower()
        users = dict.fromkeys(one.lower() for one in settings.users)
        kinds = {one.lower(): Contract(kind) for one, kind in settings.contracts.items()}
        self.keeper = LendingKeeper(pool, users, settings.most)
        self.watch = LiquidationWatch(
            self.keeper,
            Updates(kinds),
            settings.watch_within,
            settings.least_gain,
            settings.block_time,
        )
        self._sources = sources
        self._moved = trio.Event()
        self._fresh = False
        self._head_at = 0.0
        """When the newest block came. Whether it is time to check is told by this and not by a
        clock: a replay is not as late as a live run is, and has to ask the same."""
        self._checked_at = float("-inf")
        self._trouble: str | None = None

    def admits(self, event: DataEvent) -> bool:
        """Whether it is of the chain that is followed."""
        return self._sources is None or event.source in self._sources

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """What can be liquidated by what the event says, or by what was read before it."""
        if event.event_type is DataType.REORG:
            self.watch.undo(event.data)
            return ()
        if event.event_type is DataType.BLOCK:
            self.watch.advance(event.data)
            self._head_at = event.received_at
            self._moved.set()
            self._fresh = True
        update = None
        if event.event_type is DataType.TRANSACTION:
            update = self.watch.updates.take(event.data)
        elif event.event_type is DataType.MEMPOOL:
            update = self.watch.live(event.data)
        hits: list[Hit] = []
        if self._fresh:
            hits = self.watch.everything()
        elif update is not None:
            hits = self.watch.with_update(update)
        self._fresh = False
        return self._told(event, hits)

    def _told(self, event: DataEvent, hits: Sequence[Hit]) -> list[DataEvent]:
        market = self.keeper.market
        found = [
            event.finding(opportunity_of(hit, market), DataType.LIQUIDATION, EventPriority.HIGH)
            for hit in hits
            if market is not None
        ]
        if event.event_type is DataType.BLOCK:
            view = self.watch.view()
            found.insert(0, event.finding(view, DataType.LENDING, EventPriority.NORMAL))
        return found

    async def attend(self) -> None:
        """Read, after each block, what is not certain any more; hold some of it against the
        node."""
        if self.rpc is None:
            return
        reader = PlanReader(self.rpc, self.settings.batch)
        while True:
            await self._moved.wait()
            self._moved = trio.Event()
            try:
                await self._read(reader)
                await self._check(reader)
                self._trouble = None
            except _WEATHER as error:
                self._note_trouble(error)
            self._fresh = True

    def _note_trouble(self, error: Exception) -> None:
        """With the next block it is tried again."""
        if self._trouble is None:
            logger.warning("positions cannot be read, with the next block again: {}", error)
        self._trouble = f"{type(error).__name__}: {error}"[:200]

    async def _read(self, reader: PlanReader) -> None:
        """The pool where it is in doubt, the prices, and the users that are to be read; the pool
        again where a user has an efficiency mode that was not known."""
        for _ in range(2):
            await self._read_market(reader)
            market, head = self.keeper.market, self.keeper.head
            if self.keeper.why is not None or market is None or head is None:
                return
            prices = await reader.carry_out(partial(load_prices, market), head.hash)
            self.keeper.take_prices(prices, head.hash)
            await self._read_positions(reader, market)

    async def _read_market(self, reader: PlanReader) -> None:
        head, why = self.keeper.head, self.keeper.why
        if head is None or why is None:
            return
        read = await reader.carry_out(self._market_plan, head.hash)
        self.keeper.take_market(read, head.hash)
        if self.keeper.why not in {None, why}:
            logger.warning("pool {} cannot be used: {}", self.keeper.pool, self.keeper.why)

    def _market_plan(self) -> Plan[Market | Unusable]:
        named = self.watch.updates.aggregators
        return load_market(self.keeper.pool, self.keeper.categories, named)

    async def _read_positions(self, reader: PlanReader, market: Market) -> None:
        stale = self.keeper.stale
        for start in range(0, len(stale), USERS_AT_ONCE):
            head = self.keeper.head
            if head is not None:
                plan = partial(load_positions, market, stale[start : start + USERS_AT_ONCE])
                self.keeper.take_positions(await reader.carry_out(plan, head.hash), head.hash)

    async def _check(self, reader: PlanReader) -> None:
        """Hold the pool and those users that were not for longest against the node, if it is
        time for it.

        The node may have answered as of another block than it was asked about (see `PlanReader`),
        so what differs is asked for once more before the node is believed.
        """
        now = self._head_at
        market, head = self.keeper.market, self.keeper.head
        early = now - self._checked_at < self.settings.check_interval
        if early or self.keeper.why is not None or market is None or head is None:
            return
        self._checked_at = now
        await self._check_users(reader, market, head)
        if self.keeper.head is head:
            await self._check_market(reader, head)

    async def _check_users(self, reader: PlanReader, market: Market, head: Head) -> None:
        users = self.keeper.to_check(USERS_AT_ONCE)
        read = await reader.carry_out(partial(load_positions, market, users), head.hash)
        doubtful = self.keeper.differing(read, head.hash)
        if doubtful:
            plan = partial(load_positions, market, doubtful)
            read = [one for one in read if user_of(one) not in doubtful]
            read += await reader.carry_out(plan, head.hash)
        for user in self.keeper.check_positions(read, head.hash):
            logger.warning("{} was otherwise than the node says; it is repaired", user)

    async def _check_market(self, reader: PlanReader, head: Head) -> None:
        read = await reader.carry_out(self._market_plan, head.hash)
        if self.keeper.agrees(read, head.hash) is False:
            read = await reader.carry_out(self._market_plan, head.hash)
        if self.keeper.check_market(read, head.hash) is False:
            logger.warning("the pool was otherwise than the node says; it is repaired")

    def health(self, now: float) -> Iterator[HealthIssue]:
        """Positions that cannot be read."""
        why = self._trouble or (self.keeper.why if self.keeper.head is not None else None)
        if why is not None:
            detail = f"{self.keeper.waiting} positions are to be read; {why}"
            yield HealthIssue("positions_unread", "LiquidationDetector", detail)


def identify(user: str, debt: str, collateral: str, cause: str) -> str:
    """The id of a liquidation: the same for the same, whoever looks and however often."""
    said = f"liquidation|aave_v3|{user}|{debt}|{collateral}|{cause}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def opportunity_of(hit: Hit, market: Market) -> Opportunity:
    """A finding as others read it."""
    found, pair, amounts = hit.found, hit.found.pair, hit.found.amounts
    debt, collateral = pair.debt.asset, pair.collateral.asset
    update = hit.update
    return Opportunity(
        Kind.LIQUIDATION,
        identify(found.user, debt, collateral, hit.cause),
        "LiquidationDetector",
        Status.PREDICTED,
        Grounds.ARITHMETIC,
        Liquidation(
            "aave_v3",
            found.user,
            debt,
            amounts.debt,
            collateral,
            amounts.collateral,
            found.account.health,
        ),
        cause=hit.cause,
        block=hit.head.number,
        expires_block=None if update is None else hit.head.number + 1,
        pools=(market.pool,),
        gross=found.gross,
        usd=Decimal(found.gain) / market.base_unit if market.in_dollars else None,
        extra={
            "version": market.rules.version,
            "time": hit.time,
            "bonus": amounts.bonus,
            "protocol_fee": amounts.fee,
            "written_off": dict(amounts.written_off),
            "account_collateral": found.account.collateral,
            "account_debt": found.account.debt,
            "collateral_price": hit.prices[0],
            "debt_price": hit.prices[1],
            "aggregator": None if update is None else update.aggregator,
            "other_pairs": found.others,
        },
    )
