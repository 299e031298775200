"""What users of other libraries complained of, as far as it concerns a connection: it is right
here. Each test names where the complaint was made."""

from __future__ import annotations

import json
import tracemalloc

import attrs
import pytest
import trio
import trio.testing
from loguru import logger
from trio.testing import wait_all_tasks_blocked

from tests.complaints.scripted import (
    AT_ONCE,
    answer,
    assert_settled,
    binance,
    body,
    confirm,
    confirm_streams,
    hash_of,
    head,
    meanwhile,
    node,
    note,
    ping,
    ticker,
    trade,
)
from tests.support.peer import Peer, PeerConnection
from trio_mev.errors import (
    HeartbeatLost,
    ProcessorFailed,
    RestartLimitReached,
    StreamConnectionError,
    SubscriptionRejected,
)
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataEvent, DataType, Lost
from trio_mev.model.settings import LaneSettings, StreamConfig
from trio_mev.stream import open_stream

FOR_EVER = 1e6
"""A budget that nothing in these tests uses up."""


@pytest.fixture
def warnings():
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.rstrip()), format="{message}", level="WARNING")
    logger.enable("trio_mev")
    yield lines
    logger.disable("trio_mev")
    logger.remove(sink)


async def test_an_error_without_an_id_is_counted_and_a_reconnect_is_no_secret(
    nursery, autojump_clock, warnings
):
    """Kalapaja/Kalatori 333: one such error tore everything down, and reconnecting was silent."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        if peer_of.dials == 2:
            await peer.hold()
            return
        error = {"jsonrpc": "2.0", "error": {"code": -32000, "message": "boom"}, "id": None}
        await peer.send(note("0x1", head(1)), json.dumps(error), note("0x1", head(2)))
        await first_life_is_over.wait()  # and then it is cut

    first_life_is_over = trio.Event()
    peer_of = Peer(nursery, script)
    feed = node(peer_of, pending="off", connection=AT_ONCE)
    async with open_stream([feed]) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        assert [(await anext(heads)).data.number for _ in range(2)] == [1, 2]
        assert feed.status.refused == {"error_without_id": 1}
        assert (feed.status.connections, feed.status.failures) == (1, 0)
        assert warnings == ["feed node: unusable so far: 1 error_without_id"]
        first_life_is_over.set()
        await feed.status.wait_for(FeedState.WAITING)
        await feed.status.wait_for(FeedState.READY)
        assert feed.status.connections == 2
    (reconnect,) = warnings[1:]
    assert reconnect.startswith("feed node: the connection was cut without a closing handshake;")
    assert " again in " in reconnect


async def test_replies_pass_by_the_lanes_and_the_reader_waits_for_no_processor(
    nursery, autojump_clock
):
    """web3.py 3221: with a call a transaction, events filled the queue that the replies to those
    calls had to come through, and the listener stood still."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        await peer.send(*(note("0x1", hash_of(number)) for number in range(500)))
        for number in range(500):
            await answer(peer, body(number))
        await peer.hold()

    async def slow(event: DataEvent) -> None:
        await trio.sleep(1000)

    feed = node(Peer(nursery, script), heads=False, pending="hashes", connection=AT_ONCE)
    config = StreamConfig(budget=FOR_EVER, drain_timeout=1.0, lanes=LaneSettings(5, 5, 5))
    async with open_stream([feed], config=config) as stream:
        stream.add_event_handler(DataType.TRANSACTION, slow)
        stream.add_event_handler(DataType.MEMPOOL, slow)
        await trio.sleep(0.5)
        assert stream.get_stats().events == {"mempool": 500, "transaction": 500}
        assert feed.status.refused == {}
        assert stream.get_stats().books.processed == 0
    # The hashes came at once, of which five had a place. The bodies came one after the other: the
    # first was in hand when the others came, of which five had a place.
    books = stream.get_stats().books
    assert books.lost_by == {"low:shed": 495, "normal:shed": 494, "low:drain": 5, "normal:drain": 6}


CLOSES = {1000: "fine", 1001: "going away", 1011: "oops", 1012: "restart", 1013: "", 4000: "mine"}


