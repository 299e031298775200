"""Swaps with their tokens: as they are known, or as the transfers tell without any doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs

from ..model.opportunity import SwapRecord
from .acts import Act
from .exchanges import Exchange, Heard, heard, joined
from .known import Known


@attrs.define(eq=False)
class Coins:
    """Tokens by pool and place: those that are known, and those that this block tells."""

    known: Known
    _told: dict[tuple[str, int], str | None] = attrs.Factory(dict)
    """None where two swaps of one pool tell different things."""
    _lists: dict[str, Sequence[str] | None] = attrs.Factory(dict)

    def learn(self, one: Heard) -> None:
        """Take what a swap tells, where that is one thing only."""
        exchange = one.exchange
        if len(one.pairs) == 1 and self._list(exchange) is None:
            places = (exchange.token_in, exchange.token_out)
            for place, token in zip(places, one.pairs[0], strict=True):
                if isinstance(place, str):
                    continue  # the log names it
                key = exchange.coins, place
                self._told[key] = token if self._told.get(key, token) == token else None

    def name(self, exchange: Exchange, place: int | str) -> str | None:
        """The token at a place; None where it cannot be told."""
        if isinstance(place, str):
            return place
        listed = self._list(exchange)
        if listed is None:
            return self._told.get((exchange.coins, place))
        return listed[place] if 0 <= place < len(listed) else None

    def _list(self, exchange: Exchange) -> Sequence[str] | None:
        if exchange.coins != exchange.pool:
            return None  # what is known of a pool are its own coins
        if exchange.pool not in self._lists:
            self._lists[exchange.pool] = self.known.tokens_of(exchange.pool)
        return self._lists[exchange.pool]


def name_swaps(acts: Sequence[Act], known: Known) -> Counter[str]:
    """Give each transaction its swaps, in the order of the logs.

    Returns:
        How many swaps are ``odd``, and how many are left ``without_tokens``.
    """
    coins, counts = Coins(known), Counter[str]()
    found = [joined(list(heard(act, known))) for act in acts]
    for each in found:
        for one in each:
            if one is not None:
                coins.learn(one)
    for act, each in zip(acts, found, strict=True):
        named = [_record(one, coins) for one in each if one is not None]
        act.exchanges = len(named)
        act.swaps = sorted((one for one in named if one is not None), key=_place)
        counts["odd"] += each.count(None)
        counts["without_tokens"] += named.count(None)
    return counts


def _place(swap: SwapRecord) -> int:
    return swap.log_index or 0


def _record(one: Heard, coins: Coins) -> SwapRecord | None:
    exchange = one.exchange
    if exchange.named and not (exchange.sure or one.pairs):
        return None  # anybody can log names; nothing of the kind has moved
    token_in = coins.name(exchange, exchange.token_in)
    token_out = coins.name(exchange, exchange.token_out)
    if token_in is None or token_out is None or token_in == token_out:
        return None
    return SwapRecord(
        exchange.pool,
        coins.known.name(exchange.pool, exchange.protocol, token_in, token_out),
        token_in,
        exchange.amount_in,
        token_out,
        exchange.amount_out,
        exchange.transaction,
        exchange.log_index,
        None,
        exchange.sender,
        exchange.recipient,
    )
