"""Every setting, frozen. ``config.py`` reads them from TOML; each one has an effect.

Times are seconds, ratios are fractions of one, sizes are events or bytes as said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import attrs

from .event import DataType
from .identity import Endpoint, Instrument, Secret

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_TOPIC = re.compile("0x[0-9a-fA-F]{64}")
_ASSET = re.compile("[A-Z0-9]{1,20}")


def _positive(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} is {value}; it must be over 0")


def _not_negative(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not value >= 0:
        raise ValueError(f"{attribute.name} is {value}; it must be 0 or more")


def _fraction(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{attribute.name} is {value}; it must be a fraction from 0 to below 1")


def _at_most(limit: Any) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and value > limit:
            raise ValueError(f"{attribute.name} is too large; it must be at most {limit}")

    return check


def _name(_: Any, attribute: attrs.Attribute[Any], value: str) -> None:
    if not (0 < len(value) <= 64 and value.isprintable() and value.strip()):
        shown = repr(value[:64])
        raise ValueError(f"{attribute.name} {shown} is not 1 to 64 printable characters")


def _hash(_: Any, attribute: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None and not _TOPIC.fullmatch(value):
        raise ValueError(f"{attribute.name} {value!r} is not 0x and 64 hexadecimal digits")


def _fees(_: Any, attribute: attrs.Attribute[Any], value: dict[str, Decimal]) -> None:
    for venue, fee in value.items():
        if not -1 < fee < 1:
            raise ValueError(f"{attribute.name}: that of {venue} is not between -1 and 1")


def _assets(_: Any, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    for asset in value:
        if not _ASSET.fullmatch(asset):
            raise ValueError(f"{attribute.name}: {asset!r} is not 1 to 20 of A-Z and 0-9")
    if len(value) > 8 or len(set(value)) < len(value):
        raise ValueError(f"{attribute.name} must be at most eight different ones")


MOST = 10**9
"""Of any setting: seconds, bytes, or how often."""
LONGEST = 10**7
"""Entries of what is kept in memory."""
DEAREST = Decimal(10**18)
"""Of amounts of money."""
MOST_SOURCES = 64
"""Of one instrument's price."""


def positive(default: Any, most: Any = MOST) -> Any:
    """A field that must be over zero, and not over what its use can bear."""
    return attrs.field(default=default, validator=[_positive, _at_most(most)])


Overflow = Literal["drop_oldest", "drop_newest", "latest", "block"]
"""What a full lane does: shed its oldest event; refuse the new one; let a newer quote or price
replace the one of the same venue and instrument that waits (and shed the oldest where none
does); or make the producer wait, which tapes and processors can and sockets can not."""


@attrs.frozen
class LaneSettings:
    """Bounds of one consumer's lanes, and what happens at them.

    Blocks have a lane of their own, as long as ``high``, that never sheds: a consumer that lets
    it fill up has lost the thread and is made anew.
    """

    high: int = positive(1000, LONGEST)
    """Events."""
    normal: int = positive(5000, LONGEST)
    low: int = positive(2000, LONGEST)
    max_bytes: int = positive(64 * 2**20)
    """Bytes, of each lane."""
    high_overflow: Overflow = "drop_oldest"
    normal_overflow: Overflow = "drop_oldest"
    low_overflow: Overflow = "drop_oldest"

    @property
    def blocking(self) -> bool:
        """Whether a lane makes its producers wait."""
        return "block" in {self.high_overflow, self.normal_overflow, self.low_overflow}


@attrs.frozen
class FilterSettings:
    """One condition that an event must meet; several are ANDed.

    Either ``operator`` and ``value``, or ``min`` and ``max``.
    """

    path: str
    """Such as ``data.value`` or ``data.gasPrice``."""
    operator: str | None = None
    value: Any = None
    min: Any = None
    max: Any = None
    types: frozenset[DataType] = frozenset()
    """Event types that must meet it, the others pass; empty means all."""

    def __attrs_post_init__(self) -> None:
        bounds = (self.min is not None) + (self.max is not None)
        compared = self.operator is not None
        if bounds != (0 if compared else 2) or (self.value is not None and not compared):
            raise ValueError("a filter has either operator and value, or min and max")