@pytest.mark.parametrize("code", [*CLOSES, None])
async def test_whatever_the_reason_of_a_close_a_new_life_follows(nursery, autojump_clock, code):
    """web3.py 3689: after a clean close the subscriptions hung, and nothing reconnected."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        await peer.send(note("0x1", head(peer_of.dials)))
        if peer_of.dials == 2:
            await peer.hold()
        elif code is not None:
            peer.protocol.send_close(code, CLOSES[code])
            await peer.flush()
            await peer.hold()

    peer_of = Peer(nursery, script)
    feed = node(peer_of, pending="off", connection=AT_ONCE)
    async with open_stream([feed]) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        assert (await anext(heads)).data.number == 1
        await feed.status.wait_for(FeedState.WAITING)
        said = f"the peer closed with {code} {CLOSES.get(code)!r}"
        assert feed.status.detail == (
            "the connection was cut without a closing handshake" if code is None else said
        )
        assert (await anext(heads)).data.number == 2
    assert (feed.status.connections, feed.status.failures) == (2, 1)


class Steps(trio.abc.Instrument):
    """Counts the steps of every task."""

    def __init__(self) -> None:
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += 1


async def test_an_idle_stream_sleeps(nursery, autojump_clock):
    """web3.py 3305: a whole processor was used up while nothing happened."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        await peer.hold()

    feed = node(Peer(nursery, script), heads=False)
    async with open_stream([feed]) as stream:
        stream.add_event_handler(DataType.TRANSACTION, print)
        await feed.status.wait_for(FeedState.READY)
        await wait_all_tasks_blocked()
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        hours = []
        for _ in range(2):
            await trio.sleep(3600)
            hours.append(steps.count)
            steps.count = 0
        trio.lowlevel.remove_instrument(steps)
        assert (feed.status.state, feed.status.connections) == (FeedState.READY, 1)
    # 120 pings and pongs, 120 looks at the health, 720 at the lateness of the loop, 60 lines of
    # the log: not a step a second.
    assert 2 * 120 <= hours[0] < 3600
    assert abs(hours[1] - hours[0]) < hours[0] / 20


async def test_a_slow_handler_delays_no_other(nursery, autojump_clock):
    """web3.py 3672: one slow handler held up every subscription."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1", "0x2")
        for number in range(20):
            await peer.send(note("0x1", head(number + 1)), note("0x2", body(number)))
        await peer.hold()

    async def slow(event: DataEvent) -> None:
        await trio.sleep(1)

    done: list[tuple[float, str]] = []

    def quick(event: DataEvent) -> None:
        done.append((trio.current_time(), event.event_type.value))

    feed = node(Peer(nursery, script), connection=AT_ONCE)
    async with open_stream([feed], config=StreamConfig(budget=2.0)) as stream:
        stream.add_event_handler(DataType.BLOCK, slow)
        stream.add_event_handler(DataType.BLOCK, quick)
        stream.add_event_handler(DataType.TRANSACTION, quick)
        await trio.sleep(30)
    assert sorted(done) == [(0.0, "block")] * 20 + [(0.0, "transaction")] * 20
    by_name = {c.name: c.books.processed for c in stream.get_stats().consumers}
    assert by_name == {"slow(block)": 20, "quick(block)": 20, "quick(transaction)": 20}


async def test_subscriptions_are_known_for_as_long_as_the_connection_lives(nursery, autojump_clock):
    """web3.py, request_processor.py: subscriptions lived in a cache of 500 requests."""
    many = 3000

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0xa", "0xb")
        await peer.send(*(note("0xb", hash_of(number)) for number in range(many)))
        for number in range(many):
            await answer(peer, body(number))
        await peer.send(note("0xa", head(1)))
        await peer.hold()

    feed = node(Peer(nursery, script), pending="hashes", backlog=many, connection=AT_ONCE)
    async with open_stream([feed]) as stream:
        with trio.fail_after(60):
            seen = await anext(stream.subscribe(DataType.BLOCK))
    assert (seen.data.number, seen.metadata["subscription_id"]) == (1, "0xa")
    assert stream.get_stats().events == {"mempool": many, "transaction": many, "block": 1}
    assert feed.status.refused == {}


async def test_a_peer_that_is_cut_off_is_missed_and_replaced(nursery, autojump_clock):
    """web3.js 1391: without a close frame a quiet subscription was dead for ever."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        if peer_of.dials == 1:
            await trio.sleep_forever()  # the bytes of neither side arrive any more
        await peer.send(note("0x1", body(1)))
        await peer.hold()

    peer_of = Peer(nursery, script)
    feed = node(peer_of, heads=False)
    async with open_stream([feed]) as stream:
        seen = await anext(stream.subscribe(DataType.TRANSACTION))
        # 30 s to the ping, 20 s for the pong, 0.5 s for a goodbye, at most 5 s until the next try.
        assert 50.5 < trio.current_time() <= 55.5
    assert seen.data.hash == hash_of(1)
    assert (feed.status.connections, feed.status.failures) == (2, 1)


