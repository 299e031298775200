"""What a scripted peer says: the frames of a node and of an exchange, and its pings."""

from __future__ import annotations

import json
import random

import trio
from websockets.frames import Frame, Opcode

from tests.support.peer import Peer, PeerConnection, Script
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.venues import BinanceWebSocketClient
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import ConnectionSettings, EthereumSettings, VenueSettings
from trio_mev.stream import RealtimeDataStream

ENDPOINT = Endpoint("ws://peer.test/ws")
ETH = Instrument("ETH", "USDT")
AT_ONCE = ConnectionSettings(subscribe_interval=0)
SENDER = "0x" + "ab" * 20
POOL = "0x" + "cd" * 20


def hash_of(number: int) -> str:
    return f"0x{number:064x}"


def head(number: int, **fields: object) -> dict[str, object]:
    return {
        "number": hex(number),
        "hash": hash_of(number),
        "parentHash": hash_of(number - 1),
        "timestamp": hex(1_700_000_000 + 12 * number),
        "gasLimit": "0x1c9c380",
        "gasUsed": "0xe4e1c0",
        "baseFeePerGas": "0x3b9aca00",
        "transactions": [],
        **fields,
    }


def body(number: int, **fields: object) -> dict[str, object]:
    """A pending transaction of 2 gwei a gas."""
    return {
        "hash": hash_of(number),
        "from": SENDER,
        "to": POOL,
        "nonce": hex(number),
        "value": hex(number),
        "gas": "0x5208",
        "gasPrice": hex(2 * 10**9),
        "input": "0x",
        **fields,
    }


def log(number: int, topic: str) -> dict[str, object]:
    return {
        "blockHash": hash_of(number),
        "blockNumber": hex(number),
        "logIndex": "0x0",
        "transactionHash": hash_of(10**6 + number),
        "transactionIndex": "0x0",
        "address": POOL,
        "topics": [topic],
        "data": "0x",
    }


def note(server_id: str, result: object) -> str:
    """A node's notification."""
    params = {"subscription": server_id, "result": result}
    return json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})


async def shake_hands(peer: PeerConnection) -> None:
    """Accept the handshake, unless the client goes before it has asked for it."""
    asked = await peer.stream.receive_some()
    if not asked:
        raise trio.BrokenResourceError("the client has gone")
    peer.protocol.receive_data(asked)
    (peer.request,) = peer.protocol.events_received()
    await peer.accept()


async def answer(peer: PeerConnection, result: object) -> list[object]:
    """Answer the next request; what it asked for."""
    text = await peer.receive()
    if text is None:
        raise trio.BrokenResourceError("the client has gone")
    request = json.loads(text)
    await peer.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}))
    return request["params"]


async def confirm(peer: PeerConnection, *server_ids: str) -> list[list[object]]:
    """Shake hands and confirm so many subscriptions under these ids; what they asked for."""
    await shake_hands(peer)
    return [await answer(peer, server_id) for server_id in server_ids]


async def confirm_streams(peer: PeerConnection) -> None:
    """Shake hands as Binance and confirm one request."""
    await shake_hands(peer)
    await answer(peer, None)


async def meanwhile(peer: PeerConnection, talk: Script) -> None:
    """Talk, and answer pings, until the client has gone."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk, peer)
        await peer.hold()
        nursery.cancel_scope.cancel()


async def ping(peer: PeerConnection) -> float:
    """Seconds that the client takes to answer a ping."""
    start = trio.current_time()
    peer.protocol.send_ping(b"are you there")
    await peer.flush()
    while True:
        peer.protocol.receive_data(await peer.stream.receive_some())
        frames = peer.protocol.events_received()
        await peer.flush()
        if any(isinstance(f, Frame) and f.opcode is Opcode.PONG for f in frames):
            return trio.current_time() - start


def book(number: int, bid: str = "2000", ask: str = "2001", symbol: str = "ETHUSDT") -> str:
    """Binance's bookTicker in a combined stream's envelope."""
    data = {"u": number, "s": symbol, "b": bid, "B": "3", "a": ask, "A": "2"}
    return json.dumps({"stream": f"{symbol.lower()}@bookTicker", "data": data})


def trade(number: int, at_ms: int) -> str:
    """Binance's aggTrade, without an envelope."""
    return json.dumps({
        "e": "aggTrade", "E": at_ms, "s": "ETHUSDT", "a": number, "p": "2000", "q": "1",
        "T": at_ms, "m": False,
    })  # fmt: skip


def ticker(at_ms: int) -> str:
    """Binance's 24-hour ticker, which comes every second."""
    data = {
        "E": at_ms, "s": "ETHUSDT", "c": "2000", "b": "2000", "B": "3", "a": "2001", "A": "2",
    }  # fmt: skip
    return json.dumps({"stream": "ethusdt@ticker", "data": {"e": "24hrTicker", **data}})


def node(peer: Peer, **settings: object) -> EthereumWebSocketClient:
    made = EthereumSettings(name="node", endpoint=ENDPOINT, **settings)
    return EthereumWebSocketClient(made, peer.dial, rng=random.Random(1))


def binance(peer: Peer, *channels: str, **settings: object) -> BinanceWebSocketClient:
    made = VenueSettings(
        kind="binance",
        name="binance",
        endpoint=ENDPOINT,
        instruments=(ETH,),
        channels=channels,
        **settings,
    )
    return BinanceWebSocketClient(made, peer.dial, rng=random.Random(1))


def assert_settled(stream: RealtimeDataStream) -> None:
    """Every delivery is accounted for, and none is under way."""
    stats = stream.get_stats()
    assert stats.books.balanced, stats.books
    assert stats.books.queued == 0
    assert all(consumer.books.balanced for consumer in stats.consumers)
    assert stream.outstanding.count == 0
