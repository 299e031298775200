"""Swaps at pools that exchanges would have paid more for: arbitrage whose other half is on no
chain.

What a searcher swapped is held against the exchanges' price when the block was made, at the end of
its interval that is worse for the searcher, less gas and what the builder was paid. What the
exchange takes for itself is not known, and not taken off.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import attrs

from ..chain.contracts.assets import ASSETS, rank
from ..model.intents import ETHER, WETH
from ..model.opportunity import CexDex, Kind
from .acts import Act, delta
from .arbitrage import settles
from .findings import Found, pools_of
from .known import Known
from .prices import Rates, whole

_DIGITS = 40
_SHOWN = 12
"""Digits of a price that was come by through division."""


def find_cex_dex(act: Act, known: Known, rates: Rates) -> Found | None:
    """The half of such an arbitrage that is in a transaction, if it looks like one.

    It must be one asset for another, both with a price, swapped by a contract that is nobody's
    else, and nothing beside it. What it cost must be known.
    """
    if act.keeps or not act.swaps or act.exchanges > len(act.swaps):
        return None
    if act.mined.to is None or act.mined.to in known.shared or settles(act, known):
        return None
    deal = _deal(act)
    detail = None if deal is None else _paying(deal, rates)
    if detail is None:
        return None
    return Found(
        Kind.CEX_DEX,
        (act,),
        detail,
        delta(act.swaps),
        pools=pools_of(act.swaps),
        searcher=act.swaps[0].sender,
    )


@attrs.frozen
class _Deal:
    """What was swapped, in whole units."""

    base: str
    quote: str
    bought: Decimal
    """Base units; under zero where they were sold."""
    paid: Decimal
    """Quote units; under zero where they were got."""
    cost: Decimal
    """Ether."""


def _deal(act: Act) -> _Deal | None:
    gas = act.mined.gas_wei
    net = delta(act.swaps)
    net = {
        **{token: amount for token, amount in net.items() if token != ETHER},
        **({WETH: net[ETHER] + net.get(WETH, 0)} if ETHER in net else {}),
    }
    assets = {token: ASSETS.get(token) for token, amount in net.items() if amount}
    if gas is None or len(assets) != 2 or None in assets.values():
        return None
    quote, base = sorted(assets, key=lambda token: rank(assets[token] or ""))
    bought, paid = whole(base, net[base]), -whole(quote, net[quote])
    if (bought > 0) is not (paid > 0):
        return None  # more of both is no half of anything
    cost = whole(ETHER, gas + (act.mined.builder_wei or 0))
    return _Deal(str(assets[base]), str(assets[quote]), bought, paid, cost)


def _paying(deal: _Deal, rates: Rates) -> CexDex | None:
    rate, ether = rates.rate(deal.base, deal.quote), rates.rate("ETH", deal.quote)
    if rate is None or ether is None:
        return None
    with localcontext(prec=_DIGITS):
        worth = deal.bought * (rate.low if deal.bought > 0 else rate.high)
        if worth - deal.paid <= deal.cost * ether.high:
            return None
        width = (rate.high - rate.low) / 2
    with localcontext(prec=_SHOWN):
        return CexDex(+rate.price, deal.paid / deal.bought, +width, deal.bought)