@attrs.frozen
class StreamConfig:
    """What a stream admits, how much it holds, and how long a step may take."""

    name: str = "trio_mev"
    data_types: frozenset[DataType] = frozenset()
    """Types that are admitted; empty admits all. The others are counted as filtered."""
    filters: tuple[FilterSettings, ...] = ()
    lanes: LaneSettings = LaneSettings()
    budget: float = positive(0.1)
    """How long one event may occupy a processor or handler."""
    max_age: float = positive(60.0)
    """An event's absolute deadline is its arrival plus this; blocks have none."""
    failures_before_restart: int = positive(3)
    """Failures in a row after which a processor is made anew by its factory."""
    strict: bool = False
    """Whether a processor's failure stops the stream instead of being counted."""
    drain_timeout: float = positive(5.0)
    """How long the lanes have to run empty at the end."""
    health_interval: float = positive(30.0)
    stale_after: float = positive(90.0)
    """A feed that is ready and brings no event for this long is reported; it is not cut."""
    lag_interval: float = positive(5.0)
    """How often the lateness of the event loop is sampled."""
    lag_limit: float = positive(0.1)
    """Lateness over which it is reported."""
    log_interval: float = positive(60.0)
    """How often the metrics are logged."""


@attrs.frozen
class ConnectionSettings:
    """How a connection is made, watched and regained."""

    transport: Literal["websockets", "trio-websocket"] = "websockets"
    """The library that speaks the protocol; the default is the faster one by far."""
    compression: bool = False
    """Whether permessage-deflate is offered to the server; of ``websockets`` only."""
    connect_timeout: float = positive(10.0)
    """For name look-up, TCP, TLS and the WebSocket handshake together."""
    confirm_timeout: float = positive(10.0)
    """For the server to confirm every subscription."""
    ping_interval: float = positive(30.0)
    pong_timeout: float = positive(20.0)
    silence: float = positive(90.0)
    """A subscription with a natural period that is quiet for this long is lost."""
    close_timeout: float = positive(0.5)
    """For the closing handshake; then the socket is closed all the same."""
    max_message: int = positive(32 * 2**20)
    """Bytes of one message; a larger one costs the connection."""
    subscribe_interval: float = attrs.field(default=0.1, validator=[_not_negative, _at_most(MOST)])
    """Pause between two subscription requests; an exchange that asks for a longer one gets it,
    unless there shall be none at all."""
    malformed_per_minute: int = positive(6000)
    """More undecodable frames than that in a minute, and the connection is made anew."""
    first_delay: float = positive(5.0)
    factor: float = attrs.field(default=1.5, validator=[attrs.validators.ge(1), _at_most(MOST)])
    max_delay: float = positive(60.0)
    settle_after: float = positive(60.0)
    """Seconds of health after which the count of restarts begins anew."""
    restarts: int = positive(10)
    """Restarts in a row before a required feed gives up and another is called lost."""
    rotate_after: float | None = positive(None)
    """Seconds after which a new connection takes over from one that is still sound, for servers
    that close old ones; none by default."""


@attrs.frozen(kw_only=True)
class FeedSettings:
    """What every feed has."""

    name: str = attrs.field(validator=_name)
    """The alias by which the feed is known everywhere."""
    endpoint: Endpoint | None = None
    token: Secret | None = None
    """Sent as a bearer token in the handshake."""
    required: bool = False
    """Whether the stream ends with an error when the feed cannot be regained."""
    connection: ConnectionSettings = ConnectionSettings()

    def __attrs_post_init__(self) -> None:
        if self.token is not None and self.endpoint is not None and self.endpoint.user:
            raise ValueError("both a token and a user in the endpoint; the handshake takes one")


@attrs.frozen
class LogFilter:
    """Which logs a node shall stream: by emitters and by topics, as in ``eth_subscribe``."""

    address: tuple[str, ...] = ()
    topics: tuple[str | tuple[str, ...] | None, ...] = ()
    """By place; None admits any, a tuple any of several."""

    def __attrs_post_init__(self) -> None:
        for address in self.address:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"address {address!r} is not 0x and 40 hexadecimal digits")
        for topic in self.topics:
            for one in (topic,) if isinstance(topic, str) else topic or ():
                if not _TOPIC.fullmatch(one):
                    raise ValueError(f"topic {one!r} is not 0x and 64 hexadecimal digits")


