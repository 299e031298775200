"""Recorded blocks from their traces: all that mev-inspect-py finds there and that took effect, with
the same amounts, but where its answer is wrong."""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest

from tests.inspect.blocks import WETH
from tests.inspect.test_peer import BLOCKS, Recorded, of, wrong
from trio_mev.inspect import Inspection, MinedBlock, inspect_block, read_parity_file
from trio_mev.inspect.calls import Calls
from trio_mev.inspect.view import View
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import Kind, Liquidation, SwapRecord

_EEEE = "0x" + "e" * 40
_CROSSED = "the transfer around the swap, which paid for the next one, is counted for both"
DIFFERENT = {
    ("0x19d499fadc4b57803fd307e3ba8248f4f024811cfaad39f8c6e1f5162f4a3f05", (0, 1, 3)): _CROSSED,
    ("0xb4dd251c2afdfb8a4c743074a07662ae24cc2b8f0141b700f4f4c2010da87419", (0, 1, 3)): _CROSSED,
    ("0x863f72ef0df072d21373ee5f7d8983ff5f1e5aac132cc8a47024cf5033f62ab5", (0, 1, 3)): _CROSSED,
}
"""Swaps whose amounts the peer has wrong, and why."""


@attrs.frozen
class Row:
    """A difference between the peer's answer and ours."""

    block: int
    transaction: str
    what: str
    theirs: str
    ours: str
    reason: str


@attrs.frozen
class Traced:
    """A block by its traces, beside what the peer says of it."""

    block: MinedBlock
    ours: Inspection
    peer: Recorded

    def took_effect(self, one: dict) -> bool:
        return self.peer.took_effect(one)

    def calls(self, transaction: str) -> Calls:
        (one,) = [one for one in self.block.transactions if one.hash == transaction]
        assert one.calls is not None
        return one.calls


def read(folder: Path, number: int) -> bytes:
    with gzip.open(folder / "traces" / f"{number}.json.gz") as file:
        return file.read()


@pytest.fixture(scope="module")
def traced(corpus: Path) -> dict[int, Traced]:
    folder, found = corpus / "mainnet", {}
    for number in BLOCKS:
        block = read_parity_file(read(folder, number))
        found[number] = Traced(block, inspect_block(block), Recorded(folder, number))
    return found


@pytest.fixture(scope="module")
def audit(corpus: Path) -> list[dict]:
    return msgspec.json.decode((corpus / "mainnet/expected/audit.json").read_bytes())


def token(text: str) -> str:
    return ETHER if text.lower() == _EEEE else text.lower()


def told(one: dict) -> tuple[Any, ...]:
    """A swap as the peer has it."""
    return (
        one["pool"].lower(),
        token(one["token_in"]),
        one["amount_in"],
        token(one["token_out"]),
        one["amount_out"],
    )


def said(one: SwapRecord) -> tuple[Any, ...]:
    return one.pool, one.token_in, one.amount_in, one.token_out, one.amount_out


def of_swaps(one: Traced) -> list[Row]:
    """How swaps differ, those that the peer does not have apart."""
    ours = {(swap.transaction, swap.trace_address): swap for swap in one.ours.swaps}
    rows = []
    for swap in one.peer.answer["swaps"]:
        where = swap["tx"], tuple(swap["trace_address"])
        found = ours.get(where)
        if not one.took_effect(swap):
            assert found is None, f"{where} was reverted"
            reason = "it was reverted, or a call around it was"
            rows.append(Row(one.block.number, where[0], "swap", "made", "not made", reason))
        elif found is None or said(found) != told(swap):
            reason = DIFFERENT[where]
            theirs, ours_ = told(swap), said(found) if found else "missing"
            rows.append(Row(one.block.number, where[0], "swap", f"{theirs}", f"{ours_}", reason))
    return rows


