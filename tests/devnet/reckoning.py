"""A ledger of predictions that is computed from the truth: no logs, no inspector, no taking back.

Blocks that are not of the chain in the end are passed over as if there had been none, so that
nothing has to be undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import Any

import attrs

from tests.devnet.rpc import Hex, Json
from trio_mev.model.chain import Life, PendingLife, Reorg
from trio_mev.model.opportunity import Kind, Landed, Liquidation, Opportunity, Status

KINDS = frozenset({"arbitrage", "sandwich", "liquidation", "jit"})
Key = tuple[str, str]
"""A kind and a detector."""


@attrs.frozen
class Mined:
    """A block of the chain as it is in the end."""

    number: int
    order: dict[Hex, int]
    swaps: list[Json]
    records: list[Json]
    """What was planted in it, is no ordinary swap, and was not reverted."""

    def behind(self, cause: Hex | None, transaction: Hex) -> bool:
        if cause not in self.order:
            return True
        return self.order[transaction] > self.order[cause]


def mined(truth: Json) -> dict[Hex, Mined]:
    """The blocks by their hashes."""
    return {
        block["hash"]: Mined(
            block["number"],
            {name: place for place, name in enumerate(block["transactions"])},
            block["swaps"],
            [
                record
                for record in truth["planted"]
                if record["block_hash"] == block["hash"]
                and record["status"] == "landed"
                and record["kind"] in KINDS
                and not record["reverted"]
            ],
        )
        for block in truth["blocks"]
    }


@attrs.define
class Reckoning:
    """Who predicted what, and what became of it."""

    blocks: dict[Hex, Mined]
    open: dict[str, Opportunity] = attrs.Factory(dict)
    counts: Counter[tuple[Key, str]] = attrs.Factory(Counter)
    errors: dict[Key, list[float]] = attrs.Factory(dict)
    unseen: list[Json] = attrs.Factory(list)
    over: dict[Hex, set[str]] = attrs.Factory(dict)
    """Causes that will not come, and what ended with them."""

    def take(self, data: Any) -> None:
        """Whatever was told, in its order."""
        if isinstance(data, Opportunity):
            if data.status is Status.PREDICTED:
                self.predict(data)
            elif data.id in self.open:
                self.close(data.id, "superseded")
        elif isinstance(data, PendingLife):
            self.live(data)
        elif isinstance(data, Reorg):
            for block in data.retracted:
                self.close_all(block.hash, "withdrawn")
        elif isinstance(data, Landed) and data.hash in self.blocks:
            self.land(self.blocks[data.hash])

    def live(self, step: PendingLife) -> None:
        if step.life in {Life.REPLACED, Life.DROPPED, Life.EXPIRED}:
            ended = self.close_all(step.hash, "superseded")
            self.over.setdefault(step.hash, set()).update(ended)
        else:
            self.over.pop(step.hash, None)

    def predict(self, one: Opportunity) -> None:
        ended = self.over.get(one.cause or "")
        if ended is not None and one.id in ended:
            return
        self.counts[key(one), "predicted"] += one.id not in self.open
        self.open[one.id] = one
        if ended is not None:
            ended.add(one.id)
            self.close(one.id, "superseded")

    def close(self, name: str, how: str) -> None:
        self.counts[key(self.open.pop(name)), how] += 1

    def close_all(self, cause: Hex, how: str) -> list[str]:
        ended = [name for name, one in self.open.items() if one.cause == cause]
        for name in ended:
            self.close(name, how)
        return ended

    def land(self, block: Mined) -> None:
        matched: list[Json] = []
        foreseen: set[tuple[Key, str]] = set()
        for name, one in list(self.open.items()):
            if one.block is not None and one.block >= block.number:
                continue
            how, record = judged(one, block)
            if record is not None:
                matched.append(record)
                foreseen.add((key(one), record["transactions"][0]))
            if how == "taken":
                self.note_error(one, record)
            if how is not None:
                self.close(name, how)
        self.counts.update((whose, "foreseen") for whose, _ in foreseen)
        for record in block.records:
            if record not in matched:
                self.unseen.append(record)
                self.counts[(record["kind"], "inspect"), "unseen"] += 1

    def note_error(self, one: Opportunity, record: Json | None) -> None:
        assert record is not None
        made = {token: int(amount) for token, amount in record["gross"].items()}
        if one.gross is not None and len(one.gross) == 1:
            (token,) = one.gross
            if made.get(token, 0) > 0:
                error = one.gross[token] / made[token] - 1
                self.errors.setdefault(key(one), []).append(error)

    def table(self) -> dict[Key, dict[str, Any]]:
        """As a ledger's scores."""
        still = Counter(map(key, self.open.values()))
        found: dict[Key, dict[str, Any]] = {}
        for (whose, how), count in self.counts.items():
            if count:
                found.setdefault(whose, {})[how] = count
        kinds = Counter(
            record["kind"] for block in self.blocks.values() for record in block.records
        )
        for whose, row in found.items():
            row["landed"] = kinds[whose[0]]
            if still[whose]:
                row["open"] = still[whose]
            if whose in self.errors:
                row["error"] = median(self.errors[whose])
        return found


