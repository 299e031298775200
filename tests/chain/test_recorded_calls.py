"""Calls that were sent on the main network: how many say what they do, and whether they did it."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.model.intents import ETHER, WETH, PoolKind, SwapIntent, Undecoded, Unread

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from calls.recorded import SETS, older_block, six_blocks  # noqa: E402 - a script's own reader

DECODER = CallDecoder()


def intents_of(one) -> tuple:
    return DECODER.decode(one.to, one.data, one.sender, one.value)


def test_the_page_shows_what_the_script_says(corpus):
    done = subprocess.run(
        [sys.executable, "-m", "calls", str(corpus)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    page = (ROOT / "docs" / "explanation" / "calldata.md").read_text(encoding="utf-8")
    shown = page.split("```text\n")[-1].partition("```")[0]
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()


def test_recordings_that_are_not_there_are_said_to_be_missing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "calls", str(tmp_path / "none")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "there are no recordings" in done.stderr


def test_every_call_of_a_known_contract_is_read_but_two(corpus):
    """One cancels an order, and LiFi's methods are not known."""
    unread = Counter()
    for calls in SETS.values():
        for one in calls(corpus):
            if one.to is not None and DECODER.name(one.to) is not None:
                for intent in intents_of(one):
                    if isinstance(intent, Undecoded):
                        unread[DECODER.name(one.to), intent.reason] += 1
    assert unread == {("1inch v6", Unread.NO_SWAP): 1, ("LiFi", Unread.OPAQUE): 1}


def test_all_plans_of_the_universal_router_are_read(corpus):
    found = Counter()
    for calls in SETS.values():
        for one in calls(corpus):
            name = one.to and DECODER.name(one.to)
            if name and name.startswith("Universal"):
                found[name] += all(isinstance(i, SwapIntent) and i.hops for i in intents_of(one))
    assert found == {"Universal Router 1.0": 9, "Universal Router 2.0": 15}


def test_v4_swaps_are_among_them(corpus):
    kinds = Counter(
        hop.kind
        for one in six_blocks(corpus)
        for intent in intents_of(one)
        if isinstance(intent, SwapIntent)
        for hop in intent.hops
    )
    assert kinds[PoolKind.V4] > 0
    assert kinds[PoolKind.V3] > 0
    assert kinds[PoolKind.V2] > 0


@pytest.fixture(scope="module")
def logged(corpus) -> dict[str, list[dict]]:
    """The swaps that the logs of block 17173049 show, by transaction."""
    found: dict[str, list[dict]] = {}
    with gzip.open(corpus / "mainnet" / "expected" / "logs_17173049.json.gz") as file:
        for swap in json.load(file)["swaps"]:
            found.setdefault(swap["tx"], []).append(swap)
    return found


def paid_and_got(swap: dict) -> tuple[int, int]:
    """Of a pool, what it got and what it gave."""
    amounts = swap["amount0"], swap["amount1"]
    return max(amounts), -min(amounts)


def test_intents_and_logs_of_a_whole_block_agree(corpus, logged):
    """Exact amounts to the unit, limits kept, recipients the same; but for tokens that take a fee
    of each transfer, or swap by themselves, where the router's method says so."""
    checked = Counter()
    for one in older_block(corpus):
        swaps = [i for i in intents_of(one) if isinstance(i, SwapIntent) and i.hops]
        pools = logged.get(one.hash, [])
        if not swaps or not pools:
            continue
        (intent,) = swaps
        first, last = pools[-len(intent.hops)], pools[-1]
        (paid, _), (_, got) = paid_and_got(first), paid_and_got(last)
        assert [hop.kind.value for hop in intent.hops] == [
            pool["kind"] for pool in pools[-len(intent.hops) :]
        ]
        if intent.taxed:
            checked["taxed"] += 1
            assert paid <= intent.amount
            continue
        assert len(pools) == len(intent.hops)
        checked[intent.venue] += 1
        if intent.exact_out:
            assert (got, paid <= intent.limit) == (intent.amount, True)
        else:
            assert (paid, got >= intent.limit) == (intent.amount, True)
        # Wrapped ether is unwrapped by the router before it is handed over.
        assert last["to"] in {intent.recipient, one.to}
    assert checked == {
        "Universal Router 1.0": 9,
        "Uniswap V2 Router02": 1,
        "Uniswap SwapRouter02": 1,
        "0x legacy proxy": 1,
        "taxed": 10,
    }


def pair_of(token0: str, token1: str) -> str:
    """The address at which the factory puts the pair of two tokens."""
    tokens = bytes.fromhex(min(token0, token1)[2:] + max(token0, token1)[2:])
    code = "96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
    factory = bytes.fromhex(UNISWAP_FACTORY[2:])
    return "0x" + keccak(b"\xff" + factory + keccak(tokens) + bytes.fromhex(code))[12:].hex()


