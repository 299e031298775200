"""The ledger: every prediction, and what became of it. Pure: the caller says what time it is."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator

import attrs

from ..model.chain import Block, Life
from ..model.opportunity import Kind, Landed, Opportunity, Outcome, Score, Status, Verdict
from .matching import Match, of_parts, of_pending, of_state
from .tally import Judged, Open, Tally, error_of

MOST_OPEN = 20_000
"""Predictions that may be open; of more, the oldest count as expired."""
MOST_OVER = 10_000
"""Causes that are remembered though they will not come."""
MOST_BLOCKS = 64
"""Whose verdicts can be taken back."""
MOST_AGE = 300
"""Blocks for which a prediction on a head's state may stand."""
_STATUS = {
    Verdict.TAKEN: Status.LANDED,
    Verdict.COMPETED: Status.MISSED,
    Verdict.EXPIRED: Status.MISSED,
    Verdict.WRONG: Status.MISSED,
}


@attrs.define(eq=False)
class _Page:
    """A block, and what was judged by it."""

    landed: Landed
    at: float
    judged: list[Judged] = attrs.Factory(list)
    unseen: list[tuple[Kind, str]] = attrs.Factory(list)
    made: set[tuple[Kind, str]] = attrs.Factory(set)
    """What landed: of which kind, and its id."""
    foreseen: set[tuple[Kind, str, str]] = attrs.Factory(set)
    """And which detector had predicted it."""


class Ledger:
    """Keeps predictions until they are judged, and counts how they fared."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Open] = OrderedDict()
        self._causes: dict[str, set[str]] = {}
        self._pages: deque[_Page] = deque(maxlen=MOST_BLOCKS)
        self._tallies: dict[tuple[Kind, str], Tally] = {}
        self._landed: Counter[Kind] = Counter()
        self._over: OrderedDict[str, set[str]] = OrderedDict()
        """Causes that will not come, and the predictions that ended with them."""

    def __len__(self) -> int:
        return len(self._open)

    def predict(self, one: Opportunity, now: float) -> list[Opportunity]:
        """Take a prediction, new or with other amounts; its verdict, where it comes late."""
        known = self._open.get(one.id)
        if known is not None:
            known.latest = one
            return []
        over = self._over.get(one.cause or "")
        if over is not None and one.id in over:
            return []  # it was under way when its cause ended
        self._tally(one).counts["predicted"] += 1
        self._keep(Open(one, now))
        if over is not None:
            over.add(one.id)
            return [self._close(one.id, Status.SUPERSEDED)]
        for page in self._pages:
            if page.landed.number > (one.block or 0) and one.cause in page.landed.transactions:
                return self._judge(one.id, of_pending(one, page.landed), page)
        told = []
        if len(self._open) > MOST_OPEN:
            oldest = next(iter(self._open))
            told.append(self._close(oldest, Status.MISSED, Outcome(Verdict.EXPIRED)))
        return told

    def _keep(self, new: Open) -> None:
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
            self._over.pop(transaction, None)
            return []
        ended = sorted(self._causes.get(transaction, ()))
        self._over.setdefault(transaction, set()).update(ended)
        if len(self._over) > MOST_OVER:
            self._over.popitem(last=False)
        return [self._close(name, Status.SUPERSEDED) for name in ended]

    def land(self, block: Landed, now: float) -> list[Opportunity]:
        """A block came: verdicts on what it decides, and what landed that nobody had foreseen."""
        page = _Page(block, now)
        self._pages.append(page)
        for one in block.opportunities:
            if not one.reverted:
                self._made(page, one.kind, one.id)
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
        if not included.isdisjoint((*one.transactions, *one.victims)):
            return of_parts(one, block)
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
        judged = Judged(kept, verdict)
        if verdict is Verdict.TAKEN:
            judged = Judged(kept, verdict, lead, error_of(kept.latest, match.landed))
            tally.note(judged)
        page.judged.append(judged)
        if match.landed is not None:
            self._foreseen(page, kept.latest, match.landed.id)
        return [self._close(name, _STATUS[verdict], outcome, counted=True)]

    def _made(self, page: _Page, kind: Kind, name: str) -> None:
        if (kind, name) not in page.made:
            page.made.add((kind, name))
            self._landed[kind] += 1

    def _foreseen(self, page: _Page, one: Opportunity, name: str) -> None:
        """What landed counts once for each detector that had predicted it; as its other kind too,
        where it was predicted as such."""
        self._made(page, one.kind, name)
        if (one.kind, one.detector, name) not in page.foreseen:
            page.foreseen.add((one.kind, one.detector, name))
            self._tally(one).counts["foreseen"] += 1

    def _unseen(self, block: Landed, matched: set[str], page: _Page) -> Iterator[Opportunity]:
        for one in block.opportunities:
            if one.reverted or one.id in matched:
                continue
            key = one.kind, one.detector
            self._tallies.setdefault(key, Tally()).counts["unseen"] += 1
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
                told += self._take_back(self._pages.pop())
            told += [
                self._close(name, Status.WITHDRAWN)
                for name in sorted(self._causes.get(block.hash, ()))
            ]
        return told

    def _take_back(self, page: _Page) -> list[Opportunity]:
        told: list[Opportunity] = []
        for judged in page.judged:
            self._tally(judged.open.latest).take_back(judged)
            told += self._open_again(judged.open)
        for key in page.unseen:
            self._tallies[key].counts["unseen"] -= 1
        for kind, _ in page.made:
            self._landed[kind] -= 1
        for kind, detector, _ in page.foreseen:
            self._tallies[kind, detector].counts["foreseen"] -= 1
        return told

    def _open_again(self, kept: Open) -> list[Opportunity]:
        """What was judged is open, unless its cause ended meanwhile; where it was predicted once
        more, it is one again."""
        one = kept.latest
        known, over = self._open.get(one.id), self._over.get(one.cause or "")
        if known is not None:
            known.first_at = kept.first_at
            self._tally(one).counts["predicted"] -= 1
            return []
        self._keep(kept)
        if over is None:
            return []
        over.add(one.id)
        return [self._close(one.id, Status.SUPERSEDED)]

    def _tally(self, one: Opportunity) -> Tally:
        return self._tallies.setdefault((one.kind, one.detector), Tally())

    def scores(self) -> tuple[Score, ...]:
        """How each kind by each detector has fared, in the order of their names."""
        still = Counter((kept.latest.kind, kept.latest.detector) for kept in self._open.values())
        found = [
            tally.score(kind, detector, still[kind, detector], self._landed[kind])
            for (kind, detector), tally in self._tallies.items()
        ]
        return tuple(
            sorted(
                (one for one in found if one is not None),
                key=lambda score: (score.kind.value, score.detector),
            )
        )
