"""Which users, reserves and prices a block's logs touch.

What a user's event changes is not computed from it: the user is read again. Events tell amounts
that are rounded already, and one of them may stand for several changes of shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import msgspec

from ...model.chain import Log
from ...model.intents import Undecoded
from ..contracts import aave
from ..logs import LogDecoder
from ..logs.aave import (
    AaveBalanceTransfer,
    AaveBorrow,
    AaveDeficit,
    AaveLiquidation,
    AaveReserve,
)
from ..logs.venues import AnswerUpdated
from .market import Market, Reserve

_DECODER = LogDecoder()
_KNOWN = frozenset(aave.EVENTS)


@attrs.define
class Touched:
    """What a block changed, or cast doubt on."""

    users: set[str] = attrs.Factory(set)
    """To be read again."""
    reserves: dict[str, Reserve] = attrs.Factory(dict)
    """By asset: those with other indices and rates, as they are now."""
    answers: dict[str, int] = attrs.Factory(dict)
    """By aggregator: the last one."""
    market: bool = False
    """Whether the pool itself must be read again."""


def touched(market: Market, logs: Iterable[Log], time: int) -> Touched:
    """Read the logs of a complete block with that time."""
    found = Touched()
    tokens = tokens_of(market)
    aggregators = {feed.aggregator for feed in market.feeds.values()} - {None}
    settings = {market.configurator, market.oracle, market.provider}
    for log in logs:
        if log.address == market.pool:
            _of_pool(market, log, time, found)
        elif log.address in tokens:
            _of_token(log, found)
        elif log.address in aggregators:
            said = _DECODER.decode(log)
            if isinstance(said, AnswerUpdated):
                found.answers[log.address] = said.answer
        elif log.address in settings:
            found.market = True
    return found


def borrowers(pool: str, logs: Iterable[Log]) -> list[str]:
    """Who borrowed from a pool."""
    said = (_DECODER.decode(log) for log in logs if log.address == pool)
    return [one.account for one in said if isinstance(one, AaveBorrow)]


def tokens_of(market: Market) -> frozenset[str]:
    """The pool's own tokens."""
    reserves = market.reserves.values()
    every = [t for one in reserves for t in (one.a_token, one.variable_token, one.stable_token)]
    return frozenset(token for token in every if token is not None)


def _of_pool(market: Market, log: Log, time: int, found: Touched) -> None:
    said = _DECODER.decode(log)
    if said is None or isinstance(said, Undecoded):
        # Such as the proxy's, when it gets another implementation.
        found.market |= not log.topics or log.topics[0] not in _KNOWN
        return
    if isinstance(said, AaveReserve):
        _of_reserve(market, said, time, found)
        return
    if isinstance(said, AaveLiquidation) and said.takes_shares:
        found.users.add(said.liquidator)
        found.market = True  # its indices may have moved without an event
    if isinstance(said, AaveDeficit):
        found.market = True
    account = getattr(said, "account", None)
    if account is not None:
        found.users.add(account)


def _of_reserve(market: Market, said: AaveReserve, time: int, found: Touched) -> None:
    known = market.reserves.get(said.asset)
    if known is None:
        found.market = True
        return
    found.reserves[said.asset] = msgspec.structs.replace(
        known,
        liquidity_index=said.liquidity_index,
        liquidity_rate=said.liquidity_rate,
        variable_index=said.variable_index,
        variable_rate=said.variable_rate,
        updated=time,
    )


def _of_token(log: Log, found: Touched) -> None:
    said = _DECODER.decode(log)
    if isinstance(said, AaveBalanceTransfer):
        found.users |= {said.source, said.target}
        return
    account = getattr(said, "account", None)
    if account is not None:
        found.users.add(account)


def prices_after(market: Market, answers: Mapping[str, int]) -> Mapping[str, int]:
    """What assets cost after answers of aggregators; none for an answer that is no price."""
    return {
        asset: answer
        for aggregator, answer in answers.items()
        if answer > 0
        for asset in market.assets_of(aggregator)
    }