def of_arbitrages(one: Traced, audit: list[dict]) -> list[Row]:
    found = {each.transactions[0]: each for each in one.ours.opportunities if not each.reverted}
    rows = []
    for peer in one.peer.answer["arbitrages"]:
        name, theirs = peer["tx"], peer["profit_amount"]
        (label,) = [
            each for each in one.ours.opportunities if name in (*each.transactions, *each.victims)
        ]
        ours = (label.gross or {}).get(peer["profit_token"])
        if label.kind is not Kind.ARBITRAGE or ours != theirs:
            (why,) = [each["reason"] for each in audit if each.get("tx") == name] or [
                "it is the back of a sandwich, whose profit it is part of"
            ]
            what = f"{label.kind.value} {label.gross}{' reverted' * label.reverted}"
            rows.append(Row(one.block.number, name, "arbitrage", f"{theirs}", what, why))
    for name, each in found.items():
        peers = {peer["tx"] for peer in one.peer.answer["arbitrages"]}
        if each.kind is Kind.ARBITRAGE and name not in peers:
            why = [entry["reason"] for entry in audit if entry.get("tx") == name]
            gross = f"{dict(each.gross or {})}"
            reason = why[0] if why else "it goes through a pool that the peer drops"
            rows.append(Row(one.block.number, name, "arbitrage", "missed", gross, reason))
    return rows


def of_sandwiches(one: Traced, audit: list[dict]) -> list[Row]:
    """How what sandwiches made differs; the same ones are found."""
    ours = of(one.ours, Kind.SANDWICH)
    theirs: dict[str, list[tuple[str, int]]] = {}
    for peer in one.peer.answer["sandwiches"]:
        gain = peer["profit_token"], peer["profit_amount"]
        theirs.setdefault(peer["front_tx"], []).append(gain)
    rows = []
    for name, gains in theirs.items():
        gross = dict(ours[name].gross or {})
        if gains == list(gross.items()):
            continue
        kind = "sandwich_double_count" if len(gains) > 1 else "sandwich_profit_in_other_token"
        if len(gains) == 1 and gains[0][1]:
            why = "what was made at the pool was sold on in the same transactions"
        else:
            (why,) = [each["reason"] for each in audit if each["kind"] == kind]
        # What the peer says is there too, of a pool alone where not of all.
        told = [gross, *(ours[name].extra or {}).get("at_pools", {}).values()]
        for gained, amount in gains:
            assert not amount or amount in {each.get(gained) for each in told}
        rows.append(Row(one.block.number, name, "sandwich", f"{gains}", f"{gross}", why))
    return rows


def of_liquidations(one: Traced) -> list[Row]:
    """How liquidations differ; debts and amounts do not."""
    ours, rows = of(one.ours, Kind.LIQUIDATION), []
    for peer in one.peer.answer["liquidations"]:
        detail = ours[peer["tx"]].detail
        assert isinstance(detail, Liquidation)
        if detail.collateral_token != peer["collateral_token"]:
            theirs, what = peer["collateral_token"], detail.collateral_token
            why = "it was taken as what stands for it at Aave, whose amount is the same"
            rows.append(Row(one.block.number, peer["tx"], "liquidation", theirs, what, why))
    return rows


def of_more(one: Traced) -> list[Row]:
    """Swaps that the peer does not have."""
    theirs = {(swap["tx"], tuple(swap["trace_address"])) for swap in one.peer.answer["swaps"]}
    return [
        Row(one.block.number, str(swap.transaction), "swap", "none", f"{said(swap)}", _MORE[kind])
        for swap in one.ours.swaps
        if (swap.transaction, swap.trace_address) not in theirs
        for kind in [swap.protocol]
    ]


_MORE = {
    "balancer_v2": "it does not know the vault",
    "uniswap_v1": "it does not know the exchange",
    "bancor": "it reads the call and drops it",
    "curve": "of this pool it has no swap",
    "uniswap_v2": "a token swaps itself while it is transferred, and it drops that",
    "sushiswap": "it sees no transfer that paid the pair",
}
"""Why the peer lacks a swap, by its protocol."""


def test_every_difference_has_a_reason(traced: dict[int, Traced], audit: list[dict]):
    """The table is printed: ``pytest -s`` shows it."""
    rows = [
        row
        for one in traced.values()
        for row in (
            *of_swaps(one),
            *of_more(one),
            *of_arbitrages(one, audit),
            *of_sandwiches(one, audit),
            *of_liquidations(one),
        )
    ]
    for row in rows:
        sys.stdout.write(
            f"\n{row.block} {row.transaction} {row.what}: {row.reason}"
            f"\n    theirs {row.theirs}\n    ours   {row.ours}\n"
        )
    assert all(row.reason for row in rows)
    reverted = [row for row in rows if row.ours == "not made"]
    assert len(reverted) == 326 - 307
    assert {row.transaction for row in rows if row.reason == _CROSSED} == {
        name for name, _ in DIFFERENT
    }
    others = [row for row in rows if row.what == "arbitrage"]
    assert [(row.block, row.transaction[:8]) for row in others] == [
        (12483198, "0x23a4dc"),
        (12483198, "0xd5639f"),
        (13234998, "0xd02b3e"),
        (13404932, "0xcfec6d"),
        (13404932, "0xf27d59"),
    ]
    kinds = Counter(row.what for row in rows if row.what != "arbitrage")
    assert kinds == {"swap": 326 - 307 + len(DIFFERENT) + 9, "sandwich": 4, "liquidation": 1}


