"""What ether and bitcoin cost at a scenario's pools, as its blocks go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median

from tests.devnet.abi import Address, decode, hexed, topic
from tests.devnet.addresses import DAI, DECIMALS, USDC, WBTC, WETH
from tests.devnet.chain import Chain
from tests.devnet.logs import V3_SWAP
from tests.devnet.markets import Market, find_markets
from trio_mev.model.chain import Block, Log, Reorg

SYNC = topic("Sync(uint112,uint112)")
DOLLARS = (USDC, DAI)
Prices = dict[str, float]
"""Dollars by asset."""


class PoolPrices:
    """The prices of each block, and the course that they took.

    Args:
        markets: the pools by address.
        roots: what each pool's price was at the start, second token for the first.
        now: when that was, in nanoseconds since the epoch.
    """

    def __init__(
        self, markets: Mapping[Address, Market], roots: Mapping[Address, float], now: int
    ) -> None:
        self._markets = markets
        self._states: list[tuple[int, dict[Address, float]]] = [(-1, dict(roots))]
        self.course: list[tuple[int, Prices]] = []
        """Times and prices from then on."""
        self._note(now)

    def block(self, block: Block, now: int) -> None:
        """A block with its logs."""
        rates = dict(self._states[-1][1])
        for log in block.logs or ():
            market = self._markets.get(log.address)
            if market is not None and (rate := rate_of(log, market)) is not None:
                rates[log.address] = rate
        self._states.append((block.number, rates))
        self._note(now)

    def reorg(self, reorg: Reorg, now: int) -> None:
        """What the retracted blocks did is undone."""
        while self._states[-1][0] > reorg.ancestor:
            self._states.pop()
        self._note(now)

    def _note(self, now: int) -> None:
        rates = self._states[-1][1]
        ether = median(self._of(WETH, DOLLARS, rates))
        bitcoin = [rate * ether for rate in self._of(WBTC, (WETH,), rates)]
        bitcoin += self._of(WBTC, DOLLARS, rates)
        self.course.append((now, {"ETH": ether, "BTC": median(bitcoin)}))

    def _of(
        self, asset: Address, others: Iterable[Address], rates: Mapping[Address, float]
    ) -> list[float]:
        """What each pool gives for an asset, in one of the others."""
        found: list[float] = []
        for address, rate in rates.items():
            first, second = self._markets[address].tokens
            if first == asset and second in others:
                found.append(rate)
            elif second == asset and first in others:
                found.append(1 / rate)
        return found


def rate_of(log: Log, market: Market) -> float | None:
    """The price after a log, second token for the first; None where it does not say."""
    if log.topics[0] == SYNC:
        one, other = decode("(uint112,uint112)", hexed(log.data))
        return scaled(other / one, market)
    if log.topics[0] == V3_SWAP:
        root = decode("(int256,int256,uint160)", hexed(log.data))[2]
        return scaled((root / 2**96) ** 2, market)
    return None


def scaled(raw: float, market: Market) -> float:
    """A price in whole tokens, from one in smallest units."""
    first, second = market.tokens
    return raw * 10.0 ** (DECIMALS[first] - DECIMALS[second])


async def open_pool_prices(chain: Chain, now: int) -> PoolPrices:
    """The prices as the pools have them now."""
    markets = {market.address: market for market in await find_markets(chain)}
    rates: dict[Address, float] = {}
    for address, market in markets.items():
        if market.concentrated:
            (root,) = await chain.read(address, "slot0()", returns="(uint160)")
            rates[address] = scaled((root / 2**96) ** 2, market)
        else:
            one, other = await chain.read(address, "getReserves()", returns="(uint112,uint112)")
            rates[address] = scaled(other / one, market)
    return PoolPrices(markets, rates, now)
