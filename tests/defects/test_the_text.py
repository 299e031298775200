"""The course text's mistakes: one test each, which its design would fail.

The tests go the public way: a scripted peer, a feed, a stream, what comes out of it.
"""

from __future__ import annotations

import importlib.resources
import json
import time
from collections.abc import Callable, Iterable
from decimal import Decimal

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.complaints.scripted import (
    AT_ONCE,
    ENDPOINT,
    ETH,
    SENDER,
    answer,
    assert_settled,
    binance,
    body,
    book,
    confirm,
    confirm_streams,
    hash_of,
    head,
    log,
    node,
    note,
)
from tests.support.peer import Peer, PeerConnection
from trio_mev.config import loads, make_feed, standard_processors
from trio_mev.errors import ConfigError
from trio_mev.feeds.prices import PriceFeedWebSocketHandler
from trio_mev.feeds.venues import BinanceWebSocketClient, CoinbaseWebSocketClient
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.pump import ConsumerSnapshot
from trio_mev.flow.subscription import Subscription
from trio_mev.model.chain import Transaction, Urgency
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import PriceStatus, Quote, Trend
from trio_mev.model.settings import (
    EthereumSettings,
    FilterSettings,
    LaneSettings,
    MempoolSettings,
    PriceSettings,
    Settings,
    StreamConfig,
    VenueSettings,
)
from trio_mev.pricing.aggregator import PriceFeedAggregator
from trio_mev.processors.blocks import BlockAnalyzer
from trio_mev.processors.mempool import MempoolAnalyzer
from trio_mev.processors.prices import PriceDataProcessor
from trio_mev.processors.transactions import TransactionAnalyzer
from trio_mev.stream import RealtimeDataStream, open_stream
from trio_mev.wire.contracts import METHODS, ROUTERS
from trio_mev.wire.ethereum import parse_head, parse_transaction

V2_SWAP = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
V3_SWAP = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
V2_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
V3_ROUTER = "0xE592427A0AEce92De3Edee1F18E0157C05861564"


def event(
    kind: DataType,
    data: object = None,
    number: int = 0,
    priority: EventPriority = EventPriority.NORMAL,
) -> DataEvent:
    return DataEvent(kind, priority, data, "test", trio.current_time(), sequence=number)


def transaction(number: int, **fields: object) -> Transaction:
    return parse_transaction(_json(body(number, **fields)))


def block(number: int) -> DataEvent:
    return event(DataType.BLOCK, parse_head(_json(head(number))), number, EventPriority.HIGH)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def quote(venue: str, bid: str, ask: str, **fields: object) -> Quote:
    return Quote(Venue(venue), ETH, Decimal(bid), Decimal(ask), **fields)


def consumer(stream: RealtimeDataStream, name: str) -> ConsumerSnapshot:
    return next(c for c in stream.get_stats().consumers if c.name.startswith(name))


async def first(count: int, events: Subscription) -> list[DataEvent]:
    with trio.fail_after(3600):
        return [await anext(events) for _ in range(count)]


async def one(events: Subscription) -> DataEvent:
    return (await first(1, events))[0]


