"""Lives of a connection: subscribing, losing, coming back."""

from __future__ import annotations

import json
import random

import attrs
import pytest
import trio
import trio.testing

from tests.support.books import assert_balanced
from tests.support.peer import Peer, PeerConnection
from trio_mev.errors import ConfigError, RestartLimitReached
from trio_mev.feeds.connection import Connection
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.manager import WebSocketStreamManager
from trio_mev.feeds.prices import PriceFeedWebSocketHandler
from trio_mev.feeds.venues import BinanceWebSocketClient, CoinbaseWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import (
    EthereumSettings,
    VenueSettings,
)
from trio_mev.stream import open_stream
from trio_mev.wire.coinbase import CoinbaseAdapter

ENDPOINT = Endpoint("ws://peer.test/ws")
ETH = Instrument("ETH", "USDT")
BTC = Instrument("BTC", "USDT")


def hash_of(number: int) -> str:
    return f"0x{number:064x}"


def head(number: int) -> dict[str, object]:
    return {
        "number": hex(number),
        "hash": hash_of(number),
        "parentHash": hash_of(number - 1),
        "timestamp": hex(1_700_000_000 + 12 * number),
        "gasLimit": "0x1c9c380",
        "gasUsed": "0xe4e1c0",
        "baseFeePerGas": "0x3b9aca00",
        "transactions": [],
    }


class Node:
    """A scripted node: confirms subscriptions with new ids each time, and announces heads."""

    def __init__(self, every: float = 12.0) -> None:
        self.every = every
        self.number = 0
        self.lives = 0
        self.asked: list[list[object]] = []
        self.ids: list[str] = []

    async def __call__(self, peer: PeerConnection) -> None:
        self.lives += 1
        await peer.accept()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._heads, peer, f"0x{self.lives}00")
            while (text := await peer.receive()) is not None:
                request = json.loads(text)
                self.asked.append(request["params"])
                server_id = f"0x{self.lives}0{len(self.ids) % 10}"
                if request["params"] == ["newHeads"]:
                    server_id = f"0x{self.lives}00"
                self.ids.append(server_id)
                reply = {"jsonrpc": "2.0", "id": request["id"], "result": server_id}
                await peer.send(json.dumps(reply))
            nursery.cancel_scope.cancel()

    async def _heads(self, peer: PeerConnection, server_id: str) -> None:
        while True:
            await trio.sleep(self.every)
            self.number += 1
            params = {"subscription": server_id, "result": head(self.number)}
            message = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
            await peer.send(json.dumps(message))


def ethereum(peer: Peer, **settings: object) -> EthereumWebSocketClient:
    made = EthereumSettings(name="node", endpoint=ENDPOINT, **settings)
    return EthereumWebSocketClient(made, peer.dial, rng=random.Random(1))


async def test_a_server_gone_for_a_minute_comes_back(nursery, settings, autojump_clock):
    node = Node()
    peer = Peer(nursery, node)
    feed = ethereum(peer, connection=settings)
    before = trio.lowlevel.current_statistics().tasks_living
    async with open_stream([feed]) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        assert (await heads.__anext__()).data.number == 1
        assert feed.status.state is FeedState.READY
        await peer.go_down()
        await trio.sleep(1)
        assert feed.status.state is FeedState.WAITING
        assert "cut" in feed.status.detail
        await trio.sleep(59)
        peer.up = True
        assert (await heads.__anext__()).data.number == 2
        snapshot = feed.status.snapshot()
        assert snapshot.state is FeedState.READY
        assert (snapshot.connections, snapshot.reconnects) == (2, 1)
        assert snapshot.failures == snapshot.attempts - 1 == peer.dials - 1
        assert snapshot.subscriptions == {"newHeads": "0x200", "newPendingTransactions": "0x204"}
        heads, bodies, head = ["newHeads"], ["newPendingTransactions", True], ["latest", False]
        # The second life asks for the head too, since some may have passed unheard.
        assert node.asked[:4] == [heads, bodies, heads, head]
        assert [one for one in node.asked if one != head] == [heads, bodies] * 2
        statistics = stream.manager.statistics()
        assert statistics.total_connections == peer.dials
        assert statistics.successful_connections == 2
        assert statistics.failed_connections == peer.dials - 1
        assert statistics.reconnection_attempts == peer.dials - 1
        assert statistics.last_connected == snapshot.last_connected_at
    await trio.testing.wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().tasks_living == before
    assert_balanced(stream)
    for connection in peer.connections:
        with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
            await connection.stream.send_all(b"x")


