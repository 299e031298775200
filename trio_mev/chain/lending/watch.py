"""Watches positions: which can be liquidated as of the head, which once a pending report of a
price is in a block, and which are near."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from ...model.chain import Block, Life, PendingLife, Reorg
from ...model.noun import Noun
from .account import account_of
from .findings import Found, assets_of, find
from .keeper import LendingKeeper
from .market import Market
from .maths import WAD
from .pages import Head
from .screen import Screen, terms_of_market
from .updates import Update, Updates
from .view import NEAREST, LendingView, Near

MOST_PER_CAUSE = 100
"""Findings of one cause at a time; those that bring most come first, the others are counted."""
MOST_EXACT = 500
"""Positions in one go that are computed exactly: a tenth of a millisecond each. Of what can be
liquidated those that owe most come first, of what is near those that are nearest."""
MOST_REPORTS = 16
"""Pending reports that are looked at anew with each block, the newest."""
MOST_TOLD = 10_000
"""Findings that are remembered, so as not to tell them again."""


class Hit(Noun, frozen=True):
    """A liquidation that can be done in the next block."""

    found: Found
    head: Head
    time: int
    """Of the next block, which it is computed for."""
    cause: str
    """Hash of the pending report or, without one, of the block since which it can be done."""
    update: Update | None
    prices: tuple[int, int]
    """Of collateral and debt."""


class LiquidationWatch:
    """What is found, told once for as long as it stays the same.

    Args:
        keeper: what is known.
        updates: the pending reports.
        within: fall of all collateral within which a position is near.
        least: gain from which a liquidation is told, in whole units of the base currency.
        block_time: seconds to the next block.
    """

    def __init__(
        self,
        keeper: LendingKeeper,
        updates: Updates,
        within: Decimal,
        least: Decimal,
        block_time: int,
    ) -> None:
        self.keeper = keeper
        self.updates = updates
        self.left_out: Counter[str] = Counter()
        """Findings that were not told, by the reason."""
        self._share = float(1 - within)
        self._least = least
        self._block_time = block_time
        self._screen: Screen | None = None
        self._market: Market | None = None
        self._since: dict[str, str] = {}
        """Block since which a user's debt can be liquidated."""
        self._told: dict[tuple[str, str], object] = {}

    # What happens

    def advance(self, block: Block) -> None:
        """Go on to a block."""
        self.keeper.advance(block)
        self.updates.include(block.transactions or ())

    def undo(self, reorg: Reorg) -> None:
        """Go back to a reorganisation's ancestor; what was found since is found anew."""
        gone = {block.hash for block in reorg.retracted}
        self._since = {user: at for user, at in self._since.items() if at not in gone}
        for block in reorg.retracted:
            for hash_ in block.transactions or ():
                self.updates.bring_back(hash_)
        self.keeper.undo(reorg)

    def live(self, life: PendingLife) -> Update | None:
        """Take in a step of a pending transaction's life; the report that is pending again."""
        if life.life is Life.INCLUDED:
            self.updates.include((life.hash,))
        elif life.life is Life.RETURNED:
            return self.updates.bring_back(life.hash)
        elif life.life is not Life.ANNOUNCED:
            self.updates.forget(life.hash)
        return None

    # What is found

    @property
    def _head(self) -> Head | None:
        return self.keeper.head if self.keeper.why is None else None

    def everything(self) -> list[Hit]:
        """What can be liquidated, now and with each pending report, and is not told yet."""
        hits = list(self._now())
        for update in list(self.updates.pending())[-MOST_REPORTS:]:
            hits += self.with_update(update)
        return hits

    def with_update(self, update: Update) -> list[Hit]:
        """What a pending report would make liquidatable, and is not told yet."""
        head, market, screen = self._head, self._current(), self._screen
        if head is None or market is None or screen is None:
            return []
        assets = market.assets_of(update.aggregator)
        changed = market.with_prices(dict.fromkeys(assets, update.answer))
        users = screen.of_assets(assets, changed) - self._since.keys()
        return self._untold(self._exact(changed, head, users, update))

    def _now(self) -> list[Hit]:
        head, market = self._head, self._current()
        if head is None or market is None:
            return []
        hits = self._exact(market, head, None, None)
        found = {hit.found.user: hit.cause for hit in hits}
        self._since = {
            user: at for user, at in self._since.items() if not self._certain(user, market)
        } | found
        return self._untold(hits)

    def _current(self) -> Market | None:
        """The market, and the screen brought up to it."""
        market = self.keeper.market
        if market is None or self.keeper.why is not None:
            return None
        if self._market is not market:
            self.updates.learn(market)
            self._market = market
        if self._screen is None or self._screen.terms != terms_of_market(market):
            self._screen = Screen(market)
            self.keeper.changed.update(self.keeper.positions)
        for user in self.keeper.changed:
            position = self.keeper.positions.get(user)
            if position is None:
                self._screen.drop(user)
            else:
                self._screen.put(position)
        self.keeper.changed.clear()
        return market

    def _certain(self, user: str, market: Market) -> bool:
        """Whether all that a user's account follows from is known as of the head."""
        if not self.keeper.usable(user):
            return False
        try:
            needed = assets_of(market, self.keeper.positions[user])
        except KeyError:
            return False
        return needed <= market.prices.keys() and not needed & self.keeper.doubtful

    def _exact(
        self,
        market: Market,
        head: Head,
        users: Iterable[str] | None,
        update: Update | None,
    ) -> list[Hit]:
        """The users that can be liquidated."""
        assert self._screen is not None
        time = head.time + self._block_time
        hits = []
        below = self._screen.below(market, time, users=users)
        for user in self._some(sorted(below, key=lambda one: (-one[1], one[2]))):
            if not self._certain(user, market):
                continue
            found = find(market, self.keeper.positions[user], time)
            if found is not None:
                pair = found.pair
                prices = market.prices[pair.collateral.asset], market.prices[pair.debt.asset]
                cause = self._since.get(user, head.hash) if update is None else update.hash
                hits.append(Hit(found, head, time, cause, update, prices))
        return hits

    def _some(self, ordered: list[tuple[float, float, str]]) -> Iterator[str]:
        """Users, up to the bound."""
        if len(ordered) > MOST_EXACT:
            self.left_out["too many at once"] += len(ordered) - MOST_EXACT
        return (user for _, _, user in ordered[:MOST_EXACT])

    def _untold(self, hits: list[Hit]) -> list[Hit]:
        """Those that bring enough and are new or otherwise than they were told, the best first."""
        assert self._market is not None
        least = self._least * self._market.base_unit
        fresh = []
        for hit in sorted(hits, key=lambda one: (-one.found.gain, one.found.user)):
            stamp = self._stamp(hit)
            key = hit.found.user, hit.cause
            if hit.found.gain >= least and self._told.get(key) != stamp:
                fresh.append((key, stamp, hit))
        if len(fresh) > MOST_PER_CAUSE:
            self.left_out["more than are told of one cause"] += len(fresh) - MOST_PER_CAUSE
        for key, stamp, _ in fresh[:MOST_PER_CAUSE]:
            self._told.pop(key, None)
            self._told[key] = stamp
        while len(self._told) > MOST_TOLD:
            del self._told[next(iter(self._told))]
        return [hit for _, _, hit in fresh[:MOST_PER_CAUSE]]

    def _stamp(self, hit: Hit) -> object:
        """What must be otherwise for a finding to be told again: interest alone is not enough,
        but a pending report is told anew as of each block."""
        pair = hit.found.pair
        version = self.keeper.versions[hit.found.user]
        at = None if hit.update is None else hit.head.hash
        return version, pair.debt.id, pair.collateral.id, hit.prices, at

    # How near it is

    def view(self) -> LendingView | None:
        """How things are as of the head; None before the first block."""
        keeper = self.keeper
        if keeper.head is None:
            return None
        market = self._current()
        near, counts = self._near(market, keeper.head) if market is not None else ([], (0, 0))
        return LendingView(
            keeper.head.number,
            keeper.head.hash,
            keeper.pool,
            None if market is None else market.revision,
            None if market is None else market.rules.version,
            keeper.why,
            None if market is None else market.base_unit,
            len(keeper.versions),
            keeper.waiting,
            dict(Counter(keeper.unusable.values())),
            keeper.left_out,
            *counts,
            tuple(near),
        )

    def _near(self, market: Market, head: Head) -> tuple[list[Near], tuple[int, int]]:
        assert self._screen is not None
        time = head.time + self._block_time
        ordered = sorted(self._screen.below(market, time, self._share))
        found = []
        for _, _, user in ordered[:MOST_EXACT]:
            if self._certain(user, market):
                account = account_of(market, self.keeper.positions[user], time)
                if account.health * self._share < WAD:
                    found.append(Near(user, account.health, account.collateral, account.debt))
        found.sort(key=lambda one: (one.health_factor, one.user))
        below = sum(one.health_factor < WAD for one in found)
        rest = max(0, len(ordered) - MOST_EXACT)
        return found[:NEAREST], (below, len(found) + rest)
