"""What buying at one venue and selling at another would pay, on the sides that trade."""

from __future__ import annotations

from decimal import Decimal

from ..model.market import Quote, Spread


def executable_spread(buy: Quote, sell: Quote, buy_fee: Decimal, sell_fee: Decimal) -> Spread:
    """Buying at ``buy``'s ask and selling at ``sell``'s bid, each less its taker fee.

    The gain may be negative. Both quotes are of one instrument.
    """
    cost = buy.ask * (1 + buy_fee)
    revenue = sell.bid * (1 - sell_fee)
    size = None
    if buy.ask_size is not None and sell.bid_size is not None:
        size = min(buy.ask_size, sell.bid_size)
    net = revenue - cost
    return Spread(
        buy.instrument,
        buy.venue,
        sell.venue,
        buy.ask,
        sell.bid,
        size,
        net,
        net / cost,
        None if size is None else net * size,
    )