def key(one: Opportunity) -> Key:
    return one.kind.value, one.detector


def judged(one: Opportunity, block: Mined) -> tuple[str | None, Json | None]:
    """What a block makes of a prediction, and of which record that is."""
    included = one.cause in block.order
    parts = not block.order.keys().isdisjoint((*one.transactions, *one.victims))
    if not included and not one.on_state and not parts:
        return None, None
    same = [r for r in block.records if r["kind"] == one.kind.value and of_it(one, r, block)]
    exact = [record for record in same if exactly(one, record)]
    if exact:
        return "taken", exact[0]
    if same:
        return "competed", same[0]
    if included:
        swapped = {swap["pool"] for swap in block.swaps if swap["transaction"] == one.cause}
        needs = one.kind in {Kind.ARBITRAGE, Kind.SANDWICH}
        return ("wrong" if needs and swapped.isdisjoint(one.pools) else "expired"), None
    if parts:
        return "expired", None
    touched = {swap["pool"] for swap in block.swaps}
    stands = one.kind is Kind.LIQUIDATION or touched.isdisjoint(one.pools)
    return (None if stands else "expired"), None


def of_it(one: Opportunity, record: Json, block: Mined) -> bool:
    """Whether somebody took it, or some of it."""
    if one.kind is Kind.SANDWICH:
        return not {one.cause, *one.victims}.isdisjoint(record["victims"])
    if one.kind is Kind.JIT:
        return not set(one.transactions).isdisjoint(record["transactions"])
    if one.kind is Kind.LIQUIDATION:
        assert isinstance(one.detail, Liquidation)
        return record["detail"]["user"] == one.detail.user
    shared = not set(one.pools).isdisjoint(record["pools"])
    return shared and all(block.behind(one.cause, name) for name in record["transactions"])


def exactly(one: Opportunity, record: Json) -> bool:
    """Whether what was taken is what was predicted."""
    if one.kind is Kind.LIQUIDATION:
        assert isinstance(one.detail, Liquidation)
        told = record["detail"]
        tokens = one.detail.debt_token, one.detail.collateral_token
        return tokens == (told["debt_token"], told["collateral_token"])
    return one.kind is not Kind.ARBITRAGE or set(one.pools) == set(record["pools"])


def differing(ours: dict[Key, dict[str, Any]], truth: dict[Key, dict[str, Any]]) -> list[Any]:
    """Where two tables are not the same: the figure, ours, the truth's."""
    return [
        (*whose, name, ours.get(whose, {}).get(name), truth.get(whose, {}).get(name))
        for whose in sorted(ours.keys() | truth.keys())
        for name in sorted(ours.get(whose, {}).keys() | truth.get(whose, {}).keys())
        if ours.get(whose, {}).get(name) != truth.get(whose, {}).get(name)
    ]


def rows(scores: Iterable[Any]) -> dict[Key, dict[str, Any]]:
    """A ledger's scores as such a table."""
    found = {}
    for score in scores:
        row = {name: getattr(score, name) for name in NAMES if getattr(score, name)}
        if score.error is not None:
            row["error"] = score.error
        found[score.kind.value, score.detector] = row
    return found


NAMES = (
    "predicted",
    "open",
    "taken",
    "competed",
    "expired",
    "wrong",
    "superseded",
    "withdrawn",
    "unseen",
    "landed",
    "foreseen",
)
