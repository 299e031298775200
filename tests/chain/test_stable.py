"""Stable pools beside Curve's own model of them and beside recorded swaps; those of the first kind
meet the contract itself in tests/devnet."""

from __future__ import annotations

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
            assert swap.stop is Stop.REVERTS
        else:
            assert [swap.amount_out, *swap.after.balances] == list(map(int, told))
            whole += 1
    assert whole > 0.9 * SWAPS
