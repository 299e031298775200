"""TransactionReferee: which transactions it has tried, and what it reports of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
from eth_abi import encode
from eth_hash.auto import keccak

from tests.support.judging import ABSENT, CALL, SILENT
from trio_mev import ReplayFeed, replay_clock
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.contracts.balancer import VAULTS
from trio_mev.config import standard_processors
from trio_mev.loopback.demo import TAPE
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument
from trio_mev.model.intents import ETHER, WETH, PoolKind
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.settings import RefereeSettings, Settings, TransactionSettings
from trio_mev.model.simulation import PoolSwap, SimulatedTransaction
from trio_mev.processors.referee import Referee
from trio_mev.processors.refereed import TransactionReferee
from trio_mev.stream import open_stream
from trio_mev.wire.lines import line_of
from trio_mev.wire.simulation import SIMULATE
from trio_mev.wire.words import describe_simulated

ETH = 10**18
UNKNOWN = "0x" + "77" * 20
ODOS = "0xcf5540fffcdc3d510b18bfca6d2b9987b0772559"
V2_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
AAVE = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
DATA = bytes.fromhex("deadbeef")
SWAP = bytes.fromhex("38ed1739") + bytes(32)
(VAULT,) = VAULTS
POOL_ID, ONE, TWO = "0x" + "dd" * 32, "0x" + "01" * 20, "0x" + "02" * 20
LOG = {
    "address": VAULT,
    "topics": [
        "0x2170c741c41531aec20e7c107c24eecfdd15e69c9bb0a8dd37b1840b9e0b207b",
        POOL_ID,
        f"0x{ONE[2:]:0>64}",
        f"0x{TWO[2:]:0>64}",
    ],
    "data": f"0x{100:064x}{7:064x}",
}
SWAPPED = (PoolSwap(PoolKind.BALANCER, POOL_ID, ONE, TWO, 100, 7),)
PRICE = Price(Instrument("ETH", "USD"), Decimal(2000), None, PriceStatus.OK, ())


def told(**call):
    return {"result": [{"calls": [{**CALL, **call}]}]}


@pytest.fixture
async def judge(client, node, feed, make_event):
    """A processor that knows the price, asking the node."""

    async def make(number=0, parts=1, **settings):
        values = {"enabled": True, "calls_per_second": 100}
        referee = Referee(RefereeSettings(**values | settings))
        made = TransactionReferee(referee, TransactionSettings(), part=(number, parts))
        made.rpc = client.rpc
        node.answers[SIMULATE] = told(logs=[LOG])
        assert await feed(made, make_event(DataType.PRICE, PRICE)) == []
        return made

    return make


async def test_an_unknown_contract_with_a_large_value_is_tried_on_the_head(
    autojump_clock, judge, node, feed, transaction, block
):
    made = await judge()
    assert await feed(made, block(5)) == []
    (event,) = await feed(made, transaction(1, to=UNKNOWN, value=ETH, input=DATA))
    found = event.data
    assert found == SimulatedTransaction(
        found.analysis, block(5).data.hash, 5, SIMULATE, True, "", 21_000, SWAPPED
    )
    assert found.analysis.value_usd == 2000
    assert event.priority is EventPriority.NORMAL
    assert event.metadata["cause"] == "feed#0.0"
    assert node.requests[-1][1][1] == block(5).data.hash


async def test_before_the_first_block_it_is_the_latest(autojump_clock, judge, feed, transaction):
    (event,) = await feed(await judge(), transaction(to=UNKNOWN, value=50 * ETH, input=DATA))
    assert (event.data.block, event.data.number) == ("latest", None)
    assert event.priority is EventPriority.HIGH


async def test_a_revert_is_reported_with_its_reason(autojump_clock, judge, node, feed, transaction):
    made = await judge()
    node.answers[SIMULATE] = told(status="0x0", error={"code": 3, "message": "out of gas"})
    (event,) = await feed(made, transaction(to=UNKNOWN, value=ETH, input=DATA))
    assert (event.data.succeeded, event.data.reason, event.data.swaps) == (False, "out of gas", ())


@pytest.mark.parametrize(
    "fields",
    [
        {"to": UNKNOWN, "value": ETH, "input": DATA},
        {"to": ODOS, "value": ETH, "input": DATA},
    ],
)
@pytest.mark.parametrize(
    "answer", [told(), ABSENT, {"error": {"code": -32001, "message": "Resource not found"}}]
)
async def test_an_answer_that_says_nothing_is_not_reported(
    autojump_clock, judge, node, feed, transaction, fields, answer
):
    made = await judge()
    node.answers = dict.fromkeys(node.answers, answer)
    assert await feed(made, transaction(**fields)) == []
    assert node.tried


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"to": UNKNOWN, "value": ETH // 4, "input": DATA}, id="too small"),
        pytest.param({"to": UNKNOWN, "value": ETH, "input": b""}, id="a plain transfer"),
        pytest.param({"to": None, "value": ETH, "input": DATA}, id="a creation"),
        pytest.param({"to": WETH, "value": ETH, "input": DATA}, id="a deposit"),
        pytest.param({"to": AAVE, "value": ETH, "input": DATA}, id="a known lender"),
        pytest.param({"to": UNKNOWN, "value": ETH, "input": DATA, "type": 3}, id="with blobs"),
        pytest.param({"to": UNKNOWN, "value": ETH, "input": DATA, "type": 4}, id="delegating"),
        pytest.param({"to": V2_ROUTER, "value": ETH, "input": SWAP}, id="malformed"),
        pytest.param({"to": V2_ROUTER, "value": ETH, "input": b""}, id="a gift to a router"),
    ],
)
async def test_what_is_clear_or_does_not_matter_is_not_tried(
    autojump_clock, judge, node, feed, transaction, fields
):
    assert await feed(await judge(), transaction(**fields)) == []
    assert node.tried == []


def test_the_contracts_of_these_tests_are_what_they_are_taken_for():
    decoder = CallDecoder()
    assert decoder.name(UNKNOWN) is None
    assert decoder.router(ODOS) == "Odos v2"
    assert decoder.router(AAVE) is None
    assert decoder.name(AAVE) is not None


def odos(signature, types, *values):
    return keccak(signature.encode())[:4] + encode(types, values)


HIDDEN = odos(
    "swap((address,uint256,address,address,uint256,uint256,address),bytes,address,uint32)",
    ["(address,uint256,address,address,uint256,uint256,address)", "bytes", "address", "uint32"],
    (ETHER, 10, TWO, ONE, 11, 9, TWO), b"", TWO, 0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "undecoded", "swaps"),
    [
        pytest.param(DATA, "unknown_method", 0, id="an unknown method"),
        pytest.param(odos("swapCompact()", []), "opaque", 0, id="a code of its own"),
        pytest.param(HIDDEN, None, 1, id="a swap without a route"),
    ],
)
async def test_a_known_router_that_hides_its_route_is_tried(
    autojump_clock, judge, feed, transaction, call, undecoded, swaps
):
    (event,) = await feed(await judge(), transaction(to=ODOS, value=ETH, input=call))
    analysis = event.data.analysis
    assert analysis.router == "Odos v2"
    assert (analysis.undecoded or "").partition(":")[0] == (undecoded or "")
    assert [swap.hops for swap in analysis.swaps] == [()] * swaps
    assert event.data.swaps == SWAPPED


async def test_each_takes_its_part_and_all_know_the_fees(
    autojump_clock, judge, node, feed, transaction
):
    first, second = await judge(0, 2), await judge(1, 2)
    for number in range(20):
        event = transaction(number, to=UNKNOWN, value=ETH, input=DATA, gas_price=number + 1)
        found = [await feed(one, event) for one in (first, second)]
        assert [len(one) for one in found] == [1 - number % 2, number % 2]
    nothing = transaction(3, gas_price=None)
    assert await feed(first, nothing) == []
    judged = [one._analyzer._fees for one in (first, second)]
    for share in (0.05, 0.5, 1.0):
        assert len({fees.nearest_rank(share) for fees in judged}) == 1
    assert len(first._analyzer._fees) == 20
    assert len(node.tried) == 20


async def test_one_that_has_waited_too_long_is_not_asked_for(
    autojump_clock, judge, node, feed, transaction
):
    made = await judge(deadline=1.0)
    await trio.sleep(1.5)
    event = transaction(to=UNKNOWN, value=ETH, input=DATA, at=trio.current_time() - 1.2)
    assert await feed(made, event) == []
    assert made.referee.counts["over_budget"] == 1
    assert node.tried == []


async def test_without_a_node_nothing_is_asked_and_nothing_said(feed, transaction, block):
    made = TransactionReferee()
    assert await feed(made, block(1), transaction(to=UNKNOWN, value=ETH, input=DATA)) == []
    assert made.referee.counts == {}
    assert list(made.health(0.0)) == []


async def test_a_node_that_refuses_is_told_of_by_the_first_part_alone(
    autojump_clock, judge, node, feed, transaction
):
    first = await judge()
    node.answers = dict.fromkeys(node.answers, ABSENT)
    await feed(first, transaction(to=UNKNOWN, value=ETH, input=DATA))
    other = TransactionReferee(first.referee, part=(1, 2))
    assert [issue.kind for issue in first.health(0.0)] == ["no_referee"]
    assert list(other.health(0.0)) == []


async def test_it_waits_longer_than_the_streams_budget_and_holds_up_nobody(
    autojump_clock, client, node, transaction, make_event
):
    """Its node never answers; whoever else consumes transactions has them at once."""
    node.answers[SIMULATE] = SILENT
    referee = Referee(RefereeSettings(enabled=True, deadline=2.0))
    made = TransactionReferee(referee)
    made.rpc = client.rpc
    async with open_stream((), [lambda: made]) as stream:
        seen = stream.subscribe(DataType.TRANSACTION)
        stream.emit_event(make_event(DataType.PRICE, PRICE, trio.current_time()))
        start = trio.current_time()
        body = transaction(to=UNKNOWN, value=ETH, input=DATA, at=start)
        stream.emit_event(body)
        await seen.__anext__()
        assert trio.current_time() == start
        await trio.sleep(1.9)
        assert referee.counts == {"asked": 1, "calls": 1}
        await trio.sleep(0.2)
        assert referee.counts["timed_out"] == 1
        (consumer,) = stream.get_stats().consumers
        assert (consumer.books.processed, consumer.books.failed) == (2, 0)
        assert consumer.timing.timeouts == 0


async def test_a_line_says_what_it_would_swap(autojump_clock, judge, feed, transaction, block):
    made = await judge()
    (event,) = await feed(made, block(5), transaction(to=UNKNOWN, value=ETH, input=DATA))
    line = line_of(event)
    assert (line["type"], line["basis"], line["number"]) == ("simulation", "simulated", 5)
    assert line["pool_swaps"] == [
        {"kind": "balancer", "pool": POOL_ID, "token_in": ONE, "token_out": TWO,
         "amount_in": "100", "amount_out": "7"}
    ]  # fmt: skip
    assert (
        line["message"]
        == describe_simulated(event.data)
        == (
            f"on block 5, a call of {UNKNOWN} would swap 100 of {ONE} for 7 of {TWO} "
            f"in balancer pool {POOL_ID}"
        )
    )


def test_in_a_replay_it_asks_nothing_and_changes_nothing():
    async def run(enabled):
        settings = Settings(referee=RefereeSettings(enabled=enabled))
        feed = ReplayFeed([TAPE], end=20.0)
        async with open_stream([feed], standard_processors(settings)) as stream:
            await stream.ended.wait()
        return stream.get_stats()

    without, beside = (trio.run(run, on, clock=replay_clock(None)) for on in (False, True))
    assert beside.processor_count == without.processor_count + 4
    assert beside.digest == without.digest
    referees = [one for one in beside.consumers if one.name.startswith("TransactionReferee")]
    assert len(referees) == 4
    assert all(one.books.processed == one.books.received > 0 for one in referees)
