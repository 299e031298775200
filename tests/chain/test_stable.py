"""Stable pools beside Curve's own model of them and beside recorded swaps; those of the first kind
meet the contract itself in tests/devnet."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from trio_mev.chain.pools.stable import FIRST, TEMPLATE, THREE, Rules, StablePool
from trio_mev.chain.pools.swap import Stop

SWAPS = 3000
MODELS = Path(sys.prefix) / "models"
MODEL = Path(__file__).parent / "curve_model.py"


def random_case(rng: random.Random) -> dict:
    """Of two to four coins of any decimals, even or far from it."""
    coins = rng.randrange(2, 5)
    decimals = [rng.choice((6, 8, 18)) for _ in range(coins)]
    size, spread = rng.uniform(3, 10), rng.choice((0.01, 0.3, 1.5))
    balances = [int(10 ** (size + rng.uniform(-spread, spread) + one)) for one in decimals]
    places = rng.sample(range(coins), 2)
    return {
        "a": rng.choice((1, 10, 85, 200, 2000, 10**5)),
        "balances": [str(one) for one in balances],
        "rates": [str(10 ** (36 - one)) for one in decimals],
        "fee": rng.choice((0, 10**6, 4 * 10**6, 10**8)),
        "admin_fee": rng.choice((0, 5 * 10**9)),
        "places": places,
        "amount": str(int(balances[places[0]] * 10 ** rng.uniform(-12, 0.3)) or 1),
    }


def state_of(case: dict, rules: Rules, precision: int) -> StablePool:
    held = tuple(map(int, case["balances"])), tuple(map(int, case["rates"]))
    return StablePool(
        *held, case["a"] * precision, case["fee"], case["admin_fee"], rules, precision
    )


@pytest.fixture(scope="module")
def modelled() -> list[tuple[dict, list[str] | None]]:
    """Swaps, and what the model makes of them."""
    if not (MODELS / "curvesim").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("scripts/test installs the model")
    rng = random.Random(1)
    cases = [random_case(rng) for _ in range(SWAPS)]
    done = subprocess.run(
        [sys.executable, MODEL],
        input=msgspec.json.encode(cases),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(MODELS)},
        timeout=60,
    )
    return list(zip(cases, msgspec.json.decode(done.stdout), strict=True))


@pytest.mark.parametrize(("rules", "precision"), [(THREE, 1), (TEMPLATE, 100)])
def test_3000_swaps_are_those_of_curves_model(modelled, rules, precision):
    whole = 0
    for case, told in modelled:
        pool = state_of(case, rules, precision)
        swap = pool.swap(*case["places"], int(case["amount"]))
        assert isinstance(swap.after, StablePool)
        if told is None:
            assert swap.stop is Stop.REVERTS or not rules.strict
        else:
            assert [swap.amount_out, *swap.after.balances] == list(map(int, told))
            whole += 1
    assert whole > 0.9 * SWAPS


PLAIN = StablePool(
    (10**24, 2 * 10**12, 3 * 10**12), (10**18, 10**30, 10**30), 200, 4 * 10**6, 5 * 10**9, THREE
)
RECORDED = (225_521_592_880_922_784_102_339_200, 807_084_455_344_351, 278_324_810_185_815)
"""What the pool of DAI, USDC and USDT may have held before the recorded block's swap. It was not
recorded: of a few integers that fit three of the answers, the first that fits the others too."""


def recorded(corpus: Path) -> tuple[list[tuple[list[int], int]], tuple[int, int]]:
    """Quotes that the pool gave in one block, as arguments and answer; and what its one swap paid
    and gave."""
    path = corpus / "mainnet" / "traces" / "12483198.json.gz"
    pool = "0xbebc44782c7db0a1a60cb6fe97d0b483032ff1c7"
    quotes, paid, given = [], 0, 0
    for trace in msgspec.json.decode(gzip.decompress(path.read_bytes()))["traces"]:
        action = trace["action"]
        data = bytes.fromhex(action.get("input", "0x")[2:])
        words = [int.from_bytes(data[at : at + 32]) for at in range(4, len(data), 32)]
        if action.get("to") == pool and data[:4].hex() == "5e0d443f":
            quotes.append((words, int(trace["result"]["output"], 16)))
        elif action.get("to") == pool and data[:4].hex() == "3df02124":
            paid = words[2]
        elif action.get("from") == pool and data[:4].hex() == "a9059cbb":
            given = words[1]
    return quotes, (paid, given)


def answered(quotes, swapped, **changed: int) -> bool:
    """Whether a pool answers as the recorded one did."""
    held = {"amplification": 2000, "fee": 4 * 10**6, "admin_fee": 5 * 10**9} | changed
    pool = StablePool(RECORDED, PLAIN.rates, **held, rules=THREE)
    swap = pool.swap(0, 1, swapped[0])
    after = swap.after
    assert isinstance(after, StablePool)
    (before, told), *later = quotes
    right = [pool.quote(*before) == told, swap.amount_out == swapped[1]]
    return all(right + [after.quote(*one) == answer for one, answer in later])


def test_recorded_quotes_and_a_swap_of_the_pool_of_three_hold_to_the_unit(corpus: Path):
    quotes, swapped = recorded(corpus)
    assert len(quotes) == 6
    assert quotes[0][0] == [0, 1, swapped[0]]
    assert quotes[0][1] == swapped[1] + 1, "a swap gives a unit less than its quote"
    assert answered(quotes, swapped)
    assert not answered(quotes, swapped, amplification=1999)
    assert not answered(quotes, swapped, fee=4 * 10**6 - 1)
    assert not answered(quotes, swapped, admin_fee=0)


def test_a_swap_leaves_the_old_state_as_it_is():
    before = PLAIN.balances
    swap = PLAIN.swap(0, 1, 10**21)
    assert swap.stop is None
    assert PLAIN.balances == before
    assert isinstance(swap.after, StablePool)
    left = swap.after.balances
    assert PLAIN.quote(0, 1, 10**21) - swap.amount_out in (0, 1)
    later = msgspec.structs.replace(PLAIN, rules=TEMPLATE)
    assert later.quote(0, 1, 10**21) == swap.amount_out
    assert left[0] == before[0] + 10**21
    fee = swap.amount_out / (1 - PLAIN.fee / 10**10) * PLAIN.fee / 10**10 / 2
    assert before[1] - left[1] - swap.amount_out == pytest.approx(fee, abs=2)


@pytest.mark.parametrize(
    "swap", [(0, 0, 5), (0, 1, 0), (0, 1, -5), (0, 1, 5, True), (0, 1, 2**250), (1, 2, 2**170)]
)
def test_what_the_contract_has_not_or_refuses_changes_nothing(swap):
    done = PLAIN.swap(*swap)
    assert done.stop is Stop.REVERTS
    assert done.after is PLAIN
    if len(swap) == 3 and swap[2]:
        assert PLAIN.quote(*swap) is None


def test_where_rounding_would_take_more_than_it_gives_it_is_refused():
    held = (1304805332, 26150729602204756, 1884), (10**18,) * 3
    assert StablePool(*held, 1, 0, 0, FIRST).swap(0, 1, 24408).stop is Stop.REVERTS
    assert StablePool(*held, 1, 0, 0, THREE).swap(0, 1, 24408).stop is None
    held = (15123604179, 101455105), (10**18, 10**18)
    assert StablePool(*held, 1, 0, 0, FIRST).swap(0, 1, 1).stop is None
    assert StablePool(*held, 1, 0, 0, THREE).swap(0, 1, 1).stop is Stop.REVERTS


def test_what_does_not_converge_is_refused_by_the_later_code():
    held = (55835111611159139057664, 540738743992570752), (10**18, 10**18)
    assert StablePool(*held, 5, 0, 0, FIRST).swap(0, 1, 10**20).stop is None
    code = msgspec.structs.replace(TEMPLATE, guard=1)
    assert StablePool(*held, 500, 0, 0, code, 100).swap(0, 1, 10**20).stop is Stop.REVERTS


def test_an_empty_pool_swaps_nothing():
    empty = StablePool((0, 10**12), (10**18, 10**30), 100, 0, 0, FIRST)
    assert empty.swap(0, 1, 5).stop is Stop.REVERTS
    assert empty.quote(0, 1, 5) is None
