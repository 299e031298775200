"""Scenarios on a real node: what was planted and landed is found with the amounts of the truth, and
nothing else is called MEV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import msgspec
import pytest
import trio

from tests.devnet.addresses import SUSHISWAP_FACTORY, WETH
from tests.devnet.played import Played, made, play
from tests.devnet.rpc import Json
from tests.devnet.truth import ETHER
from tests.devnet.uniswap import V2_CODE_HASH
from trio_mev.inspect import (
    Inspection,
    Known,
    MinedBlock,
    inspect_block,
    mined_block,
    read_call_tracer,
    read_receipts,
    read_trace_block,
)
from trio_mev.inspect.makers import MAKERS as MADE
from trio_mev.inspect.makers import Maker
from trio_mev.model.chain import Block
from trio_mev.model.intents import ETHER as INSIDE
from trio_mev.model.opportunity import (
    JustInTime,
    Kind,
    Liquidation,
    Liquidity,
    Opportunity,
    Path,
    Sandwiched,
    Status,
    SwapRecord,
)
from trio_mev.wire.ethereum import parse_head

SEEDS, BLOCKS = (1, 2, 3), 45
KINDS = {"arbitrage", "sandwich", "liquidation", "jit"}


@pytest.fixture(scope="module", params=SEEDS)
def played(request: pytest.FixtureRequest, installed: None) -> Played:
    return trio.run(play, request.param, BLOCKS, True)


def receipts_of(played: Played, block: Json) -> list[Json]:
    return [played.receipts[hash_] for hash_ in block["transactions"]]


def by_receipts(played: Played, block: Json) -> MinedBlock:
    head = parse_head(msgspec.json.encode(played.bodies[block["hash"]]))
    return read_receipts(msgspec.json.encode(receipts_of(played, block)), head)


def by_logs(played: Played, block: Json) -> MinedBlock:
    """As a feed has it: no receipts, and nobody has seen the transactions before."""
    head = parse_head(msgspec.json.encode(played.bodies[block["hash"]]))
    logs = [log for one in by_receipts(played, block).transactions for log in one.logs]
    return mined_block(attrs.evolve(head, logs=tuple(logs)))


def by_traces(played: Played, block: Json) -> MinedBlock:
    """From ``trace_block`` alone: no log, no receipt."""
    raw = msgspec.json.encode(played.traces[block["hash"]])
    return read_trace_block(raw, head=head_of(played, block))


def by_traces_and_receipts(played: Played, block: Json) -> MinedBlock:
    raw = msgspec.json.encode(played.traces[block["hash"]])
    receipts = msgspec.json.encode(receipts_of(played, block))
    return read_trace_block(raw, receipts, head_of(played, block))


def by_frames(played: Played, block: Json) -> MinedBlock:
    """From ``callTracer`` with its logs, without receipts."""
    raw = msgspec.json.encode(played.frames[block["hash"]])
    return read_call_tracer(raw, head=head_of(played, block))


def by_bare_frames(played: Played, block: Json) -> MinedBlock:
    """From ``callTracer`` without logs, whose answer does not say the transactions either."""
    frames = [without_logs(one["result"]) for one in played.frames[block["hash"]]]
    raw = msgspec.json.encode([{"result": frame} for frame in frames])
    receipts = msgspec.json.encode([{**one, "logs": []} for one in receipts_of(played, block)])
    return read_call_tracer(raw, receipts, head_of(played, block))


def without_logs(frame: Json) -> Json:
    inner = [without_logs(one) for one in frame.get("calls", [])]
    return {k: v for k, v in frame.items() if k != "logs"} | {"calls": inner}


def head_of(played: Played, block: Json) -> Block:
    return parse_head(msgspec.json.encode(played.bodies[block["hash"]]))


LOGGED = [by_receipts, by_logs, by_frames, by_traces_and_receipts]
BARE = [by_traces, by_bare_frames]
"""Those without logs: what says where in the block something was logged is not known."""
WITH_ETHER = [by_traces_and_receipts, by_bare_frames]
"""Those that know both what was paid for gas and what was sent along."""
KNOWN = Known(
    makers=(*MADE, Maker("sushiswap", "uniswap_v2", SUSHISWAP_FACTORY, "0x" + V2_CODE_HASH.hex()))
)
"""Both exchanges of the scenario have the pairs of one of them."""
MAKERS = pytest.mark.parametrize("maker", [*LOGGED, *BARE])
Maker = Callable[[Played, Json], MinedBlock]


def inspected(played: Played, maker: Maker) -> list[Inspection]:
    return [inspect_block(maker(played, block), KNOWN) for block in played.truth["blocks"]]


def unlogged(value: Any) -> Any:
    """Without the numbers of logs."""
    if isinstance(value, list):
        return [unlogged(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: unlogged(one) for name, one in value.items() if name != "log_index"}


def as_known(maker: Maker, value: Any) -> Any:
    """The truth as far as a source can tell it."""
    return unlogged(value) if maker in BARE else value


def swap_json(swap: SwapRecord) -> Json:
    return {
        "transaction": swap.transaction,
        "log_index": swap.log_index,
        "pool": swap.pool,
        "protocol": swap.protocol,
        "sender": swap.sender,
        "recipient": swap.recipient,
        "token_in": swap.token_in,
        "amount_in": str(swap.amount_in),
        "token_out": swap.token_out,
        "amount_out": str(swap.amount_out),
    }


def position_json(one: Liquidity) -> Json:
    return {
        "transaction": one.transaction,
        "log_index": one.log_index,
        "pool": one.pool,
        "owner": one.owner,
        "tick_lower": one.tick_lower,
        "tick_upper": one.tick_upper,
        "liquidity": str(one.liquidity),
        "amount0": str(one.amount0),
        "amount1": str(one.amount1),
    }


def detail_of(found: Opportunity) -> Json:
    match found.detail:
        case Path(path):
            return {"path": [swap_json(swap) for swap in path]}
        case Sandwiched(frontrun, victims, backrun):
            parts = {"frontrun": frontrun, "victims": victims, "backrun": backrun}
            return {name: [swap_json(swap) for swap in swaps] for name, swaps in parts.items()}
        case JustInTime(mint, swaps, burn):
            return {
                "mint": position_json(mint),
                "swaps": [swap_json(swap) for swap in swaps],
                "burn": position_json(burn),
            }
        case Liquidation(protocol, user, debt, owed, collateral, seized, _):
            return {
                "protocol": protocol,
                "user": user,
                "debt_token": debt,
                "debt_amount": str(owed),
                "collateral_token": collateral,
                "collateral_amount": str(seized),
            }
    raise AssertionError(found)


def detail_as_logged(record: Json) -> Json:
    """The truth's detail without what no log tells."""
    detail = dict(record["detail"])
    for name in ("losses", "health_factor"):
        detail.pop(name, None)
    if "burn" in detail:
        burn = detail["burn"].items()
        detail["burn"] = {k: v for k, v in burn if not k.startswith("collected")}
    return detail


