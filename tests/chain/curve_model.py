"""Swaps by Curve's own model of its pools, curvesim: a list of them on standard input, what they
come to on standard output. A process of its own, since only a part of the model is loaded."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec


def model() -> Any:
    """The class of plain pools, without the packages about it and all that these need."""
    spec = find_spec("curvesim")
    assert spec is not None
    assert spec.origin is not None
    place = Path(spec.origin).parent
    for name in ("curvesim", "curvesim.pool", "curvesim.pool.stableswap"):
        shell = ModuleType(name)
        shell.__path__ = [str(place.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = shell
    return import_module("curvesim.pool.stableswap.pool").CurvePool


def swapped(pool_of: Any, case: dict[str, Any]) -> list[str] | None:
    """What a swap gives, and the balances afterwards; None where it is refused, or goes on for
    ever: the model counts no rounds."""
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        return _swapped(pool_of, case)
    except (AssertionError, TimeoutError):
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _swapped(pool_of: Any, case: dict[str, Any]) -> list[str]:
    pool = pool_of(
        A=case["a"],
        D=list(map(int, case["balances"])),
        n=len(case["balances"]),
        rates=list(map(int, case["rates"])),
        fee=case["fee"],
        admin_fee=case["admin_fee"],
    )
    got, _ = pool.exchange(*case["places"], int(case["amount"]))
    return [str(got), *map(str, pool.balances)]


def _too_long(*_: Any) -> None:
    raise TimeoutError


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _too_long)
    plain_pool = model()
    cases = msgspec.json.decode(sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode([swapped(plain_pool, one) for one in cases]))