async def transactions(peer: PeerConnection) -> None:
    for number in range(1000):
        await trio.sleep(1)
        await peer.send(note("0xb", body(number)))


async def test_one_channels_traffic_does_not_hide_that_another_is_dead(nursery, autojump_clock):
    """cryptofeed 536: any traffic of the socket made every channel look alive."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0xa", "0xb")
        await peer.send(note("0xa", head(1)))
        await meanwhile(peer, transactions)

    feed = node(Peer(nursery, script), connection=AT_ONCE)
    async with open_stream([feed]) as stream:
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "newHeads was silent for 90 s"
        assert trio.current_time() == pytest.approx(90, abs=0.01)
        assert stream.get_stats().events["transaction"] >= 88


async def test_a_channel_that_is_quiet_by_nature_is_left_alone(nursery, autojump_clock):
    """cryptofeed 223, 715 and nautilus_trader 4298: the watchdog killed quiet feeds, and busy
    ones."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0xa", "0xb")
        await meanwhile(peer, heads)

    async def heads(peer: PeerConnection) -> None:
        for number in range(1, 10_000):
            await trio.sleep(12)
            await peer.send(note("0xa", head(number)))

    async def quotes(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await peer.hold()

    quiet = node(Peer(nursery, script))
    silent = binance(Peer(nursery, quotes), "bookTicker", "aggTrade")
    async with open_stream([quiet, silent]) as stream:
        await trio.sleep(3600)
        assert stream.get_stats().events == {"block": 299}
        for feed in (quiet, silent):
            assert (feed.status.connections, feed.status.failures) == (1, 0)


async def test_a_socket_that_repeats_old_data_is_not_alive(nursery, autojump_clock):
    """python-binance 1090: after a day the socket lived, and sent the same data again and
    again."""

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        for at_ms in (1000, 2000, 1000):
            await peer.send(ticker(at_ms))
        await meanwhile(peer, again)

    async def again(peer: PeerConnection) -> None:
        while True:
            await trio.sleep(1)
            await peer.send(ticker(2000))

    feed = binance(Peer(nursery, script), "ticker")
    async with open_stream([feed]) as stream:
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "ethusdt@ticker was silent for 90 s"
        refused = feed.status.refused.total()
        assert stream.get_stats().events == {"quote": 2, "fault": refused}
        assert feed.status.refused["time_backwards"] == 1
        assert 88 <= feed.status.refused["repeated"] <= 90
        assert feed.status.frames == 1 + 2 + feed.status.refused.total()


async def test_a_feed_that_cannot_be_regained_says_so(nursery, autojump_clock):
    """cryptofeed 124: when the retries were spent, the process lived on and did nothing."""
    down = Peer(nursery, confirm_streams)
    down.up = False
    three = attrs.evolve(AT_ONCE, restarts=3)
    with pytest.raises(
        RestartLimitReached, match="feed node: 3 restarts in a row failed"
    ) as caught:
        async with open_stream([node(down, connection=three, required=True)]):
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, StreamConnectionError)
    assert down.dials == 4

    feed = node(down, connection=three)
    async with open_stream([feed]) as stream:
        await feed.status.wait_for(FeedState.LOST)
        (issue,) = stream.health().issues
        assert (issue.kind, issue.where) == ("feed_down", "node")
        assert "connection refused" in issue.detail
        tries = down.dials
        await trio.sleep(61)  # one more try at the longest delay
        assert down.dials == tries + 1


async def test_where_the_exchange_is_faster_memory_is_bounded_and_the_delay_is_known(
    nursery, autojump_clock
):
    """cryptofeed 426: the exchange's time drifted away from ours, and memory grew."""
    per_second, seconds = 32, 120

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await meanwhile(peer, trades)

    async def trades(peer: PeerConnection) -> None:
        for number in range(1, per_second * seconds + 1):
            await trio.sleep(1 / per_second)
            # The exchange's clock runs ahead by a tenth.
            await peer.send(trade(number, round(1100 * number / per_second)))
        done.set()

    delays: list[float] = []
    drifts: list[float] = []

    async def slow(event: DataEvent) -> None:
        delay = event.age(trio.current_time())
        await trio.sleep(0.25)
        delays.append(delay)
        drifts.append(event.occurred_at / 1e9 - event.received_at)

    done = trio.Event()
    feed = binance(Peer(nursery, script), "aggTrade")
    config = StreamConfig(budget=1.0, lanes=LaneSettings(32, 32, 32))
    sizes = []
    tracemalloc.start()
    async with open_stream([feed], config=config) as stream:
        stream.add_event_handler(DataType.TRADE, slow)
        for _ in range(3):
            await trio.sleep(seconds / 4)
            sizes.append(tracemalloc.get_traced_memory()[0])
        await done.wait()
        (figures,) = stream.get_stats().consumers
        # A lane of 32 holds the newest second of the feed.
        assert {lane.lane: lane.peak for lane in figures.lanes}["normal"] == 32
        assert max(delays) <= 1.25
    tracemalloc.stop()
    assert max(sizes) - sizes[0] < 200_000
    books = stream.get_stats().books
    assert books.received == per_second * seconds
    assert books.processed == len(delays)
    assert books.lost == books.received - len(delays)
    assert drifts[-1] == pytest.approx(0.1 * seconds, rel=0.05)
    assert feed.status.connections == 1


