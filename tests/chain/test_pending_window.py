"""A window of pending transactions: what is kept up to date is what counting anew would find."""

from __future__ import annotations

import math
import statistics

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trio_mev.chain.mempool.window import LEAST_GAS_SAMPLE, PendingWindow
from trio_mev.model.chain import GasPercentiles, Transaction

NAMES = st.integers(0, 15).map(lambda n: f"0x{n}")
LENGTH, MOST = 30.0, 12


def body_of(name: str) -> Transaction:
    n = int(name, 16)
    fees = {"gas_price": n} if n % 3 else {"max_fee": 9, "max_priority_fee": n % 5, "type": 2}
    return Transaction(name, f"0x{n % 4}", "0xto", n // 4, n, 21_000, b"\x01" * 5, **fees)


class Windows(RuleBasedStateMachine):
    """Beside it a plain list: name, first sight, body, inclusion."""

    def __init__(self) -> None:
        super().__init__()
        self.window = PendingWindow(LENGTH, MOST)
        self.now = 0.0
        self.forgotten = 0
        self.rows: list[dict] = []

    def row(self, name: str) -> dict | None:
        return next((row for row in self.rows if row["name"] == name), None)

    @rule(seconds=st.sampled_from([0.0, 1.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.window.forget_before(self.now)
        self.rows = [row for row in self.rows if self.now - row["seen"] <= LENGTH]

    @rule(name=NAMES, whole=st.booleans(), landed=st.booleans())
    def see(self, name: str, whole: bool, landed: bool) -> None:
        self.window.see(name, self.now, landed)
        if self.row(name) is None:
            if len(self.rows) == MOST:
                del self.rows[0]
                self.forgotten += 1
            at = self.now if landed else None
            self.rows.append({"name": name, "seen": self.now, "body": None, "included": at})
        if whole:
            self.window.take(body_of(name))
            self.row(name)["body"] = body_of(name)

    @rule(name=NAMES)
    def include(self, name: str) -> None:
        self.window.include(name, self.now)
        row = self.row(name)
        if row is not None and row["included"] is None:
            row["included"] = self.now

    @rule(name=NAMES)
    def restore(self, name: str) -> None:
        self.window.restore(name)
        row = self.row(name)
        if row is not None:
            row["included"] = None

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        self.window.remove(name)
        self.rows = [row for row in self.rows if row["name"] != name]

    @invariant()
    def agrees(self) -> None:
        window = self.window
        pending = [row for row in self.rows if row["included"] is None]
        bodies = [row["body"] for row in pending if row["body"] is not None]
        waits = [r["included"] - r["seen"] for r in self.rows if r["included"] is not None]
        assert (window.pending, window.included) == (len(pending), len(waits))
        assert window.without_body == len(pending) - len(bodies)
        assert window.value == sum(body.value for body in bodies)
        assert window.median_wait == (statistics.median(waits) if waits else None)
        assert window.oldest == (pending[0]["seen"] if pending else None)
        assert window.forgotten == self.forgotten
        assert len(window.order) == len(bodies)
        assert set(window.rivals._keys) == {body.hash for body in bodies}
        for base_fee in (None, 5):
            assert window.percentiles(base_fee) == self.percentiles(base_fee)

    def percentiles(self, base_fee: int | None) -> GasPercentiles | None:
        bodies = [row["body"] for row in self.rows if row["body"] is not None]
        fees = sorted(body.fee_per_gas(base_fee) for body in bodies)
        if len(fees) < LEAST_GAS_SAMPLE:
            return None
        ranks = [fees[math.ceil(round(share * len(fees), 9)) - 1] for share in (0.5, 0.9, 0.99)]
        return GasPercentiles(len(fees), *ranks)


TestWindows = Windows.TestCase


def test_one_whose_body_is_not_known_comes_back_without_one():
    window = PendingWindow(LENGTH, MOST)
    window.see("0x1", 0.0, False)
    window.include("0x1", 1.0)
    assert (window.pending, window.included) == (0, 1)
    window.restore("0x1")
    assert (window.pending, window.included, window.without_body) == (1, 0, 1)
    assert window.value == 0


def test_one_whose_body_is_known_comes_back_with_it():
    window = PendingWindow(LENGTH, MOST)
    window.see("0x2", 0.0, False)
    window.take(body_of("0x2"))
    window.include("0x2", 1.0)
    assert (window.value, len(window.order)) == (0, 0)
    window.restore("0x2")
    assert (window.value, len(window.order)) == (2, 1)
