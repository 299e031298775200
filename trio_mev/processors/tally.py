"""The figures of one kind of prediction by one detector. Pure: no clock."""

from __future__ import annotations

from collections import Counter, deque
from statistics import median

import attrs

from ..model.opportunity import Kind, Opportunity, Score, Verdict

MOST_FIGURES = 1000
"""Of errors and of lead times, the latest."""


@attrs.define(eq=False)
class Open:
    """A prediction that waits for its verdict."""

    latest: Opportunity
    first_at: float
    """When it was predicted first."""


@attrs.frozen(eq=False)
class Judged:
    open: Open
    verdict: Verdict
    lead: float | None = None
    error: float | None = None
    """What of it was counted."""


@attrs.define(eq=False)
class Tally:
    counts: Counter[str] = attrs.Factory(Counter)
    errors: deque[float] = attrs.Factory(lambda: deque(maxlen=MOST_FIGURES))
    leads: deque[float] = attrs.Factory(lambda: deque(maxlen=MOST_FIGURES))

    def note(self, judged: Judged) -> None:
        for figures, figure in ((self.leads, judged.lead), (self.errors, judged.error)):
            if figure is not None:
                figures.append(figure)

    def take_back(self, judged: Judged) -> None:
        self.counts[judged.verdict.value] -= 1
        for figures, figure in ((self.leads, judged.lead), (self.errors, judged.error)):
            # So many may have come since that it is not among them any more.
            if figure is not None and figure in figures:
                figures.remove(figure)

    def score(self, kind: Kind, detector: str, still: int, landed: int) -> Score | None:
        """All of it; None where all of it was taken back."""
        counts = {name: number for name, number in self.counts.items() if number}
        if not counts:
            return None
        error = median(self.errors) if self.errors else None
        lead = median(self.leads) if self.leads else None
        return Score(kind, detector, open=still, error=error, lead=lead, landed=landed, **counts)


def error_of(mine: Opportunity, theirs: Opportunity | None) -> float | None:
    """What was predicted over what was made, less one; None where they are not of one token."""
    if theirs is None or not mine.gross or not theirs.gross:
        return None
    common = {token for token, amount in mine.gross.items() if amount} & set(theirs.gross)
    if len(common) != 1 or len(mine.gross) != 1:
        return None
    (token,) = common
    made = theirs.gross[token]
    return mine.gross[token] / made - 1 if made > 0 else None