def test_every_swap_that_took_effect_is_found(traced: dict[int, Traced]):
    compared = 0
    for one in traced.values():
        ours = {(swap.transaction, swap.trace_address) for swap in one.ours.swaps}
        theirs = {
            (swap["tx"], tuple(swap["trace_address"]))
            for swap in one.peer.answer["swaps"]
            if one.took_effect(swap)
        }
        assert theirs <= ours
        assert not set(one.ours.left_out) - {"failed"}
        assert not one.ours.cut
        compared += len(theirs)
    assert compared == 307


def test_the_pools_balances_bear_out_the_swaps_that_differ(traced: dict[int, Traced]):
    """A pair reads its reserves before, in the router, and its balances after: what it got of a
    token without a fee is the difference."""
    for name, path in DIFFERENT:
        (one,) = [one for one in traced.values() if name in {s.transaction for s in one.ours.swaps}]
        (swap,) = [
            swap
            for swap in one.ours.swaps
            if (swap.transaction, swap.trace_address) == (name, path)
        ]
        calls = one.calls(name)
        (place,) = [at for at in range(len(calls)) if calls.path(at) == path]
        moved = View(calls).into(swap.pool, place, 0)
        assert [move.amount for move in moved] == [swap.amount_in]


def test_more_swaps_are_found_than_the_peer_has(traced: dict[int, Traced]):
    """Its list of pools ends somewhere, and it drops what two transfers leave open."""
    more = []
    for one in traced.values():
        theirs = {(swap["tx"], tuple(swap["trace_address"])) for swap in one.peer.answer["swaps"]}
        more += [
            swap.protocol
            for swap in one.ours.swaps
            if (swap.transaction, swap.trace_address) not in theirs
        ]
    assert sorted(more) == [
        *["balancer_v2"] * 2,
        *["bancor"] * 2,
        *["curve"] * 2,
        "sushiswap",
        "uniswap_v1",
        "uniswap_v2",
    ]


def test_forks_have_their_own_names(traced: dict[int, Traced]):
    """By the address at which their factory puts a pair; the peer calls them all by one name."""
    pools = {
        swap.pool: swap.protocol
        for one in traced.values()
        for swap in one.ours.swaps
        if swap.protocol in {"uniswap_v2", "sushiswap", "shibaswap", "uniswap_v3"}
    }
    assert Counter(pools.values()) == {
        "uniswap_v2": 107,
        "sushiswap": 33,
        "shibaswap": 6,
        "uniswap_v3": 49,
    }


def test_sandwiches_are_found_once_with_what_they_made(traced: dict[int, Traced], audit):
    found = {number: list(of(one.ours, Kind.SANDWICH).values()) for number, one in traced.items()}
    for number, one in traced.items():
        ends = {(peer["front_tx"], peer["back_tx"]) for peer in one.peer.answer["sandwiches"]}
        assert {each.transactions for each in found[number]} == ends
    gross = {number: dict(each[0].gross or {}) for number, each in found.items() if each}
    (twice,) = [one for one in audit if one["kind"] == "sandwich_double_count"]
    (other,) = [one for one in audit if one["kind"] == "sandwich_profit_in_other_token"]
    (front,) = wrong(audit, "false_positive_arbitrage").values()
    assert gross == {
        12775690: {WETH: 49991481915322274},
        12914944: {WETH: twice["true_gross_profit"]["weth"]},
        13234998: {WETH: 53541741002585803},
        13404932: {WETH: 346702828872370621 + front["claimed_profit"]},
        13666363: other["true_gross"],
    }


def test_liquidations_have_the_peers_amounts(traced: dict[int, Traced]):
    """It names what stands for a collateral at Aave, where the liquidator took that."""
    compared = 0
    for one in traced.values():
        ours = of(one.ours, Kind.LIQUIDATION)
        for peer in one.peer.answer["liquidations"]:
            each = ours.pop(peer["tx"])
            assert isinstance(each.detail, Liquidation)
            assert each.detail.user == peer["user"]
            assert each.detail.debt_token == token(peer["debt_token"])
            assert each.detail.debt_amount == peer["debt_amount"]
            assert each.detail.collateral_amount == peer["collateral_amount"]
            shares = (each.extra or {}).get("takes_shares", False)
            assert (each.detail.collateral_token == peer["collateral_token"]) is not shares
            assert each.detail.protocol.startswith(peer["protocol"])
            compared += 1
        assert not ours
    assert compared == 9


