"""Keeps a pool of Aave V3 and its users as of the head: says what is to be read from the node,
and what of that is still true.

Shares change only with an event of the user, indices with one of the reserve, and a price that is
an aggregator's answer with one of the aggregator. What such an event names is read again (a
reserve's event and an aggregator's say all there is); other prices are read at every block. So a
reorganisation undoes nothing: what its blocks touched is read again too. Until then it is not
used.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence

from ...model.chain import Block, Reorg
from ..pools.pool import Unusable
from .account import Position
from .market import Market, alike, tokens_differ
from .pages import MOST_BLOCKS, Counts, Head, Page
from .touches import Touched, borrowers, prices_after, touched


def user_of(read: Position | Unusable) -> str:
    """Of whom something was read."""
    return read.id if isinstance(read, Unusable) else read.user


class LendingKeeper:
    """A pool, the users that are watched, and what of it is certain.

    Args:
        pool: its address.
        users: that are watched from the start.
        most: users that are watched; more are counted and left out.
    """

    def __init__(self, pool: str, users: Iterable[str], most: int) -> None:
        self.pool = pool
        self.head: Head | None = None
        """None before the first block, and where a reorganisation went further back than is
        remembered until the next one: nothing tells the time of its ancestor."""
        self.market: Market | None = None
        self.why: str | None = "it has not been read"
        """Why the pool cannot be used, if it cannot."""
        self.positions: dict[str, Position] = {}
        self.unusable: dict[str, str] = {}
        """Why users that were read cannot be used."""
        self.left_out = 0
        self.counts = Counts()
        self.versions: dict[str, int] = {}
        """Of each user: rises whenever something else was read."""
        self.changed: set[str] = set()
        """Users of whom something else is known than when somebody last took this; whoever
        does, empties it."""
        self._most = most
        self._stale: OrderedDict[str, None] = OrderedDict()
        self._doubtful: set[str] = set()
        self._pages: deque[Page] = deque(maxlen=MOST_BLOCKS)
        self._checks: deque[str] = deque()
        for user in users:
            self.want(user)

    def want(self, user: str) -> bool:
        """Watch a user from now on; whether there is room."""
        if user not in self.versions:
            if len(self.versions) >= self._most:
                self.left_out += 1
                return False
            self.versions[user] = 0
            self._stale[user] = None
            self._checks.append(user)
        return True

    # What is known

    def usable(self, user: str) -> bool:
        """Whether what is known of a user is certain as of the head; prices apart."""
        return self.why is None and user in self.positions and user not in self._stale

    @property
    def doubtful(self) -> frozenset[str]:
        """Assets whose price is not known as of the head."""
        return frozenset(self._doubtful)

    @property
    def stale(self) -> tuple[str, ...]:
        """Users to be read, those that have waited longest first."""
        return tuple(self._stale)

    @property
    def waiting(self) -> int:
        """Users that are still to be read."""
        return len(self._stale)

    @property
    def categories(self) -> frozenset[int]:
        """Efficiency modes of the users that are watched."""
        return frozenset({one.category for one in self.positions.values()} - {0})

    # Blocks

    def advance(self, block: Block) -> None:
        """Go on to the next block.

        One that does not follow on the head, or that has not all of its logs, casts doubt on
        everything.
        """
        head = Head(block.number, block.hash, block.timestamp, block.base_fee)
        follows = self.head is not None and block.parent == self.head.hash
        self.head = head
        for user in borrowers(self.pool, block.logs or ()):
            self.want(user)
        if not follows or not block.complete or block.logs is None:
            self._begin(head)
            return
        self.counts.blocks += 1
        if self.market is None:
            self._pages.append(Page(head, market=True))
            return
        found = touched(self.market, block.logs, block.timestamp)
        self._pages.append(self._follow(head, self.market, found))

    def _begin(self, head: Head) -> None:
        self._pages.clear()
        self._pages.append(Page(head))
        self._doubt_all()

    def _doubt_all(self) -> None:
        self._doubt_market("blocks are missing")
        self._stale.update(dict.fromkeys(self.versions))

    def _doubt_market(self, why: str) -> None:
        if self.market is not None:
            self.why = why

    def _follow(self, head: Head, market: Market, found: Touched) -> Page:
        self._stale.update(dict.fromkeys(sorted(found.users & self.versions.keys())))
        if found.market:
            self._doubt_market("a log says that it has changed")
        prices = prices_after(market, found.answers)
        asked = {a for one in found.answers for a in market.assets_of(one)}
        for reserve in found.reserves.values():
            market = market.with_reserve(reserve)
        self.market = market.with_prices(prices) if prices else market
        self._doubtful |= (asked - prices.keys()) | self._indirect()
        self._doubtful -= prices.keys()
        return Page(
            head,
            frozenset(found.users),
            frozenset(asked),
            found.market,
            bool(found.reserves),
        )

    def _indirect(self) -> set[str]:
        """What has a price that no event tells."""
        assert self.market is not None
        feeds = self.market.feeds
        return {a for a in self.market.priced if a not in feeds or feeds[a].aggregator is None}

    def undo(self, reorg: Reorg) -> None:
        """Go back to a reorganisation's ancestor: what its blocks touched is read again."""
        while self._pages and self._pages[-1].head.hash != reorg.ancestor_hash:
            page = self._pages.pop()
            self.counts.undone += 1
            self._stale.update(dict.fromkeys(sorted(page.users & self.versions.keys())))
            self._doubtful |= page.assets
            if page.market or page.reserves:
                self._doubt_market("a block that it was read from was retracted")
        if self._pages:
            self.head = self._pages[-1].head
            self._doubtful |= set() if self.market is None else self._indirect()
        else:
            self.head = None
            self._doubt_all()

    def _since(self, block: str) -> list[Page] | None:
        """The blocks after one; None where it is not of the chain, or too far back."""
        places = [place for place, one in enumerate(self._pages) if one.head.hash == block]
        return list(self._pages)[places[0] + 1 :] if places else None

    # What is read

    def take_market(self, read: Market | Unusable, block: str) -> bool:
        """Take in a pool as it was read at a block; whether that was of any use."""
        if isinstance(read, Unusable):
            self.why = read.reason
            return True
        since = self._since(block)
        if since is None or any(one.market or one.reserves for one in since):
            return False
        before = self.market
        self.market = read
        self.why = None
        self._doubtful = {a for one in since for a in one.assets}
        self._doubtful |= set(read.priced) - read.prices.keys()
        self._doubtful |= self._indirect() if since else set()
        if before is not None and tokens_differ(before, read):
            self._stale.update(dict.fromkeys(self.versions))
        return True

    def take_prices(self, prices: Mapping[str, int], block: str) -> None:
        """Take in what the oracle said at a block."""
        since = self._since(block)
        if since is None or self.market is None or self.why is not None:
            return
        late = {a for one in since for a in one.assets}
        late |= self._indirect() if since else set()
        for asset, price in prices.items():
            if asset in late:
                continue
            if asset not in self._doubtful and self.market.prices.get(asset) != price:
                # It was certain, so the feed takes its answers from somewhere else by now.
                self._doubt_market("a price came from elsewhere than was known")
                self.counts.repaired += 1
            self._doubtful.discard(asset)
        self._doubtful |= set(self.market.priced) - prices.keys() - late
        fresh = {asset: price for asset, price in prices.items() if asset not in late}
        self.market = self.market.with_prices(fresh)

    def take_positions(self, read: Sequence[Position | Unusable], block: str) -> None:
        """Take in users as they were read at a block; those touched since stay to be read."""
        since = self._since(block)
        if since is None:
            return
        late = {user for one in since for user in one.users}
        for one in read:
            user = user_of(one)
            self._stale.pop(user, None)
            if user in late:
                self._stale[user] = None
            elif isinstance(one, Unusable):
                self.unusable[user] = one.reason
                self.positions.pop(user, None)
                self.changed.add(user)
            else:
                self._put(one)

    def _put(self, position: Position) -> None:
        user = position.user
        self.counts.read += 1
        self.unusable.pop(user, None)
        if self.positions.get(user) != position:
            self.versions[user] += 1
            self.positions[user] = position
            self.changed.add(user)
        known = self.market is not None and position.category in {0, *self.market.categories}
        if not known:
            self._doubt_market("an efficiency mode is not known")

    # Checks

    def to_check(self, count: int) -> list[str]:
        """Users that have not been held against the node for longest."""
        found = []
        for _ in range(min(count, len(self._checks))):
            self._checks.rotate(-1)
            if self.usable(self._checks[-1]):
                found.append(self._checks[-1])
        return found

    def differing(self, read: Sequence[Position | Unusable], block: str) -> list[str]:
        """Users who are otherwise than was read at a block."""
        comparable = self._comparable(read, block)
        return [user_of(one) for one in comparable if one != self.positions[user_of(one)]]

    def _comparable(
        self, read: Sequence[Position | Unusable], block: str
    ) -> list[Position | Unusable]:
        """Of what was read at a block, that which can be held against what is known."""
        since = self._since(block)
        late = {user for one in since or () for user in one.users}
        users = self.versions.keys() - late if since is not None else set()
        return [one for one in read if user_of(one) in users and self.usable(user_of(one))]

    def check_positions(self, read: Sequence[Position | Unusable], block: str) -> list[str]:
        """Hold users against what was read at a block; those that differ, and are repaired."""
        wrong = self.differing(read, block)
        self.counts.checked += len(self._comparable(read, block))
        self.counts.repaired += len(wrong)
        self.take_positions(read, block)
        return wrong

    def agrees(self, read: Market | Unusable, block: str) -> bool | None:
        """Whether the pool is as was read at a block; None where that cannot be told."""
        since = self._since(block)
        if since is None or self.why is not None or self._doubtful or self.market is None:
            return None
        if any(one.market or one.reserves or one.assets for one in since):
            return None
        return not isinstance(read, Unusable) and alike(self.market, read)

    def check_market(self, read: Market | Unusable, block: str) -> bool | None:
        """Hold the pool against what was read at a block; where they differ it is repaired.

        Returns:
            Whether they are the same; None where that cannot be told.
        """
        same = self.agrees(read, block)
        self.counts.checked += same is not None
        if same is False:
            self.counts.repaired += 1
            self.take_market(read, block)
        return same