def outline(found: Opportunity) -> Json:
    return {
        "kind": found.kind.value,
        "block": found.block,
        "transactions": list(found.transactions),
        "victims": list(found.victims),
        "gross": dict(found.gross or {}),
        "detail": detail_of(found),
    }


def planted(played: Played) -> list[Json]:
    """What landed, was no swap of nobody's, and was not reverted."""
    records = [record for kind in KINDS for record in played.landed(kind)]
    return [
        {
            "kind": record["kind"],
            "block": record["block"],
            "transactions": record["transactions"],
            "victims": record["victims"],
            "gross": made(record),
            "detail": detail_as_logged(record),
        }
        for record in sorted(records, key=lambda one: one["block"])
        if not record["reverted"]
    ]


def in_order(outlines: list[Json]) -> list[Json]:
    return sorted(outlines, key=lambda one: (one["block"], one["transactions"]))


@MAKERS
def test_every_swap_is_found_with_its_tokens(played: Played, maker: Maker):
    found = inspected(played, maker)
    for one, block in zip(found, played.truth["blocks"], strict=True):
        ours = as_known(maker, [swap_json(swap) for swap in one.swaps])
        assert ours == as_known(maker, block["swaps"])
        assert not set(one.left_out) - {"failed"}
        assert not one.cut
    assert sum(len(one.swaps) for one in found) > 100


@MAKERS
def test_what_was_planted_is_found_and_nothing_else(played: Played, maker: Maker):
    opportunities = [each for one in inspected(played, maker) for each in one.opportunities]
    found = [outline(each) for each in opportunities if not each.reverted]
    expected = planted(played)
    assert as_known(maker, in_order(found)) == as_known(maker, in_order(expected))
    assert {one["kind"] for one in expected} == KINDS


