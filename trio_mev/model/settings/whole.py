"""The whole configuration."""

from __future__ import annotations

from typing import Any

import attrs

from .chain import MempoolSettings, PoolSettings, TransactionSettings
from .feeds import AnyFeed, EthereumSettings, FeedSettings
from .kept import RecordSettings, StoreSettings
from .opportunities import ArbitrageSettings, ExposureSettings, LiquidationSettings, RefereeSettings
from .prices import PriceSettings
from .stream import StreamConfig


def _names_differ(_: Any, __: Any, feeds: tuple[FeedSettings, ...]) -> None:
    names = [feed.name for feed in feeds]
    for feed in feeds:
        if isinstance(feed, EthereumSettings):
            names += [node.alias for node in feed.nodes]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"two feeds are named {', '.join(twice)}; names must differ")


@attrs.frozen
class Settings:
    """The whole configuration."""

    stream: StreamConfig = StreamConfig()
    feeds: tuple[AnyFeed, ...] = attrs.field(default=(), validator=_names_differ)
    prices: PriceSettings = PriceSettings()
    transactions: TransactionSettings = TransactionSettings()
    mempool: MempoolSettings = MempoolSettings()
    pools: PoolSettings = PoolSettings()
    arbitrage: ArbitrageSettings = ArbitrageSettings()
    referee: RefereeSettings = RefereeSettings()
    liquidations: LiquidationSettings = LiquidationSettings()
    exposure: ExposureSettings = ExposureSettings()
    record: RecordSettings = RecordSettings()
    store: StoreSettings = StoreSettings()
