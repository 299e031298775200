"""The ledger: every prediction, and what became of it. Pure: the caller says what time it is."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from statistics import median

import attrs

from ..model.chain import Block, Life
from ..model.opportunity import Kind, Landed, Opportunity, Outcome, Score, Status, Verdict
from .matching import Match, of_pending, of_state

MOST_OPEN = 20_000
"""Predictions that may be open; of more, the oldest count as expired."""
MOST_BLOCKS = 64
"""Whose verdicts can be taken back."""
MOST_AGE = 300
"""Blocks for which a prediction on a head's state may stand."""
MOST_FIGURES = 1000
"""Of errors and of lead times, the latest."""
_STATUS = {
    Verdict.TAKEN: Status.LANDED,
    Verdict.COMPETED: Status.MISSED,
    Verdict.EXPIRED: Status.MISSED,
    Verdict.WRONG: Status.MISSED,
}


@attrs.define(eq=False)
class _Open:
    """A prediction that waits for its verdict."""

    latest: Opportunity
    first_at: float
    """When it was predicted first."""


@attrs.frozen(eq=False)
class _Judged:
    open: _Open
    verdict: Verdict


@attrs.define(eq=False)
class _Page:
    """A block, and what was judged by it."""

    landed: Landed
    at: float
    judged: list[_Judged] = attrs.Factory(list)
    unseen: list[tuple[Kind, str]] = attrs.Factory(list)


@attrs.define(eq=False)
class _Tally:
    counts: Counter[str] = attrs.Factory(Counter)
    errors: deque[float] = attrs.Factory(lambda: deque(maxlen=MOST_FIGURES))
    leads: deque[float] = attrs.Factory(lambda: deque(maxlen=MOST_FIGURES))