async def test_many_reconnects_keep_the_registry_of_subscriptions_small(
    nursery, settings, autojump_clock
):
    async def confirm_and_drop(peer: PeerConnection) -> None:
        await peer.accept()
        for _ in range(2):
            request = json.loads(await peer.receive() or "null")
            await peer.send(json.dumps({"id": request["id"], "result": hex(request["id"])}))

    feed = ethereum(Peer(nursery, confirm_and_drop), connection=settings)
    async with open_stream([feed]):
        await trio.sleep(3600)
        assert feed.status.connections > 50
        assert len(feed.status.subscriptions) == 2


async def test_a_silent_subscription_on_a_living_socket_is_lost(nursery, settings, autojump_clock):
    node = Node(every=1e6)
    feed = ethereum(Peer(nursery, node), connection=settings)
    async with open_stream([feed]):
        await feed.status.wait_for(FeedState.READY)
        start = trio.current_time()
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "newHeads was silent for 90 s"
        # The watchdog counts from the subscription, a tenth of a second before the second one.
        assert trio.current_time() - start == pytest.approx(90, abs=0.2)


async def test_a_peer_that_answers_no_ping_is_lost(nursery, settings, autojump_clock):
    async def deaf(peer: PeerConnection) -> None:
        await peer.accept()
        for _ in range(2):
            request = json.loads(await peer.receive() or "null")
            await peer.send(json.dumps({"id": request["id"], "result": hex(request["id"])}))
        await trio.sleep_forever()

    feed = ethereum(Peer(nursery, deaf), connection=settings)
    async with open_stream([feed]):
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "no pong within 20 s"
        # 30 s to the first ping, 20 s for its pong, half a second for a closing handshake.
        assert trio.current_time() == 50.5
    nursery.cancel_scope.cancel()


