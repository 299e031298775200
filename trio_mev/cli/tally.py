"""What a run of ``inspect`` has found so far: counts, sums, and a number for all of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs

from ..inspect import Inspection
from ..model.opportunity import Amounts, Grounds, Kind, Opportunity, Status, SwapRecord
from ..wire.findings import finding_line, shown
from ..wire.lines import encode
from .work import Seen

_MODULUS = 2**256


@attrs.define(eq=False)
class Sums:
    """Of the findings of one kind; what was reverted is counted apart and is in no sum."""

    count: int = 0
    reverted: int = 0
    gross: Counter[str] = attrs.Factory(Counter)
    net: Counter[str] = attrs.Factory(Counter)
    without_net: int = 0
    """Whose gas, or whose gross, is not known."""
    gas_wei: int = 0
    builder_wei: int = 0
    usd: Decimal = Decimal(0)
    without_usd: int = 0
    """Of which some token has no price."""

    def take(self, one: Opportunity) -> None:
        """Add a finding."""
        if one.reverted:
            self.reverted += 1
            return
        self.count += 1
        _add(self.gross, one.gross)
        _add(self.net, one.net)
        self.without_net += one.net is None
        self.gas_wei += one.gas_wei or 0
        self.builder_wei += one.builder_wei or 0
        self.usd += one.usd or 0
        self.without_usd += one.usd is None

    def line(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "count": self.count,
            "reverted": self.reverted,
            "gross": _texts(self.gross),
            "net": _texts(self.net),
            "without_net": self.without_net,
            "gas_wei": str(self.gas_wei),
            "builder_wei": str(self.builder_wei),
            "usd": format(self.usd, "f") if self.count > self.without_usd else None,
            "without_usd": self.without_usd,
        }


def _add(total: Counter[str], amounts: Amounts | None) -> None:
    for token, amount in (amounts or {}).items():
        total[token] += amount


def _texts(total: Counter[str]) -> dict[str, str]:
    return {shown(token): str(amount) for token, amount in total.items() if amount}


@attrs.define(eq=False)
class Tally:
    """What a run has come to."""

    wanted: int = 0
    """Files and blocks."""
    before: int = 0
    """Of these, those that an earlier run had done."""
    done: int = 0
    failed: int = 0
    blocks: int = 0
    again: int = 0
    """Of these, those that another source had before."""
    transactions: int = 0
    swaps: int = 0
    cut: int = 0
    """Blocks in which something was not looked at, since it would have taken too long."""
    left_out: Counter[str] = attrs.Factory(Counter)
    refused: Counter[str] = attrs.Factory(Counter)
    """Why files and blocks could not be used."""
    kinds: dict[Kind, Sums] = attrs.Factory(dict)
    _digest: int = 0
    _numbers: set[int] = attrs.Factory(set)

    def take(self, seen: Seen) -> list[dict[str, Any]]:
        """Add a block; the lines of its findings."""
        found = seen.found
        self.blocks += 1
        self.again += found.block in self._numbers
        self._numbers.add(found.block)
        self.transactions += seen.transactions
        self.swaps += len(found.swaps)
        self.cut += found.cut
        self.left_out.update(found.left_out)
        lines = []
        for one in found.opportunities:
            self.kinds.setdefault(one.kind, Sums()).take(one)
            lines.append(line := finding_line(one))
            self._digest += int.from_bytes(hashlib.sha256(encode(line).encode()).digest(), "big")
        return lines

    @property
    def not_reached(self) -> int:
        """Of what is wanted, what a run that was stopped has left."""
        return self.wanted - self.before - self.done - self.failed

    def summary(self, seconds: float) -> dict[str, Any]:
        """The last line."""
        kinds = {kind.value: sums for kind, sums in self.kinds.items()}
        lost = self.not_reached
        return {
            "kind": "summary",
            "events": {
                "block": self.blocks,
                "transaction": self.transactions,
                "swap": self.swaps,
            },
            "findings": {name: sums.count for name, sums in kinds.items() if sums.count},
            "books": {
                "received": self.wanted,
                "processed": self.done,
                "filtered": self.before,
                "lost": lost,
                "failed": self.failed,
                "queued": 0,
            },
            "lost": {"not_reached": lost} if lost else {},
            "refused": dict(self.refused),
            "ledger": [],
            "totals": {name: sums.line() for name, sums in kinds.items()},
            "left_out": dict(self.left_out),
            "cut": self.cut,
            "digest": f"{self._digest % _MODULUS:064x}",
            "seconds": round(seconds, 6),
        }


def swap_findings(found: Inspection) -> Iterator[Opportunity]:
    """A block's swaps as findings of their own."""
    for number, swap in enumerate(found.swaps):
        yield Opportunity(
            Kind.SWAP,
            f"swap:{swap.transaction}:{_place(swap, number)}",
            "inspect",
            Status.LANDED,
            Grounds.HEURISTIC,
            swap,
            block=found.block,
            transactions=() if swap.transaction is None else (swap.transaction,),
            pools=(swap.pool,),
            searcher=None,
        )


def _place(swap: SwapRecord, number: int) -> str:
    if swap.log_index is not None:
        return str(swap.log_index)
    if swap.trace_address is not None:
        return "-".join(map(str, swap.trace_address))
    return f"n{number}"
