"""Pairs that venues write without anything between base and quote."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.identity import Instrument, InstrumentKind

QUOTES = (
    *("FDUSD", "BIDR", "BUSD", "DOGE", "EURI", "IDRT", "TUSD", "USD1", "USDC", "USDP", "USDS"),
    *("USDT", "ARS", "AUD", "BNB", "BRL", "BTC", "COP", "CZK", "DAI", "ETH", "EUR", "GBP", "JPY"),
    *("MXN", "PAX", "PLN", "RON", "RUB", "TRX", "TRY", "UAH", "USD", "VAI", "XRP", "ZAR"),
)
"""The longest first."""
DOLLARS = ("USDC", "USDT", "PYUSD", "GUSD", "USD", "AUD", "EUR", "GBP", "SGD", "BTC", "ETH", "DAI")
"""Those of venues whose pairs are in dollars, where ``BNBUSD`` is no pair in BUSD."""


def split_pair(
    symbol: str, kind: InstrumentKind = InstrumentKind.SPOT, quotes: Iterable[str] = QUOTES
) -> Instrument:
    """``NKNUSDT`` as NKN/USDT: what it ends in decides, the first of ``quotes`` that fits.

    Raises:
        ValueError: it ends in no quote currency that is known.
    """
    for quote in quotes:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return Instrument(symbol[: -len(quote)], quote, kind)
    raise ValueError(f"symbol {symbol} ends in no quote currency that is known")