async def test_a_notification_is_known_by_the_id_that_the_server_gave(nursery, autojump_clock):
    """1. The id was never kept, so every notification was thrown away."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x9ce59a13059e417087c02d3236a0b1cc")
        await peer.send(note("0x9ce59a13059e417087c02d3236a0b1cc", head(7)))
        await peer.hold()

    feed = node(Peer(nursery, script), pending="off")
    async with open_stream([feed]) as stream:
        seen = await one(stream.subscribe(DataType.BLOCK))
    assert seen.data.number == 7
    assert seen.metadata["subscription_id"] == "0x9ce59a13059e417087c02d3236a0b1cc"


async def test_what_was_subscribed_to_says_what_an_event_is(nursery, autojump_clock):
    """2. The kind was looked for in the method, which is the same for all, so that everything
    was MEMPOOL and no transaction was ever analysed."""
    asked = []

    async def script(peer: PeerConnection) -> None:
        asked.extend(await confirm(peer, "0xa", "0xb", "0xc"))
        frames = (note("0xa", head(1)), note("0xb", body(2)), note("0xc", log(3, V2_SWAP)))
        await peer.send(*frames)
        await peer.hold()

    feed = node(Peer(nursery, script), logs=loads(OWN_NODE, ENV).settings.feeds[0].logs)
    async with open_stream([feed], [TransactionAnalyzer]) as stream:
        seen = stream.subscribe(DataType.BLOCK, DataType.TRANSACTION, DataType.LOG)
        kinds = {e.event_type for e in await first(3, seen)}
    assert [params[0] for params in asked] == ["newHeads", "newPendingTransactions", "logs"]
    assert kinds == {DataType.BLOCK, DataType.TRANSACTION, DataType.LOG}
    assert stream.get_stats().events == {"block": 1, "transaction": 1, "log": 1}
    assert consumer(stream, "TransactionAnalyzer").books.processed == 2


@pytest.mark.parametrize("priority", [EventPriority.NORMAL, EventPriority.LOW])
async def test_an_empty_lane_costs_the_others_no_time(autojump_clock, priority):
    """3. Each empty higher lane was waited for, 100 ms an event."""
    seen = []
    async with open_stream() as stream:
        stream.add_event_handler(DataType.LOG, lambda e: seen.append(e.sequence))
        for number in range(2000):
            stream.emit_event(event(DataType.LOG, None, number, priority))
    assert seen == list(range(2000))
    assert trio.current_time() == 0.0


@pytest.mark.parametrize("priority", [EventPriority.HIGH, EventPriority.NORMAL])
async def test_a_full_lane_takes_the_new_event_and_costs_no_other_lane_one(
    autojump_clock, priority
):
    """4. A full HIGH or NORMAL lane cost a LOW event, and the new event as well."""
    seen = []
    config = StreamConfig(lanes=LaneSettings(3, 3, 3))
    async with open_stream(config=config) as stream:
        stream.add_event_handler(DataType.LOG, lambda e: seen.append(e.sequence))
        stream.emit_event(event(DataType.LOG, None, 100, EventPriority.LOW))
        for number in range(4):
            stream.emit_event(event(DataType.LOG, None, number, priority))
    assert seen == [1, 2, 3, 100]
    assert stream.get_stats().books.lost_by == {f"{priority.name.lower()}:shed": 1}


@pytest.mark.parametrize("honest", [3, 4])
def test_one_bad_source_moves_no_price(honest):
    """5. Two standard deviations reject nothing among five sources or fewer."""
    aggregator = PriceFeedAggregator(PriceSettings())
    for number in range(honest):
        aggregator.update_price(Venue(f"good{number}"), ETH, Decimal(2000), 0.0)
    aggregator.update_price(Venue("mad"), ETH, Decimal(20_000), 0.0)
    price = aggregator.get_price(ETH, 0.0)
    assert price.price == 2000
    assert price.rejected == ("mad",)
    assert price.status is PriceStatus.DEGRADED


def test_a_router_is_known_by_its_real_address_on_this_chain():
    """6. The V3 router's and Compound's addresses were wrong, one router was of another chain,
    and a liquidation was expected where none is sent."""
    wrong = (
        "0xE592427A0AEce92De3E3461a08Cc53721Faff32e",
        "0x3d9819210a31b4961b30ef54be2aed79b9c4483e",
        "0x10ED43C718714eb63d5aA57B78B54704E256024E",  # of BNB Smart Chain
        "0x3d9819210A31b4961b30EF54bE2aeD79B9c9Cd3B",  # Compound's Comptroller: no liquidations
    )
    analyzer = TransactionAnalyzer()
    right = analyzer.analyse(transaction(1, to=V3_ROUTER, input="0x414bf389" + "00" * 256), 0.0)
    assert right.router == "Uniswap V3 SwapRouter"
    assert right.method is not None
    assert right.method.startswith("exactInputSingle(")
    assert [analyzer.analyse(transaction(2, to=to), 0.0).router for to in wrong] == [None] * 4
    assert not [signature for signature in METHODS.values() if "liquidate" in signature.lower()]
    assert all(address == address.lower() and len(address) == 42 for address in ROUTERS)


async def test_one_recipient_is_enough_to_know_a_swap(autojump_clock):
    """7. Two DEXes were wanted in the recipients of one transaction, which has one recipient.

    Nothing in the package claims to see a sandwich or two markets in a pending transaction;
    what it does claim, a swap at a router by the single ``to``, is seen here.
    """
    async with open_stream([], [TransactionAnalyzer]) as stream:
        findings = stream.findings
        for number in range(10):
            stream.emit_event(event(DataType.TRANSACTION, transaction(number)))
        swap = transaction(10, to=V2_ROUTER, input="0x7ff36ab5", gasPrice=hex(10**12))
        stream.emit_event(event(DataType.TRANSACTION, swap))
        found = (await one(findings)).data
    assert (found.transaction, found.to) == (hash_of(10), V2_ROUTER)
    assert found.router == "Uniswap V2 Router02"
    assert found.method == "swapExactETHForTokens(uint256,address[],address,uint256)"
    assert found.urgency is Urgency.CRITICAL


NEW_YEAR = 1_767_225_600 * 10**9
"""2026 begins, in nanoseconds since the epoch."""


def coinbase_ticker(number: int, price: str) -> bytes:
    return _json({
        "type": "ticker", "sequence": number, "product_id": "ETH-USDT", "price": price,
        "best_bid": price, "best_ask": price, "time": "2026-01-01T00:00:00.000000Z",
    })  # fmt: skip


async def test_two_venues_spellings_of_one_instrument_meet_in_one_price(nursery, autojump_clock):
    """8. Prices were kept by each venue's own symbol, so that no two of them ever met."""

    async def as_binance(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await peer.send(book(1, "2000", "2000"))
        await peer.hold()

    async def as_coinbase(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.receive()
        told = {"name": "ticker", "product_ids": ["ETH-USDT"]}
        await peer.send(_json({"type": "subscriptions", "channels": [told]}))
        await trio.sleep(1)
        await peer.send(coinbase_ticker(1, "2002"))
        await peer.hold()

    settings = VenueSettings(
        kind="coinbase",
        name="coinbase",
        endpoint=ENDPOINT,
        instruments=(ETH,),
        channels=("ticker",),
    )
    feeds = [
        binance(Peer(nursery, as_binance), "bookTicker"),
        CoinbaseWebSocketClient(settings, Peer(nursery, as_coinbase).dial),
    ]
    for feed in feeds:
        feed.wall = lambda: NEW_YEAR + int(trio.current_time() * 1e9)
    async with open_stream(feeds, [PriceDataProcessor]) as stream:
        alone, together = await first(2, stream.subscribe(DataType.PRICE))
    assert alone.data.sources == ("binance",)
    assert together.data.instrument == Instrument("ETH", "USDT")
    assert together.data.sources == ("binance", "coinbase")
    assert 2000 < together.data.price < 2002


async def test_the_profit_on_an_amount_is_the_net_share_of_it(autojump_clock):
    """9. A thousand dollars' profit was a thousand times the difference, and without fees."""
    settings = PriceSettings(fees={"alpha": Decimal(0), "beta": Decimal("0.01")})
    async with open_stream([], [lambda: PriceDataProcessor(settings)]) as stream:
        findings = stream.findings
        stream.emit_event(event(DataType.QUOTE, quote("alpha", "1999", "2000")))
        stream.emit_event(event(DataType.QUOTE, quote("beta", "2100", "2101")))
        spread = (await one(findings)).data
    assert (spread.buy_price, spread.sell_price) == (2000, 2100)
    assert spread.net_per_unit == 79  # 2100 less one per cent, less 2000
    assert spread.profit_on(Decimal(1000)) == Decimal("39.5")


def example(name: str) -> str:
    return (importlib.resources.files("trio_mev.cli") / name).read_text(encoding="utf-8")


EXAMPLES = sorted(
    file.name
    for file in importlib.resources.files("trio_mev.cli").iterdir()
    if file.name.endswith(".toml")
)
ENV = {"ETH_RPC_URL": "ws://peer.test/ws"}
OWN_NODE = example("own-node.toml")


@pytest.mark.parametrize("name", EXAMPLES)
async def test_logs_are_asked_for_by_what_pools_emit(nursery, autojump_clock, name):
    """10. The log subscriptions named factories, which emit neither Swap nor Sync."""
    asked = []

    async def script(peer: PeerConnection) -> None:
        await peer.accept()
        assert await answer(peer, "0x1") == []  # which chain it is on
        while len(asked) < 3:
            asked.append(await answer(peer, f"0x{len(asked)}"))
        await peer.send(note("0x2", log(1, V2_SWAP)), note("0x2", log(2, V3_SWAP)))
        await peer.hold()

    (settings,) = (
        feed for feed in loads(example(name), ENV).settings.feeds if feed.kind == "ethereum"
    )
    assert isinstance(settings, EthereumSettings)
    async with open_stream([make_feed(settings, Peer(nursery, script).dial)]) as stream:
        logs = await first(2, stream.subscribe(DataType.LOG))
    assert asked[2] == ["logs", {"topics": [[V2_SWAP, V3_SWAP]]}]
    assert [e.data.topics for e in logs] == [(V2_SWAP,), (V3_SWAP,)]


async def test_an_event_is_timed_once_and_what_times_out_is_no_part_of_the_mean(
    autojump_clock, monkeypatch
):
    """11. Statistics were updated twice an event, time-outs were in the mean, and the wall
    clock measured it: here that clock runs backwards."""
    wall = iter(range(10**6, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(wall)))

    async def work(e: DataEvent) -> None:
        if e.sequence == 2:
            await trio.sleep(3600)

    async with open_stream() as stream:
        stream.add_event_handler(DataType.LOG, work)
        for number in range(5):
            stream.emit_event(event(DataType.LOG, None, number))
    (figures,) = stream.get_stats().consumers
    assert (figures.books.processed, figures.books.failed) == (4, 1)
    assert (figures.timing.count, figures.timing.timeouts) == (4, 1)
    assert figures.timing.mean is not None
    assert 0 < figures.timing.mean <= figures.timing.longest < 5.0
    assert 0.1 <= trio.current_time() <= 0.111  # the budget, and the pump's slack


async def test_a_clean_close_is_followed_by_a_new_life_and_health_forgives_restarts(
    nursery, autojump_clock
):
    """12. A clean close ended the reconnecting for good, and attempts were never forgiven."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        await trio.sleep(21)  # before the first ping
        await peer.send(note("0x1", head(peer_of.dials)))
        peer.protocol.send_close(1000, "maintenance")
        await peer.flush()

    peer_of = Peer(nursery, script)
    settled_soon = attrs.evolve(AT_ONCE, first_delay=5.0, settle_after=20.0, restarts=2)
    feed = node(peer_of, pending="off", connection=settled_soon, required=True)
    async with open_stream([feed]) as stream:
        heads = await first(12, stream.subscribe(DataType.BLOCK))
    assert [e.data.number for e in heads] == list(range(1, 13))
    assert feed.status.connections == 12
    # Of every delay the first: at most 5 s, however many lives there were.
    assert 12 * 21 < trio.current_time() < 12 * 21 + 11 * 5 + 1


async def test_every_processor_of_the_package_runs_without_more_configuration(autojump_clock):
    """13. Analyzers were named and never defined, and processors were built without the
    configuration that they required."""
    made = [factory() for factory in standard_processors(Settings())]
    assert {type(processor) for processor in made} >= {
        BlockAnalyzer, MempoolAnalyzer, PriceDataProcessor, TransactionAnalyzer,
    }  # fmt: skip
    by_hand = [type(processor) for processor in made]
    async with open_stream([], [*standard_processors(Settings()), *by_hand]) as stream:
        stream.emit_event(event(DataType.QUOTE, quote("binance", "2000", "2001")))
        stream.emit_event(event(DataType.TRANSACTION, transaction(1)))
        stream.emit_event(block(1))
    for figures in stream.get_stats().consumers:
        assert figures.books.processed > 0, figures
        assert (figures.books.failed, figures.last_error) == (0, None)


def test_a_wrong_price_costs_a_source_its_reliability():
    """14. Only exceptions counted against a source, never a wrong price."""
    aggregator = PriceFeedAggregator(PriceSettings())
    for number in range(50):
        for venue in ("alpha", "beta", "gamma", "wrong"):
            price = Decimal(3000 if venue == "wrong" else 2000)
            aggregator.update_price(Venue(venue), ETH, price, float(number))
        aggregator.tick(ETH, float(number))
    by_name = {s.source_id: s for s in aggregator.get_source_stats(50.0)}
    assert [by_name[v].reliability for v in ("alpha", "beta", "gamma")] == [1.0] * 3
    assert by_name["wrong"].rejections == 1
    assert by_name["wrong"].reliability == pytest.approx(0.5 ** (49 / 60))


async def test_pending_transactions_come_with_their_bodies(nursery, autojump_clock):
    """15. Without asking for bodies one gets hashes, which were treated as bodies. Here bodies
    are asked for, and fetched from a node that sends hashes all the same."""
    asked = []

    async def script(peer: PeerConnection) -> None:
        asked.extend(await confirm(peer, "0x1"))
        await peer.send(note("0x1", hash_of(77)))
        asked.append(await answer(peer, body(77)))
        await peer.hold()

    feed = node(Peer(nursery, script), heads=False)
    async with open_stream([feed]) as stream:
        seen = await one(stream.subscribe(DataType.TRANSACTION))
    assert asked == [["newPendingTransactions", True], [hash_of(77)]]
    assert (seen.data.hash, seen.data.value, seen.data.sender) == (hash_of(77), 77, SENDER)


def finder(find: Callable[[DataEvent], Iterable[DataEvent]]) -> type[DataProcessor]:
    class Finder(DataProcessor):
        consumes = frozenset({DataType.LOG})

        async def process_event(self, e: DataEvent) -> Iterable[DataEvent]:
            return find(e)

    return Finder


async def test_what_is_found_urgent_overtakes_what_waits(autojump_clock):
    """16. The priority was changed when the event had left its lane, where it changes nothing."""
    order = []

    def find(e: DataEvent) -> Iterable[DataEvent]:
        with pytest.raises(AttributeError):
            e.priority = EventPriority.HIGH
        urgent = EventPriority.HIGH if e.sequence == 9 else EventPriority.NORMAL
        return (e.finding(e.sequence, DataType.FINDING, urgent),)

    async with open_stream([], [finder(find)]) as stream:
        stream.add_event_handler(DataType.FINDING, lambda e: order.append(e.data))
        for number in range(10):
            stream.emit_event(event(DataType.LOG, None, number))
    assert order.index(9) < order.index(8)
    assert order == [9, *range(9)]


async def test_an_exchanges_frame_becomes_a_quote(nursery, autojump_clock):
    """17. Binance's frames fell into a handler that only logged them."""

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await peer.send(book(1, "2000.10", "2000.20"))
        await peer.hold()

    async with open_stream([binance(Peer(nursery, script), "bookTicker")]) as stream:
        seen = await one(stream.subscribe(DataType.QUOTE))
    assert (seen.data.venue, seen.data.instrument) == ("binance", ETH)
    assert (seen.data.bid, seen.data.ask) == (Decimal("2000.10"), Decimal("2000.20"))


async def test_a_source_that_speaks_is_a_source(nursery, autojump_clock):
    """18. The price handler never made its sources known, so nothing was ever aggregated."""

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await peer.send(book(1, "2000", "2001"))
        await peer.hold()

    handler = PriceFeedWebSocketHandler()
    handler.add("binance", "ETH/USDT")
    (made,) = handler.feeds()
    feed = BinanceWebSocketClient(made.settings, Peer(nursery, script).dial)
    async with open_stream([feed], [PriceDataProcessor]) as stream:
        price = (await one(stream.subscribe(DataType.PRICE))).data
    assert (price.instrument, price.price) == (ETH, Decimal("2000.5"))
    assert price.sources == ("binance",)


async def test_a_filter_finds_the_documented_path_and_reads_hexadecimal_numbers(autojump_clock):
    """19. Filters began below ``data``, so that ``data.gasPrice`` was never there; text against
    a number raised, which counted as filtered."""
    filters = (FilterSettings("data.gasPrice", "greater_than", "0x77359400"),)  # 2 gwei
    seen = []
    async with open_stream(config=StreamConfig(filters=filters)) as stream:
        stream.add_event_handler(DataType.TRANSACTION, lambda e: seen.append(e.data.value))
        for gwei in (1, 2, 3):
            offered = transaction(gwei, gasPrice=hex(gwei * 10**9))
            stream.emit_event(event(DataType.TRANSACTION, offered))
    assert seen == [3]
    assert stream.get_stats().books.filtered == 2
    for bad in (FilterSettings("data.gasPrise", "equals", 1), FilterSettings("source", "is", "x")):
        with pytest.raises(ConfigError):
            async with open_stream(config=StreamConfig(filters=(bad,))):
                pass


async def test_the_mempools_window_is_a_time_and_not_a_count(autojump_clock):
    """20. Five minutes were 300 transactions."""
    async with open_stream([], [MempoolAnalyzer]) as stream:
        views = stream.subscribe(DataType.MEMPOOL_VIEW)
        pending = []
        for wait, count in ((0, 1000), (299, 1), (2, 0), (300, 0)):
            await trio.sleep(wait)
            for number in range(count):
                offered = transaction(number + 2000 * wait)
                stream.emit_event(event(DataType.TRANSACTION, offered))
            await wait_all_tasks_blocked()
            stream.emit_event(block(1))
            pending.append((await one(views)).data.pending)
    assert MempoolSettings().window == 300
    assert pending == [1000, 1001, 1, 0]


async def test_a_few_transactions_have_no_percentiles_and_raise_nothing(autojump_clock):
    """21. The percentiles began as lists, and comparing a number with one raises."""
    async with open_stream([], [MempoolAnalyzer, TransactionAnalyzer]) as stream:
        views = stream.subscribe(DataType.MEMPOOL_VIEW)
        gas = []
        for number in range(10):
            offered = transaction(number, to=V2_ROUTER, gasPrice=hex(number + 1))
            stream.emit_event(event(DataType.TRANSACTION, offered))
            await wait_all_tasks_blocked()
            stream.emit_event(block(number + 1))
            gas.append((await one(views)).data.gas)
    assert gas[:9] == [None] * 9
    assert (gas[9].count, gas[9].p50, gas[9].p90, gas[9].p99) == (10, 5, 9, 10)
    assert stream.get_stats().books.failed == 0
    assert [c.last_error for c in stream.get_stats().consumers] == [None, None]


async def test_a_trend_is_told_when_there_are_prices_enough(autojump_clock):
    """22. The long mean divided by 20 what were 10 to 19 prices: always bullish."""
    settings = PriceSettings(publish_interval=0)
    async with open_stream([], [lambda: PriceDataProcessor(settings)]) as stream:
        prices = stream.subscribe(DataType.PRICE)
        for number in range(25):
            flat = f"2000.{number % 2}"
            stream.emit_event(event(DataType.QUOTE, quote("binance", flat, flat)))
        trends = [e.data.trend for e in await first(25, prices)]
    assert trends == [Trend.INSUFFICIENT_DATA] * 19 + [Trend.SIDEWAYS] * 6


async def test_a_contract_creation_is_a_transaction_like_any_other(nursery, autojump_clock):
    """23. A recipient of null raised."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        await peer.send(note("0x1", body(5, to=None)))
        await peer.hold()

    feed = node(Peer(nursery, script), heads=False)
    processors = standard_processors(Settings())
    async with open_stream([feed], processors, StreamConfig(strict=True)) as stream:
        seen = await one(stream.subscribe(DataType.TRANSACTION))
    assert (seen.data.hash, seen.data.to) == (hash_of(5), None)
    assert consumer(stream, "TransactionAnalyzer").books.processed == 1
    assert stream.get_stats().books.failed == 0


async def test_what_the_end_finds_queued_is_worked_off_or_counted(autojump_clock):
    """24. Stopping threw away what was queued, uncounted."""

    async def slow(e: DataEvent) -> None:
        await trio.sleep(1)

    config = StreamConfig(budget=10.0, drain_timeout=2.5)
    async with open_stream(config=config) as stream:
        stream.add_event_handler(DataType.LOG, slow)
        for number in range(10):
            stream.emit_event(event(DataType.LOG, None, number))
    books = stream.get_stats().books
    assert (books.received, books.processed, books.queued) == (10, 2, 0)
    assert books.lost_by == {"normal:drain": 8}
    assert_settled(stream)


async def test_resubscribing_leaves_the_registry_as_large_as_it_was(nursery, autojump_clock):
    """25. Every resubscription was appended to the registry, without bound."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, f"0x{peer_of.dials}a", f"0x{peer_of.dials}b")
        if peer_of.dials == 100:
            enough.set()
            await peer.hold()

    enough = trio.Event()
    peer_of = Peer(nursery, script)
    feed = node(peer_of, connection=attrs.evolve(AT_ONCE, restarts=1000, max_delay=5.0))
    async with open_stream([feed]):
        with trio.fail_after(3600):
            await enough.wait()
        await wait_all_tasks_blocked()
    assert feed.status.connections == 100
    assert feed.status.snapshot().subscriptions == {
        "newHeads": "0x100a",
        "newPendingTransactions": "0x100b",
    }


async def test_the_limit_on_deviation_the_intervals_and_the_sizes_have_an_effect(autojump_clock):
    """26. All three were stored and never read."""
    found = []
    for limit in ("0.01", "0.10"):
        aggregator = PriceFeedAggregator(PriceSettings(max_deviation=Decimal(limit)))
        for venue, price in (("a", 2000), ("b", 2000), ("c", 2000), ("d", 2100)):
            wide = Decimal(price - 200), Decimal(price + 200)
            aggregator.update_quote(Venue(venue), ETH, *wide, 0.0)
        found.append(aggregator.get_price(ETH, 0.0).rejected)
    assert found == [("d",), ()]

    aggregator = PriceFeedAggregator(PriceSettings())
    for update_class in ("high_frequency", "normal", "low_frequency"):
        aggregator.add_price_source(Venue(update_class), "venue", update_class)
        aggregator.update_price(Venue(update_class), ETH, Decimal(2000), 0.0)
    fresh = [len(aggregator.get_price(ETH, at).sources) for at in (10, 10.1, 50, 50.1, 60, 60.1)]
    assert fresh == [3, 2, 2, 1, 1, 0]

    settings = PriceSettings(fees={"alpha": Decimal(0), "beta": Decimal(0)})
    buy = quote("alpha", "1999", "2000", bid_size=Decimal(9), ask_size=Decimal("0.5"))
    sell = quote("beta", "2100", "2101", bid_size=Decimal(3), ask_size=Decimal(9))
    async with open_stream([], [lambda: PriceDataProcessor(settings)]) as stream:
        findings = stream.findings
        stream.emit_event(event(DataType.QUOTE, buy))
        stream.emit_event(event(DataType.QUOTE, sell))
        spread = (await one(findings)).data
    assert (spread.size, spread.net) == (Decimal("0.5"), Decimal(50))
