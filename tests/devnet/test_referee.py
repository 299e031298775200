"""A real node as referee: what it says that transactions would do is what they do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import attrs
import pytest
import trio
from eth_hash.auto import keccak

from tests.devnet.abi import account, call_data, hexed, raw, selector
from tests.devnet.addresses import UNISWAP_V2_ROUTER, USDC, V3_ROUTER, WBTC, WETH
from tests.devnet.artifacts import init_code
from tests.devnet.cast import TRADERS
from tests.devnet.chain import Chain
from tests.devnet.deploy import GWEI, devnet
from tests.devnet.node import Node, Options
from tests.devnet.routers import V3_SINGLE
from tests.devnet.rpc import Hex, Json, Rpc, open_rpc
from trio_mev import DataEvent, DataType, EthereumWebSocketClient, EventPriority, open_stream
from trio_mev.chain.swaps import swaps_of
from trio_mev.errors import RpcFailed
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.status import FeedState
from trio_mev.model.chain import Transaction
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.intents import PoolKind
from trio_mev.model.market import Price, PriceStatus
from trio_mev.model.settings import EthereumSettings, RefereeSettings
from trio_mev.model.simulation import PoolSwap, SimulatedTransaction, Simulation
from trio_mev.processors.referee import Referee, Silence, Unanswered
from trio_mev.processors.refereed import TransactionReferee
from trio_mev.wire.lines import line_of
from trio_mev.wire.simulation import SIMULATE, TRACE

ETH = 10**18
FAR = 2**40
MASK = int.from_bytes(keccak(b"mask"))
MIDDLEMAN = account("middleman")
PAIR = "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc"
BUY = "swapExactETHForTokens(uint256,address[],address,uint256)"
SELL = "swapExactTokensForETH(uint256,uint256,address[],address,uint256)"
PATIENT = RefereeSettings(enabled=True, calls_per_second=1000, deadline=20)
METHODS = [SIMULATE, TRACE]


@attrs.frozen(eq=False)
class Lacking:
    """A node without one method: everything else goes to a real one."""

    rpc: object
    method: str

    @property
    def peer(self):
        return self.rpc.peer

    async def call(self, method, params=(), kind=object, within=None):
        if method == self.method:
            await trio.lowlevel.checkpoint()
            raise RpcFailed(-32601, f"the method {method} does not exist/is not available")
        return await self.rpc.call(method, params, kind, within)


def client(node: Node) -> EthereumWebSocketClient:
    return EthereumWebSocketClient(EthereumSettings(name="node", endpoint=Endpoint(node.ws_url)))


@attrs.frozen(eq=False)
class Court:
    """A referee, and the chain that it speaks of."""

    referee: Referee
    chain: Chain

    async def mined(self, *bodies: Json) -> list[Json]:
        """The receipts of transactions that come next, in this order and in one block."""
        rpc = self.chain.rpc
        await rpc.call("evm_setAutomine", False)
        hashes = []
        for place, body in enumerate(bodies):
            fees = {"maxPriorityFeePerGas": hex(GWEI), "maxFeePerGas": hex((300 - place) * GWEI)}
            hashes.append(await rpc.call("eth_sendTransaction", {**body, **fees}))
        await rpc.call("evm_mine")
        receipts = [await rpc.call("eth_getTransactionReceipt", one) for one in hashes]
        assert [int(one["transactionIndex"], 16) for one in receipts] == list(range(len(bodies)))
        await rpc.call("evm_setAutomine", True)
        return receipts


@asynccontextmanager
async def court(lacking: str = "") -> AsyncIterator[Court]:
    async with (
        devnet(Options()) as node,
        open_rpc(node.ws_url) as rpc,
        trio.open_nursery() as nursery,
    ):
        feed = client(node)
        nursery.start_soon(feed.run, lambda events: None, Outstanding())
        assert await feed.status.wait_for(FeedState.READY) is FeedState.READY
        yield Court(Referee(PATIENT, Lacking(feed.rpc, lacking)), Chain(rpc))
        nursery.cancel_scope.cancel()


@pytest.fixture(params=METHODS)
async def by_one(request) -> AsyncIterator[Court]:
    """A court whose node has this method only."""
    (other,) = set(METHODS) - {request.param}
    async with court(other) as made:
        yield made


def body_of(sender: str, to: str | None, data: Hex, value: int = 0, gas: int = 900_000) -> Json:
    body = {"from": sender, "to": to, "data": data, "value": hex(value), "gas": hex(gas)}
    return {name: text for name, text in body.items() if text is not None}


def pending(body: Json, number: int = 1) -> Transaction:
    """The transaction as a feed brings it; its fees are far more than its sender has."""
    return Transaction(
        f"0x{number:064x}",
        body["from"],
        body.get("to"),
        99,
        int(body["value"], 16),
        int(body["gas"], 16),
        raw(body["data"]),
        2,
        max_fee=10**30,
        max_priority_fee=10**30,
    )


def buy(sender: str, wei: int = ETH, least: int = 0, token: str = USDC) -> Json:
    data = call_data(BUY, least, [WETH, token], sender, FAR)
    return body_of(sender, UNISWAP_V2_ROUTER, data, wei)


def shown(logs) -> list[tuple]:
    """Logs of either kind as plain values, in their order."""
    return [
        (log["address"], tuple(log["topics"]), log["data"])
        if isinstance(log, dict)
        else (log.address, log.topics, f"0x{log.data.hex()}")
        for log in logs
    ]


async def one_of(court: Court, body: Json):
    answer = await court.referee.simulate([pending(body)])
    assert isinstance(answer, Simulation), answer
    (call,) = answer.calls
    return call


async def test_a_swap_is_told_as_its_receipt_has_it(by_one):
    trader = TRADERS[0]
    single = (WBTC, USDC, 3000, trader, FAR, 10**7, 0, 0)
    for body in (
        buy(trader),
        body_of(trader, V3_ROUTER, call_data(f"exactInputSingle({V3_SINGLE})", single)),
    ):
        told = await one_of(by_one, body)
        (receipt,) = await by_one.mined(body)
        assert told.succeeded
        assert told.ordered
        assert shown(told.logs) == shown(receipt["logs"])
        assert len(told.logs) >= 3
        assert told.gas_used == int(receipt["gasUsed"], 16)


async def test_the_order_of_logs_is_that_of_their_emission(by_one):
    """Before, between and after inner calls, without what was undone."""
    await settle(by_one.chain.rpc)
    body = hidden(TRADERS[0])
    told = await one_of(by_one, body)
    (receipt,) = await by_one.mined(body)
    assert shown(told.logs) == shown(receipt["logs"])
    notes = [int(log["data"], 16) for log in receipt["logs"] if log["address"] == MIDDLEMAN]
    assert notes == [1, 2, 3]
    assert receipt["logs"][-1]["address"] == receipt["logs"][0]["address"] == MIDDLEMAN


async def settle(rpc: Rpc) -> None:
    """Put the middleman on the chain; its constructor writes nothing."""
    await rpc.call("anvil_setCode", MIDDLEMAN, hexed(init_code("Middleman")))
    code = await rpc.call("eth_call", {"to": MIDDLEMAN}, "latest")
    await rpc.call("anvil_setCode", MIDDLEMAN, code)


def hidden(sender: str, wei: int = ETH) -> Json:
    words = [int(address, 16) ^ MASK for address in (UNISWAP_V2_ROUTER, WETH, USDC)]
    return body_of(sender, MIDDLEMAN, call_data("trade(uint256,uint256,uint256)", *words), wei)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (("trade(uint256,uint256,uint256)", MASK ^ 1, 0, 0), "execution "),
        (("fail()",), "no"),
        (("panic(uint256)", 0), "panic 0x12: division by zero"),
        (("close()",), "error 0x" + selector("Closed(uint256)").hex()),
    ],
)
async def test_a_revert_is_told_with_its_reason(by_one, call, reason):
    await settle(by_one.chain.rpc)
    told = await one_of(by_one, body_of(TRADERS[0], MIDDLEMAN, call_data(*call)))
    assert not told.succeeded
    assert told.logs == ()
    # Without one, the node's own word is told: one says "reverted", the other "failed".
    assert told.reason.startswith(reason) if reason.endswith(" ") else told.reason == reason


async def test_a_swap_below_its_limit_and_one_without_gas_are_told(by_one):
    told = await one_of(by_one, buy(TRADERS[0], least=10**30))
    assert told.reason == "UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT"
    await settle(by_one.chain.rpc)
    spun = await one_of(by_one, body_of(TRADERS[0], MIDDLEMAN, call_data("spin()"), gas=100_000))
    assert (spun.succeeded, spun.gas_used) == (False, 100_000)
    assert spun.reason not in {"", "no"}


async def test_front_victim_and_back_stand_on_each_other():
    searcher, victim = TRADERS[:2]
    async with court() as made:
        front = buy(searcher, 20 * ETH)
        (bought,) = swaps_of((await one_of(made, front)).logs)
        got = bought.amount_out
        back = body_of(
            searcher,
            UNISWAP_V2_ROUTER,
            call_data(SELL, got, 0, [USDC, WETH], searcher, FAR),
        )
        bundle = [front, buy(victim, 30 * ETH), back]
        bodies = [pending(body, number) for number, body in enumerate(bundle)]
        head = await made.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        answer = await made.referee.simulate(bodies, head["hash"])
        assert isinstance(answer, Simulation)
        assert (answer.method, answer.block) == (SIMULATE, head["hash"])
        receipts = await made.mined(*bundle)
        for place, (told, receipt) in enumerate(zip(answer.calls, receipts, strict=True)):
            assert shown(told.logs) == shown(receipt["logs"])
            assert told.gas_used == int(receipt["gasUsed"], 16)
            assert {log.transaction for log in told.logs} == {bodies[place].hash}
        (sold,) = swaps_of(answer.calls[2].logs)
        without = await made.referee.simulate([bodies[0], bodies[2]], head["hash"])
        (less,) = swaps_of(without.calls[1].logs)
        assert (sold.amount_in, sold.token_in, sold.token_out) == (got, USDC, WETH)
        assert less.amount_out < sold.amount_out
        # After them the same simulation on the same block says the same.
        assert await made.referee.simulate(bodies, head["hash"]) == answer
        assert (await made.referee.simulate(bodies)).calls != answer.calls


async def test_what_cannot_be_tried_is_no_refusal(by_one):
    poor = await by_one.referee.simulate([pending(buy(account("poor")))])
    assert isinstance(poor, Unanswered)
    assert poor.why is Silence.FAILED
    nowhere = await by_one.referee.simulate([pending(buy(TRADERS[0]))], "0x" + "ab" * 32)
    assert nowhere.why is Silence.FAILED
    assert isinstance(await by_one.referee.simulate([pending(buy(TRADERS[0]))]), Simulation)
    assert by_one.referee.counts["failed"] == 2


async def test_anvils_word_for_an_unknown_method_is_a_refusal():
    """It says -32602 of each."""
    async with court() as made:
        with pytest.raises(RpcFailed) as caught:
            await made.referee.rpc.call("debug_traceNothing")
        assert made.referee._refused(SIMULATE, caught.value) is None
        assert not list(made.referee.health())


async def test_a_bundle_needs_a_node_that_takes_several():
    async with court(SIMULATE) as made:
        two = [pending(buy(TRADERS[0]), number) for number in (1, 2)]
        told = await made.referee.simulate(two)
        assert (told.why, told.detail) == (
            Silence.REFUSED,
            "several transactions need eth_simulateV1",
        )
        assert (await made.referee.simulate(two[:1])).method == TRACE


PRICE = Price(Instrument("ETH", "USD"), Decimal(3000), None, PriceStatus.OK, ())


async def test_an_unknown_router_is_resolved_in_a_stream():
    """From the pending transaction to what it would swap, and then swaps."""
    trader = TRADERS[0]
    async with devnet(Options(mining=False)) as node, open_rpc(node.ws_url) as rpc:
        await settle(rpc)
        referee = Referee(PATIENT)
        feed = client(node)
        with trio.fail_after(120):
            async with open_stream([feed], [lambda: TransactionReferee(referee)]) as stream:
                findings, blocks = stream.findings, stream.subscribe(DataType.BLOCK)
                assert await feed.status.wait_for(FeedState.READY) is FeedState.READY
                await rpc.call("evm_mine")
                head = (await blocks.__anext__()).data
                priced = DataEvent(
                    DataType.PRICE, EventPriority.HIGH, PRICE, "test", trio.current_time()
                )
                stream.emit_event(priced)
                body = hidden(trader, 3 * ETH)
                fees = {"maxFeePerGas": hex(99 * GWEI), "maxPriorityFeePerGas": hex(GWEI)}
                sent = await rpc.call("eth_sendTransaction", {**body, **fees})
                event = await findings.__anext__()
                await rpc.call("evm_mine")
        receipt = await rpc.call("eth_getTransactionReceipt", sent)
    told = event.data
    assert isinstance(told, SimulatedTransaction)
    assert told.analysis.transaction == sent
    assert told.analysis.router is None
    assert (told.block, told.number, told.method) == (head.hash, head.number, SIMULATE)
    assert told.succeeded
    swap = next(log for log in receipt["logs"] if log["address"] == PAIR and len(log["topics"]) > 1)
    out = int(swap["data"][2 + 64 * 2 : 2 + 64 * 3], 16)
    assert told.swaps == (PoolSwap(PoolKind.V2, PAIR, WETH, USDC, 3 * ETH, out),)
    line = line_of(event)
    assert line["pool_swaps"][0]["amount_out"] == str(out)
    assert "would swap 3.0000 WETH for" in line["message"]