@attrs.frozen
class NodeSettings:
    """One of several nodes of a feed."""

    alias: str = attrs.field(validator=_name)
    """By which this node is known everywhere, in place of the feed's name."""
    endpoint: Endpoint
    token: Secret | None = None


def _aliases_differ(_: Any, __: Any, nodes: tuple[NodeSettings, ...]) -> None:
    aliases = [node.alias for node in nodes]
    twice = sorted({alias for alias in aliases if aliases.count(alias) > 1})
    if twice:
        raise ValueError(f"two nodes are named {', '.join(twice)}; aliases must differ")


@attrs.frozen(kw_only=True)
class EthereumSettings(FeedSettings):
    """A node's WebSocket, or several nodes' of one chain."""

    kind: Literal["ethereum"] = "ethereum"
    nodes: tuple[NodeSettings, ...] = attrs.field(default=(), validator=_aliases_differ)
    """In place of ``endpoint``: several at once, in the order in which they are believed."""
    chain_id: int | None = positive(None, 2**64)
    """A node of another chain is refused; not checked where there is none."""
    genesis: str | None = attrs.field(default=None, validator=_hash)
    """Hash of the chain's first block; a node with another one is refused. Of several nodes
    without it, those that do not agree with the first to answer are."""
    follow: bool = True
    """Whether missed blocks are fetched, reorganisations told, and each block's logs fetched;
    without it heads and logs are passed on as they are announced."""
    backfill: int = positive(512, 4096)
    """Blocks of a gap that are fetched; a longer one is told and left."""
    held_logs: int = positive(10_000, LONGEST)
    """Streamed logs that may wait while a gap is filled; more, and the oldest are dropped, since
    each block brings its own."""
    heads: bool = True
    pending: Literal["bodies", "hashes", "off"] = "bodies"
    """``bodies`` falls back to fetching by hash where the node refuses them; ``hashes`` asks
    for hashes and fetches the bodies; ``off`` sees no mempool."""
    logs: tuple[LogFilter, ...] = ()
    fetches: int = positive(16, LONGEST)
    """Requests in flight at once."""
    backlog: int = positive(1000, LONGEST)
    """Hashes that may wait for a fetch; more are counted as lost."""
    fetch_timeout: float = positive(10.0)
    most_pending: int = positive(100_000, LONGEST)
    """Pending transactions that are watched; more, and the oldest expire."""
    pending_age: float = positive(1800.0)
    """Seconds for which one is watched."""
    ask_pending_after: float = positive(300.0)
    """Seconds without news of one after which the node is asked whether it still knows it."""
    patience: float = positive(3.0)
    """Seconds that the node which is believed may be behind another."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.nodes and self.endpoint is not None:
            raise ValueError("both an endpoint and nodes; a feed has one or the other")

    @property
    def aliases(self) -> tuple[str, ...]:
        """Of its connections."""
        return tuple(node.alias for node in self.nodes) or (self.name,)

    def of_node(self, node: NodeSettings) -> EthereumSettings:
        """As a feed with one node, known by its alias; the others can do without it."""
        return attrs.evolve(
            self,
            name=node.alias,
            endpoint=node.endpoint,
            token=node.token or self.token,
            nodes=(),
            required=False,
        )


@attrs.frozen(kw_only=True)
class VenueSettings(FeedSettings):
    """An exchange's feed."""

    kind: str
    """Which exchange and market, such as ``binance`` or ``kraken``."""
    instruments: tuple[Instrument, ...] = attrs.field(validator=attrs.validators.min_len(1))
    channels: tuple[str, ...] = ()
    """The exchange's names of what is wanted; its quotes and trades where none is named."""
    symbols: dict[str, Instrument] = attrs.Factory(dict)
    """The venue's spellings, where they do not follow from the instrument."""
    update_class: Literal["high_frequency", "normal", "low_frequency"] = "normal"
    """How often a quote is expected: every 1, 5 or 30 s."""


