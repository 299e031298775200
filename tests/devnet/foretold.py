"""Blocks full of orders, of which it is said beforehand what they will do."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import attrs
import msgspec

from tests.devnet.abi import Address, call_data, raw
from tests.devnet.addresses import (
    DECIMALS,
    ROUTER_02,
    UNISWAP_V2_FACTORY,
    UNIVERSAL_ROUTER,
    V3_ROUTER,
    WETH,
)
from tests.devnet.arena import NEWER_ROUTER, Arena
from tests.devnet.cast import TRADERS
from tests.devnet.commands import sweep
from tests.devnet.deploy import BLOCK_TIME, GWEI
from tests.devnet.orders import Order
from tests.devnet.orders_routers import ROUTER_KINDS, RouterOrders
from tests.devnet.orders_v4 import PLAN_KINDS, V4Orders
from tests.devnet.receipts import REASONS, reason_of, swaps_in
from tests.devnet.rpc import Json
from tests.devnet.test_pool_states import log_of
from tests.devnet.uniswap import units
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.effects import (
    Effect,
    Overlay,
    PoolView,
    Refusal,
    SwapOutcome,
    Terms,
    Verdict,
    apply,
)
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.model.chain import Block
from trio_mev.model.intents import ETHER

KINDS = (*ROUTER_KINDS, *PLAN_KINDS)
GAS = 30_000_000
ROUTERS = (V3_ROUTER, ROUTER_02, UNIVERSAL_ROUTER, NEWER_ROUTER)
"""Those that may be left with something."""
SPARE = 30_000_000
"""Dollars that a trader can spend in one transaction."""


class Orders(RouterOrders, V4Orders):
    """Of every kind."""


@attrs.define(eq=False)
class Play:
    """Blocks full of orders, each applied to our pools before the node sees it."""

    arena: Arena
    rng: random.Random
    book: PoolBook = attrs.Factory(PoolBook)
    decoder: CallDecoder = attrs.Factory(CallDecoder)
    head: Json = attrs.Factory(dict)
    nonces: dict[str, int] = attrs.Factory(dict)
    kinds: Counter[str] = attrs.Factory(Counter)
    seen: Counter[Any] = attrs.Factory(Counter)
    swaps: int = 0
    pairs: dict[frozenset[Address], Address] = attrs.Factory(dict)

    async def start(self) -> None:
        rpc = self.arena.chain.rpc
        self.head = await rpc.call("eth_getBlockByNumber", "latest", False)
        self.book.begin(int(self.head["number"], 16), self.head["hash"])
        for pool in self.arena.ids:
            loaded = await self.arena.read(pool)
            assert self.book.load(loaded.pool, loaded.state, self.head["hash"])
            if loaded.pool.factory == UNISWAP_V2_FACTORY:
                self.pairs[frozenset(loaded.pool.tokens)] = pool

    async def held(self, router: str) -> dict[str, int]:
        """What a router holds."""
        rpc = self.arena.chain.rpc
        calls = [
            ("eth_call", [{"to": t, "data": call_data("balanceOf(address)", router)}, "latest"])
            for t in DECIMALS
        ]
        found = await rpc.batch([*calls, ("eth_getBalance", [router, "latest"])])
        return dict(zip((*DECIMALS, ETHER), (int(one, 16) for one in found), strict=True))

    def applied(
        self, order: Order, limit: int, pools: PoolView, terms: Terms
    ) -> tuple[Json, Effect]:
        """The transaction with a limit, and what we say it does."""
        signature, values, value = order.make(limit)
        data = signature if signature.startswith("0x") else call_data(signature, *values)
        intents = self.decoder.decode(order.to, raw(data), order.sender, value)
        body = {"from": order.sender, "to": order.to, "data": data, "value": hex(value)}
        return body, apply(intents, pools, terms)

    def limit(self, order: Order, loose: Effect) -> int:
        """That holds to the unit, or not by one, or by far."""
        choice = self.rng.random()
        figure = figure_of(order, loose)
        if choice < 0.2 or figure is None:
            return order.loosest
        if choice < 0.5:
            return figure
        if choice < 0.7:
            return max(figure - 1, 0) if order.exact_out else figure + 1
        ratio = self.rng.uniform(1, 1.02) if choice < 0.9 else self.rng.uniform(0, 1)
        return int(figure * ratio) if order.exact_out else int(figure / (ratio or 1))

    async def block(self, kinds: list[str]) -> None:
        """A block of these kinds, in this order."""
        time = int(self.head["timestamp"], 16) + BLOCK_TIME
        parent = self.head["hash"]
        orders = Orders(self.rng, time, parent, self.pairs)
        plain = Terms(time, parent, frozenset(DECIMALS))
        held = {router: await self.held(router) for router in ROUTERS}
        leftover = any(amount for each in held.values() for amount in each.values())
        terms = {router: msgspec.structs.replace(plain, held=held[router]) for router in ROUTERS}
        pools, sent = Overlay(self.book), []
        while kinds:
            order = orders.next(kinds[-1])
            known = terms.get(order.to, plain)
            loose = self.applied(order, order.loosest, pools, known)[1]
            if too_dear(loose):
                continue
            body, effect = self.applied(order, self.limit(order, loose), pools, known)
            if effect.verdict is Verdict.UNKNOWN:
                # Of what is not known there is nothing to compare.
                self.seen[next(one.doubt.reason for one in effect.swaps if one.doubt)] += 1
                kinds.insert(0, kinds.pop())
                continue
            kinds.pop()
            sent.append((order, body, effect))
            pools = effect.pools
            if leftover or leaves_something(effect):
                break  # What the routers hold is read again.
        receipts = await self.mine([body for _, body, _ in sent])
        for (order, body, effect), receipt in zip(sent, receipts, strict=True):
            self.compare(order, body, effect, receipt)
            if effect.refusal is not None:
                await self.compare_reason(effect.refusal, receipt)
        await self.check(pools, receipts)
        if leftover:
            self.seen["leftover"] += 1
            await self.clear(held)

    async def clear(self, held: dict[str, dict[str, int]]) -> None:
        """Somebody takes what the routers were left with."""
        sent = []
        for router in held:
            for token in DECIMALS:
                if router in (UNIVERSAL_ROUTER, NEWER_ROUTER):
                    code, data = sweep(token, TRADERS[0], 0)
                    signature, values = "execute(bytes,bytes[])", (bytes([code]), [data])
                else:
                    signature = "sweepToken(address,uint256,address)"
                    values = (token, 0, TRADERS[0])
                data = call_data(signature, *values)
                sent.append({"from": TRADERS[0], "to": router, "data": data})
        receipts = await self.mine(sent)
        assert all(one["status"] == "0x1" for one in receipts)
        await self.check(Overlay(self.book), receipts)

    async def mine(self, sent: list[Json]) -> list[Json]:
        rpc = self.arena.chain.rpc
        for sender in {body["from"] for body in sent} - set(self.nonces):
            self.nonces[sender] = await rpc.number("eth_getTransactionCount", sender, "latest")
        calls = []
        for place, body in enumerate(sent):
            nonce = self.nonces[body["from"]]
            self.nonces[body["from"]] += 1
            fee = hex(1000 * GWEI - place * GWEI)
            more = {"nonce": hex(nonce), "gas": hex(GAS), "maxFeePerGas": fee}
            calls.append(("eth_sendTransaction", [body | more | {"maxPriorityFeePerGas": fee}]))
        hashes = await rpc.batch(calls)
        await rpc.call("evm_mine")
        receipts = await rpc.call("eth_getBlockReceipts", "latest")
        assert [one["transactionHash"] for one in receipts] == hashes
        return receipts

    def compare(self, order: Order, body: Json, effect: Effect, receipt: Json) -> None:
        context = order.kind, body["data"], effect.refusal, *map(shown, effect.swaps)
        succeeded = receipt["status"] == "0x1"
        assert succeeded == (effect.verdict is Verdict.SUCCEEDS), context
        self.kinds[order.kind] += 1
        self.seen[effect.refusal.reason if effect.refusal else effect.verdict] += 1
        if succeeded:
            ours = fills_of(effect.swaps)
            assert sorted(ours) == sorted(swaps_in(receipt)), context
            self.swaps += len(ours)
            self.seen["partial"] += leaves_something(effect)
            self.seen["undone"] += any(one.undone for one in effect.swaps)

    async def compare_reason(self, refusal: Refusal, receipt: Json) -> None:
        """Of a transaction that reverted."""
        traced = receipt["transactionHash"], {"tracer": "callTracer"}
        trace = await self.arena.chain.rpc.call("debug_traceTransaction", *traced)
        reason = reason_of(trace.get("output", "0x"))
        assert reason in REASONS[refusal.reason], (reason, refusal)

    async def check(self, pools: Overlay, receipts: list[Json]) -> None:
        """Our states are the node's, and those that the book has by the block's logs."""
        rpc = self.arena.chain.rpc
        self.head = await rpc.call("eth_getBlockByNumber", "latest", False)
        numbers = [int(self.head[name], 16) for name in ("timestamp", "gasLimit", "gasUsed")]
        logs = [log_of(log) for receipt in receipts for log in receipt["logs"]]
        names = self.head["hash"], self.head["parentHash"]
        number = int(self.head["number"], 16)
        block = Block(number, *names, *numbers, complete=True, logs=tuple(logs))
        changed = self.book.advance(block)
        assert not pools.doubtful
        assert set(pools.changed) == changed
        for pool, state in pools.changed.items():
            assert state == self.book[pool].state
            assert same(state, (await self.arena.read(pool)).state)


def shown(outcome: SwapOutcome) -> tuple[Any, ...]:
    """For people who look into a difference."""
    fills = [msgspec.structs.replace(fill, before=None, after=None) for fill in outcome.fills]
    return (msgspec.structs.replace(outcome, fills=()), fills)


def figure_of(order: Order, effect: Effect) -> int | None:
    """What the limit of an order is about."""
    if effect.verdict is not Verdict.SUCCEEDS:
        return None
    if order.exact_out:
        return effect.swaps[0].amount_in
    last = effect.swaps[-1]
    if "joint" in order.kind:
        return sum(one.amount_out or 0 for one in effect.swaps)
    return None if last.amount_out is None else order.left(last.amount_out)


def too_dear(effect: Effect) -> bool:
    """Whether it takes more than traders can spare."""
    for one in effect.swaps:
        for fill in one.fills[:1]:
            token = WETH if fill.token_in == ETHER else fill.token_in
            if fill.amount_in > units(token, SPARE):
                return True
    return False


def leaves_something(effect: Effect) -> bool:
    """Whether the router may be left with tokens that it was given."""
    return any(fill.partial for one in effect.swaps for fill in one.fills)


def fills_of(swaps: tuple[SwapOutcome, ...]) -> list[tuple[str, int, int]]:
    return [
        (fill.pool, fill.amount_in, fill.amount_out)
        for one in swaps
        if not one.undone
        for fill in one.fills
    ]


def same(ours: PoolState, nodes: PoolState) -> bool:
    """Whether two states are the same, as far as both of them know the ticks."""
    if not (isinstance(ours, TickedPool) and isinstance(nodes, TickedPool)):
        return ours == nodes
    words = {word for word in ours.ticks.words if nodes.ticks.knows(word)}
    known = tick_map(ours.ticks.spacing, {}, words)
    return msgspec.structs.replace(ours, ticks=known) == msgspec.structs.replace(
        nodes, ticks=known
    ) and all(ours.ticks.words[word] == nodes.ticks.words.get(word, 0) for word in words)
