"""A recorded block of the main network, its transactions played as pending and then itself: what
was foreseeable of what landed is foretold, and what was not is said too."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import msgspec
import pytest

from tests.processors.conftest import event_of
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.effects.apply import apply
from trio_mev.chain.effects.outcome import Terms, Unknown
from trio_mev.chain.effects.outcome import Verdict as Fate
from trio_mev.chain.effects.pending import PendingBook, PendingEffect
from trio_mev.chain.effects.places import places
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.chain.routes.victim import play
from trio_mev.inspect import read_recorded
from trio_mev.model.chain import Block, Life, Log, PendingLife, Transaction
from trio_mev.model.event import DataType
from trio_mev.model.intents import ETHER, WETH
from trio_mev.model.opportunity import Exposure, Kind, Opportunity, Status, Verdict
from trio_mev.processors.arbitrage import ArbitrageDetector
from trio_mev.processors.jit import JitDetector
from trio_mev.processors.landed import BlockInspector
from trio_mev.processors.ledger import PredictionLedger
from trio_mev.processors.sandwich import SandwichDetector

SYNC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
SWAP = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""Of V2's pairs and of tokens; as the contracts' events hash."""
LEAD = 12.0


@attrs.frozen
class Recorded:
    """A block that landed, and the pools before it as far as its logs tell."""

    block: Block
    bodies: tuple[Transaction, ...]
    view: PoolsView
    untold: int
    """Pools that swapped, and whose state before the block no log tells."""


def words(log: Log) -> list[int]:
    return [int.from_bytes(log.data[at : at + 32]) for at in range(0, len(log.data), 32)]


def reserves_before(logs: tuple[Log, ...]) -> dict[str, tuple[int, int]]:
    """Of each pair, by the first swap: what it holds after that, less what that brought it."""
    found: dict[str, tuple[int, int]] = {}
    after: dict[str, list[int]] = {}
    for log in logs:
        if log.topics[0] == SYNC:
            after[log.address] = words(log)
        elif log.topics[0] == SWAP and log.address not in found:
            paid0, paid1, got0, got1 = words(log)
            left0, left1 = after[log.address]
            found[log.address] = left0 - paid0 + got0, left1 - paid1 + got1
    return found


def tokens_of(pool: str, logs: tuple[Log, ...]) -> tuple[str, str]:
    """In the order of their addresses, as a pair has them."""
    first, second = sorted(
        {
            log.address
            for log in logs
            if log.topics[0] == TRANSFER and pool[2:] in "".join(log.topics[1:])
        }
    )
    return first, second


@pytest.fixture(scope="module")
def recorded(corpus: Path) -> Recorded:
    with gzip.open(corpus / "mainnet/logs/17173049.json.gz") as file:
        raw = file.read()
    mined, head = read_recorded(raw), msgspec.json.decode(raw)["block"]
    logs = tuple(log for one in mined.transactions for log in one.logs)
    entries = {
        pool: Entry(
            # No amount depends on the decimals, of which logs tell nothing.
            Pool(pool, Protocol.UNISWAP_V2, tokens_of(pool, logs), (18, 18), UNISWAP_FACTORY),
            ProductPool(*reserves),
        )
        for pool, reserves in reserves_before(logs).items()
    }
    names = {key: pool for pool, one in entries.items() if (key := key_of(one.pool)) is not None}
    fee = head["base_fee_per_gas"]
    view = PoolsView(
        mined.number - 1,
        head["parent_hash"],
        head["timestamp"] - 12,
        MappingProxyType(entries),
        frozenset(entries),
        0,
        names,
        0,
        next_base_fee=fee,
    )
    block = Block(
        mined.number,
        mined.hash,
        head["parent_hash"],
        head["timestamp"],
        head["gas_limit"],
        head["gas_used"],
        fee,
        tuple(one.hash for one in mined.transactions),
        complete=True,
        logs=logs,
    )
    swapped = {swap["pool"] for swap in told_swaps(corpus)}
    return Recorded(block, bodies_of(raw), view, len(swapped - entries.keys()))


def told_swaps(corpus: Path) -> list[dict[str, Any]]:
    with gzip.open(corpus / "mainnet/expected/logs_17173049.json.gz") as file:
        return msgspec.json.decode(file.read())["swaps"]


def bodies_of(raw: bytes) -> tuple[Transaction, ...]:
    return tuple(
        Transaction(
            one["hash"],
            one["from_address"],
            one["to_address"],
            one["nonce"],
            int(one["value"]),
            one["gas"],
            bytes.fromhex(one["input"][2:]),
            one["gas_price"],
        )
        for one in msgspec.json.decode(raw)["transactions"]
    )


@attrs.frozen
class Played:
    """What was told: before the block, and by it."""

    effects: dict[str, PendingEffect]
    predicted: list[Opportunity]
    verdicts: list[Opportunity]