AnyFeed = EthereumSettings | VenueSettings


@attrs.frozen
class AlertSettings:
    """One alert; raised once each time that its limit is crossed."""

    id: str = attrs.field(validator=_name)
    instrument: Instrument
    type: Literal["above", "below", "change", "spread", "disputed", "stale"]
    price: Decimal | None = positive(None, DEAREST)
    """The limit of ``above`` and ``below``, in quote units."""
    ratio: Decimal | None = attrs.field(default=None, validator=[_positive, _at_most(MOST)])
    """That of ``change``, up or down, and of ``spread``, net of both taker fees; 0.01 is 1 %.
    Raised again only after it was below half."""
    window: float = positive(60.0)
    """Seconds in which the price must have changed by so much."""
    hysteresis: Decimal = attrs.field(default=Decimal("0.001"), validator=_fraction)
    """Share of ``price`` by which it must be back on the other side to be raised again."""
    hold: float = attrs.field(default=10.0, validator=[_not_negative, _at_most(MOST)])
    """Seconds for which ``disputed`` and ``stale`` must be over to be raised again."""

    def __attrs_post_init__(self) -> None:
        needed = {"above": "price", "below": "price", "change": "ratio", "spread": "ratio"}
        for name in ("price", "ratio"):
            given = getattr(self, name) is not None
            if given != (needed.get(self.type) == name):
                raise ValueError(
                    f"an alert of type {self.type} has {'no' if given else 'a'} {name}"
                )


TAKER_FEES = {
    "binance": Decimal("0.001"),
    "binance_us": Decimal("0.0001"),
    "binance_usdm": Decimal("0.0005"),
    "bitfinex": Decimal("0.002"),
    "bitstamp": Decimal("0.004"),
    "bybit": Decimal("0.001"),
    "bybit_linear": Decimal("0.00055"),
    "coinbase": Decimal("0.006"),
    "gemini": Decimal("0.004"),
    "kraken": Decimal("0.004"),
    "okx": Decimal("0.001"),
}
"""The venues' lowest tiers, as fractions of one."""


def _beside_the_defaults(given: dict[str, Decimal]) -> dict[str, Decimal]:
    return {**TAKER_FEES, **given}