async def test_subscriptions_that_are_never_confirmed_are_lost(nursery, settings, autojump_clock):
    async def mute(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.hold()

    feed = ethereum(Peer(nursery, mute), connection=settings)
    async with open_stream([feed]):
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "not confirmed in time: newHeads, newPendingTransactions"


async def test_a_refusal_is_final_and_a_required_feed_says_so(nursery, settings, autojump_clock):
    async def refuse(peer: PeerConnection) -> None:
        await peer.accept()
        request = json.loads(await peer.receive() or "null")
        error = {"code": -32601, "message": "[bold]no such method[/]"}
        await peer.send(json.dumps({"id": request["id"], "error": error}))
        await peer.hold()

    peer = Peer(nursery, refuse)
    feed = ethereum(peer, connection=settings)
    async with open_stream([feed]) as stream:
        await stream.ended.wait()
    assert feed.status.state is FeedState.REFUSED
    assert "-32601" in feed.status.detail
    assert peer.dials == 1
    with pytest.raises(RestartLimitReached, match="refused"):
        async with open_stream([ethereum(peer, required=True, connection=settings)]):
            await trio.sleep_forever()


async def test_a_node_that_refuses_bodies_is_asked_for_hashes(nursery, autojump_clock):
    bodies_of = {hash_of(7): "0x7", hash_of(8): None}

    async def old_node(peer: PeerConnection) -> None:
        await peer.accept()
        while (text := await peer.receive()) is not None:
            request = json.loads(text)
            params = request["params"]
            if params == ["newPendingTransactions", True]:
                answer = {"error": {"code": -32602, "message": "invalid params"}}
            elif request["method"] == "eth_getTransactionByHash":
                value = bodies_of[params[0]]
                body = {
                    "hash": params[0],
                    "from": "0x" + "ab" * 20,
                    "to": None,
                    "nonce": "0x1",
                    "value": value,
                    "gas": "0x5208",
                    "input": "0x",
                }
                answer = {"result": body if value else None}
            else:
                answer = {"result": "0x5"}
            await peer.send(json.dumps({"id": request["id"], **answer}))
            if params == ["newPendingTransactions"]:
                for item in bodies_of:
                    note = {"params": {"subscription": "0x5", "result": item}}
                    await peer.send(json.dumps(note))

    feed = ethereum(Peer(nursery, old_node), heads=False)
    async with open_stream([feed]) as stream:
        seen = stream.subscribe(DataType.TRANSACTION, DataType.MEMPOOL)
        events = [await seen.__anext__() for _ in range(3)]
        await trio.testing.wait_all_tasks_blocked()
    kinds = sorted(e.event_type.value for e in events)
    assert kinds == ["mempool", "mempool", "transaction"]
    body = next(e.data for e in events if e.event_type is DataType.TRANSACTION)
    assert (body.hash, body.to, body.value) == (hash_of(7), None, 7)
    assert feed.status.ignored == {"bodies_refused": 1, "not_available": 1}


async def test_bad_frames_are_counted_and_disturb_nothing(nursery, autojump_clock):
    bad = {
        "not_json": b"{nonsense",
        "wrong_shape": b'{"params": 3}',
        "error_without_id": b'{"error": {"code": -32000, "message": "boom"}, "id": null}',
        "unknown_subscription": b'{"params": {"subscription": "0x999", "result": {}}}',
        "too_deep": b'{"id": 1, "x": ' + b"[" * 100_000,
        "not_utf8": b'{"method": "\xff\xfe"}',
    }

    async def messy(peer: PeerConnection) -> None:
        await peer.accept()
        request = json.loads(await peer.receive() or "null")
        await peer.send(json.dumps({"id": request["id"], "result": "0x1"}))
        for number, frame in enumerate(bad.values(), 100):
            good = {"params": {"subscription": "0x1", "result": head(number)}}
            await peer.send(frame, json.dumps(good))
        await peer.hold()

    feed = ethereum(Peer(nursery, messy), pending="off")
    async with open_stream([feed]) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        for _ in bad:
            await heads.__anext__()
    assert feed.status.refused == dict.fromkeys(bad, 1)
    assert feed.status.connections == 1


async def test_an_oversized_message_costs_its_own_connection_only(
    nursery, settings, autojump_clock
):
    async def boast(peer: PeerConnection) -> None:
        await peer.accept()
        request = json.loads(await peer.receive() or "null")
        await peer.send(json.dumps({"id": request["id"], "result": "0x1"}))
        await peer.send("x" * 5000)
        await peer.hold()

    small = attrs.evolve(settings, max_message=4000)
    loud = ethereum(Peer(nursery, boast), pending="off", connection=small)
    calm = EthereumWebSocketClient(
        EthereumSettings(name="calm", endpoint=ENDPOINT, connection=settings),
        Peer(nursery, Node()).dial,
    )
    async with open_stream([loud, calm]) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        await heads.__anext__()
        assert loud.status.refused["oversized"] == loud.status.connections > 1
        assert calm.status.connections == 1


async def test_too_many_bad_frames_in_a_minute_mean_a_new_connection(
    nursery, settings, autojump_clock
):
    async def garbage(peer: PeerConnection) -> None:
        await peer.accept()
        request = json.loads(await peer.receive() or "null")
        await peer.send(json.dumps({"id": request["id"], "result": "0x1"}))
        for _ in range(11):
            await peer.send("garbage")
        await peer.hold()

    few = attrs.evolve(settings, malformed_per_minute=10)
    feed = ethereum(Peer(nursery, garbage), pending="off", connection=few)
    async with open_stream([feed]):
        await feed.status.wait_for(FeedState.READY)
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "over 10 unusable frames in a minute"
        assert feed.status.refused == {"not_json": 11}


async def test_a_request_that_is_never_answered_is_given_up(nursery, settings, autojump_clock):
    async def slow(peer: PeerConnection) -> None:
        await peer.accept()
        request = json.loads(await peer.receive() or "null")
        await peer.send(json.dumps({"id": request["id"], "result": "0x1"}))
        without = {k: v for k, v in head(3).items() if k != "transactions"}
        await peer.send(json.dumps({"params": {"subscription": "0x1", "result": without}}))
        await peer.hold()

    feed = ethereum(Peer(nursery, slow), pending="off", connection=settings)
    async with open_stream([feed]) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        block = (await heads.__anext__()).data
        assert trio.current_time() == EthereumSettings(name="x").fetch_timeout
    assert block.transactions is None
    assert feed.status.refused == {"fetch_timeout": 1}


async def test_a_hung_peer_delays_the_end_by_the_close_timeout_only(
    nursery, settings, autojump_clock
):
    async def hang(peer: PeerConnection) -> None:
        await peer.accept()
        await trio.sleep_forever()

    feeds = [
        EthereumWebSocketClient(
            EthereumSettings(name=f"node {number}", endpoint=ENDPOINT, connection=settings),
            Peer(nursery, hang).dial,
        )
        for number in range(5)
    ]
    async with open_stream(feeds):
        await trio.sleep(1)
        end = trio.current_time()
    assert trio.current_time() - end < 2
    nursery.cancel_scope.cancel()


class BinancePeer:
    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    async def __call__(self, peer: PeerConnection) -> None:
        await peer.accept()
        number = 0
        while (text := await peer.receive()) is not None:
            request = json.loads(text)
            self.asked.append(request)
            await peer.send(json.dumps({"result": None, "id": request["id"]}))
            for stream in request["params"] if request["method"] == "SUBSCRIBE" else ():
                number += 1
                symbol = stream.partition("@")[0].upper()
                book = {"u": number, "s": symbol, "b": "1.0", "B": "2", "a": "1.5", "A": "3"}
                await peer.send(json.dumps({"stream": stream, "data": book}))


def binance(peer: Peer) -> BinanceWebSocketClient:
    settings = VenueSettings(
        kind="binance", name="binance", instruments=(ETH,), channels=("bookTicker",)
    )
    return BinanceWebSocketClient(settings, peer.dial)


async def test_streams_are_added_and_removed_while_running(nursery, autojump_clock):
    script = BinancePeer()
    feed = binance(Peer(nursery, script))
    async with open_stream([feed]) as stream:
        quotes = stream.subscribe(DataType.QUOTE)
        assert (await quotes.__anext__()).data.instrument == ETH
        feed.subscribe(BTC)
        feed.subscribe(BTC)
        assert (await quotes.__anext__()).data.instrument == BTC
        await trio.testing.wait_all_tasks_blocked()
        assert set(feed.status.subscriptions) == {"ethusdt@bookTicker", "btcusdt@bookTicker"}
        feed.unsubscribe(ETH)
        feed.unsubscribe(ETH)
        await trio.sleep(1)  # requests keep the venue's pace
        assert set(feed.status.subscriptions) == {"btcusdt@bookTicker"}
    methods = [(r["method"], r["params"]) for r in script.asked]
    assert methods == [
        ("SUBSCRIBE", ["ethusdt@bookTicker"]),
        ("SUBSCRIBE", ["btcusdt@bookTicker"]),
        ("UNSUBSCRIBE", ["ethusdt@bookTicker"]),
    ]


async def test_what_is_wanted_while_there_is_no_connection_is_asked_for_by_the_next(
    nursery, autojump_clock
):
    script = BinancePeer()
    peer = Peer(nursery, script)
    peer.up = False
    feed = binance(peer)
    async with open_stream([feed]):
        await feed.status.wait_for(FeedState.WAITING)
        feed.subscribe(BTC)
        feed.unsubscribe(ETH)
        peer.up = True
        await feed.status.wait_for(FeedState.READY)
    assert [r["params"] for r in script.asked] == [["btcusdt@bookTicker"]]


async def test_feeds_come_and_go_while_the_stream_runs(nursery, autojump_clock):
    first, second = ethereum(Peer(nursery, Node())), binance(Peer(nursery, BinancePeer()))
    async with open_stream([first]) as stream:
        await first.status.wait_for(FeedState.READY)
        stream.manager.add(second)
        await second.status.wait_for(FeedState.READY)
        with pytest.raises(ConfigError, match="two feeds are named binance"):
            stream.manager.add(binance(Peer(nursery, BinancePeer())))
        stream.manager.remove("node")
        assert await first.status.wait_for(FeedState.ENDED)
        assert [s.name for s in stream.manager.snapshots()] == ["binance"]
        with pytest.raises(ConfigError, match="no feed is named node"):
            stream.manager.remove("node")


def test_a_manager_that_does_not_run_only_keeps_the_list():
    manager = WebSocketStreamManager()
    manager.add(Connection(EthereumSettings(name="a"), ENDPOINT, lambda: None))
    manager.remove("a")
    assert manager.statuses == ()
    assert manager.statistics().last_connected is None


def test_an_ethereum_feed_needs_an_endpoint():
    with pytest.raises(ConfigError, match="has no endpoint"):
        EthereumWebSocketClient(EthereumSettings(name="e"))


def test_prices_are_put_into_one_connection_a_venue():
    handler = PriceFeedWebSocketHandler()
    handler.add("binance", "ETH/USDT", Instrument("BTC", "USDT"))
    handler.add("binance", "ETH/USDT")
    handler.add("coinbase", "ETH/USD")
    binance_feed, coinbase_feed = handler.feeds()
    assert (binance_feed.settings.kind, coinbase_feed.settings.kind) == ("binance", "coinbase")
    assert binance_feed.instruments == [ETH, BTC]
    with pytest.raises(ConfigError, match="venue 'nasdaq' is not known"):
        handler.add("nasdaq", "ETH/USD")
    with pytest.raises(ConfigError, match="BASE/QUOTE"):
        handler.add("binance", "ETHUSDT")


async def test_every_frame_is_tapped_in_both_directions(nursery, autojump_clock):
    seen: list[tuple[str, str]] = []
    settings = VenueSettings(kind="coinbase", name="cb", instruments=(Instrument("ETH", "USD"),))

    async def answer(peer: PeerConnection) -> None:
        await peer.accept()
        await peer.receive()
        channels = [{"name": c, "product_ids": ["ETH-USD"]} for c in CoinbaseAdapter.usual_channels]
        await peer.send(json.dumps({"type": "subscriptions", "channels": channels}))
        await peer.hold()

    feed = CoinbaseWebSocketClient(
        settings,
        Peer(nursery, answer).dial,
        lambda name, direction, frame, *_: seen.append((direction.value, frame.decode()[:24])),
    )
    async with open_stream([feed]):
        await feed.status.wait_for(FeedState.READY)
    assert seen == [
        ("open", ""),
        ("out", '{"type":"subscribe","cha'),
        ("in", '{"type": "subscriptions"'),
        ("close", ""),
    ]
    assert attrs.asdict(feed.status.snapshot())["state"] is FeedState.ENDED
