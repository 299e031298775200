"""Exposure of pending swaps, on a real chain: what planted sandwiches made is within it, and the
attack that is told makes exactly what is told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import pytest

from tests.devnet.abi import call_data, decode, raw
from tests.devnet.cast import EXECUTORS, SEARCHERS
from tests.devnet.chain import Chain
from tests.devnet.deploy import devnet
from tests.devnet.markets import RUN, Market, find_markets
from tests.devnet.reading import load
from tests.devnet.receipts import swaps_in
from tests.devnet.rpc import Hex, Json, Rpc, open_rpc
from tests.devnet.scenario import open_scenario
from tests.support.uncounted import first_counted
from trio_mev.chain.effects.pending import PendingBook, PendingEffect
from trio_mev.chain.effects.places import places
from trio_mev.chain.fees import next_base_fee
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.loading import load_pair, load_v3
from trio_mev.chain.pools.pool import key_of
from trio_mev.chain.pools.view import PoolsView
from trio_mev.chain.pools.worth import Worth
from trio_mev.chain.routes.front import largest_front
from trio_mev.chain.routes.gas import gas_of
from trio_mev.chain.routes.victim import play
from trio_mev.model.chain import Transaction
from trio_mev.processors.exposures import ExposureWatch, Open

BLOCKS = 40
GAS = 3_000_000


@attrs.define(eq=False)
class Watcher:
    """Sees each pending transaction on the pools of the head, as a node's subscriber would."""

    rpc: Rpc
    markets: dict[str, Market]
    watch: ExposureWatch = attrs.Factory(ExposureWatch)
    view: PoolsView | None = None
    found: dict[Hex, list[Open]] = attrs.Factory(dict)
    seen: dict[Hex, PendingEffect] = attrs.Factory(dict)
    told: int = 0
    confirmed: int = 0

    async def go_to(self, now: int) -> None:
        pass

    async def block(self, block_hash: Hex, logs: int) -> None:
        self.view = None

    async def look(self) -> PoolsView:
        """The pools as of the head."""
        head = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        entries = {}
        for address, market in self.markets.items():
            plan = load_v3(address) if market.concentrated else load_pair(address)
            loaded = await load(self.rpc, plan, {"blockHash": head["hash"]})
            entries[address] = Entry(loaded.pool, loaded.state)
        named = {key: p for p, e in entries.items() if (key := key_of(e.pool)) is not None}
        number, time, fee, used, limit = (
            int(head[name], 16)
            for name in ("number", "timestamp", "baseFeePerGas", "gasUsed", "gasLimit")
        )
        following = next_base_fee(fee, used, limit)
        every = frozenset(entries)
        more = named, time, following
        return PoolsView(number, head["hash"], fee, entries, every, 0, *more)

    async def pending(self, transaction: Hex) -> None:
        if self.view is None:
            self.view = await self.look()
            self.watch.advance(self.view)
        body = await self.rpc.call("eth_getTransactionByHash", transaction)
        effect = PendingBook(10).add(transaction_of(body), self.view)
        if effect is None:
            return
        self.seen[transaction] = effect
        self.found[transaction] = self.watch.look(effect)
        self.told += len(self.found[transaction])
        for one in self.found[transaction]:
            await self.confirm(body, effect, one)

    async def confirm(self, body: Json, effect: PendingEffect, one: Open) -> None:
        """The node carries out the attack about the swap, on the head."""
        market, exposure = self.markets[one.pool], one.exposure
        front = market.leg(one.token, exposure.attacker_in)
        (place,) = (
            p
            for p in places(effect.intents, effect.effect, effect.view)[0]
            if p.fill.pool == one.pool
        )
        played = play(place.fill.before, place.victim, exposure.attacker_in)
        assert played is not None
        back = market.leg(market.other(one.token), played.bought)
        searcher = SEARCHERS[0]

        def run(leg: tuple[Any, ...]) -> Json:
            data = call_data(RUN, [leg], 0)
            return {"from": searcher, "to": EXECUTORS[searcher], "input": data, "gas": hex(GAS)}

        middle = {name: body[name] for name in ("from", "to", "input", "value", "gas")}
        calls = [run(front), middle, run(back)]
        asked = {"blockStateCalls": [{"calls": calls}], "validation": False}
        (block,) = await self.rpc.call("eth_simulateV1", asked, hex(effect.view.number))
        first, victim, last = block["calls"]
        assert [c["status"] for c in block["calls"]] == ["0x1"] * 3
        paid, bought = decode("(uint256,uint256)", first["returnData"])
        sold, got = decode("(uint256,uint256)", last["returnData"])
        assert (paid, bought, sold) == (exposure.attacker_in, played.bought, played.bought)
        assert got - paid == exposure.attacker_profit
        swaps = {pool: (a, b) for pool, a, b in swaps_in(victim)}
        assert swaps[one.pool] == (played.victim_in, played.victim_out)
        outcome = next(o for o in effect.effect.swaps if o.intent is effect.intents[one.swap])
        ends = outcome.fills[0].pool, outcome.fills[-1].pool
        if outcome.intent.exact_out:
            lost = swaps[ends[0]][0] - outcome.fills[0].amount_in
        else:
            lost = outcome.fills[-1].amount_out - swaps[ends[1]][1]
        assert lost == exposure.front_running <= exposure.loss
        self.confirmed += 1