def test_collateral_in_shares_is_said_in_what_they_are_worth(traced: dict[int, Traced]):
    """What the market says of its shares, or what they were redeemed for at once."""
    worth = {
        number: each.extra["collateral_underlying"]
        for number, one in traced.items()
        for each in of(one.ours, Kind.LIQUIDATION).values()
        if each.extra and "collateral_underlying" in each.extra
    }
    assert worth == {
        13207907: 65128869693206519071,
        13234998: 1052830416,
        13326607: 4365743314960739461,
        13404932: 83704689316607843793044,
    }


def test_what_ether_a_liquidator_paid_is_counted(traced: dict[int, Traced]):
    """What repays ether at Cream was unwrapped from WETH: 1.076008841714918351 came in, and
    1.002704779407853614 went to the market."""
    (one,) = of(traced[13404932].ours, Kind.LIQUIDATION).values()
    assert one.gross == {WETH: 1076008841714918351 - 1002704779407853614}


def test_what_the_builder_was_paid_is_known_of_every_transaction(traced: dict[int, Traced]):
    compared = 0
    for one in traced.values():
        theirs = {
            each["tx"]: each["coinbase_transfer"] for each in one.peer.answer["miner_payments"]
        }
        assert {each.hash: each.builder_wei for each in one.block.transactions} == theirs
        compared += len(theirs)
    assert compared == 2570


def test_an_arbitrage_gave_nine_tenths_of_its_profit_to_the_builder(traced: dict[int, Traced]):
    (one, *_) = of(traced[12914944].ours, Kind.ARBITRAGE).values()
    assert one.gross == {WETH: 53560707941943273628}
    assert one.builder_wei == 48204637147748941824
    assert one.gas_wei == 0
    assert one.net == {WETH: 53560707941943273628, ETHER: -48204637147748941824}


def test_net_is_gross_less_gas_and_what_the_builder_was_paid(traced: dict[int, Traced]):
    """From block 12775690 on the recordings say what gas was used; before it they do not."""
    compared = 0
    for number, one in traced.items():
        paid = {
            each["tx"]: each["gas_used"] * each["gas_price"] + each["coinbase_transfer"]
            for each in one.peer.answer["miner_payments"]
        }
        for each in one.ours.opportunities:
            if number < 12775690:
                assert (each.gas_wei, each.net) == (None, None)
                continue
            net, gross = dict(each.net or {}), dict(each.gross or {})
            spent = gross.get(ETHER, 0) - net.pop(ETHER)
            gross.pop(ETHER, None)
            assert (spent, net) == (sum(paid[name] for name in each.transactions), gross)
            compared += 1
    assert compared == 18


def test_the_arbitrage_that_links_by_address_miss_is_found(traced: dict[int, Traced], audit):
    (missed,) = wrong(audit, "missed_arbitrage").values()
    one = of(traced[12483198].ours, Kind.ARBITRAGE)[missed["tx"]]
    assert one.gross == missed["net"] == {WETH: 1397980612307637145}
    assert one.builder_wei == 0


def test_what_only_looks_like_mev_is_none(traced: dict[int, Traced], audit):
    alike = wrong(audit, "not_mev_but_looks_like_it")
    assert len(alike) == 2
    for name, one in alike.items():
        landed = traced[one["block"]].ours.opportunities
        assert all(name not in each.transactions for each in landed)


def test_an_attempt_that_was_reverted_is_marked_and_made_nothing(traced: dict[int, Traced], audit):
    """The transaction as a whole went through; the call that swapped did not."""
    (name,) = wrong(audit, "unrealised_arbitrage")
    attempts = [each for one in traced.values() for each in one.ours.opportunities if each.reverted]
    (one,) = attempts
    assert (one.transactions, one.kind, one.gross) == ((name,), Kind.ARBITRAGE, {})
    assert one.searcher == "0x8a14ce0fecbefdcc612f340be3324655718ce1c1"
    made = [each.transactions for each in traced[12483198].ours.opportunities if not each.reverted]
    assert (name,) not in made