async def test_a_burst_of_twenty_thousand_frames_costs_no_connection_and_no_count(
    nursery, autojump_clock
):
    """go-ethereum 24889, 16764: such a burst overflowed the client's queue, which ended the
    subscription."""
    many = 20_000

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await peer.send(*(trade(number, number) for number in range(1, many + 1)))
        await peer.hold()

    seen: list[int] = []
    go_on = trio.Event()

    async def stopped(event: DataEvent) -> None:
        seen.append(event.data.trade_id)
        await go_on.wait()

    feed = binance(Peer(nursery, script), "aggTrade")
    async with open_stream([feed], config=StreamConfig(budget=FOR_EVER)) as stream:
        stream.add_event_handler(DataType.TRADE, stopped)
        await wait_all_tasks_blocked()
        assert stream.get_stats().events == {"trade": many}
        go_on.set()
        await wait_all_tasks_blocked()
        books = stream.get_stats().books
        assert (feed.status.connections, feed.status.state) == (1, FeedState.READY)
    # One was in hand, and then the newest 5,000.
    assert seen[1:] == list(range(many - 5000 + 1, many + 1))
    assert (books.received, books.processed) == (many, 5001)
    assert books.lost_by == {"normal:shed": many - 5001}
    assert feed.status.refused == {}