def nothing_pays(effect: PendingEffect) -> int:
    """Holds a transaction of which nothing is told against a grid of payments; its pools."""
    worth, fee = Worth(effect.view), effect.view.next_base_fee
    assert fee is not None
    found, unclear = places(effect.intents, effect.effect, effect.view)
    assert not unclear
    for place in found:
        gas = 2 * gas_of([effect.view.entries[place.fill.pool].pool.protocol]) * fee
        most = largest_front(place.fill.before, place.victim)
        for part in range(1, 101):
            played = play(place.fill.before, place.victim, most * part // 100)
            if played is not None and played.profit > 0:
                made = worth.in_wei(place.fill.token_in, played.profit)
                assert made is not None
                assert made <= gas
    return len(found)


def transaction_of(body: Json) -> Transaction:
    return Transaction(
        body["hash"],
        body["from"],
        body["to"],
        int(body["nonce"], 16),
        int(body["value"], 16),
        int(body["gas"], 16),
        raw(body["input"]),
        int(body["maxFeePerGas"], 16),
    )


@pytest.mark.parametrize("seed", first_counted([1, 5, 9]))
async def test_planted_sandwiches_are_within_the_exposure_that_is_told(seed: int):
    async with devnet() as node, open_rpc(node.ws_url) as rpc, open_rpc(node.ws_url) as other:
        markets = {market.address: market for market in await find_markets(Chain(rpc))}
        scenario = await open_scenario(rpc, seed)
        watcher = scenario.stage.witness = Watcher(other, markets)
        await scenario.play(BLOCKS)
        truth = await scenario.truth()
    planted = [r for r in truth["planted"] if r["kind"] == "sandwich"]
    kinds: Counter[str] = Counter()
    for record in planted:
        if len(record["victims"]) > 1:
            continue
        (hash_,) = record["victims"]
        effect, (found,) = watcher.seen[hash_], watcher.found[hash_]
        (front,) = record["detail"]["frontrun"]
        assert (found.pool, found.token) == (front["pool"], front["token_in"])
        ((place,), _) = places(effect.intents, effect.effect, effect.view)
        theirs = play(place.fill.before, place.victim, int(front["amount_in"]))
        assert theirs is not None
        if record["variant"] == "front_first":
            assert record["gross"] == {front["token_in"]: str(theirs.profit)}
        assert theirs.profit <= found.exposure.attacker_profit
        assert int(record["detail"]["losses"][0]) <= found.exposure.loss
        kinds[record["variant"]] += 1
    assert kinds["front_first"] >= 2
    assert kinds["sell_first"] >= 1
    assert watcher.confirmed == watcher.told > len(planted) // 2
    quiet = [effect for hash_, effect in watcher.seen.items() if not watcher.found[hash_]]
    assert sum(map(nothing_pays, quiet)) > 20
    assert not watcher.watch.unknown["unconfirmed"]
