"""Recorded data through real loopback sockets, counted against an independent reading."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
import trio

from tests.support.books import assert_balanced
from trio_mev.cli.demo import conductor
from trio_mev.cli.importing import import_tape
from trio_mev.config import played_by
from trio_mev.feeds.tapes import Tape
from trio_mev.loopback.servers import open_loopback
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.market import Side
from trio_mev.stream import open_stream


async def through_sockets(form: str, sources: list[Path], out: Path) -> list[DataEvent]:
    """Every raw event that the ordinary feeds make of recordings that servers here play."""
    import_tape(form, sources, out)
    events: list[DataEvent] = []
    raw = [DataType.QUOTE, DataType.TRADE, DataType.TRANSACTION, DataType.LOG, DataType.BLOCK]
    async with open_loopback([Tape(out)], speed=float("inf")) as servers:
        feeds = played_by(servers.wall, servers.settings())
        begin = conductor(servers)

        async def sink(subscription):
            async for event in subscription:
                events.append(event)

        async with open_stream(feeds, prepare=lambda s: s.add_sink(sink, *raw)) as stream:
            servers.outstanding = stream.outstanding
            async with trio.open_nursery() as nursery:
                nursery.start_soon(begin, stream)
                await stream.ended.wait()
    assert_balanced(stream)
    assert stream.get_stats().books.lost == 0
    assert not any(feed.refused for feed in stream.get_stats().feeds)
    return events


def received(path: Path) -> list[dict]:
    """The messages that a recorded socket received."""
    messages = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        stamp, separator, body = line.partition(": ")
        if separator and stamp.replace(".", "").isdigit():
            messages.append(json.loads(body))
    return messages


async def test_every_coinbase_ticker_and_match_arrives_once(corpus, tmp_path):
    source = corpus / "venues" / "COINBASE.ws.28.0.gz"
    events = await through_sockets("cryptofeed", [source], tmp_path / "t.tape")
    quotes = [
        (
            str(e.data.instrument),
            str(e.data.bid),
            str(e.data.ask),
            str(e.data.last),
            e.data.sequence,
        )
        for e in events
        if e.event_type is DataType.QUOTE
    ]
    trades = [
        (str(e.data.instrument), e.data.trade_id, str(e.data.price), str(e.data.size), e.data.side)
        for e in events
        if e.event_type is DataType.TRADE
    ]
    expected_quotes = []
    expected_trades = []
    for m in received(source):
        instrument = m.get("product_id", "").replace("-", "/")
        if m["type"] == "ticker":
            quote = (instrument, m["best_bid"], m["best_ask"], m["price"], m["sequence"])
            expected_quotes.append(quote)
        elif m["type"] == "match":
            side = Side.SELL if m["side"] == "buy" else Side.BUY
            expected_trades.append((instrument, m["trade_id"], m["price"], m["size"], side))
    assert len(expected_quotes) == 107
    assert len(expected_trades) == 97
    assert quotes == expected_quotes
    assert trades == expected_trades
    assert len(events) == 107 + 97


async def test_every_binance_book_ticker_and_trade_arrives_once(corpus, tmp_path):
    source = corpus / "venues" / "BINANCE.ws.1.0.gz"
    events = await through_sockets("cryptofeed", [source], tmp_path / "t.tape")
    got = []
    for e in events:
        symbol = str(e.data.instrument).replace("/", "")
        if e.event_type is DataType.QUOTE:
            q = e.data
            sizes = (str(q.bid_size), str(q.ask_size))
            got.append((symbol, q.sequence, str(q.bid), str(q.ask), *sizes))
        else:
            t = e.data
            got.append((symbol, t.trade_id, str(t.price), str(t.size), t.side, e.occurred_at))
    expected = []
    for m in received(source):
        d = m["data"]
        if m["stream"].endswith("@bookTicker"):
            expected.append((d["s"], d["u"], d["b"], d["a"], d["B"], d["A"]))
        elif m["stream"].endswith("@aggTrade"):
            side = Side.SELL if d["m"] else Side.BUY
            expected.append((d["s"], d["a"], d["p"], d["q"], side, d["T"] * 1_000_000))
    assert len(expected) == 84 + 2
    assert got == expected


async def test_every_transaction_of_six_blocks_arrives_once(corpus, tmp_path):
    sources = sorted((corpus / "mainnet" / "transactions").glob("*.json.gz"))
    events = await through_sockets("blocks", sources, tmp_path / "t.tape")
    blocks = [json.loads(gzip.decompress(path.read_bytes())) for path in sources]
    blocks = [block.get("result", block) for block in blocks]
    expected = [t for block in blocks for t in block["transactions"]]
    bodies = [e.data for e in events if e.event_type is DataType.TRANSACTION]
    assert [b.hash for b in bodies] == [t["hash"] for t in expected]
    for body, t in zip(bodies, expected, strict=True):
        assert body.sender == t["from"]
        assert body.to == t["to"]
        assert body.nonce == int(t["nonce"], 16)
        assert body.value == int(t["value"], 16)
        assert body.gas == int(t["gas"], 16)
        assert "0x" + body.input.hex() == t["input"]
        assert body.type == int(t["type"], 16)
        assert body.gas_price == int(t["gasPrice"], 16)
        assert body.max_fee == (int(t["maxFeePerGas"], 16) if "maxFeePerGas" in t else None)
    assert Counter(b.type for b in bodies).keys() == {0, 1, 2, 3}
    heads = [e.data for e in events if e.event_type is DataType.BLOCK]
    assert [(h.number, h.hash, h.parent, h.base_fee) for h in heads] == [
        (int(b["number"], 16), b["hash"], b["parentHash"], int(b["baseFeePerGas"], 16))
        for b in blocks
    ]
    assert [h.transactions for h in heads] == [
        tuple(t["hash"] for t in b["transactions"]) for b in blocks
    ]


async def test_every_log_of_a_block_arrives_once(corpus, tmp_path):
    source = corpus / "mainnet" / "logs" / "17173049.json.gz"
    events = await through_sockets("blocks", [source], tmp_path / "t.tape")
    whole = json.loads(gzip.decompress(source.read_bytes()))
    logs = [e.data for e in events if e.event_type is DataType.LOG]
    got = [(g.log_index, g.address, list(g.topics), "0x" + g.data.hex()) for g in logs]
    expected = [(g["log_index"], g["address"], g["topics"], g["data"]) for g in whole["logs"]]
    assert len(expected) == 271
    assert got == expected
    assert {(g.block_hash, g.block_number) for g in logs} == {
        (whole["block"]["hash"], whole["block"]["number"])
    }
    bodies = [e.data for e in events if e.event_type is DataType.TRANSACTION]
    assert [(b.hash, b.to, b.value) for b in bodies] == [
        (t["hash"], t["to_address"], int(t["value"])) for t in whole["transactions"]
    ]


@pytest.mark.parametrize(("number", "counts"), [(48, (0, 10)), (49, (18, 0))])
async def test_every_kraken_ticker_and_trade_arrives_once(corpus, tmp_path, number, counts):
    source = corpus / "venues" / f"KRAKEN.ws.{number}.0.gz"
    events = await through_sockets("cryptofeed", [source], tmp_path / "t.tape")
    quotes, trades = [], []
    for e in events:
        pair = str(e.data.instrument).replace("BTC", "XBT")
        if e.event_type is DataType.QUOTE:
            sizes = (str(e.data.bid_size), str(e.data.ask_size), str(e.data.last))
            quotes.append((pair, str(e.data.bid), str(e.data.ask), *sizes))
        else:
            t = e.data
            trades.append((pair, str(t.price), str(t.size), t.side, e.occurred_at))
    said = [m for m in received(source) if isinstance(m, list)]
    assert quotes == [
        (pair, m["b"][0], m["a"][0], m["b"][2], m["a"][2], m["c"][0])
        for _, m, channel, pair in said
        if channel == "ticker"
    ]
    assert trades == [
        (pair, price, size, {"b": Side.BUY, "s": Side.SELL}[side], nanoseconds(time))
        for _, m, channel, pair in said
        if channel == "trade"
        for price, size, time, side, *_ in m
    ]
    assert (len(quotes), len(trades)) == counts


def nanoseconds(time: str) -> int:
    whole, fraction = time.split(".")
    return int(whole + fraction.ljust(9, "0"))


async def test_every_okx_ticker_and_trade_arrives_once(corpus, tmp_path):
    source = corpus / "venues" / "OKX.ws.1.0.gz"
    events = await through_sockets("cryptofeed", [source], tmp_path / "t.tape")
    quotes, trades = [], []
    for e in events:
        spot, text = str(e.data.instrument) == "BTC/USDT", str(e.data.instrument)
        if e.event_type is DataType.QUOTE:
            q = e.data
            quotes.append((text, str(q.bid), str(q.ask), str(q.last), e.occurred_at))
            assert (q.bid_size is not None, q.ask_size is not None) == (spot, spot)
        else:
            t = e.data
            assert (t.size is not None) == spot
            trades.append((text, t.trade_id, str(t.price), t.side, e.occurred_at))
    names = {
        "BTC-USDT": "BTC/USDT",
        "UNI-USD-SWAP": "UNI/USD:perpetual",
        "BTC-USD-220527": "BTC/USD:future-2022-05-27",
    }
    said = [(m["arg"]["channel"], d) for m in received(source) if "data" in m for d in m["data"]]
    assert quotes == [
        (names[d["instId"]], d["bidPx"], d["askPx"], d["last"], int(d["ts"]) * 1_000_000)
        for channel, d in said
        if channel == "tickers"
    ]
    assert trades == [
        (
            names[d["instId"]],
            int(d["tradeId"]),
            d["px"],
            Side(d["side"]),
            int(d["ts"]) * 1_000_000,
        )
        for channel, d in said
        if channel == "trades"
    ]
    assert (len(quotes), len(trades)) == (28, 74)


def test_a_recording_of_books_alone_is_refused(corpus, tmp_path):
    from trio_mev.errors import ConfigError

    with pytest.raises(ConfigError, match="subscribes to nothing that can be decoded"):
        import_tape("cryptofeed", [corpus / "venues" / "KRAKEN.ws.50.0.gz"], tmp_path / "t.tape")
    assert not (tmp_path / "t.tape").exists()
