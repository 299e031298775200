"""Binance.US: another exchange with Binance's spot streams.

Formats and rules: Binance.US's "WebSocket API", whose streams are those of Binance's spot market
of before 2025; of the event that tells of a server's end it says nothing.
"""

from __future__ import annotations

from ..model.identity import Instrument, Venue
from .binance import BinanceAdapter
from .symbols import DOLLARS, split_pair


class BinanceUsAdapter(BinanceAdapter):
    """One life of a connection to Binance.US."""

    venue = Venue("binance_us")
    endpoint = "wss://stream.binance.us:9443/stream"
    hosts = ()

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``BNBUSD`` is BNB/USD: the pairs in dollars decide."""
        return split_pair(symbol, quotes=DOLLARS)