@pytest.fixture
async def played(recorded: Recorded, feed: Any) -> Played:
    detectors = SandwichDetector(), ArbitrageDetector(), JitDetector()
    inspector, ledger, book = BlockInspector(), PredictionLedger(), PendingBook(1000)
    predicted, effects = [], {}
    for each in (*detectors, inspector):
        if DataType.POOLS in each.consumes:
            await feed(each, event_of(DataType.POOLS, recorded.view))
    for body in recorded.bodies:
        await feed(inspector, event_of(DataType.TRANSACTION, body))
        effect = book.add(body, recorded.view)
        if effect is None:
            continue
        effects[body.hash] = effect
        for each in detectors:
            predicted += await feed(each, event_of(DataType.EFFECT, effect))
    await feed(ledger, *predicted)
    landed = await feed(inspector, event_of(DataType.BLOCK, recorded.block, at=LEAD))
    for name in recorded.block.transactions or ():
        included = PendingLife(name, Life.INCLUDED)
        assert await feed(ledger, event_of(DataType.MEMPOOL, included, at=LEAD)) == []
    whole = [one for one in landed if one.event_type is DataType.LANDED]
    verdicts = await feed(ledger, *whole)
    return Played(effects, [one.data for one in predicted], [one.data for one in verdicts])


FRONT, VICTIM, BACK = 0, 1, 2
"""Places of the landed sandwich's transactions."""


async def test_the_landed_sandwich_was_foreseeable_and_is_foretold(recorded, played):
    """Its victim, its pool, what it left open, and that somebody took it."""
    front, victim, back = (recorded.bodies[place].hash for place in (FRONT, VICTIM, BACK))
    (one,) = played.predicted
    assert (one.kind, one.status, one.cause) == (Kind.SANDWICH, Status.PREDICTED, victim)
    assert one.pools == ("0x7054b0f980a7eb5b3a6b3446f3c947d80162775c",)
    assert isinstance(one.detail, Exposure)
    assert one.gross == {WETH: 235382541704596818}
    assert one.gas_wei == one.gross[WETH] - one.net[WETH] - one.net[ETHER]
    (told,) = played.verdicts
    assert (told.id, told.outcome.verdict) == (one.id, Verdict.TAKEN)
    assert (told.outcome.by, told.outcome.lead) == (back, LEAD)
    assert told.outcome.their_gross == {WETH: 235382152194162688}
    assert front not in played.effects


async def test_no_sandwich_makes_more_than_what_was_foretold(recorded, played):
    """Nor did the one that landed, whose front run was a little smaller: it bought a number of
    tokens whose last bytes are zero."""
    (one,) = played.predicted
    effect = played.effects[recorded.bodies[VICTIM].hash]
    (place,) = places(effect.intents, effect.effect, recorded.view)[0]
    pool = recorded.view.entries[one.pools[0]].state
    paid = 7056176614974947328
    assert paid < one.detail.attacker_in
    theirs = play(pool, place.victim, paid)
    assert one.gross[WETH] - theirs.profit > 0
    assert play(pool, place.victim, one.detail.attacker_in).profit == one.gross[WETH]
    assert play(pool, place.victim, one.detail.attacker_in + 1) is None


async def test_what_was_not_foreseeable_is_said(recorded, played, corpus):
    """Why nothing is foretold of a swap that landed: nobody can read the call, its tokens may take
    a fee of each transfer, or no log tells the state of its pool."""
    swaps = told_swaps(corpus)
    kinds = Counter({swap["pool"]: swap["kind"] for swap in swaps}.values())
    assert kinds == {"v2": len(recorded.view.entries), "v3": recorded.untold}
    terms = Terms(recorded.view.timestamp + 12, recorded.view.hash)
    bodies = {body.hash: body for body in recorded.bodies}
    why: Counter[Any] = Counter()
    for name in dict.fromkeys(swap["tx"] for swap in swaps if swap["tx"] not in played.effects):
        one = bodies[name]
        intents = CallDecoder().decode(one.to, one.input, one.sender, one.value)
        effect = apply(intents, recorded.view, terms)
        assert effect.verdict is Fate.UNKNOWN
        why[effect.swaps[0].doubt.reason if effect.swaps else None] += 1
    assert why == {
        None: 5,
        Unknown.TAXED: 10,
        Unknown.HIDDEN_ROUTE: 1,
        Unknown.NO_POOL: 4,
    }
    assert len(played.effects) == 8


async def test_swaps_at_pools_that_nobody_else_touched_land_as_foretold(recorded, played, corpus):
    """To the unit; behind somebody else's swap a swap gives what is left."""
    first: dict[str, str] = {}
    landed: dict[str, list[tuple[str, int, int]]] = {}
    for swap in told_swaps(corpus):
        first.setdefault(swap["pool"], swap["tx"])
        amounts = swap["amount0"], swap["amount1"]
        figures = (swap["pool"], max(amounts), -min(amounts))
        landed.setdefault(swap["tx"], []).append(figures)
    same = others = 0
    for name, pending in played.effects.items():
        fills = [fill for one in pending.effect.swaps for fill in one.fills]
        found = [(fill.pool, fill.amount_in, fill.amount_out) for fill in fills]
        if all(first[fill.pool] == name for fill in fills):
            assert found == landed[name]
            same += 1
        else:
            assert found != landed[name]
            others += 1
    assert (same, others) == (5, 3)