async def test_an_id_is_no_promise_that_notifications_follow(nursery, autojump_clock):
    """0xPolygon/bor 2335: a stalled node still handed out ids, and nothing came after them."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, f"0x{peer_of.dials}")
        if peer_of.dials == 2:
            await peer.send(note("0x2", head(1)))
        await peer.hold()

    peer_of = Peer(nursery, script)
    feed = node(peer_of, pending="off")
    async with open_stream([feed]) as stream:
        heads = stream.subscribe(DataType.BLOCK)
        await feed.status.wait_for(FeedState.READY)
        await feed.status.wait_for(FeedState.WAITING)
        assert feed.status.detail == "newHeads was silent for 90 s"
        assert trio.current_time() == 90.0
        assert (await anext(heads)).metadata["subscription_id"] == "0x2"


async def test_pings_are_answered_while_every_consumer_stands_still(nursery, autojump_clock):
    """trio-websocket 82, 65: a full queue stopped the reader, and with it the pongs."""
    waits: list[float] = []

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        for number in range(10):
            await peer.send(*(trade(100 * number + n, 1) for n in range(1, 101)))
            waits.append(await ping(peer))
            await trio.sleep(1)
        done.set()
        await peer.hold()

    async def stopped(event: DataEvent) -> None:
        await trio.sleep_forever()

    done = trio.Event()
    feed = binance(Peer(nursery, script), "aggTrade")
    config = StreamConfig(budget=FOR_EVER, drain_timeout=1.0, lanes=LaneSettings(1, 1, 1))
    async with open_stream([feed], config=config) as stream:
        stream.add_event_handler(DataType.TRADE, stopped)
        unread = stream.subscribe(DataType.TRADE)
        await done.wait()
        assert stream.get_stats().books.processed == 0
        assert unread.lanes.queued == 1
    assert waits == [0.0] * 10
    assert feed.status.connections == 1
    assert stream.get_stats().books.lost == 2 * 1000
    assert_settled(stream)


@pytest.mark.parametrize("reads", [True, False])
async def test_a_hung_peer_and_unread_messages_delay_the_end_by_less_than_two_seconds(
    nursery, autojump_clock, reads
):
    """trio-websocket 74: the exit waited for messages that nobody read, for up to a minute."""

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await peer.send(*(trade(number, 1) for number in range(1, 2001)))
        if reads:
            while await peer.stream.receive_some():
                pass  # and never answers a close frame
        await trio.sleep_forever()

    async def dial_without_buffers(endpoint: object) -> trio.abc.Stream:
        """What one side sends, the other has to take before the sending ends."""
        ours, theirs = trio.testing.lockstep_stream_pair()
        nursery.start_soon(script, PeerConnection(theirs))
        return ours

    feed = binance(Peer(nursery, script), "aggTrade")
    if not reads:
        feed = type(feed)(feed.settings, dial_without_buffers)
    async with open_stream([feed]) as stream:
        unread = stream.subscribe(DataType.TRADE)
        await trio.sleep(40)  # the first ping is under way
        assert unread.lanes.queued == 2000
        start = trio.current_time()
    assert trio.current_time() - start < 2
    assert stream.get_stats().books.lost_by == {"normal:unread": 2000}


async def refuse(peer: PeerConnection) -> None:
    await peer.accept()
    request = json.loads(await peer.receive() or "null")
    error = {"code": -32601, "message": "no such method"}
    await peer.send(json.dumps({"id": request["id"], "error": error}))
    await peer.hold()


async def deaf(peer: PeerConnection) -> None:
    await confirm(peer, "0x1")
    await trio.sleep_forever()


@pytest.mark.parametrize(
    ("script", "cause", "said"),
    [(refuse, SubscriptionRejected, "-32601"), (deaf, HeartbeatLost, "no pong within 20 s")],
)
async def test_a_lost_feed_raises_one_error_whose_cause_says_why(
    nursery, autojump_clock, script, cause, said
):
    """trio-websocket 191: errors came out in groups, or without what had caused them."""
    none = attrs.evolve(AT_ONCE, restarts=1, first_delay=1.0)
    feed = node(Peer(nursery, script), pending="off", connection=none, required=True)
    bystander = binance(Peer(nursery, confirm_streams), "aggTrade")
    with pytest.raises(RestartLimitReached) as caught:
        async with open_stream([feed, bystander]):
            await trio.sleep_forever()
    assert type(caught.value.__cause__) is cause
    assert said in str(caught.value.__cause__)


async def test_what_a_body_or_a_plug_in_raises_keeps_its_cause_and_gets_no_group(
    nursery, autojump_clock
):
    """trio-websocket 188: the same, around the errors of users."""

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0x1")
        await peer.send(note("0x1", head(1)))
        await peer.hold()

    def broken(event: DataEvent) -> None:
        raise ValueError("odd") from OSError("deep")

    async def plug_in() -> None:
        feed = node(Peer(nursery, script), pending="off")
        async with open_stream([feed], config=StreamConfig(strict=True)) as stream:
            stream.add_event_handler(DataType.BLOCK, broken)
            await trio.sleep_forever()

    with pytest.raises(ProcessorFailed, match=r"broken\(block\) failed on block") as caught:
        await plug_in()
    assert isinstance(caught.value.__cause__, ValueError)
    assert isinstance(caught.value.__cause__.__cause__, OSError)

    cause = OSError("deep")

    async def course() -> None:
        async with open_stream([node(Peer(nursery, script), pending="off")]) as stream:
            await anext(stream.subscribe(DataType.BLOCK))
            raise LookupError("mine") from cause

    with pytest.raises(LookupError) as mine:
        await course()
    assert mine.value.__cause__ is cause


async def test_a_queue_that_loses_says_what_it_lost_in_its_own_stream(nursery, autojump_clock):
    """trio 987, 1744, 1411: a queue that drops what is old must announce it."""

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await peer.send(*(trade(number, 1) for number in range(1, 11)))
        await go_on.wait()
        await peer.send(*(trade(number, 1) for number in range(11, 13)))
        await peer.hold()

    go_on = trio.Event()
    feed = binance(Peer(nursery, script), "aggTrade", connection=AT_ONCE)
    async with open_stream([feed]) as stream:
        small = LaneSettings(normal=3)
        slow = stream.subscribe(DataType.TRADE, DataType.LOST, lanes=small)
        quick = stream.subscribe(DataType.TRADE, DataType.LOST)
        await wait_all_tasks_blocked()
        first = await anext(slow)
        assert first.event_type is DataType.LOST
        assert first.data == Lost("normal", 7, "binance#1.0", "binance#7.0")
        go_on.set()
        await wait_all_tasks_blocked()
        got = [await anext(slow) for _ in range(4)]
        assert got[0].data == Lost("normal", 2, "binance#8.0", "binance#9.0")
        assert [e.data.trade_id for e in got[1:]] == [10, 11, 12]
        # Who lost nothing is told of nothing.
        assert [(await anext(quick)).data.trade_id for _ in range(12)] == [*range(1, 13)]
        assert slow.lanes.books.lost_by == {"normal:shed": 9}
    assert_settled(stream)
