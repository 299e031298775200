"""Transactions from their calls alone: swaps, and what else the rules read, in the order in which
they came to their end, which is the order in which contracts log them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..chain.logs import venues
from ..model.intents import ETHER
from ..model.opportunity import SwapRecord
from .acts import Act, Place, Said
from .block import Mined, MinedBlock
from .budget import Budget
from .calls import Calls, How
from .fills import FILLS
from .keeping import KEEPING
from .known import Known
from .pairs import reserves, rewritten, v2, v3
from .seizures import MANAGER, POSITIONS, SEIZURES, Reading
from .swapping import POOLS
from .trades import Pools, Read, Side, Spot, Trade
from .view import View

_TRADES: Mapping[str, Read] = {one: read for one, (_, read) in (POOLS | FILLS).items()}
_EVENTS: Mapping[str, Reading] = {one: read for one, (_, read) in (SEIZURES | POSITIONS).items()}
_MANAGER: Mapping[str, Reading] = {one: read for one, (_, read) in MANAGER.items()}
_STATES = {
    "0x0902f1ac": reserves,
    "0xfff6cae9": rewritten,
    "0x6a627842": rewritten,
    "0x89afcb44": rewritten,
}
"""``getReserves``, ``sync``, ``mint`` and ``burn`` of a V2 pair."""
_UNDONE = frozenset({v2, v3})
_SELECTORS = frozenset({*_TRADES, *_EVENTS, *_MANAGER, *_STATES, *KEEPING})


def read_traced(block: MinedBlock, known: Known, budget: Budget) -> tuple[list[Act], Counter[str]]:
    """Every transaction with what its calls say, and how many swaps could not be told."""
    pools, counts = Pools(known), Counter[str]()
    acts = [_Reader(one, pools, counts, budget).act(block.miner) for one in block.transactions]
    return acts, counts


def undone(mined: Mined, known: Known, budget: Budget) -> list[SwapRecord]:
    """The swaps of a transaction that were reverted, as they would have been.

    What a swap that failed itself would have answered is not known; of pairs and pools that move
    both tokens while they swap, that tells.
    """
    calls = mined.calls
    if calls is None or not any(one.failed and one.input[:10] in _TRADES for one in calls):
        return []
    reader = _Reader(mined, Pools(known), Counter(), budget, undone=True)
    reader.act(None)
    return reader.failed


class _Reader:
    """Reads the calls of one transaction."""

    def __init__(
        self,
        mined: Mined,
        pools: Pools,
        counts: Counter[str],
        budget: Budget,
        undone: bool = False,
    ) -> None:
        self._mined = mined
        self._calls = mined.calls or Calls([])
        self._view = View(self._calls, undone)
        self._pools = pools
        self._counts = counts
        self._share = budget.share(len(self._calls))
        self._act = Act(mined, [])
        self.failed: list[SwapRecord] = []
        """Swaps that were reverted."""

    def act(self, miner: str | None) -> Act:
        """What the calls say; what the miner was paid is no transfer among others."""
        calls, view = self._calls, self._view
        self._pools.since.clear()
        places = [
            place
            for place, call in enumerate(calls)
            if call.input[:10] in _SELECTORS and view.holds(call) and not view.forwarded(call)
        ]
        places.sort(key=calls.rank)
        events: list[Said] = []
        for place in places:
            # To read a call is to go through what is within it, and to say where it is through what
            # it is within; of calls nested in each other both are done again and again.
            if not self._share.spend(calls.ends[place] - place + calls[place].depth):
                break
            spot = Spot(place, calls[place], view)
            try:
                self._read(spot, events)
            except ValueError:
                self._counts["malformed"] += 1
        if events or self._act.swaps:
            self._act.said = [*self._transfers(miner), *events]
        return self._act

    def _read(self, spot: Spot, events: list[Said]) -> None:
        call = spot.call
        selector = call.input[:10]
        if call.how is How.DELEGATE:
            told = _MANAGER.get(selector)
        elif call.how is How.STATIC:
            told = None
        else:
            told = _EVENTS.get(selector) or _MANAGER.get(selector)
            trade = _TRADES.get(selector)
            if trade is not None:
                self._trade(spot, trade)
            self._act.moved |= selector in KEEPING
        if selector in _STATES:
            _STATES[selector](spot, self._pools)
        if told is not None:
            for address, event in told(spot):
                path = self._calls.path(spot.place)
                events.append((self._place(address, path), event))

    def _trade(self, spot: Spot, read: Read) -> None:
        if spot.call.broke and read not in _UNDONE:
            return
        try:
            trade = read(spot, self._pools)
        except ValueError:
            self._counts["odd"] += 1
            return
        self._pools.since[spot.call.target] = self._calls.rank(spot.place) + 1
        if trade is None:
            return
        self._act.exchanges += 1
        paid, got = trade.paid, trade.got
        if paid is None or got is None or paid.token == got.token or not paid.amount * got.amount:
            self._counts["without_tokens"] += 1
            return
        record = self._record(trade, paid, got, spot)
        self._act.swaps.append(record)
        if spot.call.failed:
            self.failed.append(record)

    def _record(self, trade: Trade, paid: Side, got: Side, spot: Spot) -> SwapRecord:
        return SwapRecord(
            trade.pool,
            self._pools.known.name(trade.pool, trade.protocol, paid.token, got.token),
            paid.token,
            paid.amount,
            got.token,
            got.amount,
            self._mined.hash,
            None,
            self._calls.path(spot.place),
            trade.sender,
            trade.recipient,
        )

    def _transfers(self, miner: str | None) -> list[Said]:
        return [
            (self._place(one.token), venues.Transfer(one.source, one.target, one.amount))
            for one in self._view.moves
            if one.target != miner or one.token != ETHER
        ]

    def _place(self, address: str, path: tuple[int, ...] = ()) -> Place:
        return Place(address, self._mined.hash, self._mined.place, path)