class Ledger:
    """Keeps predictions until they are judged, and counts how they fared."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._causes: dict[str, set[str]] = {}
        self._pages: deque[_Page] = deque(maxlen=MOST_BLOCKS)
        self._tallies: dict[tuple[Kind, str], _Tally] = {}

    def __len__(self) -> int:
        return len(self._open)

    def predict(self, one: Opportunity, now: float) -> list[Opportunity]:
        """Take a prediction, new or with other amounts; its verdict, where it comes late."""
        known = self._open.get(one.id)
        if known is not None:
            known.latest = one
            return []
        self._tally(one).counts["predicted"] += 1
        self._keep(_Open(one, now))
        for page in self._pages:
            if page.landed.number > (one.block or 0) and one.cause in page.landed.transactions:
                return self._judge(one.id, of_pending(one, page.landed), page)
        told = []
        if len(self._open) > MOST_OPEN:
            oldest = next(iter(self._open))
            told.append(self._close(oldest, Status.MISSED, Outcome(Verdict.EXPIRED)))
        return told

    def _keep(self, new: _Open) -> None:
        one = new.latest
        self._open[one.id] = new
        self._causes.setdefault(one.cause or "", set()).add(one.id)

    def drop(self, one: Opportunity) -> list[Opportunity]:
        """A detector says that it no longer holds."""
        if one.id not in self._open:
            return []
        return [self._close(one.id, Status.SUPERSEDED)]

    def lived(self, transaction: str, life: Life) -> list[Opportunity]:
        """A pending transaction was replaced, dropped, or is no longer watched."""
        if life not in {Life.REPLACED, Life.DROPPED, Life.EXPIRED}:
            return []
        return [
            self._close(name, Status.SUPERSEDED)
            for name in sorted(self._causes.get(transaction, ()))
        ]

    def land(self, block: Landed, now: float) -> list[Opportunity]:
        """A block came: verdicts on what it decides, and what landed that nobody had foreseen."""
        page = _Page(block, now)
        self._pages.append(page)
        told: list[Opportunity] = []
        matched: set[str] = set()
        included = frozenset(block.transactions)
        for name, kept in list(self._open.items()):
            match = self._match(kept.latest, block, included)
            if match is None:
                continue
            if match.landed is not None:
                matched.add(match.landed.id)
            told += self._judge(name, match, page)
        told += self._unseen(block, matched, page)
        return told

    def _match(self, one: Opportunity, block: Landed, included: frozenset[str]) -> Match | None:
        if (one.block or 0) >= block.number:
            return None  # computed on this block's own state
        if one.cause in included:
            return of_pending(one, block)
        if not one.on_state:
            return None
        if block.number - (one.block or 0) > MOST_AGE:
            return Match(Outcome(Verdict.EXPIRED))
        return of_state(one, block)

    def _judge(self, name: str, match: Match, page: _Page) -> list[Opportunity]:
        kept = self._open[name]
        lead = page.at - kept.first_at
        outcome = attrs.evolve(match.outcome, lead=lead)
        tally, verdict = self._tally(kept.latest), outcome.verdict
        tally.counts[verdict.value] += 1
        if verdict is Verdict.TAKEN:
            tally.leads.append(lead)
            error = _error(kept.latest, match.landed)
            if error is not None:
                tally.errors.append(error)
        page.judged.append(_Judged(kept, verdict))
        return [self._close(name, _STATUS[verdict], outcome, counted=True)]

    def _unseen(self, block: Landed, matched: set[str], page: _Page) -> Iterator[Opportunity]:
        for one in block.opportunities:
            if one.reverted or one.id in matched:
                continue
            key = one.kind, one.detector
            self._tallies.setdefault(key, _Tally()).counts["unseen"] += 1
            page.unseen.append(key)
            yield attrs.evolve(one, outcome=Outcome(Verdict.UNSEEN))

    def _close(
        self, name: str, status: Status, outcome: Outcome | None = None, *, counted: bool = False
    ) -> Opportunity:
        one = self._open.pop(name).latest
        same = self._causes[one.cause or ""]
        same.discard(name)
        if not same:
            del self._causes[one.cause or ""]
        if not counted:
            key = status.value if outcome is None else outcome.verdict.value
            self._tally(one).counts[key] += 1
        return attrs.evolve(one, status=status, outcome=outcome)

    def retract(self, blocks: Iterable[Block]) -> list[Opportunity]:
        """Blocks are no longer of the chain, newest first: what they decided is open again, and
        what came of them is withdrawn."""
        told: list[Opportunity] = []
        for block in blocks:
            if self._pages and self._pages[-1].landed.hash == block.hash:
                self._take_back(self._pages.pop())
            told += [
                self._close(name, Status.WITHDRAWN)
                for name in sorted(self._causes.get(block.hash, ()))
            ]
        return told

    def _take_back(self, page: _Page) -> None:
        for judged in page.judged:
            self._tally(judged.open.latest).counts[judged.verdict.value] -= 1
            self._keep(judged.open)
        for key in page.unseen:
            self._tallies[key].counts["unseen"] -= 1

    def _tally(self, one: Opportunity) -> _Tally:
        return self._tallies.setdefault((one.kind, one.detector), _Tally())

    def scores(self) -> tuple[Score, ...]:
        """How each kind by each detector has fared, in the order of their names."""
        still = Counter((kept.latest.kind, kept.latest.detector) for kept in self._open.values())
        found = []
        for (kind, detector), tally in self._tallies.items():
            counts = {name: number for name, number in tally.counts.items() if number}
            error = median(tally.errors) if tally.errors else None
            lead = median(tally.leads) if tally.leads else None
            found.append(
                Score(
                    kind,
                    detector,
                    open=still[kind, detector],
                    error=error,
                    lead=lead,
                    **counts,
                )
            )
        return tuple(sorted(found, key=lambda score: (score.kind.value, score.detector)))


def _error(mine: Opportunity, theirs: Opportunity | None) -> float | None:
    """What was predicted over what was made, less one; None where they are not of one token."""
    if theirs is None or not mine.gross or not theirs.gross:
        return None
    common = {token for token, amount in mine.gross.items() if amount} & set(theirs.gross)
    if len(common) != 1 or len(mine.gross) != 1:
        return None
    (token,) = common
    made = theirs.gross[token]
    return mine.gross[token] / made - 1 if made > 0 else None
