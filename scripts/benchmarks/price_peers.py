"""ccxt's and cryptofeed's handling of Binance's bookTicker, in an environment of their own.

Both are given what they would be given by their connections: a message's text, no network. What
Binance's REST interface would say of its symbols is put in place of asking it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .quotes import BASES, QUOTE, book_ticker, checksum, market
from .timing import finish, timed

SYMBOLS = {f"{base}{QUOTE}": base for base in BASES}
Texts = list[list[str]]


def texts(reads: int) -> Texts:
    """The messages of each read."""
    return [[book_ticker(shown) for shown in read.quotes] for read in market(reads)]


def ccxt(reads: int, warm: int) -> dict[str, Any]:
    """ccxt's Client and its Binance; a ticker is kept for each symbol, and nobody waits for it."""
    from ccxt.async_support.base.ws.client import Client
    from ccxt.pro import binance

    async def main() -> dict[str, Any]:
        exchange = binance()
        exchange.set_markets([_ccxt_market(base) for base in BASES])
        url = f"{exchange.urls['api']['ws']['spot']}/0"
        client = Client(url, exchange.handle_message, _unexpected, _unexpected, _unexpected)
        handle = client.handle_text_or_binary_message

        def run(some: Texts) -> None:
            for read in some:
                for text in read:
                    handle(text)

        come = texts(reads)
        cost = timed(run, come, warm, len(BASES))
        bids = {symbol: ticker["bid"] for symbol, ticker in exchange.bidsasks.items()}
        await exchange.close()
        return {"cost": cost, "found": [reads * len(BASES), checksum(bids)]}

    return asyncio.run(main())


def _ccxt_market(base: str) -> dict[str, Any]:
    return {
        "id": f"{base}{QUOTE}", "symbol": f"{base}/{QUOTE}", "base": base, "quote": QUOTE,
        "type": "spot", "spot": True, "swap": False, "future": False, "option": False,
        "contract": False, "active": True, "linear": None, "inverse": None,
    }  # fmt: skip


def _unexpected(*arguments: Any) -> None:
    raise RuntimeError(f"the connection was to say nothing, and said {arguments}")


def cryptofeed(reads: int, warm: int) -> dict[str, Any]:
    """cryptofeed's Binance feed, and the callback that it is used by."""
    from cryptofeed.defines import TICKER
    from cryptofeed.exchanges import Binance
    from cryptofeed.symbols import Symbols

    names = {f"{base}-{QUOTE}": symbol for symbol, base in SYMBOLS.items()}
    Symbols.set(Binance.id, names, {})
    bids: dict[str, Any] = {}
    count = 0

    async def handler(ticker: Any, receipt: float) -> None:
        nonlocal count
        count += 1
        bids[ticker.symbol] = ticker.bid

    async def main() -> float:
        feed = Binance(symbols=list(names), channels=[TICKER], callbacks={TICKER: handler})
        handle = feed.message_handler

        async def run(some: Texts) -> None:
            for read in some:
                for text in read:
                    await handle(text, None, 1.0)

        come = texts(reads)
        return timed(lambda some: finish(run(some)), come, warm, len(BASES))

    cost = asyncio.run(main())
    return {"cost": cost, "found": [count, checksum(bids)]}