def test_settlers_say_their_routes(corpus):
    """A pair at the address of the tokens that it must be of, and pools that end in what is
    wanted."""
    found = [
        intents_of(one)
        for one in six_blocks(corpus)
        if one.to and DECODER.name(one.to) == "0x AllowanceHolder"
    ]
    (first, second), (third,), (fourth,) = found
    assert first.hops[0].pool == pair_of(first.token_in, WETH)
    assert first.hops[0].zero_for_one == (first.token_in < WETH)
    assert fourth.hops[0].pool == pair_of(fourth.token_in, WETH)
    assert fourth.hops[0].zero_for_one == (fourth.token_in < WETH)
    assert [first.amount, third.amount, fourth.amount] == [638622841869344, None, 16899804737844]
    assert [swap.hops[0].kind.value for swap in (first, second, third, fourth)] == [
        "v2",
        "v4",
        "v4",
        "v2",
    ]
    assert (second.token_in, third.token_in, fourth.token_out) == (ETHER, ETHER, WETH)
    assert fourth.limit == 5049598835166160


METAMASK = "0x881d40237659c251811cec9c364ef91dc08d300c"


def test_what_metamask_wants_is_read_and_its_users_got_it(corpus):
    """All recorded calls but one, whose adapter reads other data."""
    told = [intents_of(one)[0] for one in six_blocks(corpus) if one.to == METAMASK]
    assert [swap.token_out is not None for swap in told] == [True] * 4
    met = Counter()
    for steps in traced(corpus):
        action = steps[0]["action"]
        if action.get("to") != METAMASK:
            continue
        data, value = bytes.fromhex(action["input"][2:]), int(action["value"], 16)
        (swap,) = DECODER.decode(METAMASK, data, action["from"], value)
        if swap.token_out is None:
            met["unread"] += 1
        elif steps[0].get("error"):
            met["reverted"] += 1
        else:
            got = max(received(steps, swap.token_out, action["from"]))
            assert got >= swap.limit > got * 9 // 10
            met["got"] += 1
    assert met == {"got": 13, "reverted": 4, "unread": 1}


def traced(corpus):
    """The calls of each transaction of the recorded blocks, the outermost first."""
    for path in sorted((corpus / "mainnet" / "traces").glob("*.json.gz")):
        with gzip.open(path) as file:
            found: dict[str, list[dict]] = {}
            for trace in json.load(file)["traces"]:
                if trace["action"].get("callType") == "call":
                    found.setdefault(trace["transaction_hash"], []).append(trace)
        yield from found.values()


def received(steps, token: str, who: str):
    """What somebody was sent of a token, or of ether."""
    for step in steps:
        action, data = step["action"], step["action"]["input"]
        if token == ETHER and action["to"] == who:
            yield int(action["value"], 16)
        elif action["to"] == token and data.startswith("0xa9059cbb" + "0" * 24 + who[2:]):
            yield int(data[74:138], 16)


def trace_calls(corpus):
    """Every call within the recorded blocks: who is called, with what, by whom; whether it held."""
    for path in sorted((corpus / "mainnet" / "traces").glob("*.json.gz")):
        with gzip.open(path) as file:
            block = json.load(file)
        for trace in block["traces"]:
            action = trace["action"]
            if action.get("callType") == "call" and action.get("input", "0x") != "0x":
                yield action, trace.get("error")


def test_calls_within_thirteen_older_blocks_are_read(corpus):
    """Routers, lending pools and the vault, called by people and by contracts."""
    found, malformed = Counter(), []
    for action, _ in trace_calls(corpus):
        name = DECODER.name(action["to"])
        if name is None:
            continue
        data, value = bytes.fromhex(action["input"][2:]), int(action["value"], 16)
        intents = DECODER.decode(action["to"], data, action["from"], value)
        for intent in intents:
            if isinstance(intent, Undecoded):
                found[name, intent.reason] += 1
                if intent.reason in {Unread.MALFORMED, Unread.TOO_LARGE}:
                    malformed.append((name, action["input"][:10], intent.detail))
            else:
                found[name, "read"] += 1
    assert malformed == []
    assert {name: count for (name, what), count in found.items() if what == "read"} == {
        "0x legacy proxy": 11,
        "1inch v4": 2,
        "Aave V2 LendingPool": 4,
        "Balancer V2 vault": 3,
        "CoW settlement": 1,
        "MetaMask swap": 18,
        "SushiSwap router": 50,
        "Uniswap V2 Router02": 105,
        "Uniswap V3 position manager": 6,
        "Uniswap V3 SwapRouter": 54,
    }
    # What else they are called for: liquidity, pools' callbacks, and methods that are not listed.
    assert {what for _, what in found} == {"read", Unread.UNKNOWN_METHOD, Unread.OPAQUE}


def test_the_page_says_how_to_make_the_table():
    page = (ROOT / "docs" / "explanation" / "calldata.md").read_text(encoding="utf-8")
    assert re.search(r"scripts/read-calls", page)
