"""Watch MEV as it happens: Ethereum and exchange feeds through bounded lanes, on Trio.

It observes and never signs or sends. ``open_stream`` is the way in.
"""

from loguru import logger

from .config import Config, load
from .errors import (
    ConfigError,
    DataStreamError,
    HeartbeatLost,
    MalformedFrame,
    ProcessingTimeoutError,
    ProcessorFailed,
    RestartLimitReached,
    RpcFailed,
    RpcTimeout,
    RpcUnmatched,
    StreamConnectionError,
    SubscriptionLost,
    SubscriptionRejected,
)
from .feeds.ethereum import EthereumFeed, EthereumWebSocketClient
from .feeds.manager import WebSocketStreamManager
from .feeds.prices import PriceFeedWebSocketHandler
from .feeds.replay import ReplayFeed
from .feeds.venues import BinanceWebSocketClient, CoinbaseWebSocketClient
from .flow.clock import replay_clock
from .flow.processor import DataProcessor
from .model.event import DataEvent, DataType, EventPriority
from .model.settings import StreamConfig
from .pricing.aggregator import PriceFeedAggregator
from .processors.blocks import BlockAnalyzer
from .processors.filters import EventFilter
from .processors.liquidations import LiquidationDetector
from .processors.mempool import MempoolAnalyzer
from .processors.pools import PoolTracker
from .processors.prices import PriceDataProcessor
from .processors.referee import Referee
from .processors.refereed import TransactionReferee
from .processors.transactions import TransactionAnalyzer
from .stream import RealtimeDataStream, StreamStats, open_stream
from .version import __version__

# A library is silent until its user enables it.
logger.disable("trio_mev")

__all__ = [
    "BinanceWebSocketClient",
    "BlockAnalyzer",
    "CoinbaseWebSocketClient",
    "Config",
    "ConfigError",
    "DataEvent",
    "DataProcessor",
    "DataStreamError",
    "DataType",
    "EthereumFeed",
    "EthereumWebSocketClient",
    "EventFilter",
    "EventPriority",
    "HeartbeatLost",
    "LiquidationDetector",
    "MalformedFrame",
    "MempoolAnalyzer",
    "PoolTracker",
    "PriceDataProcessor",
    "PriceFeedAggregator",
    "PriceFeedWebSocketHandler",
    "ProcessingTimeoutError",
    "ProcessorFailed",
    "RealtimeDataStream",
    "Referee",
    "ReplayFeed",
    "RestartLimitReached",
    "RpcFailed",
    "RpcTimeout",
    "RpcUnmatched",
    "StreamConfig",
    "StreamConnectionError",
    "StreamStats",
    "SubscriptionLost",
    "SubscriptionRejected",
    "TransactionAnalyzer",
    "TransactionReferee",
    "WebSocketStreamManager",
    "__version__",
    "load",
    "open_stream",
    "replay_clock",
]
