"""Why a quote does not count."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from .constituent import Constituent
from .scale import HIGHEST, LOWEST
from .sources import Refusal


def disordered(
    one: Constituent, at: float | None, stamp: int | None, bid: Decimal, ask: Decimal
) -> Refusal | None:
    """Why a quote cannot follow the source's last one.

    Two of one time may differ: a source's clock has its steps.
    """
    if stamp is not None and one.stamp is not None:
        if stamp == one.stamp:
            return "repeated" if one.bid == bid and one.ask == ask else None
        return "time_backwards" if stamp < one.stamp else None
    if at is None:  # in the order in which they come
        return None
    if one.at is None or stamp is not None or one.stamp is not None:
        # Two channels, of which one tells no time: what is older than the last is no news.
        return "superseded" if at < one.time else None
    if at == one.at:
        return "repeated" if one.bid == bid and one.ask == ask else None
    return "time_backwards" if at < one.at else None


def mistimed(one: Constituent, now: float, at: float | None, slack: float) -> Refusal | None:
    """Why a quote's time cannot be."""
    if at is None:
        return None
    if not at <= now + slack:  # nor is it where it is not a number
        return "future"
    return "too_old" if now - at > one.source.max_age else None


def misquoted(bid: Decimal, ask: Decimal, tick: Decimal | None) -> Refusal | None:
    """Why a bid and an ask cannot be. Too wide is as in Pyth's, over a third of the price."""
    try:
        if tick is not None and not 0 < tick <= ask:
            return "out_of_range"
        if LOWEST <= bid <= ask <= HIGHEST and ask <= bid + bid:
            return None
        if bid <= 0 or ask <= 0:
            return "not_positive"
        if min(bid, ask) < LOWEST or max(bid, ask) > HIGHEST:
            return "out_of_range"
    except InvalidOperation:  # it is not a number
        return "out_of_range"
    return "crossed" if bid > ask else "too_wide"