def test_gas_and_searchers_are_known_from_receipts(played: Played):
    found = [each for one in inspected(played, by_receipts) for each in one.opportunities]
    truth = {record["transactions"][0]: record for kind in KINDS for record in played.landed(kind)}
    assert found
    for one in found:
        record = truth[one.transactions[0]]
        assert (one.searcher, one.gas_wei) == (record["searcher"], int(record["gas_wei"]))
        assert sorted(one.pools) == [pool for pool in record["pools"] if one.pools]
        assert one.status is Status.LANDED
        # What was sent along for the producer is in no log.
        net = {ETHER if t == INSIDE else t: n for t, n in (one.net or {}).items()}
        net[ETHER] -= int(record["builder_wei"])
        assert net == {token: int(amount) for token, amount in record["net"].items()}
        assert one.builder_wei is None


def test_logs_alone_do_not_tell_what_was_paid(played: Played):
    for one in inspected(played, by_logs):
        for each in one.opportunities:
            assert (each.gas_wei, each.builder_wei, each.net) == (None, None, None)
            assert each.gross


def test_a_reverted_attempt_left_nothing_but_its_receipt(played: Played):
    late = played.landed("arbitrage", "too_late")
    for record in late:
        (hash_,) = record["transactions"]
        (block,) = [one for one in played.truth["blocks"] if hash_ in one["transactions"]]
        found = inspect_block(by_receipts(played, block))
        assert found.left_out["failed"] >= 1
        assert all(hash_ not in one.transactions for one in found.opportunities)
        assert "failed" not in inspect_block(by_logs(played, block)).left_out


def test_ordinary_blocks_hold_no_mev(played: Played):
    busy = {record["block"] for kind in KINDS for record in played.landed(kind)}
    quiet = [one for one in played.truth["blocks"] if one["number"] not in busy]
    assert sum(len(block["swaps"]) for block in quiet) > 10
    for block in quiet:
        assert inspect_block(by_receipts(played, block)).opportunities == ()
        assert inspect_block(by_logs(played, block)).opportunities == ()


def test_a_sandwich_counts_its_arbitrage_once(played: Played):
    for one in inspected(played, by_receipts):
        names = [hash_ for each in one.opportunities for hash_ in each.transactions]
        assert len(names) == len(set(names))


def test_weth_is_among_what_was_made(played: Played):
    kinds = {
        each.kind
        for one in inspected(played, by_logs)
        for each in one.opportunities
        if WETH in (each.gross or {})
    }
    assert kinds >= {Kind.ARBITRAGE, Kind.SANDWICH}


@pytest.mark.parametrize("maker", WITH_ETHER)
def test_net_is_the_truths_where_calls_show_what_the_builder_got(played: Played, maker: Maker):
    truth = {record["transactions"][0]: record for kind in KINDS for record in played.landed(kind)}
    paid = 0
    for each in (each for one in inspected(played, maker) for each in one.opportunities):
        record = truth[each.transactions[0]]
        assert each.builder_wei == int(record["builder_wei"])
        assert each.gas_wei == int(record["gas_wei"])
        net = {ETHER if t == INSIDE else t: n for t, n in (each.net or {}).items()}
        if not each.reverted:
            assert net == {token: int(amount) for token, amount in record["net"].items()}
        paid += each.builder_wei
    assert paid > 0


@pytest.mark.parametrize("maker", [by_traces, by_frames, by_bare_frames, by_traces_and_receipts])
def test_an_attempt_that_came_too_late_is_marked(played: Played, maker: Maker):
    late = {record["transactions"][0] for record in played.landed("arbitrage", "too_late")}
    opportunities = [each for one in inspected(played, maker) for each in one.opportunities]
    attempts = [each for each in opportunities if each.reverted]
    assert {each.transactions[0] for each in attempts} == late
    assert all((each.kind, each.gross) == (Kind.ARBITRAGE, {}) for each in attempts)


def test_every_source_tells_the_same(played: Played):
    """Id, kind, gross and transactions of all that was made; so predictions meet the same ones."""
    told = []
    for maker in (*LOGGED, *BARE):
        made = [each for one in inspected(played, maker) for each in one.opportunities]
        told.append([(e.id, e.kind, e.gross, e.transactions) for e in made if not e.reverted])
    assert all(one == told[0] for one in told)
