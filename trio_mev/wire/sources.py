"""Several endpoints of one chain: who was first and by how much, who misses what, who is believed.

Facts come in with their times, decisions come out; nothing here waits or measures.
"""

from __future__ import annotations

import statistics
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence

import attrs

RECENT = 1000
"""Lags that the median is taken of."""


@attrs.frozen
class SourceFigures:
    """What one source delivered of one kind. Times are seconds."""

    seen: int
    first: int
    """Of those, the ones that nobody had delivered before."""
    missed: int
    """Delivered by others while this one was up, and by it not within the window."""
    median_lag: float | None
    """Behind the first one, of the recent ones where it was not first; None without any."""
    longest_lag: float | None


@attrs.define(eq=False)
class _Tally:
    seen: int = 0
    first: int = 0
    missed: int = 0
    longest: float | None = None
    recent: deque[float] = attrs.Factory(lambda: deque(maxlen=RECENT))


@attrs.define(eq=False)
class _Sighting:
    at: float
    by: set[str]


class FirstSeen:
    """Each thing once, from whoever has it first.

    Args:
        window: seconds in which the others may follow.
        most: things that are remembered at once; the oldest is settled first.
    """

    def __init__(self, window: float = 60.0, most: int = 100_000) -> None:
        self._window = window
        self._most = most
        self._sightings: OrderedDict[tuple[str, Hashable], _Sighting] = OrderedDict()
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._up: dict[str, float] = {}

    def join(self, source: str, now: float) -> None:
        """A source is up from now on."""
        self._up[source] = now

    def leave(self, source: str) -> None:
        """A source is down; what it does not deliver now is no miss."""
        self._up.pop(source, None)

    def saw(self, kind: str, key: Hashable, source: str, now: float) -> bool:
        """Whether a source is the first with a thing."""
        self.settle(now)
        tally = self._tally(source, kind)
        sighting = self._sightings.get((kind, key))
        if sighting is None:
            self._sightings[kind, key] = _Sighting(now, {source})
            if len(self._sightings) > self._most:
                self._settle_oldest()
            tally.seen += 1
            tally.first += 1
            return True
        if source not in sighting.by:
            sighting.by.add(source)
            tally.seen += 1
            lag = now - sighting.at
            tally.recent.append(lag)
            tally.longest = max(lag, tally.longest or 0.0)
        return False

    def settle(self, now: float) -> None:
        """Count the misses of what is older than the window."""
        while self._sightings:
            oldest = next(iter(self._sightings.values()))
            if oldest.at + self._window > now:
                return
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        (kind, _), sighting = self._sightings.popitem(last=False)
        for source, since in self._up.items():
            if since <= sighting.at and source not in sighting.by:
                self._tally(source, kind).missed += 1

    def _tally(self, source: str, kind: str) -> _Tally:
        tally = self._tallies.get((source, kind))
        if tally is None:
            tally = self._tallies[source, kind] = _Tally()
        return tally

    def figures(self) -> Mapping[tuple[str, str], SourceFigures]:
        """By source and kind, so far."""
        return {
            key: SourceFigures(
                tally.seen,
                tally.first,
                tally.missed,
                statistics.median(tally.recent) if tally.recent else None,
                tally.longest,
            )
            for key, tally in sorted(self._tallies.items())
        }


@attrs.define(eq=False)
class _Source:
    up: bool = False
    number: int = -1
    """Its head."""
    behind_since: float | None = None
    """Since when another one has a higher head."""


class Choice:
    """Which of several sources is believed where they disagree.

    The one that is believed keeps its place until it is down, or has been behind for longer than
    ``patience``, or by more than ``blocks``. Then the first of the others that is up to date
    follows it, in the order of the configuration.

    Args:
        names: of the sources, in order.
        patience: seconds.
        blocks: how far behind is too far at once.
    """

    def __init__(self, names: Sequence[str], patience: float = 3.0, blocks: int = 2) -> None:
        self._sources = {name: _Source() for name in names}
        self._patience = patience
        self._blocks = blocks
        self.current: str | None = None
        self.changes: Counter[str] = Counter()
        """How often it was changed, by the reason."""

    def join(self, name: str, now: float) -> bool:
        """A source is up; whether another one is believed now."""
        source = self._sources[name]
        source.up, source.number, source.behind_since = True, -1, None
        return self.decide(now)

    def leave(self, name: str, now: float) -> bool:
        """A source is down; whether another one is believed now."""
        self._sources[name].up = False
        return self.decide(now)

    def head(self, name: str, number: int, now: float) -> bool:
        """A source has a new head; whether another one is believed now."""
        self._sources[name].number = number
        return self.decide(now)

    def _up(self) -> Iterable[_Source]:
        return (source for source in self._sources.values() if source.up)

    def _best(self) -> int:
        return max((source.number for source in self._up()), default=-1)

    def next_due(self) -> float | None:
        """When ``decide`` has something to decide, if nothing is heard before."""
        if self.current is None:
            return None
        since = self._sources[self.current].behind_since
        return None if since is None else since + self._patience

    def decide(self, now: float) -> bool:
        """Whether another one is believed from now on."""
        highest = self._best()
        for source in self._up():
            if source.number >= highest:
                source.behind_since = None
            elif source.behind_since is None:
                source.behind_since = now
        why = self._unfit(now)
        if why is None:
            return False
        able = [name for name, source in self._sources.items() if source.up]
        fit = [name for name in able if self._sources[name].number >= highest]
        chosen = next(iter([*fit, *able]), None)
        if chosen == self.current:
            return False
        self.current = chosen
        self.changes[why] += 1
        return True

    def _unfit(self, now: float) -> str | None:
        """Why the one that is believed cannot be so any longer."""
        if self.current is None:
            return "first"
        source = self._sources[self.current]
        if not source.up:
            return "down"
        if self._best() - source.number > self._blocks and source.number >= 0:
            return "behind"
        since = source.behind_since
        return "stalled" if since is not None and now >= since + self._patience else None
