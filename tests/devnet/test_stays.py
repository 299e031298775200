"""Positions that come and go among swaps: what is said of each is what the contracts then do."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import attrs
import pytest

from tests.devnet.abi import call_data, decode, raw, topic
from tests.devnet.addresses import (
    DEPLOYER,
    POSITIONS,
    PROVIDER_OF_LIQUIDITY,
    V3_FACTORY,
    V3_ROUTER,
)
from tests.devnet.cast import QUICK_PROVIDER, TRADERS
from tests.devnet.chain import LARGEST, Chain
from tests.devnet.deploy import BLOCK_TIME, GWEI, devnet
from tests.devnet.logs import V3_BURN, V3_MINT
from tests.devnet.markets import Market, find_markets
from tests.devnet.reading import load
from tests.devnet.rpc import Json, open_rpc
from tests.devnet.scenario_mev import _withdrawal
from tests.devnet.uniswap import MINT, NEVER, SPACING, current_tick
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.effects import Terms
from trio_mev.chain.effects.stays import Act, Stay, stays
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.loading import load_v3
from trio_mev.model.chain import Transaction

BLOCKS = int(os.environ.get("STAYS", "20"))
OWNERS = QUICK_PROVIDER, PROVIDER_OF_LIQUIDITY
MANAGER_COLLECT = topic("Collect(uint256,address,uint256,uint256)")
EXACT_IN = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
EXACT_OUT = "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
DECODER = CallDecoder()


@attrs.define(eq=False)
class Line:
    """Transactions of one block, in the order in which the node will take them."""

    market: Market
    book: PoolBook
    terms: Terms
    rng: random.Random
    tick: int
    depths: list[int]
    next_id: int
    acts: list[Act] = attrs.Factory(list)
    ids: dict[str, int] = attrs.Factory(dict)
    """Of positions, by the transactions that make them."""
    ranges: list[tuple[int, int]] = attrs.Factory(list)

    def said(self) -> list[Stay]:
        return stays(self.acts, self.book, self.terms)

    def put(self, sender: str, to: str, data: str) -> None:
        place = len(self.acts)
        nonce = sum(one.transaction.sender == sender for one in self.acts)
        name = f"0x{place:064x}"
        body = Transaction(name, sender, to, nonce, 0, LARGEST, raw(data))
        self.acts.append(Act(body, DECODER.decode(to, body.input, sender, 0), float(place)))

    def add(self) -> None:
        """In a range about the price or beside it, or in one that somebody has already."""
        spacing = SPACING[self.market.fee]
        if self.ranges and self.rng.random() < 0.4:
            ends = self.rng.choice(self.ranges)
        else:
            low = self.tick // spacing + self.rng.randrange(-6, 5)
            ends = low * spacing, (low + self.rng.randrange(1, 8)) * spacing
        self.ranges.append(ends)
        owner, shares = self.rng.choice(OWNERS), [self.rng.randrange(20, 2_000) for _ in range(2)]
        desired = [depth // share for depth, share in zip(self.depths, shares, strict=True)]
        given = *self.market.tokens, self.market.fee, *ends, *desired, 0, 0, owner, NEVER
        before = len(self.said())
        self.put(owner, POSITIONS, call_data(MINT, given))
        if len(self.said()) == before:
            self.acts.pop()  # it would revert: the range wants a token that is not there
            return
        self.ids[self.acts[-1].transaction.hash] = self.next_id + len(self.ids)

    def swap(self) -> None:
        side, out = self.rng.randrange(2), self.rng.random() < 0.4
        tokens = self.market.tokens[side], self.market.tokens[1 - side]
        share = self.rng.choice((3_000, 300, 100, 30))
        amount = self.depths[1 - side if out else side] // share
        most = 2**200 if out else 0
        given = *tokens, self.market.fee, TRADERS[len(self.acts) % 10], NEVER, amount, most, 0
        data = call_data(EXACT_OUT if out else EXACT_IN, given)
        self.put(TRADERS[len(self.acts) % 10], V3_ROUTER, data)

    def leave(self, stay: Stay) -> None:
        """Take it out, collect it, burn it."""
        owner = stay.act.transaction.sender
        number = self.ids[stay.act.transaction.hash]
        steps = [raw(data) for data in _withdrawal(number, stay.liquidity, owner)]
        self.put(owner, POSITIONS, call_data("multicall(bytes[])", steps))


async def mined(chain: Chain, line: Line) -> list[Json]:
    """The receipts of a line, in its order."""
    nonces = {
        who: await chain.rpc.number("eth_getTransactionCount", who, "latest")
        for who in {one.transaction.sender for one in line.acts}
    }
    calls = []
    for place, act in enumerate(line.acts):
        body = act.transaction
        fee = hex(1000 * GWEI - place * GWEI)
        fields = {
            "from": body.sender,
            "to": body.to,
            "data": "0x" + body.input.hex(),
            "nonce": hex(nonces[body.sender] + body.nonce),
            "gas": hex(2_000_000),
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": fee,
        }
        calls.append(("eth_sendTransaction", [fields]))
    hashes = await chain.rpc.batch(calls)
    await chain.rpc.call("evm_mine")
    receipts = await chain.rpc.call("eth_getBlockReceipts", "latest")
    assert [one["transactionHash"] for one in receipts] == hashes
    return receipts


def compare(line: Line, receipts: list[Json], seen: Counter[Any]) -> None:
    """Every position that was said to come and go did, for these amounts."""
    by_act = {act.transaction.hash: one for act, one in zip(line.acts, receipts, strict=True)}
    for stay in line.said():
        assert stay.leave is not None
        came, went = by_act[stay.act.transaction.hash], by_act[stay.leave.transaction.hash]
        assert came["status"] == went["status"] == "0x1"
        mint = next(log for log in came["logs"] if log["topics"][0] == V3_MINT)
        burn = next(log for log in went["logs"] if log["topics"][0] == V3_BURN)
        taken = next(log for log in went["logs"] if log["topics"][0] == MANAGER_COLLECT)
        types = "(address,uint128,uint256,uint256)"
        assert decode(types, mint["data"])[1:] == (stay.liquidity, *stay.added)
        assert decode("(uint128,uint256,uint256)", burn["data"]) == (stay.liquidity, *stay.taken)
        collected = decode("(address,uint256,uint256)", taken["data"])[1:]
        fees = tuple(got - back for got, back in zip(collected, stay.taken, strict=True))
        assert fees == stay.fees
        seen["fees" if any(fees) else "idle"] += 1
        seen["both"] += all(fees)
        seen["beside"] += not all(stay.added)
        seen["stays"] += 1


@pytest.mark.parametrize("shares", [(0, 0), (4, 7)])
async def test_positions_are_paid_what_is_said(shares: tuple[int, int]):
    """With and without a part for the protocol."""
    rng, seen = random.Random(f"stays {shares}"), Counter[Any]()
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        await rpc.call("evm_setBlockGasLimit", hex(LARGEST * 4))
        chain = Chain(rpc)
        markets = [one for one in await find_markets(chain) if one.concentrated]
        owner = await chain.read_address(V3_FACTORY, "owner()")
        assert owner == DEPLOYER
        for market in markets:
            data = call_data("setFeeProtocol(uint8,uint8)", *shares)
            await chain.send(DEPLOYER, market.address, data)
        await rpc.call("evm_mine")
        for _ in range(BLOCKS):
            await one_block(chain, rng.choice(markets), rng, seen)
    assert seen["stays"] > 3 * BLOCKS
    assert seen["fees"] > BLOCKS
    assert min(seen["both"], seen["beside"], seen["idle"], seen["shared"]) > 0, seen


async def one_block(chain: Chain, market: Market, rng: random.Random, seen: Counter[Any]) -> None:
    head = await chain.rpc.call("eth_getBlockByNumber", "latest", False)
    book = PoolBook()
    book.begin(int(head["number"], 16), head["hash"])
    loaded = await load(chain.rpc, load_v3(market.address), {"blockHash": head["hash"]})
    book.load(loaded.pool, loaded.state, head["hash"])
    terms = Terms(int(head["timestamp"], 16) + BLOCK_TIME, head["hash"])
    line = Line(
        market,
        book,
        terms,
        rng,
        await current_tick(chain, market.address),
        [await market.depth(chain, token) for token in market.tokens],
        await next_position(chain, market),
    )
    for _ in range(rng.randrange(8, 16)):
        choice = rng.random()
        there = [stay for stay in line.said() if stay.leave is None]
        if choice < 0.35:
            line.add()
        elif choice < 0.75 or not there:
            line.swap()
        else:
            line.leave(rng.choice(there))
    while there := [stay for stay in line.said() if stay.leave is None]:
        line.leave(there[0])
    seen["shared"] += len(line.ranges) - len(set(line.ranges))
    receipts = await mined(chain, line)
    compare(line, receipts, seen)


async def next_position(chain: Chain, market: Market) -> int:
    """The number that the manager gives next: what a call that makes one would answer."""
    tick, spacing = await current_tick(chain, market.address), SPACING[market.fee]
    low = tick // spacing * spacing
    amounts = [await market.depth(chain, token) // 1_000 for token in market.tokens]
    given = *market.tokens, market.fee, low, low + spacing, *amounts, 0, 0, OWNERS[0], NEVER
    call = {"from": OWNERS[0], "to": POSITIONS, "data": call_data(MINT, given)}
    answer = await chain.rpc.call("eth_call", call, "latest")
    return decode("(uint256,uint128,uint256,uint256)", answer)[0]
