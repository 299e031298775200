"""Which pending transactions compete, by what their calls say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TypeAlias

from ...model.chain import Transaction
from ...model.intents import Hop, Intent, Lending, LendingIntent, PoolKind, SwapIntent
from ...model.mempool import Rivalry, Rivals
from ..calldata import CallDecoder, Kind
from ..pools.pool import key_named

MOST_HOPS = 8
"""Of one transaction that are looked at."""
MOST_GROUPS = 20
MOST_NAMED = 20
"""Transactions of a group whose hashes are told."""
_SELF_ALONE = frozenset(
    bytes.fromhex(selector) for selector in ("095ea7b3", "a9059cbb", "39509351", "a22cb465")
)
"""approve, transfer, increaseAllowance, setApprovalForAll: two callers are not in each other's
way, though their calls be the same."""
_Key: TypeAlias = tuple[object, ...]
_LIQUIDATES = frozenset({Lending.LIQUIDATE, Lending.ABSORB})


class RivalGroups:
    """Groups of pending transactions that are after the same thing.

    Args:
        contracts: to read calls of, beside those that are known.
    """

    def __init__(self, contracts: Mapping[str, Kind] | None = None) -> None:
        self._decoder = CallDecoder(contracts)
        self._groups: dict[_Key, dict[str, str]] = {}
        """By what they are after: hashes to senders, in the order of arrival."""
        self._keys: dict[str, tuple[_Key, ...]] = {}
        self._contested: dict[_Key, int] = {}
        """Those whose members compete, and how many they are."""
        self._sizes: dict[int, dict[_Key, None]] = {}
        """The same by that number."""

    def add(self, body: Transaction) -> None:
        """Take in one that is not pending yet."""
        keys = tuple(dict.fromkeys(self._keys_of(body)))
        self._keys[body.hash] = keys
        for key in keys:
            group = self._groups.setdefault(key, {})
            group[body.hash] = body.sender
            self._judge(key, group)

    def remove(self, body: Transaction) -> None:
        """Take out one that is no longer pending."""
        for key in self._keys.pop(body.hash):
            group = self._groups[key]
            del group[body.hash]
            self._judge(key, group)
            if not group:
                del self._groups[key]

    def _judge(self, key: _Key, group: Mapping[str, str]) -> None:
        """Whether its members compete: one sender's calls do not, but for a nonce."""
        senders = iter(group.values())
        first = next(senders, None)
        compete = any(key[0] is Rivalry.NONCE or sender != first for sender in senders)
        before, count = self._contested.pop(key, 0), len(group) if compete else 0
        if before:
            same = self._sizes[before]
            del same[key]
            if not same:
                del self._sizes[before]
        if count:
            self._contested[key] = count
            self._sizes.setdefault(count, {})[key] = None

    def __len__(self) -> int:
        return len(self._contested)

    def largest(self) -> tuple[Rivals, ...]:
        """The groups of the most members, the largest first."""
        sizes = sorted(self._sizes, reverse=True)
        keys = islice(chain.from_iterable(self._sizes[size] for size in sizes), MOST_GROUPS)
        return tuple([_told(key, self._groups[key]) for key in keys])

    def _keys_of(self, body: Transaction) -> Iterator[_Key]:
        yield Rivalry.NONCE, body.sender, body.nonce
        to, data = body.to, body.input
        if to is None or len(data) < 4:
            return
        if self._decoder.name(to) is None:
            if len(data) > 4 and data[:4] not in _SELF_ALONE:
                yield Rivalry.CALL, to, data
            return
        yield from _after(self._decoder.decode(to, data, body.sender, body.value))


def _after(intents: Iterable[Intent]) -> Iterator[_Key]:
    """What a call is after."""
    left = MOST_HOPS
    for one in intents:
        if isinstance(one, LendingIntent) and one.action in _LIQUIDATES:
            yield Rivalry.LIQUIDATION, one.contract, one.account
        elif isinstance(one, SwapIntent):
            for hop in one.hops[:left]:
                yield from _at(hop)
            left -= min(left, len(one.hops))


def _at(hop: Hop) -> Iterator[_Key]:
    """The pool and what goes in; nothing where the call tells too little."""
    pool = hop.pool or (key_named(hop) if hop.factory or hop.kind is PoolKind.V4 else None)
    goes_in: object = hop.token_in
    if goes_in is None:
        goes_in = hop.index_in if hop.zero_for_one is None else int(not hop.zero_for_one)
    if pool is not None and goes_in is not None:
        yield Rivalry.POOL, pool, goes_in


def _told(key: _Key, group: Mapping[str, str]) -> Rivals:
    rivalry, what, more = key
    assert isinstance(rivalry, Rivalry)
    return Rivals(rivalry, _words(rivalry, what, more), len(group), tuple(group)[:MOST_NAMED])


def _words(rivalry: Rivalry, what: object, more: object) -> str:
    """What they are after, for people."""
    if rivalry is Rivalry.NONCE:
        return f"nonce {more} of {what}"
    if rivalry is Rivalry.LIQUIDATION:
        return f"the position of {more} at {what}"
    if rivalry is Rivalry.CALL:
        assert isinstance(more, bytes)
        return f"0x{more[:4].hex()} at {what}"
    coin = f"coin {more}" if isinstance(more, int) else str(more)
    return f"{coin} into {_pool(what)}"


def _pool(pool: object) -> str:
    """A pool as calls name it, by what they name it by."""
    if not isinstance(pool, tuple):
        return str(pool)
    kind, *named = pool
    words = [" and ".join(one) if isinstance(one, tuple) else str(one) for one in named]
    return f"{kind.value} of {', '.join(words)}"
