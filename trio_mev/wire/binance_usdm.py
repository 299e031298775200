"""Binance's USD-margined futures: bookTicker and aggTrade of perpetuals and dated contracts.

Formats and rules: "Websocket Market Streams" of Binance's USD-M futures. Since April 2026 there are
two addresses: bookTicker is at ``/public``, aggTrade at ``/market``, and what is asked for at the
wrong one is confirmed and never comes. The 24-hour ticker of this market has neither bid nor ask.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..model.identity import Instrument, InstrumentKind, Venue
from .binance import BinanceAdapter
from .symbols import split_pair
from .venue import VenueRules

_ROUTES = {"bookTicker": "public", "aggTrade": "market"}


class BinanceUsdmAdapter(BinanceAdapter):
    """One life of a connection to Binance's USD-M futures."""

    venue = Venue("binance_usdm")
    endpoint = "wss://fstream.binance.com/public/stream"
    hosts = ()
    known_channels = ("bookTicker", "aggTrade")
    usual_channels = ("bookTicker",)
    periodic = frozenset()
    rules = VenueRules(
        connect_interval=1.0,
        rotate_after=23 * 3600.0,
        request_interval=0.2,  # of ten a second
        most_per_request=200,
        most_subscriptions=1024,
    )

    @classmethod
    def address(cls, channels: Sequence[str]) -> str:
        """The route of these channels; ValueError where they do not have the same."""
        routes = {_ROUTES[channel] for channel in channels or cls.usual_channels}
        if len(routes) > 1:
            raise ValueError(
                "Binance's USD-M market has bookTicker and aggTrade at different addresses: "
                "make two feeds of them, or name an endpoint that has both"
            )
        return f"wss://fstream.binance.com/{routes.pop()}/stream"

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``ETHUSDT`` is the perpetual, ``ETHUSDT_260327`` the future of that day."""
        pair = instrument.base + instrument.quote
        if instrument.kind is InstrumentKind.PERPETUAL:
            return pair
        if instrument.kind is InstrumentKind.FUTURE and instrument.expiry is not None:
            return f"{pair}_{instrument.expiry[2:].replace('-', '')}"
        raise ValueError(
            f"{instrument}: Binance's USD-M market has no {instrument.kind.value}; "
            f"is it {pair[: len(instrument.base)]}/{instrument.quote}:perpetual?"
        )

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``ETHUSDT`` is ETH/USDT:perpetual, ``ETHUSDT_260327`` ETH/USDT:future-2026-03-27."""
        pair, dated, day = symbol.partition("_")
        found = split_pair(pair, InstrumentKind.PERPETUAL)
        if not dated:
            return found
        if len(day) != 6 or not (day.isascii() and day.isdigit()):
            raise ValueError(f"symbol {symbol} does not end in a day such as _260327")
        expiry = f"20{day[:2]}-{day[2:4]}-{day[4:]}"
        return Instrument(found.base, found.quote, InstrumentKind.FUTURE, expiry)