@attrs.frozen
class PriceSettings:
    """How prices are aggregated and what is reported of them."""

    rule: Literal["calibrated", "pyth", "chainlink", "median"] = "calibrated"
    """By which many sources become one price: weighted by their learned errors, or as Pyth or
    Chainlink do it, or their plain median."""
    min_sources: int = positive(1, MOST_SOURCES)
    """Fewer fresh sources than that make no price."""
    max_deviation: Decimal = attrs.field(default=Decimal("0.05"), validator=_fraction)
    """A source further than this from where the others agree is never admitted, however large
    its errors are known to be."""
    max_age: float = positive(60.0)
    """No quote counts for longer than this."""
    clock_slack: float = attrs.field(default=2.0, validator=[_not_negative, _at_most(MOST)])
    """Seconds by which a venue's clock may be ahead of ours."""
    reliability_half_life: float = positive(60.0)
    """Seconds after which what a source did weighs half in its reliability."""
    bases: tuple[str, ...] = attrs.field(default=("USDT", "USDC"), validator=_assets)
    """Currencies through which a price is had from two others: X/Q from X/B and B/Q."""
    joined: tuple[str, ...] = attrs.field(default=("USD",), validator=_assets)
    """Currencies Q for which that is done, beside the instruments that are quoted themselves."""
    history: int = positive(1000, LONGEST)
    """Prices kept for each instrument."""
    retention: float = positive(3600.0)
    """Seconds for which they are kept."""
    volatility_half_life: float = positive(600.0)
    """Seconds after which a return weighs half in the volatility."""
    publish_interval: float = attrs.field(default=0.1, validator=[_not_negative, _at_most(MOST)])
    """Least time between two prices of one instrument."""
    fees: dict[str, Decimal] = attrs.field(
        factory=dict, converter=_beside_the_defaults, validator=_fees
    )
    """Taker fee by venue, beside the defaults; no spread is reported for a venue without one."""
    spread_max_age: float = positive(10.0)
    """Both quotes of a spread must be younger than this."""
    spread_report: Decimal = attrs.field(default=Decimal("0.001"), validator=_fraction)
    """Net ratio from which a spread is reported."""
    spread_high: Decimal = attrs.field(default=Decimal("0.005"), validator=_fraction)
    """Net ratio from which it has HIGH priority."""
    max_lag: float = positive(5.0)
    """Seconds from event to arrival, on the average, over which a venue's data is reported."""
    stuck_after: float = positive(60.0)
    """Seconds after which a quote that does not change, while others do, is reported."""
    alerts: tuple[AlertSettings, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.spread_high < self.spread_report:
            raise ValueError("spread_high is below spread_report; it must be as high or higher")


@attrs.frozen
class TransactionSettings:
    """What makes a pending transaction worth reporting."""

    native: Instrument = Instrument("ETH", "USD")
    """Whose price values the transferred ether."""
    large: Decimal = positive(Decimal(1000), DEAREST)
    very_large: Decimal = positive(Decimal(10_000), DEAREST)
    mega: Decimal = positive(Decimal(100_000), DEAREST)
    gas_window: int = attrs.field(
        default=100, validator=[attrs.validators.ge(10), _at_most(LONGEST)]
    )
    """Transactions that the urgency is measured against."""

    def __attrs_post_init__(self) -> None:
        if not self.large < self.very_large < self.mega:
            raise ValueError("large, very_large and mega must rise")


@attrs.frozen
class MempoolSettings:
    """The view of pending transactions."""

    window: float = positive(300.0)
    """Seconds that a transaction is kept for."""
    max_transactions: int = positive(200_000, LONGEST)
    """More than these in the window, and the oldest are forgotten and counted."""


def _token(_: Any, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    for token in value:
        if not (_ADDRESS.fullmatch(token) or _ASSET.fullmatch(token)):
            raise ValueError(
                f"{attribute.name}: {token[:64]!r} is neither an address nor the symbol of a token"
            )


def _addresses(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    for address in (value,) if isinstance(value, str) else value or ():
        if not _ADDRESS.fullmatch(address):
            raise ValueError(
                f"{attribute.name}: {address[:64]!r} is not 0x and 40 hexadecimal digits"
            )


def _asset_names(_: Any, attribute: attrs.Attribute[Any], value: dict[str, str]) -> None:
    _addresses(_, attribute, tuple(value))
    for asset in value.values():
        if not _ASSET.fullmatch(asset):
            raise ValueError(f"{attribute.name}: {asset[:64]!r} is not 1 to 20 of A-Z and 0-9")


def _tiers(_: Any, attribute: attrs.Attribute[Any], value: tuple[int, ...]) -> None:
    if len(value) > 16 or not all(0 < fee < 10**6 for fee in value):
        raise ValueError(f"{attribute.name} must be at most 16, from 1 to 999999 millionths")


@attrs.frozen
class FactorySettings:
    """Whose pools are looked for."""

    address: str = attrs.field(validator=_addresses)
    kind: Literal["v2", "v3"] = "v2"
    """Whose interface it has: that of Uniswap V2 or V3."""
    fees: tuple[int, ...] = attrs.field(default=(), validator=_tiers)
    """Millionths: of V3 its tiers, of V2 what every pair keeps; Uniswap's own where none is
    named."""

    @property
    def tiers(self) -> tuple[int, ...]:
        """The fees, Uniswap's own where none is named."""
        return self.fees or ((3000,) if self.kind == "v2" else (100, 500, 3000, 10_000))

    def __attrs_post_init__(self) -> None:
        if self.kind == "v2" and len(self.fees) > 1:
            raise ValueError("fees: a factory of V2 has one fee for all of its pairs")


@attrs.frozen
class PoolSettings:
    """Which pools of the first Ethereum feed's chain are watched, and how."""

    tokens: tuple[str, ...] = attrs.field(default=(), validator=[_token])
    """Pools of these with each other are looked for: addresses, or symbols of those that are
    known. None: no pools are looked for."""
    addresses: tuple[str, ...] = attrs.field(default=(), validator=_addresses)
    """Pairs and V3 pools to watch besides."""
    factories: tuple[FactorySettings, ...] = ()
    """Where they are looked for, in place of Uniswap's and SushiSwap's on chain 1."""
    v4_view: str | None = attrs.field(default=None, validator=_addresses)
    """Address of a StateView of Uniswap V4, in place of that on chain 1."""
    assets: dict[str, str] = attrs.field(factory=dict, validator=_asset_names)
    """What tokens are worth, by address, beside those that are known: such as ``ETH``."""
    prices: bool = True
    """Whether pools of two such tokens have a say in prices."""
    correction_gas: int = positive(150_000)
    """Gas that it takes to bring a pool's price back in line; what that costs is part of how far
    a pool's price can be believed."""
    most: int = positive(2000, 100_000)
    """Pools that are watched; more are left out and counted."""
    check_interval: float = positive(60.0)
    """Seconds between two pools that are held against the node."""
    batch: int = positive(100, 1000)
    """Calls in one message to the node."""
    most_pending: int = positive(300, 100_000)
    """Pending swaps at these pools that are looked at again with every block; of more, the oldest
    are forgotten."""

    def __attrs_post_init__(self) -> None:
        if len(self.tokens) > 100:
            raise ValueError(f"tokens: {len(self.tokens)} are too many; at most 100")

    @property
    def enabled(self) -> bool:
        """Whether any pool is watched."""
        return bool(self.tokens or self.addresses)


@attrs.frozen
class ArbitrageSettings:
    """Which arbitrage is reported."""

    native: Instrument = Instrument("ETH", "USD")
    """Whose price values what is made."""
    least_wei: int = positive(1, 10**24)
    """What must be left after gas, in wei."""
    bases: tuple[str, ...] = attrs.field(default=(), validator=[_token])
    """Tokens that profit is wanted in, the dearest first: addresses, or symbols of those that are
    known, which are taken where none is named."""
    most: int = positive(5, 1000)
    """Cycles that are reported of one block or one pending swap, the best first."""


@attrs.frozen
class RefereeSettings:
    """Whether a node is asked to try pending transactions whose calls do not say what they do."""

    enabled: bool = False
    """Off, since providers charge more for such calls than for others, and public nodes refuse
    them."""
    calls_per_second: float = positive(5.0, 1000)
    deadline: float = positive(1.0, 60)
    """Seconds from a transaction's arrival to the node's answer; later it is of no use."""
    under_way: int = positive(4, 64)
    """Calls at once."""


FEED_KINDS = ("chainlink_aggregator", "chainlink_forwarder", "settable_feed")
"""Of contracts that bring prices."""


def _feed_kinds(_: Any, attribute: attrs.Attribute[Any], value: dict[str, str]) -> None:
    _addresses(_, attribute, tuple(value))
    for kind in value.values():
        if kind not in FEED_KINDS:
            known = ", ".join(FEED_KINDS)
            raise ValueError(f"{attribute.name}: {kind[:64]!r} is not one of {known}")


@attrs.frozen
class LiquidationSettings:
    """Which positions of Aave V3 are watched, on the first Ethereum feed's chain."""

    enabled: bool = False
    pool: str | None = attrs.field(default=None, validator=_addresses)
    """Address of the pool, in place of that on chain 1."""
    users: tuple[str, ...] = attrs.field(default=(), validator=_addresses)
    """To watch from the start; whoever borrows later is watched too."""
    most: int = positive(20_000, 200_000)
    """Users that are watched; more are left out and counted."""
    watch_within: Decimal = attrs.field(default=Decimal("0.05"), validator=_fraction)
    """Fall of all collateral within which a position counts as near its liquidation."""
    least_gain: Decimal = attrs.field(
        default=Decimal(1), validator=[_not_negative, _at_most(DEAREST)]
    )
    """What a liquidation must bring to be reported, gross, in the currency that the pool reckons
    in: dollars on the main network."""
    contracts: dict[str, str] = attrs.field(factory=dict, validator=_feed_kinds)
    """Contracts that bring prices, by address, and their kinds, beside the aggregators and
    forwarders that the pool's feeds name themselves."""
    block_time: int = positive(12)
    """Seconds to the next block: what is predicted is as of then."""
    check_interval: float = positive(60.0)
    """Seconds between two looks at whether the node says the same."""
    batch: int = positive(100, 1000)
    """Calls in one message to the node."""


@attrs.frozen
class ExposureSettings:
    """Which exposure of pending swaps to sandwiches is reported."""

    native: Instrument = Instrument("ETH", "USD")
    """Whose price values what an attacker would make."""
    least_wei: int = positive(1, 10**24)
    """What a sandwich must leave after gas, in wei."""
    most: int = positive(5, 1000)
    """Swaps that are reported of one pending transaction, the worst first."""


STORED = (
    "finding",
    "ledger",
    "alert",
    "price",
    "quote",
    "transaction",
    "sourcelog",
    "block_summary",
)
"""Datasets that a stream is stored in."""


def _datasets(_: Any, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    unknown = [name for name in value if name not in STORED]
    if unknown or not value:
        shown = ", ".join(repr(name[:64]) for name in unknown) or "none"
        raise ValueError(f"{attribute.name}: {shown}; known are {', '.join(STORED)}")


@attrs.frozen
class StoreSettings:
    """Whether, where and how what a stream tells is stored."""

    folder: str | None = None
    """None: nothing is stored."""
    datasets: tuple[str, ...] = attrs.field(default=STORED, validator=_datasets)
    flush_seconds: float = positive(10.0, 3600)
    """For which a row waits to be written, at most."""
    flush_rows: int = positive(20_000, 1_000_000)
    """Events that wait, at most."""
    flush_bytes: int = positive(32 * 2**20)
    """Bytes of events that wait, at most."""
    file_rows: int = positive(100_000, 10**8)
    """With so many rows a file is full, and the next one is begun."""
    file_bytes: int = positive(16 * 2**20, 10**12)
    """With so many bytes, too."""
    waiting_bytes: int = positive(256 * 2**20, 10**12)
    """Bytes of rows that wait while the disk takes none; of more the oldest are lost."""
    keep_days: int | None = positive(None, 10**6)
    """Days that are kept, counted back from the latest one; None: all."""
    keep_bytes: int | None = positive(None, 10**15)
    """Bytes of all files that are kept; of more the oldest are removed. None: all."""


def _names_differ(_: Any, __: Any, feeds: tuple[FeedSettings, ...]) -> None:
    names = [feed.name for feed in feeds]
    for feed in feeds:
        if isinstance(feed, EthereumSettings):
            names += [node.alias for node in feed.nodes]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"two feeds are named {', '.join(twice)}; names must differ")


@attrs.frozen
class RecordSettings:
    """How a run is recorded: into one tape, or into a folder of tapes that follow each other."""

    rotate_size: int | None = positive(None, 10**12)
    """Bytes after which a tape is followed by the next."""
    rotate_every: float | None = positive(None)
    """Seconds after which it is."""
    keep_files: int | None = positive(None, 100_000)
    """Tapes that are kept in the folder, the one that is being written among them; the oldest
    are deleted. All are where nothing is said."""
    keep_bytes: int | None = positive(None, 10**15)
    """Bytes that they may have together."""
    keep_age: float | None = positive(None)
    """Seconds since a tape was last written, after which it is deleted."""
    max_waiting: int = positive(64 * 2**20)
    """Bytes that may wait for the disk; more are lost, and counted."""
    sync: bool = True
    """Whether what was written is on the disk itself within a second, so that a loss of power
    spares it; without, only the end of the process does."""

    def __attrs_post_init__(self) -> None:
        kept = (self.keep_files, self.keep_bytes, self.keep_age)
        if not self.rotates and any(bound is not None for bound in kept):
            raise ValueError("tapes are only deleted where others follow: set a rotation, too")

    @property
    def rotates(self) -> bool:
        """Whether a tape is followed by others."""
        return self.rotate_size is not None or self.rotate_every is not None


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
