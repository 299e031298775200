"""What comes in: sources, their quotes, and why some are refused."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from math import inf

from ..model.identity import Instrument, Venue
from ..model.settings import MOST_SOURCES, PriceSettings
from .constituent import Constituent
from .joins import Joinable
from .panel import Panel
from .pooled import Pools
from .refusing import disordered, misquoted, mistimed
from .rules import RULES
from .scale import deviation
from .sources import PATIENCE, POOL, UPDATE_INTERVALS, Refusal, Source

MOST_INSTRUMENTS = 10_000
MOST_NAMES = 1000
"""Of sources."""
BLAMELESS = frozenset({"repeated", "superseded", "too_many"})
"""Refusals that cost no reliability: what comes over two connections comes twice."""


class Intake:
    """The sources and their latest quotes, by canonical instrument."""

    def __init__(self, settings: PriceSettings) -> None:
        self._settings = settings
        self._sources: dict[Venue, Source] = {}
        self._panels: dict[Instrument, Panel] = {}
        """Of venues. No pool is in them, so that nothing here depends on what pools say."""
        self._pools: dict[Instrument, Pools] = {}
        self._counts: Counter[bool] = Counter()
        """Sources, by whether they are pools: neither takes the others' room."""
        self.joinable = Joinable(settings.bases, settings.joined)
        """Prices that can be had from two others."""

    def add_price_source(
        self, source_id: Venue, source_type: str = "venue", update_frequency: str = "normal"
    ) -> None:
        """Make a source known, or change its class.

        Args:
            source_id: its name.
            source_type: what it is, for the statistics. All sources of the type ``pool`` that
                quote an instrument have one vote together.
            update_frequency: ``high_frequency``, ``normal`` or ``low_frequency``.

        Raises:
            ValueError: there is no such class, or there are too many sources, or a pool is to be
                something else, or something else a pool.
        """
        if update_frequency not in UPDATE_INTERVALS:
            raise ValueError(f"{update_frequency!r} is not one of {', '.join(UPDATE_INTERVALS)}")
        max_age = min(self._settings.max_age, PATIENCE * UPDATE_INTERVALS[update_frequency])
        known = self._sources.get(source_id)
        if known is not None:
            if (known.type == POOL) is not (source_type == POOL):
                raise ValueError(f"{source_id} is of the type {known.type!r} and stays what it is")
            known.type, known.update_class, known.max_age = source_type, update_frequency, max_age
        elif not self._has_room(source_type):
            raise ValueError(f"there are {MOST_NAMES} sources; no more are taken")
        else:
            self._sources[source_id] = Source(source_id, source_type, update_frequency, max_age)
            self._counts[source_type == POOL] += 1

    def _has_room(self, source_type: str) -> bool:
        return self._counts[source_type == POOL] < MOST_NAMES

    def knows(self, source_id: Venue) -> bool:
        """Whether a source is known."""
        return source_id in self._sources

    def admit(self, source_id: Venue, source_type: str) -> bool:
        """Make a source of a type known, if there is room for it; whether there is."""
        if not self._has_room(source_type):
            return False
        self.add_price_source(source_id, source_type)
        return True

    def set_active(self, source_id: Venue, active: bool) -> None:
        """Switch a source off or on. KeyError where it is not known."""
        self._sources[source_id].is_active = active

    def max_age(self, source_id: Venue) -> float:
        """Seconds for which a source's quote counts: ten of its intervals, at most the limit."""
        return self._sources[source_id].max_age

    def update_price(
        self,
        source_id: Venue,
        instrument: Instrument,
        price: Decimal,
        now: float,
        at: float | None = None,
    ) -> Refusal | None:
        """Take in a price without a spread, such as that of a last trade."""
        return self.update_quote(source_id, instrument, price, price, now, at)

    def update_quote(
        self,
        source_id: Venue,
        instrument: Instrument,
        bid: Decimal,
        ask: Decimal,
        now: float,
        at: float | None = None,
        tick: Decimal | None = None,
        stamp: int | None = None,
        depth: float = 1.0,
    ) -> Refusal | None:
        """Take in a source's bid and ask. An unknown source is added as a normal one.

        Args:
            source_id: whose it is.
            instrument: what is quoted.
            bid: in quote units.
            ask: likewise.
            now: the time, in seconds of the stream's clock, which is that of the receipt.
            at: that of the event at the source, on the same clock; None where it is not told,
                then the receipt's counts.
            tick: the least step of the price, in quote units, where it is known.
            stamp: the source's own time of the event, in any unit that rises, by which quotes are
                put in order: ``at`` moves with our own clock. None where it is not told.
            depth: of a pool, how much of the quote moves it: by which it is weighed against other
                pools.

        Returns:
            None where it was taken; else why not, which is counted for the source.
        """
        panel = self._panels.get(instrument)
        one = None if panel is None else panel.constituents.get(source_id)
        if one is None:
            one = self._admit(source_id, instrument, now)
            if one is None:
                return "too_many"
            panel = self._panels.get(instrument)
        reason = disordered(one, at, stamp, bid, ask)
        reason = reason or mistimed(one, now, at, self._settings.clock_slack)
        reason = reason or misquoted(bid, ask, tick)
        source = one.source
        if reason is not None:
            self._refuse(one, reason)
            return reason
        one.bid, one.ask, one.tick, one.unread, one.depth = bid, ask, tick, True, depth
        one.received = now
        one.stamp = stamp
        one.time = now
        one.at = at
        if at is not None and at < now:
            one.time = at
        one.quotes += 1
        source.updates += 1
        source.last_update = now
        if source.first_update is None:
            source.first_update = now
        if now >= one.learn_at and panel is not None:  # which that of a pool never is
            panel.learn(one, now)
        return None

    def _admit(self, source_id: Venue, instrument: Instrument, now: float) -> Constituent | None:
        """A source's place in an instrument; None where there is no room for it."""
        source = self._source(source_id)
        if source is None:
            return None
        if source.type == POOL:
            return self._admit_pool(source, instrument)
        panel = self._panels.get(instrument)
        if panel is None and len(self._panels) < MOST_INSTRUMENTS:
            panel = self._panels[instrument] = self._new_panel()
            self.joinable.learn(instrument)
        if panel is None or len(panel.constituents) >= MOST_SOURCES:
            source.refuse("too_many")
            return None
        return panel.add(source, now)

    def _admit_pool(self, source: Source, instrument: Instrument) -> Constituent | None:
        pools = self._pools.get(instrument)
        if pools is None and len(self._pools) < MOST_INSTRUMENTS:
            pools = self._pools[instrument] = Pools(self._new_panel())
            self.joinable.learn(instrument)
        held = None if pools is None else pools.constituents
        one = None if held is None else held.get(source.source_id)
        if one is None:
            if held is None or len(held) >= MOST_SOURCES:
                source.refuse("too_many")
                return None
            # Its error is its band; no venue's is learned from it, nor its from theirs.
            one = held[source.source_id] = Constituent(source, variance=0.0)
        return one

    def _source(self, source_id: Venue) -> Source | None:
        if source_id not in self._sources and self._has_room("venue"):
            self.add_price_source(source_id)
        return self._sources.get(source_id)

    def _new_panel(self) -> Panel:
        settings = self._settings
        return Panel(
            RULES[settings.rule],
            deviation(settings.max_deviation),
            settings.reliability_half_life,
            settings.min_sources,
        )

    def _refuse(self, one: Constituent, reason: str) -> None:
        one.source.refuse(reason)
        one.faults += reason not in BLAMELESS

    def withdraw(self, source_id: Venue, instrument: Instrument) -> None:
        """A source's quote no longer stands, and nothing is known in its place."""
        panel = self._panels.get(instrument)
        one = None if panel is None else panel.constituents.get(source_id)
        if one is not None:
            one.time = -inf
        elif (pools := self._pools.get(instrument)) is not None:
            pools.constituents.pop(source_id, None)

    def note_fault(self, source_id: Venue, instrument: Instrument | None, kind: str) -> None:
        """Let what was refused before it came here cost a source its reliability.

        Args:
            source_id: whose fault it is.
            instrument: in what; None where that cannot be told, then in all.
            kind: such as ``malformed``, for the statistics.
        """
        source = self._source(source_id)
        if source is None:
            return
        panel = None if instrument is None else self._panels.get(instrument)
        one = None if panel is None else panel.constituents.get(source_id)
        if one is not None:
            self._refuse(one, kind)
            return
        source.refuse(kind)
        source.faults += instrument is None and kind not in BLAMELESS
