"""Of connections and of what comes by them."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ..identity import Endpoint, Instrument, Secret
from .checks import (
    ADDRESS,
    LONGEST,
    MOST,
    TOPIC,
    check_at_most,
    check_hash,
    check_name,
    check_not_negative,
    positive,
)


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
    subscribe_interval: float = attrs.field(
        default=0.1, validator=[check_not_negative, check_at_most(MOST)]
    )
    """Pause between two subscription requests; an exchange that asks for a longer one gets it,
    unless there shall be none at all."""
    malformed_per_minute: int = positive(6000)
    """More undecodable frames than that in a minute, and the connection is made anew."""
    first_delay: float = positive(5.0)
    factor: float = attrs.field(
        default=1.5, validator=[attrs.validators.ge(1), check_at_most(MOST)]
    )
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

    name: str = attrs.field(validator=check_name)
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
            if not ADDRESS.fullmatch(address):
                raise ValueError(f"address {address!r} is not 0x and 40 hexadecimal digits")
        for topic in self.topics:
            for one in (topic,) if isinstance(topic, str) else topic or ():
                if not TOPIC.fullmatch(one):
                    raise ValueError(f"topic {one!r} is not 0x and 64 hexadecimal digits")


@attrs.frozen
class NodeSettings:
    """One of several nodes of a feed."""

    alias: str = attrs.field(validator=check_name)
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
    genesis: str | None = attrs.field(default=None, validator=check_hash)
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
