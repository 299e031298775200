"""Every setting, frozen. ``config`` reads them from TOML; each one has an effect.

Times are seconds, ratios are fractions of one, sizes are events or bytes as said.
"""

from .chain import FactorySettings, MempoolSettings, PoolSettings, TransactionSettings
from .checks import DEAREST, LONGEST, MOST, MOST_SOURCES, positive
from .feeds import (
    AnyFeed,
    ConnectionSettings,
    EthereumSettings,
    FeedSettings,
    LogFilter,
    NodeSettings,
    VenueSettings,
)
from .kept import STORED, RecordSettings, StoreSettings
from .opportunities import (
    FEED_KINDS,
    ArbitrageSettings,
    ExposureSettings,
    LiquidationSettings,
    RefereeSettings,
)
from .prices import TAKER_FEES, AlertSettings, PriceSettings
from .stream import FilterSettings, LaneSettings, Overflow, StreamConfig
from .whole import Settings

__all__ = [
    "DEAREST",
    "FEED_KINDS",
    "LONGEST",
    "MOST",
    "MOST_SOURCES",
    "STORED",
    "TAKER_FEES",
    "AlertSettings",
    "AnyFeed",
    "ArbitrageSettings",
    "ConnectionSettings",
    "EthereumSettings",
    "ExposureSettings",
    "FactorySettings",
    "FeedSettings",
    "FilterSettings",
    "LaneSettings",
    "LiquidationSettings",
    "LogFilter",
    "MempoolSettings",
    "NodeSettings",
    "Overflow",
    "PoolSettings",
    "PriceSettings",
    "RecordSettings",
    "RefereeSettings",
    "Settings",
    "StoreSettings",
    "StreamConfig",
    "TransactionSettings",
    "VenueSettings",
    "positive",
]
