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
from tests.devnet.told import figure_of, fills_of, leaves_something, same, shown, too_dear
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.effects import (
    Effect,
    Overlay,
    PoolView,
    Terms,
    Verdict,
    apply,
)
from trio_mev.chain.pools.book import PoolBook
from trio_mev.model.chain import Block
from trio_mev.model.intents import ETHER

KINDS = (*ROUTER_KINDS, *PLAN_KINDS)
GAS = 30_000_000
ROUTERS = (V3_ROUTER, ROUTER_02, UNIVERSAL_ROUTER, NEWER_ROUTER)
"""Those that may be left with something."""
LEAVES, TAKES = "ur leave", "ur rest"
"""Orders of which the one leaves something with the router, and the other finds it."""


class Orders(RouterOrders, V4Orders):
    """Of every kind."""


Held = dict[str, int]
"""Amounts by token."""


@attrs.frozen
class Foretold:
    """A transaction, and what we say it does."""

    order: Order
    body: Json
    effect: Effect


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

    async def held(self, router: Address) -> Held:
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
        return Foretold(order, body, apply(intents, pools, terms))

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
        """A block of these kinds, from the last on, as many as can be foretold together."""
        held = {router: await self.held(router) for router in ROUTERS}
        leftover = any(map(any, (each.values() for each in held.values())))
        sent = self.foretell(kinds, held, alone=leftover)
        receipts = await self.mine([one.body for one in sent])
        for one, receipt in zip(sent, receipts, strict=True):
            self.compare(one, receipt)
        await self.compare_reasons(sent, receipts)
        await self.check(sent[-1].effect.pools, receipts)
        if leftover and any((await self.held(UNIVERSAL_ROUTER)).values()):
            await self.clear()

    def foretell(self, kinds: list[str], held: dict[str, Held], alone: bool) -> list[Foretold]:
        """Orders of these kinds, each applied to what the one before leaves.

        Args:
            kinds: what comes, the last one first; those that are done are taken away.
            held: what each router holds.
            alone: whether it is one order only.
        """
        time = int(self.head["timestamp"], 16) + BLOCK_TIME
        orders = Orders(self.rng, time, self.head["hash"], self.pairs)
        plain = Terms(time, self.head["hash"], frozenset(DECIMALS))
        pools, sent = Overlay(self.book), list[Foretold]()
        while kinds:
            order = orders.next(kinds[-1])
            known = msgspec.structs.replace(plain, held=held.get(order.to, {}))
            one = self.with_limit(order, pools, known)
            if one is None:
                kinds.insert(0, kinds.pop())
                continue
            kinds.pop()
            sent.append(one)
            pools = one.effect.pools
            if order.kind == LEAVES:
                kinds.append(TAKES)
            if alone or order.kind == LEAVES or leaves_something(one.effect):
                break  # What the routers hold is read again.
        return sent

    def with_limit(self, order: Order, pools: Overlay, terms: Terms) -> Foretold | None:
        """An order with a limit; None where it is too dear, or not known."""
        loose = self.applied(order, order.loosest, pools, terms)
        if too_dear(loose.effect):
            return None
        found = self.applied(order, self.limit(order, loose.effect), pools, terms)
        if found.effect.verdict is not Verdict.UNKNOWN:
            return found
        # Of what is not known there is nothing to compare.
        self.seen[next(one.doubt.reason for one in found.effect.swaps if one.doubt)] += 1
        return None

    async def clear(self) -> None:
        """Somebody takes what the routers were left with."""
        sent = []
        for router in ROUTERS:
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

    def compare(self, one: Foretold, receipt: Json) -> None:
        """What was foretold with what the receipt shows."""
        order, effect = one.order, one.effect
        context = order.kind, one.body["data"], effect.refusal, *map(shown, effect.swaps)
        succeeded = receipt["status"] == "0x1"
        assert succeeded == (effect.verdict is Verdict.SUCCEEDS), context
        self.kinds[order.kind] += 1
        self.seen[effect.refusal.reason if effect.refusal else effect.verdict] += 1
        if succeeded:
            ours = fills_of(effect.swaps)
            assert sorted(ours) == sorted(swaps_in(receipt)), context
            self.swaps += len(ours)
            self.seen["partial"] += leaves_something(effect)
            self.seen["undone"] += any(swap.undone for swap in effect.swaps)

    async def compare_reasons(self, sent: list[Foretold], receipts: list[Json]) -> None:
        """Of the transactions that reverted."""
        refused = [
            (one.effect.refusal.reason, receipt["transactionHash"])
            for one, receipt in zip(sent, receipts, strict=True)
            if one.effect.refusal is not None
            # What is not known comes first, and may be refused for its own reason.
            and all(swap.doubt is None for swap in one.effect.swaps)
        ]
        asked = [
            ("debug_traceTransaction", [hash_, {"tracer": "callTracer"}]) for _, hash_ in refused
        ]
        traces = await self.arena.chain.rpc.batch(asked)
        for (ours, _), trace in zip(refused, traces, strict=True):
            reason = reason_of(trace.get("output", "0x"))
            assert reason in REASONS[ours], (reason, ours)

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
            # Its logs tell what a pool holds, but not its ticks; reading these takes a while.
            assert state == self.book[pool].state
            if pool in self.arena.pairs:
                assert state == (await self.arena.read(pool)).state

    async def check_all(self) -> None:
        """All of every pool, its ticks too, is as the node has it."""
        for pool in self.arena.ids:
            assert same(self.book[pool].state, (await self.arena.read(pool)).state)
